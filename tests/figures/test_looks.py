"""Whole pictures, read back with Pillow: words that can be read, legends that stay, one wheel, the prediction."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from gbvis.figures.color import DIVERGING, SEQUENTIAL, color_map
from gbvis.figures.encoders.pillow import write_gif
from gbvis.figures.layouts import LAYOUTS
from gbvis.figures.legend import CURVE
from gbvis.figures.picture import Picture
from gbvis.figures.relevance import TemporalRelevance
from gbvis.figures.run_view import RunView
from gbvis.figures.style import BACKGROUND, WARNING, Style
from gbvis.networks.endpoint import FC
from gbvis.networks.prediction import PredictedClass
from gbvis.networks.r2plus1d.architecture import STEM
from gbvis.videos.motion import encode_motion
from material.views import make_run_view, view_of

Box = tuple[float, float, float, float]
OTHER = PredictedClass(7, "BoxingPunchingBag", 0.9876, clips=3)
LONG = "a name of a class that nobody would ever want to write down, but somebody has, all the same"


def views_for(layout: str, random: np.random.Generator, modality: str, **changes: Any) -> list[RunView]:
    """Return the runs of one picture."""
    views = [make_run_view(random, modality, clips=1, **changes)]
    if layout == "streams":
        views = [make_run_view(random, one, clips=1, **changes) for one in ("rgb", "flow")]
    if layout == "endpoints":
        views.insert(0, make_run_view(random, modality, clips=1, endpoint=STEM))
    if layout in ("methods", "difference"):
        views.append(with_method(views[0], "grad-cam", kind="positive", quantity="relevance", is_one_channel=True))
    return views


def with_method(view: RunView, name: str, **changes: Any) -> RunView:
    """Return the run as one of another method."""
    method = {"name": name, "version": 1, "settings": {}}
    return replace(view, recipe=replace(view.recipe, method=method), key=f"{view.key}-{name}", **changes)


def still_of(layout: str, views: list[RunView], style: Style) -> np.ndarray:
    """Return the first frame of the only page."""
    (page,) = LAYOUTS.load(layout).lay_out(views, style)
    return next(iter(page.frames()))


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Box]]:
    """Record every text that is drawn and the box that Pillow says it takes."""
    found: list[tuple[str, Box]] = []
    draw = ImageDraw.ImageDraw.text

    def record(self: ImageDraw.ImageDraw, place: tuple[float, float], text: str, **options: Any) -> None:
        if text.strip():
            found.append((text, self.textbbox(place, text, font=options["font"])))
        draw(self, place, text, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", record)
    return found


def overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


STYLES = [
    Style(),
    Style(size=56),
    Style(size=100, saliency_scale="own"),
    Style(size=448, scale="frame"),
    Style(size=56, flow="u", flow_colors="wheel", scale="frame"),
    Style(size=56, panels=("gradient",)),
    Style(colors="old", flow="v"),
]


@pytest.mark.parametrize("layout", LAYOUTS.names)
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", ["up", LONG])
def test_no_words_overlap_or_are_cut(
    random: np.random.Generator, words: list[tuple[str, Box]], layout: str, style: Style, name: str
) -> None:
    prediction = PredictedClass(7, name, 0.9876)
    views = views_for(layout, random, "flow", class_name=name, prediction=prediction, video=f"v_{name}")
    picture = still_of(layout, views, style)
    height, width = picture.shape[:2]
    for number, (text, box) in enumerate(words):
        assert box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height, text
        for other, place in words[:number]:
            assert not overlap(box, place), (text, other)
        is_name = text.startswith(("v_", "class", "not predicted; predicted"))
        assert "\N{HORIZONTAL ELLIPSIS}" not in text or (name == LONG and is_name), text
    said = " ".join(text for text, _ in words)
    for part in ("class 3", "logit 0.5", "guided-backprop", "not predicted; predicted: ", "score 0.9876"):
        assert part in said, part


@pytest.mark.parametrize("layout", LAYOUTS.names)
@pytest.mark.parametrize("style", STYLES)
def test_what_is_selected_is_said_whole(
    random: np.random.Generator, words: list[tuple[str, Box]], layout: str, style: Style
) -> None:
    """In a line of its own, that nothing covers; the method's settings may be long."""
    settings = {"samples": 50, "noise": 0.15, "of": "gradient", "statistic": "mean", "seed": 0}
    method = {"name": "smoothgrad", "version": 1, "settings": settings}
    views = [
        replace(view, relevance=TemporalRelevance(), recipe=replace(view.recipe, method=method))
        if view.quantity == "gradient"
        else replace(view, relevance=TemporalRelevance())
        for view in views_for(layout, random, "flow", prediction=OTHER)
    ]
    still_of(layout, views, style)
    said = [box for text, box in words if text == "only what changes in time (temporal:s=2)"]
    assert len(said) == (2 if layout == "streams" else 1)
    for text, box in words:
        assert box in said or not any(overlap(box, one) for one in said), text


