from typing import Any

import numpy as np
import pytest

from gbvis.figures.color import DIVERGING, LEVELS, SEQUENTIAL, color_map
from gbvis.figures.panel import Panel, count_rows, describe_scale, limits_of, make_panels, name_panels
from gbvis.figures.run_view import ClipView
from gbvis.figures.scale import Limits
from gbvis.figures.style import BACKGROUND, Style
from gbvis.figures.text import text_width
from gbvis.videos.motion import encode_motion
from material.views import view_of

ALL = Style(percentile=100)
OWN = Style(percentile=100, saliency_scale="own")
GREY = Style(percentile=100, flow_colors="grey")


def make_clip(random: np.random.Generator, modality: str = "rgb", factor: float = 1.0) -> ClipView:
    channels = 3 if modality == "rgb" else 2
    return ClipView(
        frames=[4, 5, 6, 7],
        pixels=random.integers(0, 256, (4, 56, 56, channels), dtype=np.uint8),
        gradient=factor * random.standard_normal((channels, 4, 56, 56)).astype(np.float32),
        value=0.5,
    )


def panels_of(clip: ClipView, modality: str = "rgb", style: Style = ALL, **changes: Any) -> dict[str, Panel]:
    view = view_of([clip], modality, **changes)
    rows = make_panels(clip, view, style)
    assert len(rows) == count_rows(view, style)
    return {panel.name: panel for row in rows for panel in row}


def strongest(gradient: np.ndarray) -> np.ndarray:
    """The channel with the largest magnitude, pixel by pixel."""
    flat = gradient.reshape(gradient.shape[0], -1)
    picked = [column[np.argmax(np.abs(column))] for column in flat.T]
    return np.array(picked, np.float32).reshape(gradient.shape[1:])


def test_the_panels_are_what_the_words_say(random: np.random.Generator) -> None:
    clip = make_clip(random)
    panels = panels_of(clip)
    g = strongest(clip.gradient)
    np.testing.assert_array_equal(panels["frame"].images, clip.pixels)
    np.testing.assert_allclose(panels["gradient"].images, 0.5 + 0.5 * g / np.abs(g).max(), atol=1e-6)
    for sign, name in ((1, "positive saliency"), (-1, "negative saliency")):
        expected = np.maximum(sign * g, 0)
        shared, own = (np.maximum(found[name].images, 0) for found in (panels, panels_of(clip, style=OWN)))
        np.testing.assert_allclose(shared, expected / np.abs(g).max(), atol=1e-6)
        np.testing.assert_allclose(own, expected / expected.max(), atol=1e-6)


def test_positive_and_negative_saliency_can_be_compared(random: np.random.Generator) -> None:
    """A gradient that is much weaker below zero looks so, unless each sign is asked to have a scale of its own."""
    clip = make_clip(random)
    clip.gradient[clip.gradient < 0] *= 0.1
    clip.gradient[:] = strongest(clip.gradient)
    shared, own = (panels_of(clip, style=style) for style in (ALL, OWN))
    assert shared["positive saliency"].ends == shared["negative saliency"].ends
    assert shared["gradient"].ends == (f"\N{MINUS SIGN}{shared['positive saliency'].ends[1]}", own["gradient"].ends[1])
    assert own["positive saliency"].ends != own["negative saliency"].ends
    assert shared["negative saliency"].images.max() <= 0.2
    assert own["negative saliency"].images.max() == 1


