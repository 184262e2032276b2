"""A run as the page takes it: what is unpacked from it looks as the figures do."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gbvis.errors import NothingFound, StoreError
from gbvis.figures.color import DIVERGING, SEQUENTIAL, color_map
from gbvis.figures.outputs.report.packed_run import PackedRun
from gbvis.figures.outputs.report.shown import illustrate, stack_values
from gbvis.figures.panel import find_limits, make_panels, paint
from gbvis.figures.run_view import ClipView, RunView, SourceFrames
from gbvis.figures.scale import Limits
from gbvis.figures.style import Style
from gbvis.networks.prediction import PredictedClass, TrueClass
from material.reports import read_strip, unpack_values
from material.views import grey_source, make_run_view, view_of

Values = Callable[[np.ndarray, float, int], np.ndarray]

COLORS: dict[str, tuple[str, Values]] = {
    "gradient": (DIVERGING, lambda frame, end, sign: 0.5 + 0.5 * frame / end if end else 0 * frame + 0.5),
    "positive": (SEQUENTIAL, lambda frame, end, sign: frame / end if end else 0 * frame),
    "negative": (SEQUENTIAL, lambda frame, end, sign: -frame / end if end else 0 * frame),
}


def read_values(run: PackedRun, clip: dict[str, Any]) -> np.ndarray:
    """Return a clip's values: float32 (row, time, y, x)."""
    return unpack_values(run.read_blob(clip["values"]["blob"]), clip["values"])


def read_strips(run: PackedRun, strips: list[dict[str, Any]]) -> np.ndarray:
    return np.concatenate([read_strip(run.read_blob(strip["blob"]), strip) for strip in strips])


def check_colors(view: RunView, style: Style, run: PackedRun) -> None:
    """Check that all panels at all percentiles and scales look as those of the figures."""
    for told, clip in zip(run.run["clips"], view.clips(), strict=True):
        values = read_values(run, told)
        for place, percentile in enumerate(PERCENTILES):
            for scale in ("clip", "frame"):
                shown = replace(style, percentile=percentile, scale=scale)
                ends = told["limits"][scale][place]
                for row, panels in enumerate(make_panels(clip, view, shown)):
                    for panel in panels:
                        if panel.kind != "frame":
                            by_frame = ends if scale == "frame" else [ends] * panel.count
                            check_panel(panel.images, panel.kind, values[row], by_frame)


PERCENTILES = (90.0, 95.0, 99.0, 99.5, 99.9, 100.0)


def check_panel(places: np.ndarray, kind: str, values: np.ndarray, ends: list[list[float]]) -> None:
    """Check one panel.

    Args:
        places: float32 (time, y, x), as the figures have them.
        kind: Which panel.
        values: float32 (time, y, x), as the page has them.
        ends: For each frame the limits, as the page has them.
    """
    colors, place = COLORS[kind]
    side = list(COLORS).index(kind)
    ours = np.stack([place(frame, end[side], 1) for frame, end in zip(values, ends, strict=True)])
    found, expected = (paint(one, color_map(colors)).astype(int) for one in (ours, places))
    difference = np.abs(found - expected).max(-1)
    assert difference.max() <= 4
    assert (difference > 1).mean() <= 0.01


@pytest.mark.parametrize("is_quick", [True, False])
@pytest.mark.parametrize(
    ("modality", "style"),
    [
        ("rgb", Style()),
        ("rgb", Style(saliency_scale="own", panels=("positive", "gradient"))),
        ("flow", Style()),
        ("flow", Style(flow="v", flow_colors="grey")),
        ("flow", Style(flow_colors="grey", saliency_scale="own")),
    ],
)
def test_it_looks_as_the_figures_do(random: np.random.Generator, modality: str, style: Style, is_quick: bool) -> None:
    view = make_run_view(random, modality, frames=3)
    run = PackedRun(view, style, is_quick)
    check_colors(view, style, run)
    for told, clip in zip(run.run["clips"], view.clips(), strict=True):
        rows = make_panels(clip, view, replace(style, panels=("frame",)))
        panels = [row[0] for row in rows if not row[0].is_key]
        assert [picture["name"] for picture in told["pictures"]] == [panel.name for panel in panels]
        for picture, panel in zip(told["pictures"], panels, strict=True):
            np.testing.assert_array_equal(read_strips(run, picture["strips"]), panel.images)
        assert len(told["values"]["rows"]) == len(rows)
        np.testing.assert_allclose(told["importance"], clip.importance, rtol=1e-5)
    assert run.run["isWheel"] == (modality == "flow" and style.flow_colors is None)
    assert run.byte_count > 0


def test_values_without_a_sign_that_stand_for_all_channels(random: np.random.Generator) -> None:
    values = np.abs(random.standard_normal((1, 4, 56, 56))).astype(np.float32)
    pixels = random.integers(0, 256, (4, 56, 56, 2), dtype=np.uint8)
    clip = ClipView([3, 4, 5, 6], pixels, values, 0.25)
    view = view_of([clip], "flow", kind="positive", quantity="relevance", is_one_channel=True)
    run = PackedRun(view, Style())
    check_colors(view, Style(), run)
    assert [panel["kind"] for panel in run.run["panels"]] == ["frame", "positive"]
    assert run.run["clips"][0]["values"]["rows"] == [""]
    assert run.run["kind"] == "positive"


@pytest.mark.parametrize("level", [0.0, 2.0])
def test_where_there_is_nothing_to_see_it_says_so(random: np.random.Generator, level: float) -> None:
    pixels = random.integers(0, 256, (1, 20, 20, 3), dtype=np.uint8)
    view = view_of([ClipView([0], pixels, np.full((3, 1, 20, 20), level, np.float32), 0.0)])
    run = PackedRun(view, Style())
    check_colors(view, Style(), run)
    assert "everywhere, there is nothing to see" in run.run["warning"]


