"""What each layout shows where; `test_figure_contract.py` has what all of them promise."""

import numpy as np
import pytest

from figures.test_figure_contract import lay_out
from gbvis.errors import OutputError
from gbvis.figures import legend, scene
from gbvis.figures.color import SEQUENTIAL, color_map
from gbvis.figures.layouts import LAYOUTS, overlay, sheet
from gbvis.figures.run_view import ClipView, SourceFrames
from gbvis.figures.style import BACKGROUND, Style
from material.views import make_run_view, view_of


@pytest.mark.parametrize("name", ["strip", "overlay"])
def test_every_nth_frame_can_be_made_alone(random: np.random.Generator, name: str) -> None:
    (page,) = LAYOUTS.load(name).lay_out([make_run_view(random, clips=1)], Style())
    np.testing.assert_array_equal(list(page.frames(step=2)), list(page.frames())[::2])


@pytest.mark.parametrize("modality", ["rgb", "flow"])
def test_a_strip_shows_the_frames_where_they_belong(random: np.random.Generator, modality: str) -> None:
    view = make_run_view(random, modality)
    (frames,) = lay_out(LAYOUTS.load("strip"), [view], Style(flow_colors="grey"))
    for clip, made in enumerate(view.clips()):
        for step in range(4):
            pixels = made.pixels[step]
            shown = pixels if modality == "rgb" else pixels[..., [0, 0, 0]]
            top = 3 * 18
            np.testing.assert_array_equal(frames[4 * clip + step][top : top + 224 : 2, :224:2], shown)


def test_the_curve_follows_the_gradient(random: np.random.Generator) -> None:
    """A clip with all its gradient in one frame: the mark stands high there and low elsewhere."""
    view = make_run_view(random, clips=1)
    (clip,) = view.clips()
    clip.gradient[:, [0, 1, 3]] *= 1e-3
    (frames,) = lay_out(LAYOUTS.load("strip"), [view], Style())
    heights = []
    for step, frame in enumerate(frames):
        marked = (frame == legend.CURVE).all(-1).sum(0)  # the mark is the only thing that is so high
        left, right = 230, 912
        place = round(left + (right - left) * step / 3)
        heights.append(int(marked[place - 5 : place + 6].max()))
    assert heights[2] > 2 * max(heights[0], heights[1], heights[3])
    assert view.clips().__next__().importance.argmax() == 2


def test_streams_run_on_one_clock(random: np.random.Generator) -> None:
    """Flow begins a frame earlier: five moments, and at each both show the last frame that has begun."""
    rgb, flow = make_run_view(random, clips=1, first=1), make_run_view(random, "flow", clips=1, first=0)
    (frames,) = lay_out(LAYOUTS.load("streams"), [rgb, flow], Style(flow_colors="grey"))
    assert len(frames) == 5
    (seen,) = rgb.clips()
    (moved,) = flow.clips()
    for moment, (rgb_step, flow_step) in enumerate([(0, 0), (0, 1), (1, 2), (2, 3), (3, 3)]):
        np.testing.assert_array_equal(frames[moment][54:278:2, :224:2], seen.pixels[rgb_step])
        second = frames[moment][36 + 224 + 36 + 36 :]  # below the first block: title, row of panels, curve
        shown = moved.pixels[flow_step][..., [0, 0, 0]]
        assert any(np.array_equal(second[top : top + 224 : 2, :224:2], shown) for top in range(40, 80)), (
            f"moment {moment}"
        )


def test_repeated_frames_are_shown_in_turn() -> None:
    assert scene.make_clock([[0, 1, 2, 0, 1]]) == [(0,), (1,), (2,), (3,), (4,)]
    assert scene.make_clock([[0, 1, 0, 1], [0, 1, 2, 3]]) == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert scene.make_clock([[5, 7], [4, 6]]) == [(0, 0), (0, 0), (0, 1), (1, 1)]


@pytest.mark.parametrize("name", ["sheet", "sheet-transposed"])
def test_a_sheet_holds_everything_at_once(random: np.random.Generator, name: str) -> None:
    view = make_run_view(random)
    (page,) = lay_out(LAYOUTS.load(name), [view], Style())
    grid = sheet._make_grid(view, Style(), name != "sheet")
    for number, clip in enumerate(view.clips()):
        for step in range(4):
            left, below = grid.place(0, step)
            top = grid.title_height + number * grid.clip_height + below
            np.testing.assert_array_equal(page[0][top : top + 112, left : left + 112], clip.pixels[step])


def test_many_clips_take_several_pages(random: np.random.Generator) -> None:
    view = make_run_view(random, clips=13)
    pages = lay_out(LAYOUTS.load("sheet"), [view], Style())
    assert len(pages) == 3 and all(len(page) == 1 for page in pages)
    assert max(page.shape[1] for page in pages) < 3_300


def test_a_sheet_that_nothing_can_show(random: np.random.Generator) -> None:
    with pytest.raises(OutputError, match="would be"):
        lay_out(LAYOUTS.load("sheet"), [make_run_view(random)], Style(size=4096))


def overlay_frames(gradient: np.ndarray, box: tuple[float, float, float, float], size: tuple[int, int]) -> np.ndarray:
    width, height = size
    clip = ClipView([0], np.zeros((1, *gradient.shape[-2:], 3), np.uint8), gradient, 0.0)
    source = SourceFrames(width, height, box, lambda number: np.full((height, width, 3), 120, np.uint8))
    view = view_of([clip], source=lambda: source)
    (frames,) = lay_out(LAYOUTS.load("overlay"), [view], Style(percentile=100))
    line = (frames.shape[1] - height) // 8
    return frames[0][4 * line : 4 * line + height]


