import numpy as np
import pytest
from PIL import Image

from gbvis.layouts import sheet, strip
from gbvis.picture import Exhibit, ExhibitClip, Limits, Style, draw_text, limits_of, make_panels


def make_exhibit(random: np.random.Generator, modality: str = "rgb", clips: int = 2, frames: int = 4) -> Exhibit:
    channels = 3 if modality == "rgb" else 2
    made = [
        ExhibitClip(
            frames=list(range(10 * clip, 10 * clip + frames)),
            pixels=random.integers(0, 256, (frames, 112, 112, channels), dtype=np.uint8),
            gradient=(clip + 1) * random.standard_normal((channels, frames, 112, 112)).astype(np.float32),
            value=0.5,
        )
        for clip in range(clips)
    ]
    return Exhibit("title", "class 3", "score", modality, clips, frames, 25.0, lambda: iter(made))


def panels_of(exhibit: Exhibit, style: Style, clip: int = 0) -> dict[str, np.ndarray]:
    made = list(exhibit.clips())[clip]
    return {panel.name: panel.images for row in make_panels(made, exhibit.modality, style) for panel in row}


def test_the_panels_are_what_the_words_say(random: np.random.Generator) -> None:
    exhibit = make_exhibit(random)
    clip = next(exhibit.clips())
    panels = panels_of(exhibit, Style())
    g = np.moveaxis(clip.gradient, 0, -1)
    np.testing.assert_array_equal(panels["frame"], clip.pixels)
    np.testing.assert_array_equal(panels["positive"], np.rint(np.maximum(0, g) / g.max() * 255).astype(np.uint8))
    np.testing.assert_array_equal(panels["negative"], np.rint(np.maximum(0, -g) / (-g).max() * 255).astype(np.uint8))
    signed = 0.5 + 0.5 * g / np.abs(g).max()
    assert np.abs(panels["gradient"] - 255 * signed).max() <= 0.51


def test_u_and_v_share_one_scale(random: np.random.Generator) -> None:
    exhibit = make_exhibit(random, "flow")
    clip = next(exhibit.clips())
    panels = panels_of(exhibit, Style())
    assert list(panels) == [f"{name} {channel}" for channel in "uv" for name in Style().panels]
    highest = max(int(panels[f"positive {channel}"].max()) for channel in "uv")
    assert highest == 255
    np.testing.assert_array_equal(
        panels["positive v"][..., 0],
        np.rint(np.maximum(0, clip.gradient[1]) / clip.gradient.max() * 255).astype(np.uint8),
    )
    assert list(panels_of(exhibit, Style(flow="v", panels=("negative",)))) == ["negative v"]


def test_scales(random: np.random.Generator) -> None:
    exhibit = make_exhibit(random)
    by_frame = panels_of(exhibit, Style(scale="frame"))["positive"]
    assert (by_frame.max((1, 2, 3)) == 255).all()
    by_clip = panels_of(exhibit, Style())["positive"]
    assert by_clip.max() == 255 and (by_clip.max((1, 2, 3)) < 255).any()
    limits = limits_of(exhibit)
    assert limits.positive == max(clip.gradient.max() for clip in exhibit.clips())
    common = Style(scale="all", limits=limits)
    assert max(panels_of(exhibit, common, clip)["positive"].max() for clip in (0, 1)) == 255
    assert panels_of(exhibit, common, 0)["positive"].max() < 255


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0])
def test_a_gradient_without_one_sign(value: float) -> None:
    gradient = np.full((3, 2, 8, 8), value, np.float32)
    clip = ExhibitClip([0, 1], np.zeros((2, 8, 8, 3), np.uint8), gradient, 0.0)
    panels = {panel.name: panel.images for panel in make_panels(clip, "rgb", Style())[0]}
    assert panels["positive"].max() == (255 if value > 0 else 0)
    assert panels["negative"].max() == (255 if value < 0 else 0)
    assert panels["gradient"][0, 0, 0, 0] == {0.0: 128, 1.0: 255, -1.0: 0}[value]


@pytest.mark.parametrize("modality", ["rgb", "flow"])
def test_a_strip_has_a_frame_for_every_frame(random: np.random.Generator, modality: str) -> None:
    exhibit = make_exhibit(random, modality)
    picture = strip.lay_out(exhibit, Style())
    frames = list(picture.frames())
    assert len(frames) == picture.frame_count == 8
    assert all(frame.shape == (picture.height, picture.width, 3) and frame.dtype == np.uint8 for frame in frames)
    clip = next(exhibit.clips())
    shown = clip.pixels[1] if modality == "rgb" else clip.pixels[1, ..., [0] * 3].transpose(1, 2, 0)
    line = strip._spacing(224)[1]
    np.testing.assert_array_equal(frames[1][2 * line : 2 * line + 224 : 2, :224:2], shown)


def test_a_sheet_holds_everything_at_once(random: np.random.Generator) -> None:
    exhibit = make_exhibit(random)
    picture = sheet.lay_out(exhibit, Style())
    (frame,) = picture.frames()
    assert frame.shape == (picture.height, picture.width, 3) and picture.frame_count == 1
    clips = list(exhibit.clips())
    top = 20 + (picture.height - 20) // 2 + 40  # the second clip's first row
    np.testing.assert_array_equal(frame[top : top + 112, 92 + 114 : 92 + 114 + 112], clips[1].pixels[1])


@pytest.mark.parametrize("text", ["short", "é 漢字 \x1b[31m\n", "x" * 500])
def test_text_stays_in_its_place_and_shows_escapes(text: str) -> None:
    canvas = Image.new("RGB", (300, 30))
    draw_text(canvas, (10, 5), text, 14, 150)
    pixels = np.asarray(canvas)
    assert pixels.any()
    assert not pixels[:, 161:].any() and not pixels[:, :9].any()


def test_limits_join() -> None:
    assert Limits(1, 2) | Limits(3, 0) == Limits(3, 2)
    assert Limits.of(np.float32([-1, -2])) == Limits(0, 2)
