"""Picture: frames to be written as an animation or a sheet; and the panels, scales and text it is made of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gbvis.attribution import Gradient
from gbvis.clip import ClipPixels
from gbvis.flow import BOUND, encode_motion

PANELS = ("frame", "gradient", "positive", "negative")
SCALES = ("clip", "all", "frame")
FLOW_CHANNELS = {"u": (0,), "v": (1,), "both": (0, 1)}

BACKGROUND = (22, 22, 26)
TEXT = (232, 232, 232)
FAINT_TEXT = (150, 150, 158)

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """What a renderer writes.

    Attributes:
        width: Pixels.
        height: Pixels.
        frame_count: 1 for a still picture.
        rate: Frames per second.
        frames: Makes the frames anew, one by one: uint8 (height, width, 3), RGB.
    """

    width: int
    height: int
    frame_count: int
    rate: float
    frames: Callable[[], Iterator[Pixels]]


@dataclass(frozen=True)
class Limits:
    """What the ends of the colours mean: the largest value of g and of -g, both at least 0."""

    positive: float
    negative: float

    def __or__(self, other: "Limits") -> "Limits":
        return Limits(max(self.positive, other.positive), max(self.negative, other.negative))

    @classmethod
    def of(cls, gradient: NDArray[np.float32]) -> "Limits":
        """Return the limits of a gradient of any shape."""
        return cls(max(0.0, float(gradient.max())), max(0.0, float(-gradient.min())))


@dataclass(frozen=True)
class Style:
    """How a picture is to look.

    Attributes:
        panels: Which of `PANELS`, in this order.
        flow: `u`, `v` or `both`.
        scale: `clip`: one colour scale a clip, so that its frames can be compared; `all`: one for everything rendered
            together; `frame`: each frame stretched by itself.
        limits: The common limits, for scale `all`.
        rate: Frames per second.
        size: Side of a panel in pixels; None for the layout's own.
    """

    panels: tuple[str, ...] = PANELS
    flow: str = "both"
    scale: str = "clip"
    limits: Limits | None = None
    rate: float = 5.0
    size: int | None = None


@dataclass(frozen=True)
class ExhibitClip:
    """One clip of a run and what was found in it.

    Attributes:
        frames: The frame numbers.
        pixels: (T, H, W, C), what the network saw before normalisation.
        gradient: float32 (C, T, H, W).
        value: The target's value.
    """

    frames: list[int]
    pixels: ClipPixels
    gradient: Gradient
    value: float


@dataclass(frozen=True)
class Exhibit:
    """A run as a layout shows it.

    Attributes:
        title: Video, stream and endpoint.
        target: What the gradient is of, less its value.
        value_name: What the target's value is: a score, a logit, an activation.
        modality: `rgb` or `flow`.
        clip_count: Number of clips.
        frames_per_clip: T.
        rate: The video's frames per second, or None.
        clips: Reads the clips anew, one by one.
    """

    title: str
    target: str
    value_name: str
    modality: str
    clip_count: int
    frames_per_clip: int
    rate: float | None
    clips: Callable[[], Iterator[ExhibitClip]]


@dataclass(frozen=True)
class Panel:
    """One panel over time.

    Attributes:
        name: What it shows.
        images: uint8 (T, H, W, 3), RGB.
    """

    name: str
    images: Pixels


def limits_of(exhibit: Exhibit) -> Limits:
    """Return the limits over all clips of an exhibit."""
    limits = Limits(0.0, 0.0)
    for clip in exhibit.clips():
        limits |= Limits.of(clip.gradient)
    return limits


def make_panels(clip: ExhibitClip, modality: str, style: Style) -> list[list[Panel]]:
    """Return the rows of panels of one clip: one row for RGB, one for each flow channel shown.

    The gradient panel is grey where the gradient is zero and adds or takes light, in its colour, where it is not. The
    saliency panels show max(0, g) / max(g) and max(0, -g) / max(-g) on black.
    """
    limits = _limits(clip.gradient, style)
    pixels = _as_bytes(clip.pixels)
    if modality == "rgb":
        return [_make_row(pixels, np.moveaxis(clip.gradient, 0, -1), "", style.panels, *limits)]
    return [
        _make_row(pixels[..., [channel]], clip.gradient[channel, ..., None], f" {'uv'[channel]}", style.panels, *limits)
        for channel in FLOW_CHANNELS[style.flow]
    ]


def describe_scale(clip: ExhibitClip, style: Style) -> str:
    """Return in words what the ends of the colours mean."""
    if style.scale == "frame":
        return "each frame stretched by itself: frames cannot be compared"
    limits = style.limits or Limits.of(clip.gradient)
    scope = "all pictures" if style.limits else "this clip"
    return f"one scale for {scope}: gradient {-limits.negative:.2g} to {limits.positive:.2g}"


def count_rows(modality: str, style: Style) -> int:
    """Return the number of rows that `make_panels` gives."""
    return 1 if modality == "rgb" else len(FLOW_CHANNELS[style.flow])


def _as_bytes(pixels: ClipPixels) -> Pixels:
    """Return a clip's pixels to look at; motion of the resized frame as grey, black and white at 10 pixels."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    return encode_motion(pixels.astype(np.float32, copy=False), bound=BOUND / 2)