def test_the_overlay_has_the_source_frames(random: np.random.Generator) -> None:
    """They may be smaller than they are; those of other sizes show the same part."""

    def read(number: int) -> np.ndarray:
        height = 480 if number % 2 else 240
        frame = np.zeros((height, height * 4 // 3, 3), np.uint8)
        frame[:, : height * 2 // 3] = 10 * number
        return frame

    source = SourceFrames(640, 480, (80.0, 0.0, 560.0, 480.0), read)
    run = PackedRun(make_run_view(random, clips=1, frames=20, source=lambda: source), Style())
    (clip,) = run.run["clips"]
    assert clip["box"] == [80.0, 0.0, 560.0, 480.0] and clip["sourceSize"] == [480, 640]
    assert clip["overlay"]["box"] == [32.0, 0.0, 224.0, 192.0]
    assert [strip["count"] for strip in clip["overlay"]["strips"]] == [16, 4]
    frames = read_strips(run, clip["overlay"]["strips"])
    assert frames.shape == (20, 192, 256, 3)
    assert np.abs(frames[:, :, :120].mean((1, 2, 3)) - 10 * np.arange(20)).max() < 4
    assert frames[:, :, 136:].mean() < 4
    assert clip["overlayProblem"] == ""


def test_without_source_frames_it_says_why(random: np.random.Generator) -> None:
    def find() -> SourceFrames:
        raise StoreError("the frames are gone", "give them again")

    run = PackedRun(make_run_view(random, clips=1, source=find), Style())
    (clip,) = run.run["clips"]
    assert clip["overlay"] is None and clip["overlayProblem"] == "the frames are gone"


def test_where_the_clip_lies_is_known_without_source_frames(random: np.random.Generator) -> None:
    def find() -> SourceFrames:
        raise StoreError("the frames are gone", "give them again")

    place = (150, 200), (40.0, 20.0, 152.0, 132.0)
    run = PackedRun(make_run_view(random, clips=1, source=find, find_place=lambda clip: place), Style())
    (clip,) = run.run["clips"]
    assert (clip["sourceSize"], clip["box"]) == ([150, 200], [40.0, 20.0, 152.0, 132.0])


@pytest.mark.parametrize("name", ["", "values", "9.values", "-1.values", "0.frame", "0.frame.1.0", "0.frame.0.9", "²"])
def test_there_is_no_blob_of_another_name(random: np.random.Generator, name: str) -> None:
    run = PackedRun(make_run_view(random), Style())
    with pytest.raises(NothingFound, match="has no"):
        run.read_blob(name)


def test_a_blob_is_read_alone_and_in_any_order(random: np.random.Generator) -> None:
    view = make_run_view(random)
    alone = PackedRun(view, Style()).read_blob("1.values")
    run = PackedRun(view, Style())
    names = [strip["blob"] for strip in run.run["clips"][1]["pictures"][0]["strips"]]
    assert [run.read_blob(name) for name in names] and run.read_blob("1.values") == alone
    assert run.read_blob("0.values") != alone


def test_the_index_has_curves_and_thumbnails(random: np.random.Generator) -> None:
    for modality in ("rgb", "flow"):
        view = make_run_view(random, modality)
        assert illustrate(view, Style()) == {
            name: PackedRun(view, Style()).summary[name] for name in ("importance", "thumbnail")
        }


def test_limits_are_of_all_channels_though_one_is_shown(random: np.random.Generator) -> None:
    view, style = make_run_view(random, "flow", clips=1), Style(flow="u")
    (clip,) = view.clips()
    expected: Limits = find_limits(list(stack_values(clip, view, style)), style)
    ends = PackedRun(view, style).run["clips"][0]["limits"]["clip"][PERCENTILES.index(99.5)]
    np.testing.assert_allclose(ends[0], expected.gradient[0], rtol=1e-6)


@pytest.mark.parametrize(
    ("truth", "expected"),
    [
        (None, None),
        (TrueClass(3, None), True),
        (TrueClass(4, "right turn"), False),
        (TrueClass(None, "Right-Turn"), True),
        (TrueClass(None, "left"), False),
    ],
)
def test_it_is_right_where_it_predicts_what_a_list_says(
    random: np.random.Generator, truth: TrueClass | None, expected: bool | None
) -> None:
    predicted = PredictedClass(3, "right turn", 0.5)
    summary = PackedRun(make_run_view(random, truth=truth, prediction=predicted), Style()).summary
    assert summary["isRight"] is expected
    assert summary["truth"] == (truth and truth.to_json())


def test_there_are_commands_and_facts(random: np.random.Generator) -> None:
    view = make_run_view(random, explain_command=lambda: "gbvis explain video -w net.pth")
    style = Style(words=("--store", "a b.zarr"), scale="all", percentile=95)
    run = PackedRun(view, style).run
    drawing, computing = (command for _, command in run["commands"])
    assert drawing.startswith(f"gbvis render video --run {view.digest}") and "--store 'a b.zarr'" in drawing
    assert "--percentile 95" in drawing and computing == "gbvis explain video -w net.pth"
    assert dict(run["facts"])["Frames"] == "2 clips of 4 frames, from 0 to 13"
    assert not PackedRun(make_run_view(random), style).run["commands"][1:]


def test_grey_source_is_as_the_view_says(random: np.random.Generator) -> None:
    (clip, _) = PackedRun(make_run_view(random), Style()).run["clips"]
    assert clip["box"] == list(grey_source().box)
