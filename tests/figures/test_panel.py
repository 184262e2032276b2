import numpy as np
import pytest

from gbvis.figures.color import DIVERGING, LEVELS, SEQUENTIAL, color_map
from gbvis.figures.panel import Panel, describe_scale, limits_of, make_panels
from gbvis.figures.run_view import ClipView
from gbvis.figures.scale import Limits
from gbvis.figures.style import BACKGROUND, Style
from gbvis.videos.motion import encode_motion
from material.views import view_of

ALL = Style(percentile=100)


def make_clip(random: np.random.Generator, modality: str = "rgb", factor: float = 1.0) -> ClipView:
    channels = 3 if modality == "rgb" else 2
    return ClipView(
        frames=[4, 5, 6, 7],
        pixels=random.integers(0, 256, (4, 56, 56, channels), dtype=np.uint8),
        gradient=factor * random.standard_normal((channels, 4, 56, 56)).astype(np.float32),
        value=0.5,
    )


def panels_of(clip: ClipView, modality: str = "rgb", style: Style = ALL) -> dict[str, Panel]:
    return {panel.name: panel for row in make_panels(clip, modality, style) for panel in row}


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
    np.testing.assert_allclose(np.maximum(panels["positive"].images, 0), np.maximum(g, 0) / g.max(), atol=1e-6)
    np.testing.assert_allclose(np.maximum(panels["negative"].images, 0), np.maximum(-g, 0) / -g.min(), atol=1e-6)


def test_zero_has_the_colour_in_the_middle(random: np.random.Generator) -> None:
    clip = make_clip(random)
    clip.gradient[:, :, 10:20, 10:20] = 0
    panels = panels_of(clip)
    zero = panels["gradient"].draw(1, 56)[15, 15]
    np.testing.assert_array_equal(zero, color_map(DIVERGING)[LEVELS // 2])
    np.testing.assert_array_equal(panels["positive"].draw(1, 56)[15, 15], color_map(SEQUENTIAL)[0])


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
    assert (panels["positive"].ends or ("",))[0] == "0"
    assert panels["frame"].ends is None
    np.testing.assert_array_equal(panels["gradient"].bar, color_map(DIVERGING))


def test_u_and_v_share_one_scale(random: np.random.Generator) -> None:
    clip = make_clip(random, "flow")
    panels = panels_of(clip, "flow")
    assert list(panels) == [f"{name} {channel}" for channel in "uv" for name in ALL.panels]
    for number, channel in enumerate("uv"):
        expected = 0.5 + 0.5 * clip.gradient[number] / np.abs(clip.gradient).max()
        np.testing.assert_allclose(panels[f"gradient {channel}"].images, expected, atol=1e-6)
        np.testing.assert_array_equal(panels[f"frame {channel}"].images[..., 0], clip.pixels[..., number])
    assert list(panels_of(clip, "flow", Style(flow="v", panels=("negative",)))) == ["negative v"]


def test_scales(random: np.random.Generator) -> None:
    clips = [make_clip(random, factor=factor) for factor in (1.0, 3.0)]
    by_frame = panels_of(clips[0], style=Style(scale="frame", percentile=100))["positive"]
    assert np.allclose(by_frame.images.max((1, 2)), 1)
    assert by_frame.ends == ("", "each frame its own")
    assert (panels_of(clips[0])["positive"].images.max((1, 2)) < 1).any()
    limits = limits_of(view_of(clips), ALL)
    assert limits.positive == strongest(clips[1].gradient).max()
    common = Style(scale="all", percentile=100, limits=limits)
    assert panels_of(clips[0], style=common)["positive"].images.max() < 0.6
    assert panels_of(clips[1], style=common)["positive"].images.max() == 1


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
    assert (panels["positive"].draw(0, 8) == color_map(SEQUENTIAL)[0]).all()
    assert (panels_of(clip, style=Style(colors="old"))["gradient"].draw(0, 8) == 128).all()


def test_the_old_colours(random: np.random.Generator) -> None:
    """Grey where there is nothing, and each colour channel by itself."""
    clip = make_clip(random)
    panels = panels_of(clip, style=Style(colors="old", percentile=100))
    g = np.moveaxis(clip.gradient, 0, -1)
    assert np.abs(panels["gradient"].images - 255 * (0.5 + 0.5 * g / np.abs(g).max())).max() <= 0.51
    np.testing.assert_array_equal(panels["positive"].images, np.rint(np.maximum(0, g) / g.max() * 255))
    np.testing.assert_array_equal(panels["negative"].images, np.rint(np.maximum(0, -g) / (-g).max() * 255))


def test_motion_in_pixels_looks_like_the_8_bit_of_its_size() -> None:
    motion = np.zeros((1, 8, 8, 2), np.float32)
    motion[..., 0], motion[..., 1] = -10, 5
    clip = ClipView([0], motion, np.ones((2, 1, 8, 8), np.float32), 0.0)
    panels = panels_of(clip, "flow")
    assert (panels["frame u"].images == 0).all()
    assert (panels["frame v"].images == encode_motion(np.array(5.0), 10)).all()


def test_the_wheel_shows_both_channels_at_once_and_then_itself() -> None:
    levels = encode_motion(np.full((1, 8, 8, 2), [4.9, 0.0]))
    clip = ClipView([0], levels, np.ones((2, 1, 8, 8), np.float32), 0.0)
    panels = panels_of(clip, "flow", Style(flow_colors="wheel"))
    red, green, blue = panels["flow u and v"].images[0, 0, 0].tolist()
    assert red == 255 and green < 25 and blue < 25
    legend = panels["directions, to 5 px"].images[0]
    assert legend[4, 6, 0] > 200 and legend[4, 6, 2] < 100  # to the right: red
    assert tuple(legend[0, 0]) == BACKGROUND
    assert "flow u and v" in panels_of(clip, "flow", Style(flow_colors="wheel", flow="v"))


def test_the_scale_in_words() -> None:
    assert "this clip" in describe_scale(Style()) and "99.5 %" in describe_scale(Style())
    assert "all pictures" in describe_scale(Style(scale="all", limits=Limits.none()))
    assert "cannot be compared" in describe_scale(Style(scale="frame"))
    assert "largest" in describe_scale(Style(percentile=100))
