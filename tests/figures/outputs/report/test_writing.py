"""A report's file: whole, the same whenever it is written, and of no more than was allowed."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gbvis.errors import GbvisError, StoreError, UsageError
from gbvis.figures.outputs import OUTPUTS
from gbvis.figures.outputs.report.facts import describe_frames
from gbvis.figures.outputs.report.pages import name_folder, write_pages
from gbvis.figures.outputs.report.writing import ReportTooLarge, write_report
from gbvis.figures.panel import limits_of
from gbvis.figures.run_view import RunView
from gbvis.figures.scale import Limits
from gbvis.figures.style import Style
from gbvis.networks.endpoint import FC
from gbvis.networks.prediction import PredictedClass, TrueClass
from gbvis.networks.r2plus1d.architecture import STEM
from material.reports import ReadReport
from material.views import make_run_view

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\u2028\u2029\u202egnp.a",
    "-->]]>&amp;\"'`${1}\\u003c\\",
    "a" * 255,
    "\udcff\x00\x1b[31m",
    "<!-- data --><!-- script -->",
]


def make_views(random: np.random.Generator, videos: int = 2) -> list[RunView]:
    """Return for each video two streams at two endpoints."""
    views = []
    for video in range(videos):
        for modality in ("rgb", "flow"):
            clips = list(make_run_view(random, modality, clips=2, frames=3).clips())
            for endpoint in (STEM, FC):
                changes = {"endpoint": endpoint, "video": f"video {video}", "clips_digest": f"{video} {modality}"}
                view = make_run_view(random, modality, clips=2, frames=3, **changes)
                own = [replace(clip, pixels=one.pixels) for clip, one in zip(view.clips(), clips, strict=True)]
                key = f"video {video}/{modality}/{endpoint}/3"
                views.append(replace(view, key=key, clips=lambda own=own: iter(own)))
    return views


def break_view(view: RunView) -> RunView:
    """Return a run whose clips are damaged."""

    def read() -> None:
        raise StoreError("it is damaged", "explain it again")

    return replace(view, clips=read)


def test_it_has_all_runs_in_their_order(tmp_path: Path, random: np.random.Generator) -> None:
    views = make_views(random)
    facts = write_report(views, Style(), tmp_path / "report.html")
    report = ReadReport(tmp_path / "report.html")
    assert facts == {"runs": 8, "videos": 2, "bytes": (tmp_path / "report.html").stat().st_size}
    assert [run["key"] for run in report.data["runs"]] == [view.key for view in views]
    for view, run in zip(views, report.runs, strict=True):
        assert run["recipe"] == view.recipe.to_json()
        for clip, told in zip(view.clips(), run["clips"], strict=True):
            assert told["frames"] == clip.frames
            assert report.read_strips(told["pictures"][0]["strips"]).shape == (3, 112, 112, 3)
            if view.modality == "rgb":
                np.testing.assert_array_equal(report.read_strips(told["pictures"][0]["strips"]), clip.pixels)
            assert report.read_strips(told["overlay"]["strips"]).shape == (3, 150, 200, 3)
            values = report.read_values(told)
            assert values.shape == (1 if view.modality == "rgb" else 2, 3, 112, 112)
            if view.modality == "flow":
                np.testing.assert_allclose(values, clip.gradient, rtol=1e-3, atol=1e-3)


def test_frames_that_runs_share_are_there_once(tmp_path: Path, random: np.random.Generator) -> None:
    write_report(make_views(random), Style(), tmp_path / "report.html")
    report = ReadReport(tmp_path / "report.html")
    assert len(set(report.blobs.values())) == len(report.blobs)
    # a blob for each run's facts, and for each of its clips' values; frames for each clip; one source frame for all
    assert len(report.blobs) == 8 + 16 + 8 + 1
    stem, fc = (run["clips"][0] for run in report.runs[:2])
    assert stem["pictures"] == fc["pictures"] and stem["values"]["blob"] != fc["values"]["blob"]


def test_it_is_the_same_when_it_is_written_again(tmp_path: Path, random: np.random.Generator) -> None:
    views = make_views(random)
    for name in ("one.html", "another.html"):
        write_report(views, Style(), tmp_path / name)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "another.html").read_bytes()


def test_the_limits_of_all_are_those_of_render(tmp_path: Path, random: np.random.Generator) -> None:
    views = make_views(random)
    write_report(views, Style(scale="all", percentile=95), tmp_path / "report.html")
    data = ReadReport(tmp_path / "report.html").data
    assert data["look"] == {"percentile": 95.0, "scale": "all", "rate": 5.0}
    for place, percentile in enumerate(data["percentiles"]):
        expected = Limits.none()
        for view in views:
            expected |= limits_of(view, Style(percentile=percentile))
        np.testing.assert_allclose(data["all"][place][0], expected.gradient[0], rtol=1e-6)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_only_ever_text(tmp_path: Path, random: np.random.Generator, name: str) -> None:
    view = make_run_view(
        random, clips=1, video=name, class_name=name, weights_name=name, remark=name, truth=TrueClass(3, name),
        prediction=PredictedClass(3, name, 0.5), key=f"{name}/rgb/FC/3",
    )  # fmt: skip
    write_report([view], Style(), tmp_path / "report.html")
    report = ReadReport(tmp_path / "report.html")
    (run,) = report.runs
    summary = run["summary"]
    assert (summary["video"], summary["className"], summary["truth"]["name"]) == (name, name, name)
    plain = tmp_path / "plain.html"
    write_report([make_run_view(random, clips=1)], Style(), plain)
    tags = re.compile(r"<[!/a-zA-Z]")
    assert len(tags.findall(report.text)) == len(tags.findall(plain.read_text(encoding="utf-8")))
    (data,) = re.findall('<script id="data" type="application/json">(.*?)</script>', report.text)
    assert data.isascii() and "<" not in data


@pytest.mark.parametrize("share", [0.99, 0.4, 0.0])
def test_it_stops_where_it_is_too_large(tmp_path: Path, random: np.random.Generator, share: float) -> None:
    views = make_views(random)
    size = write_report(views, Style(), tmp_path / "report.html")["bytes"]
    assert write_report(views, Style(), tmp_path / "again.html", most_bytes=size)["bytes"] == size
    with pytest.raises(ReportTooLarge, match=r"of 8 runs fit.*--force.*--pages") as caught:
        write_report(views, Style(), tmp_path / "large.html", most_bytes=int(share * size))
    assert isinstance(caught.value, UsageError)
    assert caught.value.run_count == 8 and 0 <= caught.value.fitted < 8
    assert (caught.value.fitted == 0) == (share == 0)


@pytest.mark.parametrize("write", [write_report, write_pages])
def test_a_damaged_run_ends_it_or_is_left_out(
    tmp_path: Path, random: np.random.Generator, write: Callable[..., dict[str, int]]
) -> None:
    views = make_views(random)
    views[2] = break_view(views[2])
    with pytest.raises(StoreError, match="it is damaged"):
        write(views, Style(), tmp_path / "none.html")
    failed: list[tuple[RunView, GbvisError]] = []
    facts = write(views, Style(), tmp_path / "report.html", fail=lambda view, error: failed.append((view, error)))
    assert facts["runs"] == 7
    assert [(view.key, error.problem) for view, error in failed] == [(views[2].key, "it is damaged")]


def test_pages_hold_whole_videos(tmp_path: Path, random: np.random.Generator) -> None:
    views = make_views(random, videos=3)
    size = write_report(views, Style(), tmp_path / "whole.html")["bytes"]
    facts = write_pages(views, Style(), tmp_path / "report.html", page_bytes=int(0.75 * size))
    assert facts["pages"] == 2 and facts["runs"] == 12
    index, whole = ReadReport(tmp_path / "report.html"), ReadReport(tmp_path / "whole.html")
    assert not index.blobs and index.data["runBlobs"] == {}
    pages = [ReadReport(path) for path in sorted(name_folder(tmp_path / "report.html").iterdir())]
    assert [{run["video"] for run in page.data["runs"]} for page in pages] == [{"video 0", "video 1"}, {"video 2"}]
    assert [{**run, "page": None} for run in index.data["runs"]] == whole.data["runs"]
    for run in index.data["runs"]:
        number = int(run["page"].removeprefix("report-pages/").removesuffix(".html"))
        assert pages[number - 1].read_run(run["key"])["summary"] == {**run, "page": None}
    assert all(page.data["all"] == whole.data["all"] for page in pages)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.html")) == facts["bytes"] + size


def test_a_video_that_is_too_large_for_a_page_is_divided(tmp_path: Path, random: np.random.Generator) -> None:
    views = make_views(random, videos=2)
    size = write_report(views[:4], Style(), tmp_path / "whole.html")["bytes"]
    for page_bytes, counts in ((int(0.8 * size), None), (1, [1] * 8)):
        path = tmp_path / f"{page_bytes}.html"
        facts = write_pages(views, Style(), path, page_bytes)
        pages = [ReadReport(file) for file in sorted(name_folder(path).iterdir())]
        assert len(pages) == facts["pages"] > 2
        assert counts is None or [len(page.runs) for page in pages] == counts
        assert [run["key"] for page in pages for run in page.data["runs"]] == [view.key for view in views]
        for page in pages:
            for run in page.runs:
                assert page.read_values(run["clips"][0]).any()
                assert len(page.read_strips(run["clips"][1]["pictures"][0]["strips"])) == 3


def test_source_frames_that_are_gone_do_not_end_it(tmp_path: Path, random: np.random.Generator) -> None:
    def read(number: int) -> np.ndarray:
        raise StoreError("frame 3 is gone", "")

    views = [
        replace(view, find_source=lambda view=view: replace(view.find_source(), read=read))
        for view in make_views(random)
    ]
    write_report(views, Style(), tmp_path / "report.html")
    for run in ReadReport(tmp_path / "report.html").runs:
        assert {(clip["overlay"], clip["overlayProblem"]) for clip in run["clips"]} == {(None, "frame 3 is gone")}


def test_a_report_without_runs_can_be_read(tmp_path: Path) -> None:
    assert write_report([], Style(), tmp_path / "report.html")["runs"] == 0
    data = ReadReport(tmp_path / "report.html").data
    assert data["runs"] == [] and data["all"] is None


def test_the_old_look_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="colour maps"):
        OUTPUTS.load("html").check(Style(colors="old"))


def test_facts_are_json(tmp_path: Path, random: np.random.Generator) -> None:
    write_report(make_views(random, 1), Style(), tmp_path / "report.html")
    for run in ReadReport(tmp_path / "report.html").runs:
        assert json.loads(json.dumps(run, allow_nan=False)) == run


@pytest.mark.parametrize(
    ("step", "words"),
    [
        *((1, "2 frames, from"), (2, "every second"), (3, "third"), (4, "4th"), (11, "11th"), (13, "13th")),
        *((21, "21st"), (22, "22nd"), (23, "23rd"), (111, "111th"), (112, "112th"), (121, "121st")),
    ],
)
def test_the_frames_of_a_clip_are_described_in_words(random: np.random.Generator, step: int, words: str) -> None:
    view = make_run_view(random, clips=1, frames=2)
    assert words in describe_frames(replace(view, recipe=replace(view.recipe, clips=[[0, step]])))