def test_an_overlay_lies_exactly_where_the_crop_came_from() -> None:
    """The crop at twice its size, from column 60 and row 40: one hot pixel covers its own two by two."""
    gradient = np.zeros((3, 1, 112, 112), np.float32)
    gradient[1, 0, 30, 50] = -2.0
    shown = overlay_frames(gradient, (60.0, 40.0, 284.0, 264.0), (400, 300)).astype(int)
    hottest = np.abs(shown - 120)[40:264, 60:284].sum(-1)
    rows, columns = np.nonzero(hottest > 0.8 * hottest.max())
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (60, 61, 100, 101)
    # interpolated between pixel centres, a quarter of the way to the next pixel on both axes: 0.75 x 0.75 of its heat
    heat = 0.75 * 0.75
    color = color_map(SEQUENTIAL)[round(heat * 254)].astype(float)
    expected = 120 + 0.85 * np.sqrt(heat) * (color - 120)
    assert np.abs(shown[40 + 60, 60 + 100] - expected).max() <= 2


def test_what_the_network_never_saw_is_dimmed() -> None:
    gradient = np.zeros((3, 1, 112, 112), np.float32)
    shown = overlay_frames(gradient, (60.0, 40.0, 284.0, 264.0), (400, 300))
    inside = np.zeros((300, 400), bool)
    inside[40:264, 60:284] = True
    assert (shown[inside] == 120).all() and (shown[~inside] == 42).all()


def test_an_overlay_of_a_fractional_box_is_centred() -> None:
    """UCF-101's crop: 29 of 171 columns over 320 pixels. The centre of gravity of the heat is the pixel's centre."""
    left, right = 29 * 320 / 171, 141 * 320 / 171
    top, bottom = 8 * 240 / 128, 120 * 240 / 128
    gradient = np.zeros((3, 1, 112, 112), np.float32)
    gradient[0, 0, 80, 20] = 1.0
    source = SourceFrames(320, 240, (left, top, right, bottom), lambda number: np.zeros((240, 320, 3), np.uint8))
    black = np.zeros((240, 320, 3), np.uint8)
    heat = overlay.blend(black, np.abs(gradient[0, 0]), source).astype(float).sum(-1)
    y, x = np.indices(heat.shape) + 0.5
    assert (x * heat).sum() / heat.sum() == pytest.approx(left + 20.5 * (right - left) / 112, abs=0.1)
    assert (y * heat).sum() / heat.sum() == pytest.approx(top + 80.5 * (bottom - top) / 112, abs=0.1)


def test_an_overlay_of_frames_that_differ_in_size() -> None:
    """Each is shown in the middle at its own size, with the same part of it seen."""
    clip = ClipView([0, 1], np.zeros((2, 112, 112, 3), np.uint8), np.zeros((3, 2, 112, 112), np.float32), 0.0)
    sizes = [(100, 200, 3), (300, 400, 3)]
    source = SourceFrames(400, 300, (60.0, 40.0, 284.0, 264.0), lambda number: np.full(sizes[number], 120, np.uint8))
    (frames,) = lay_out(LAYOUTS.load("overlay"), [view_of([clip], source=lambda: source)], Style(percentile=100))
    line = (frames.shape[1] - 300) // 8
    small, large = (frame[4 * line : 4 * line + 300] for frame in frames)
    assert (large[40:264, 60:284] == 120).all() and (large[:40] == 42).all()
    assert (small[:100] == BACKGROUND).all() and (small[200:] == BACKGROUND).all()
    assert (small[100 + 14 : 100 + 87, 100 + 30 : 100 + 142] == 120).all() and (small[100:113, 100:300] == 42).all()


def test_small_videos_are_shown_in_whole_multiples(random: np.random.Generator) -> None:
    (frames,) = lay_out(LAYOUTS.load("overlay"), [make_run_view(random)], Style())
    assert frames.shape[2] == 400
    line = (frames.shape[1] - 300) // 8
    picture = frames[0][4 * line : 4 * line + 300]
    np.testing.assert_array_equal(picture[::2, ::2], picture[1::2, 1::2])
    assert (frames[0][: line // 8, -50:] == BACKGROUND).all()


def test_a_sheet_that_is_too_large_says_what_fits(random: np.random.Generator) -> None:
    view = make_run_view(random, clips=1, frames=200)
    with pytest.raises(OutputError, match="22970x576") as raised:
        sheet.SHEET.lay_out([view], Style())
    assert "this fits: --size 77, or --layout strip" in raised.value.hint
    assert sheet.SHEET.lay_out([view], Style(size=77))[0].width <= 16_000
    with pytest.raises(OutputError, match="would be"):
        sheet.SHEET.lay_out([view], Style(size=78))


@pytest.mark.parametrize("name", ["strip", "sheet", "streams", "endpoints"])
def test_frames_alone_have_no_colours_that_end(
    random: np.random.Generator, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene, "describe_scale", pytest.fail)
    monkeypatch.setattr(sheet, "describe_scale", pytest.fail)
    views = [make_run_view(random), make_run_view(random, "flow")] if name == "streams" else [make_run_view(random)]
    lay_out(LAYOUTS.load(name), views, Style(panels=("frame",), size=56))
