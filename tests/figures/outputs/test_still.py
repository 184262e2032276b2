"""Which frame of a layout a still shows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gbvis.errors import OutputError
from gbvis.figures.layout import Layout
from gbvis.figures.layouts import LAYOUTS
from gbvis.figures.outputs.still import Stills
from gbvis.figures.picture import Picture
from gbvis.figures.run_view import ClipView, RunView
from gbvis.figures.style import Style
from material.views import view_of


def run_of(strengths: list[list[float]], starts: list[int], modality: str = "rgb", **changes: Any) -> RunView:
    """Return a run whose frames have so much gradient; a clip starts at each number."""
    clips = [
        ClipView(
            list(range(start, start + len(strength))),
            np.zeros((len(strength), 2, 2, 3), np.uint8),
            np.full((2, len(strength), 2, 2), 1, np.float32) * np.array(strength, np.float32)[None, :, None, None],
            0.0,
        )
        for strength, start in zip(strengths, starts, strict=True)
    ]
    return view_of(clips, modality, **changes)


class Numbers(Layout):
    """A layout whose frames are their own number, some of them for each frame of a clip."""

    def __init__(self, each: int = 1, pages: int = 1) -> None:
        self._each, self._pages = each, pages

    def lay_out(self, views: Any, style: Style) -> list[Picture]:
        """Return pages of one pixel."""
        count = self._each * sum(len(clip) for clip in views[0].frames) // self._pages

        def frames(page: int, step: int = 1) -> Iterator[np.ndarray]:
            for number in range(0, count, step):
                yield np.full((1, 1, 3), page * count + number, np.uint8)

        pages = range(self._pages)
        return [Picture(1, 1, count, 5.0, lambda step=1, page=page: frames(page, step)) for page in pages]


def choose(layout: Layout, views: list[RunView], *at: int | float) -> list[tuple[str, int]]:
    """Return the name and the number of each still."""
    found: list[int] = []

    def write(style: Style, picture: Picture, path: Path) -> dict[str, Any]:
        assert picture.frame_count == 1 and len(style.at) == 1
        (frame,) = picture.frames()
        found.append(int(frame[0, 0, 0]))
        return {}

    pages = Stills(layout, views, layout.lay_out(views, Style())).pages(Style(at=at), write)
    for page in pages:
        page(Path())
    return list(zip([page.name for page in pages], found, strict=True))


RUN = run_of([[1, 2, 3, 2], [1, 9, 1, 1]], [4, 20])


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ((), [("frame-21", 5)]),  # the strongest of all clips
        ((4,), [("frame-4", 0)]),
        ((23, 5), [("frame-23", 7), ("frame-5", 1)]),
        ((5, 5, 0.2), [("frame-5", 1)]),  # at 25 frames a second 0.2 s is frame 5
        ((0.279,), [("frame-6", 2)]),
        ((0.28,), [("frame-7", 3)]),
    ],
)
def test_which_frame_it_is(at: tuple[int | float, ...], expected: list[tuple[str, int]]) -> None:
    assert choose(Numbers(), [RUN], *at) == expected


@pytest.mark.parametrize(("at", "place", "said"), [((), 4, ()), ((5,), 1, (5,))])
def test_the_strongest_of_clips_that_overlap(at: tuple[int, ...], place: int, said: tuple[int, ...]) -> None:
    """Its number means the first clip's frame: the style, which the notes give, does not have it."""
    run, layout, found = run_of([[1, 2, 3], [1, 9, 1]], [4, 4]), Numbers(), []

    def write(style: Style, picture: Picture, path: Path) -> dict[str, Any]:
        found.append((int(next(picture.frames())[0, 0, 0]), style.at))
        return {}

    (page,) = Stills(layout, [run], layout.lay_out([run], Style())).pages(Style(at=at), write)
    assert page(Path()) == {"frame": 5} and found == [(place, said)]


@pytest.mark.parametrize("wanted", [3, 8, 24, 0.0, 0.32, 10.0])
def test_frames_that_no_clip_shows(wanted: int | float) -> None:
    with pytest.raises(OutputError, match="of frames 4-7, 20-23"):
        choose(Numbers(), [RUN], wanted)


def test_what_is_there_is_made_before_what_lacks_is_said() -> None:
    layout = Numbers()
    pages = Stills(layout, [RUN], layout.lay_out([RUN], Style())).pages(Style(at=(99, 5)), lambda *_: {})
    assert [page.name for page in pages] == ["frame-5", ""]
    assert pages[0](Path()) == {"frame": 5}


def test_seconds_need_a_rate() -> None:
    with pytest.raises(OutputError, match="nothing tells the frame rate"):
        choose(Numbers(), [run_of([[1, 2]], [0], read_rate=lambda: None)], 0.1)


def test_with_a_stride_the_frame_that_is_on_the_screen() -> None:
    clip = ClipView([0, 4, 8], np.zeros((3, 2, 2, 3), np.uint8), np.ones((3, 3, 2, 2), np.float32), 0.0)
    assert choose(Numbers(), [view_of([clip])], 7 / 25, 9 / 25) == [("frame-4", 1), ("frame-8", 2)]


@pytest.mark.parametrize(("each", "pages"), [(3, 1), (1, 2), (2, 4)])
def test_a_layout_with_other_frames_than_the_clips(each: int, pages: int) -> None:
    """Of one that shows each frame several times, or on several pages, the frame that stands in its place."""
    assert choose(Numbers(each, pages), [RUN], 4, 20, 23) == [
        ("frame-4", 0), ("frame-20", 4 * each), ("frame-23", 7 * each)
    ]  # fmt: skip


def test_two_streams_go_by_their_clock() -> None:
    """Flow begins a frame earlier: five moments; each run is measured by its own strongest frame."""
    rgb, flow = run_of([[1, 1, 1, 2]], [5]), run_of([[100, 900, 100, 100]], [4], "flow")
    moments = LAYOUTS.load("streams").moments([rgb, flow])
    assert [one.steps for one in moments] == [(0, 0), (0, 1), (1, 2), (2, 3), (3, 3)]
    layout = type("Clocked", (Numbers,), {"moments": lambda self, views: moments})()
    layout.lay_out = lambda views, style: [Picture(1, 1, 5, 5.0, lambda step=1: iter(
        np.full((1, 1, 3), number, np.uint8) for number in range(5)))]  # fmt: skip
    assert choose(layout, [rgb, flow]) == [("frame-5", 1)]
    assert choose(layout, [rgb, flow], 8, 4, 5) == [("frame-8", 4), ("frame-4", 0), ("frame-5", 1)]