def test_zero_has_the_colour_in_the_middle(random: np.random.Generator) -> None:
    clip = make_clip(random)
    clip.gradient[:, :, 10:20, 10:20] = 0
    panels = panels_of(clip)
    zero = panels["gradient"].draw(1, 56)[15, 15]
    np.testing.assert_array_equal(zero, color_map(DIVERGING)[LEVELS // 2])
    np.testing.assert_array_equal(panels["positive saliency"].draw(1, 56)[15, 15], color_map(SEQUENTIAL)[0])


@pytest.mark.parametrize("side", [56, 112, 224, 100])
def test_every_colour_of_a_map_panel_is_on_the_map(random: np.random.Generator, side: int) -> None:
    drawn = panels_of(make_clip(random))["gradient"].draw(0, side)
    assert drawn.shape == (side, side, 3)
    known = {tuple(color) for color in color_map(DIVERGING).tolist()}
    assert {tuple(color) for color in drawn.reshape(-1, 3).tolist()} <= known


def test_the_ends_are_written(random: np.random.Generator) -> None:
    panels = panels_of(make_clip(random, factor=2e-5))
    low, high = panels["gradient"].ends or ("", "")
    assert low == f"\N{MINUS SIGN}{high}" and high.endswith("e-5")
    assert (panels["positive saliency"].ends or ("",))[0] == "0"
    assert panels["frame"].ends is None
    np.testing.assert_array_equal(panels["gradient"].bar, color_map(DIVERGING))


def test_u_and_v_share_one_scale(random: np.random.Generator) -> None:
    clip = make_clip(random, "flow")
    panels = panels_of(clip, "flow", GREY)
    names = ("frame", "gradient", "positive saliency", "negative saliency")
    assert list(panels) == [f"{name} {channel}" for channel in "uv" for name in names]
    for number, channel in enumerate("uv"):
        expected = 0.5 + 0.5 * clip.gradient[number] / np.abs(clip.gradient).max()
        np.testing.assert_allclose(panels[f"gradient {channel}"].images, expected, atol=1e-6)
        np.testing.assert_array_equal(panels[f"frame {channel}"].images[..., 0], clip.pixels[..., number])
    assert list(panels_of(clip, "flow", Style(flow="v", panels=("negative",)))) == ["negative saliency v"]


def test_scales(random: np.random.Generator) -> None:
    clips = [make_clip(random, factor=factor) for factor in (1.0, 3.0)]
    by_frame = panels_of(clips[0], style=Style(scale="frame", percentile=100))["positive saliency"]
    largest = np.abs(strongest(clips[0].gradient)).max((1, 2))
    np.testing.assert_allclose(by_frame.images.max((1, 2)), strongest(clips[0].gradient).max((1, 2)) / largest)
    assert by_frame.ends == ("", "each frame its own")
    assert (panels_of(clips[0])["positive saliency"].images.max((1, 2)) < 1).any()
    limits = limits_of(view_of(clips), ALL)
    assert limits.positive == limits.negative == np.abs(strongest(clips[1].gradient)).max()
    assert limits_of(view_of(clips), OWN).positive == strongest(clips[1].gradient).max()
    common = Style(scale="all", percentile=100, limits=limits)
    assert panels_of(clips[0], style=common)["positive saliency"].images.max() < 0.6
    assert np.abs(panels_of(clips[1], style=common)["positive saliency"].images).max() == 1


def test_a_percentile_cuts_the_largest_values_off(random: np.random.Generator) -> None:
    clip = make_clip(random)
    clip.gradient[0, 0, 0, 0] = 1000.0
    images = panels_of(clip, style=Style())["gradient"].images
    assert images.max() == 1 and (images == 1).mean() == pytest.approx(0.0025, abs=0.001)
    assert np.median(np.abs(images - 0.5)) > 0.1


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0])
def test_a_constant_gradient_is_grey(value: float) -> None:
    clip = ClipView([0, 1], np.zeros((2, 8, 8, 3), np.uint8), np.full((3, 2, 8, 8), value, np.float32), 0.0)
    panels = panels_of(clip, style=Style())
    assert (panels["gradient"].draw(0, 8) == color_map(DIVERGING)[LEVELS // 2]).all()
    assert (panels["positive saliency"].draw(0, 8) == color_map(SEQUENTIAL)[0]).all()
    assert (panels_of(clip, style=Style(colors="old"))["gradient"].draw(0, 8) == 128).all()


def test_the_old_colours(random: np.random.Generator) -> None:
    """Grey where there is nothing, and each colour channel by itself."""
    clip = make_clip(random)
    panels = panels_of(clip, style=Style(colors="old", percentile=100, saliency_scale="own"))
    g = np.moveaxis(clip.gradient, 0, -1)
    assert np.abs(panels["gradient"].images - 255 * (0.5 + 0.5 * g / np.abs(g).max())).max() <= 0.51
    np.testing.assert_array_equal(panels["positive saliency"].images, np.rint(np.maximum(0, g) / g.max() * 255))
    np.testing.assert_array_equal(panels["negative saliency"].images, np.rint(np.maximum(0, -g) / (-g).max() * 255))


def test_motion_in_pixels_looks_like_the_8_bit_of_its_size() -> None:
    motion = np.zeros((1, 8, 8, 2), np.float32)
    motion[..., 0], motion[..., 1] = -10, 5
    clip = ClipView([0], motion, np.ones((2, 1, 8, 8), np.float32), 0.0)
    panels = panels_of(clip, "flow", GREY)
    assert (panels["frame u"].images == 0).all()
    assert (panels["frame v"].images == encode_motion(np.array(5.0), 10)).all()


def test_the_wheel_shows_both_channels_at_once_and_then_itself() -> None:
    levels = encode_motion(np.full((1, 8, 8, 2), [4.9, 0.0]))
    clip = ClipView([0], levels, np.ones((2, 1, 8, 8), np.float32), 0.0)
    panels = panels_of(clip, "flow", Style())
    red, green, blue = panels["flow u and v"].images[0, 0, 0].tolist()
    assert red == 255 and green < 25 and blue < 25
    (key,) = (panel for panel in panels.values() if panel.is_key)
    wheel = key.images[0]
    assert wheel[8, 13, 0] > 200 and wheel[8, 13, 2] < 100  # to the right: red
    assert tuple(wheel[0, 0]) == BACKGROUND
    assert "flow u and v" in panels_of(clip, "flow", Style(flow_colors="wheel", flow="v"))


@pytest.mark.parametrize(
    ("style", "has_wheel"),
    [
        (Style(), True),
        (Style(flow="u"), False),
        (Style(flow="v", flow_colors="wheel"), True),
        (Style(flow_colors="grey"), False),
        (Style(colors="old"), False),
        (Style(colors="old", flow_colors="wheel"), True),
    ],
)
def test_flow_is_a_colour_where_both_channels_are_shown(
    random: np.random.Generator, style: Style, has_wheel: bool
) -> None:
    panels = panels_of(make_clip(random, "flow"), "flow", style)
    assert ("flow u and v" in panels) == has_wheel
    assert sum(panel.is_key for panel in panels.values()) == (has_wheel and style.flow == "both")


@pytest.mark.parametrize(
    ("style", "words"),
    [
        (Style(), "colours end at the 99.5th percentile of this clip"),
        (Style(percentile=91), "colours end at the 91st percentile of this clip"),
        (Style(percentile=53), "colours end at the 53rd percentile of this clip"),
        (Style(percentile=100), "colours end at the largest value of this clip"),
        (
            Style(scale="all", limits=Limits.none()),
            "colours end at the 99.5th percentile, the largest of all clips drawn",
        ),
        (
            Style(scale="frame", percentile=92),
            "colours end at the 92nd percentile of each frame: frames cannot be compared",
        ),
    ],
)
def test_the_scale_in_words(style: Style, words: str) -> None:
    assert describe_scale(style) == words


CAM: dict[str, Any] = {"kind": "positive", "quantity": "relevance", "is_one_channel": True}


def make_grid(random: np.random.Generator, modality: str = "rgb") -> ClipView:
    """Return a clip whose attribution has one channel, and no sign."""
    clip = make_clip(random, modality)
    return ClipView(clip.frames, clip.pixels, random.random((1, 4, 7, 7), dtype=np.float32), 0.5)


def test_what_has_no_sign_has_one_map(random: np.random.Generator) -> None:
    clip = make_grid(random)
    panels = panels_of(clip, **CAM)
    assert list(panels) == ["frame", "guided-backprop"]
    shown = panels["guided-backprop"]
    np.testing.assert_allclose(shown.images, clip.gradient[0] / clip.gradient.max(), atol=1e-6)
    np.testing.assert_array_equal(shown.bar, color_map(SEQUENTIAL))
    assert (shown.ends or ("",))[0] == "0"
    asked = panels_of(clip, style=Style(panels=("gradient", "negative")), **CAM)
    assert list(asked) == ["relevance", "negative relevance"]


def test_only_gradients_are_called_so(random: np.random.Generator) -> None:
    panels = panels_of(make_clip(random), quantity="relevance")
    assert list(panels) == ["frame", "relevance", "positive relevance", "negative relevance"]


@pytest.mark.parametrize(
    ("style", "frame"),
    [
        (Style(), "flow u and v"),
        (GREY, "speed"),
        (Style(colors="old"), "speed"),
        (Style(flow="v"), "frame v"),
        (Style(flow="u", flow_colors="wheel"), "flow u and v"),
    ],
)
def test_one_channel_of_flow_is_drawn_once(random: np.random.Generator, style: Style, frame: str) -> None:
    panels = panels_of(make_grid(random, "flow"), "flow", style, **CAM)
    assert list(panels) == [frame, "guided-backprop"] and not any(panel.is_key for panel in panels.values())
    signed = panels_of(make_grid(random, "flow"), "flow", style, is_one_channel=True)
    assert list(signed) == [frame, "gradient", "positive saliency", "negative saliency"]


def test_speed_is_grey() -> None:
    motion = np.zeros((2, 8, 8, 2), np.float32)
    motion[1] = [3, -4]
    clip = ClipView([0, 1], motion, np.ones((1, 2, 8, 8), np.float32), 0.0)
    images = panels_of(clip, "flow", GREY, is_one_channel=True)["speed"].images
    assert (images[0] == 0).all() and (images[1] == 255).all()
    slow = ClipView([0], motion[1:] / 2, clip.gradient[:, :1], 0.0)
    assert (panels_of(slow, "flow", GREY, is_one_channel=True)["speed"].images == 128).all()


@pytest.mark.parametrize("width", [216, 104, 60, 48])
def test_names_of_panels_are_shortened_alike(random: np.random.Generator, width: int) -> None:
    clip = make_clip(random, "flow")
    panels = [panel for row in make_panels(clip, view_of([clip], "flow"), GREY) for panel in row]
    names = name_panels(panels, 10, width, None)
    assert all(text_width(name, 10) <= width for name in names)
    assert len(set(names)) == 8
    assert {name[:-1] for name in names[:4]} == {name[:-1] for name in names[4:]}