def _limits(gradient: Gradient, style: Style) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the largest g and the largest -g, each float32 (T or 1, 1, 1, 1), that the colours end at."""
    if style.limits is not None:
        ends = np.array([style.limits.positive, style.limits.negative], np.float32)
        return ends[0].reshape(1, 1, 1, 1), ends[1].reshape(1, 1, 1, 1)
    axes = (0, 2, 3) if style.scale == "frame" else (0, 1, 2, 3)
    highest, lowest = gradient.max(axes), gradient.min(axes)
    return highest.reshape(-1, 1, 1, 1), -lowest.reshape(-1, 1, 1, 1)


def _make_row(
    pixels: Pixels,
    gradient: NDArray[np.float32],
    suffix: str,
    names: tuple[str, ...],
    positive: NDArray[np.float32],
    negative: NDArray[np.float32],
) -> list[Panel]:
    """Return a row of panels from uint8 (T, H, W, C) and float32 (T, H, W, C), C being 3 or 1."""
    makers: dict[str, Callable[[], Pixels]] = {
        "frame": lambda: pixels,
        "gradient": lambda: _to_bytes(0.5 + 0.5 * _divide(gradient, np.maximum(positive, negative))),
        "positive": lambda: _to_bytes(_divide(gradient, positive)),
        "negative": lambda: _to_bytes(_divide(-gradient, negative)),
    }
    return [Panel(name + suffix, np.broadcast_to(makers[name](), (*gradient.shape[:3], 3))) for name in names]


def _divide(gradient: NDArray[np.float32], limit: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return gradient / limit, and 0 where the limit is not above 0: nothing of that sign is there."""
    return np.divide(gradient, limit, out=np.zeros_like(gradient), where=np.broadcast_to(limit > 0, gradient.shape))


def _to_bytes(values: NDArray[np.float32]) -> Pixels:
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def resize_panel(image: Pixels, side: int) -> Image.Image:
    """Return one panel's frame, uint8 (H, W, 3), as a square of `side` pixels; whole multiples stay sharp."""
    is_multiple = side % image.shape[0] == 0
    return Image.fromarray(np.ascontiguousarray(image)).resize(
        (side, side), Image.Resampling.NEAREST if is_multiple else Image.Resampling.BICUBIC
    )


def draw_text(
    canvas: Image.Image,
    place: tuple[int, int],
    text: str,
    size: int,
    width: int,
    color: tuple[int, int, int] = TEXT,
) -> None:
    """Write one line at `place` (left, top), `size` pixels high, cut with dots where it is wider than `width`.

    All that is not printable ASCII shows as escapes: Pillow's own font has little more.
    """
    font = _font(size)
    line = text.encode("unicode_escape").decode("ascii").replace("\\\\", "\\")
    if font.getlength(line) > width:
        while line and font.getlength(line + "...") > width:
            line = line[:-1]
        line += "..."
    ImageDraw.Draw(canvas).text(place, line, fill=color, font=font)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