@pytest.mark.parametrize("layout", LAYOUTS.names)
@pytest.mark.parametrize(("target", "warned"), [(3, True), (7, False)])
def test_what_was_not_predicted_stands_out(
    random: np.random.Generator, words: list[tuple[str, Box]], layout: str, target: int, warned: bool
) -> None:
    """Its line has the colour that is kept for it; every picture says the score."""
    views = views_for(layout, random, "rgb", target=target, class_name="Archery", prediction=OTHER)
    picture = still_of(layout, views, Style())
    (line,) = {text for text, _ in words if "predicted" in text}
    if warned:
        name, facts = line.removeprefix("not predicted; predicted: ").split(", ", 1)
        head, cut, tail = name.partition("\N{HORIZONTAL ELLIPSIS}")
        assert OTHER.label.startswith(head) and OTHER.label.endswith(tail) and (cut == "") == (name == OTHER.label)
        assert re.fullmatch(r"score 0\.9876(,| over) 3 clips", facts)
    else:
        assert line.startswith("predicted, score")
    box = next(box for text, box in words if text == line)
    left, top, right, bottom = (int(one) for one in box)
    inked = picture[top:bottom, left:right].astype(int)
    assert (np.ptp(inked, axis=-1).max() > 0.8 * np.ptp(WARNING)) == warned


@pytest.mark.parametrize("layout", LAYOUTS.names)
def test_what_is_unknown_is_not_said(random: np.random.Generator, words: list[tuple[str, Box]], layout: str) -> None:
    still_of(layout, views_for(layout, random, "rgb", prediction=None), Style())
    assert not [text for text, _ in words if "predicted" in text]


def make_landscape(random: np.random.Generator, frames: int) -> np.ndarray:
    """Return pictures with all colours softly mixed: uint8 (frames, 112, 112, 3)."""
    y, x = np.mgrid[:112, :112] / 112
    waves = [np.sin(2 * np.pi * (a * x + b * y + c)) for a, b, c in random.uniform(0.2, 2, (3, 3))]
    still = np.rint(127.5 + 127.5 * np.stack(waves, -1)).astype(np.uint8)
    return np.stack([np.roll(still, 5 * step, axis=1) for step in range(frames)])


def gif_of(picture: Picture, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the frames as drawn and as Pillow reads them from the GIF."""
    write_gif(picture, path)
    with Image.open(path) as image:
        shown = []
        for number in range(picture.frame_count):
            image.seek(number)
            shown.append(np.asarray(image.convert("RGB"), int))
    return np.stack(list(picture.frames())).astype(int), np.stack(shown)


@pytest.mark.parametrize(
    "pixels",
    ["noise", "near the legend", *(pytest.param(name, marks=pytest.mark.slow) for name in ("landscape", "dark"))],
)
@pytest.mark.parametrize(
    ("layout", "style"),
    [
        ("strip", Style()),
        ("strip", Style(colors="old")),
        ("strip", Style(saliency_scale="own", panels=("frame", "negative"))),
        ("streams", Style(size=112)),
        ("overlay", Style()),
        ("sheet", Style()),
        ("endpoints", Style(size=112)),
    ],
)
def test_the_legend_of_a_gif_is_that_of_the_png(
    tmp_path: Path, random: np.random.Generator, layout: str, style: Style, pixels: str
) -> None:
    """What stays the same whatever the panels show is the legend: no pixel of it is further than 8 levels off."""
    made = {
        "noise": random.integers(0, 256, (4, 112, 112, 3), dtype=np.uint8),
        "landscape": make_landscape(random, 4),
        "dark": make_landscape(random, 4) // 16,
        "near the legend": np.concatenate([color_map(one) for one in (DIVERGING, SEQUENTIAL)])[
            random.integers(0, 510, (4, 112, 112))
        ]
        ^ random.integers(0, 16, (4, 112, 112, 3), dtype=np.uint8),
    }[pixels]
    views = views_for(layout, random, "rgb", target=3, class_name="Archery", prediction=OTHER)
    pictures = []
    for factor in (1, -1):
        turned = []
        for view in views:
            (clip,) = view.clips()
            shown = made if factor == 1 else 255 - made
            seen = shown if view.modality == "rgb" else shown[..., :2]
            same = type(clip)(clip.frames, seen, factor * clip.gradient, clip.value)
            given = view_of([same], view.modality, view.endpoint, view.target, class_name=view.class_name)
            turned.append(type(view)(**{**vars(given), "prediction": view.prediction}))
        (page,) = LAYOUTS.load(layout).lay_out(turned, style)
        pictures.append(page)
    drawn, shown = gif_of(pictures[0], tmp_path / "x.gif")
    legend = (drawn == np.stack(list(pictures[1].frames()))).all(-1) & (drawn != 0).any(-1)
    if style.colors == "maps" and layout != "overlay":  # where |g| is nothing, a panel is as it was
        legend &= ~is_panel(drawn)
    assert legend.mean() > 0.05
    assert np.abs(drawn - shown).max(-1)[legend].max() <= 8


def is_panel(drawn: np.ndarray) -> np.ndarray:
    """Return where frames differ from each other, or where a map has its middle or its lowest colour: bool."""
    middles = [color_map(DIVERGING)[127], color_map(SEQUENTIAL)[0]]
    return np.any([(drawn == middle).all(-1) for middle in middles], axis=0)


def at_rest(modality: str = "flow", **changes: Any) -> RunView:
    """Return a run of flow in which nothing moves but a little: its frames are white."""
    clip = next(iter(make_run_view(np.random.default_rng(0), modality, clips=1).clips()))
    still = encode_motion(np.zeros((4, 112, 112, clip.pixels.shape[-1])))
    return view_of([type(clip)(clip.frames, still, clip.gradient, clip.value)], modality, **changes)


@pytest.mark.parametrize("layout", ["strip", "sheet", "sheet-transposed", "streams", "endpoints", "methods"])
@pytest.mark.parametrize("flow", ["both", "u"])
def test_the_wheel_stands_once(random: np.random.Generator, layout: str, flow: str) -> None:
    """Pure red, yellow, green, blue stand in it alone, and close to each other."""
    views = [at_rest()]
    if layout == "streams":
        views.insert(0, at_rest("rgb"))
    if layout == "methods":
        views = [with_method(at_rest(), "grad-cam", is_one_channel=True, kind="positive"), at_rest()]
    if layout == "endpoints":
        views = [at_rest(endpoint=STEM), at_rest(endpoint=FC), at_rest(endpoint=FC, target=4)]
    style = Style(flow=flow, flow_colors=None if flow == "both" else "wheel", panels=("frame", "gradient"))
    picture = still_of(layout, views, style).astype(int)
    is_vivid = (picture.max(-1) > 250) & (picture.min(-1) < 5)
    rows, columns = np.nonzero(is_vivid)
    assert is_vivid.any()
    assert np.ptp(rows) < 224 and np.ptp(columns) < 224
    around = picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert abs(around.shape[0] - around.shape[1]) <= 3  # a circle
    assert (around[0, 0] == BACKGROUND).all()
    middle = around[around.shape[0] // 2]
    right, left = middle[-3], middle[2]
    assert right[0] > 200 and max(right[1:]) < 40 and left[0] < 40  # red to the right, as Baker et al. have it
    grey = still_of(layout, views, Style(flow=flow, flow_colors="grey", panels=("frame", "gradient"))).astype(int)
    if layout != "streams":
        assert not ((grey.max(-1) > 250) & (grey.min(-1) < 5)).any()


@pytest.mark.parametrize("is_transposed", [False, True])
def test_a_sheet_has_bars_of_colours_and_the_curve(random: np.random.Generator, is_transposed: bool) -> None:
    """The frame with all the gradient has the curve's highest point, in the middle of its own column or row."""
    view = make_run_view(random, clips=1)
    (clip,) = view.clips()
    clip.gradient[:, [0, 1, 3]] *= 0.01
    picture = still_of("sheet-transposed" if is_transposed else "sheet", [view], Style())
    panels = np.flatnonzero((picture[:, 200:204] != BACKGROUND).any(-1).all(1))
    rows, columns = np.nonzero((picture == CURVE).all(-1))
    points = columns if is_transposed else -rows
    middle = (rows if is_transposed else columns)[points == points.max()].mean()
    pixels = clip.pixels[2]
    places = [
        (top, left)
        for top, left in zip(*np.nonzero((picture == pixels[0, 0]).all(-1)), strict=True)
        if np.array_equal(picture[top : top + 112, left : left + 112], pixels)
    ]
    assert len(places) == 1 and panels.size
    assert middle == pytest.approx(places[0][0 if is_transposed else 1] + 56, abs=1.5)
    above = picture[: 140 if is_transposed else places[0][0] - 20]
    for one in (DIVERGING, SEQUENTIAL):
        for color in (color_map(one)[0], color_map(one)[-1]):
            assert (above == color).all(-1).any()


def test_the_overlays_curve_has_its_name(random: np.random.Generator, words: list[tuple[str, Box]]) -> None:
    still_of("overlay", views_for("overlay", random, "rgb"), Style())
    assert "|gradient| in each frame" in [text for text, _ in words]
