"""Panels: one thing over time, as a square to be put into a picture."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gbvis.attribution.attribution import Values as Gradient
from gbvis.figures.color import DIVERGING, LEVELS, SEQUENTIAL, color_map, color_wheel, draw_wheel
from gbvis.figures.legend import BY_FRAME
from gbvis.figures.picture import Pixels
from gbvis.figures.run_view import ClipView, RunView
from gbvis.figures.scale import Limits, Values
from gbvis.figures.style import BACKGROUND, FLOW_CHANNELS, PANELS, Style
from gbvis.figures.text import text_width
from gbvis.videos.clip import ClipPixels
from gbvis.videos.motion import BOUND, decode_motion, encode_motion

WHEEL_BOUND = 5.0
"""Pixels of the resized frame at which the colours of the wheel are full."""


@dataclass(frozen=True)
class Panel:
    """One panel over time; each frame is made when it is drawn.

    Attributes:
        name: What it shows.
        count: T, the number of frames.
        image: Makes a frame: uint8 (H, W, 3), RGB; or float32 (H, W), 0-1, places in `colors`.
        colors: uint8 (LEVELS, 3); None where the frames are colours already.
        ends: What the lowest and the highest colour stand for, in words; None where that is no number.
        is_key: True where it explains another panel, and stands in a picture once.
        kind: Which of `PANELS` it is.
    """

    name: str
    count: int
    image: Callable[[int], NDArray[Any]]
    colors: Pixels | None = None
    ends: tuple[str, str] | None = None
    is_key: bool = False
    kind: str = "frame"

    @property
    def images(self) -> NDArray[Any]:
        """All frames at once: uint8 (T, H, W, 3) or float32 (T, H, W)."""
        return np.stack([self.image(step) for step in range(self.count)])

    def draw(self, step: int, side: int) -> Pixels:
        """Return one frame as a square: uint8 (side, side, 3). Values are resized before they become colours."""
        resized = np.asarray(_resize(Image.fromarray(np.ascontiguousarray(self.image(step))), side))
        return resized if self.colors is None else paint(resized, self.colors)

    @property
    def bar(self) -> Pixels:
        """The panel's colours from the lowest to the highest: uint8 (any, 3)."""
        return np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1) if self.colors is None else self.colors


_SHORTER = (
    {" saliency": "", " relevance": "", "pixels a frame": "px"},
    {"positive": "pos.", "negative": "neg.", "flow u and v": "flow", "direction; full at": "full at"},
    {"gradient": "grad.", "relevance": "rel.", "difference": "diff.", "full at ": "to "},
)
"""What names lose where there is little room, step by step."""


def name_panels(panels: Sequence[Panel], size: int, width: int, font: Path | None) -> list[str]:
    """Return the names of panels in `width` pixels: where one is too long, all are shortened in the same way."""
    names = [panel.name for panel in panels]
    for shorter in ({}, *_SHORTER):
        for long, short in shorter.items():
            names = [name.replace(long, short) for name in names]
        if all(text_width(name, size, font) <= width for name in names):
            break
    return names


def paint(places: NDArray[np.float32], colors: Pixels) -> Pixels:
    """Return the colours at places from 0 to 1: uint8 (*places.shape, 3)."""
    index = np.rint(np.clip(places, 0, 1) * (LEVELS - 1)).astype(np.intp)
    painted: Pixels = colors[index]
    return painted


def make_panels(clip: ClipView, view: RunView, style: Style) -> list[list[Panel]]:
    """Return the rows of panels of one clip, as many as `count_rows` says.

    Args:
        clip: One of the run's clips.
        view: The run.
        style: How they look.
    """
    values = values_of(clip.gradient, view.modality, style)
    limits = style.limits or find_limits(values, style)
    if view.modality == "rgb":
        frames = Panel("frame", len(clip.pixels), lambda step: _as_bytes(clip.pixels[step]))
        return [_make_row(frames, values[0], "", view, style, limits)]
    if view.is_one_channel:
        return [_make_row(_flow_frame(clip.pixels, style), values[0], "", view, style, limits)]
    return [
        _make_row(
            _flow_frames(clip.pixels, channel, row, style), values[channel], f" {'uv'[channel]}", view, style, limits
        )
        for row, channel in enumerate(FLOW_CHANNELS[style.flow])
    ]


def panels_of(view: RunView, style: Style) -> tuple[str, ...]:
    """Return which panels show a run: those asked for, or else those that suit its values."""
    return style.panels or (PANELS if view.kind == "signed" else ("frame", "positive"))


def name_panel(view: RunView, kind: str) -> str:
    """Return what a panel is called that shows a run's values; `kind` is one of `PANELS`."""
    if kind == "gradient":
        return view.quantity
    if kind == "positive" and view.kind == "positive":
        return view.method_name
    return f"{kind} {'saliency' if view.quantity == 'gradient' else 'relevance'}"


def find_limits(values: Sequence[Values], style: Style) -> Limits:
    """Return the limits of what is shown of one clip's gradient, which u and v share."""
    is_shared = style.saliency_scale == "shared"
    return Limits.of(np.stack(values), style.percentile, style.scale == "frame", is_shared)


def limits_of(view: RunView, style: Style) -> Limits:
    """Return the limits for all clips of a run: the largest of each clip's limits."""
    limits = Limits.none()
    for clip in view.clips():
        values = values_of(clip.gradient, view.modality, style)
        limits |= find_limits(values, style)
    return limits


def describe_scale(style: Style, is_short: bool = False) -> str:
    """Return in words what the ends of the colours mean."""
    end = f"the {_ordinal(style.percentile)} percentile" if style.percentile < 100 else "the largest value"
    if style.scale == "frame":
        return f"colours end at {end} of each frame{'' if is_short else ': frames cannot be compared'}"
    if style.limits:
        return f"colours end at {end}{' of all clips' if is_short else ', the largest of all clips drawn'}"
    return f"colours end at {end} of this clip"


def _ordinal(number: float) -> str:
    """Return a number as English counts: 99.5th, 91st, 90th."""
    is_special = number != int(number) or int(number) % 100 in (11, 12, 13)
    return f"{number:g}{'th' if is_special else {1: 'st', 2: 'nd', 3: 'rd'}.get(int(number) % 10, 'th')}"


def count_rows(view: RunView, style: Style) -> int:
    """Return the number of rows that `make_panels` gives: one, or one for each channel of flow that is shown."""
    return 1 if view.modality == "rgb" or view.is_one_channel else len(FLOW_CHANNELS[style.flow])


def values_of(gradient: Gradient, modality: str, style: Style) -> list[Values]:
    """Return what is shown of a gradient: for RGB one array, for flow one for each channel that it has.

    In colour maps RGB's three channels become one: each place shows the channel where |g| is largest, with its sign
    (as Simonyan et al. 2013, part 3.1, which takes the maximum over the channels).

    Returns:
        float32 (T, H, W) each; in the old colours RGB is (3, T, H, W).
    """
    if modality == "flow":
        return list(gradient)
    return [gradient] if style.colors == "old" else [pick_strongest(gradient)]


def pick_strongest(gradient: Gradient) -> Gradient:
    """Return at each place the channel where |g| is largest, with its sign: float32 (T, H, W)."""
    strongest = np.empty(gradient.shape[1:], np.float32)
    for step in range(len(strongest)):  # a frame at a time: a clip may be long
        frame = gradient[:, step]
        strongest[step] = np.take_along_axis(frame, np.abs(frame).argmax(0)[None], axis=0)[0]
    return strongest


def _make_row(frames: Panel, values: Values, suffix: str, view: RunView, style: Style, limits: Limits) -> list[Panel]:
    def make(kind: str) -> Panel:
        panel = (_gradient_panel if kind == "gradient" else _saliency_panel)(kind, values, style, limits)
        return replace(panel, name=f"{name_panel(view, kind)}{suffix}", kind=kind)

    return [frames if kind == "frame" else make(kind) for kind in panels_of(view, style)]


def _gradient_panel(_: str, values: Values, style: Style, limits: Limits) -> Panel:
    end = put_limit(limits.gradient)
    ends = ("", "nothing") if limits.is_nothing else (f"\N{MINUS SIGN}{end}", end)
    places = lambda step: 0.5 + 0.5 * divide(values, limits.gradient, step)  # noqa: E731
    return _make_panel(values.shape[-3], places, DIVERGING, style, ends)


def _saliency_panel(kind: str, values: Values, style: Style, limits: Limits) -> Panel:
    sign, limit = (1, limits.positive) if kind == "positive" else (-1, limits.negative)
    places = lambda step: sign * divide(values, limit, step)  # noqa: E731
    return _make_panel(values.shape[-3], places, SEQUENTIAL, style, ("0", put_limit(limit)))


def _make_panel(count: int, places: Callable[[int], Values], colors: str, style: Style, ends: tuple[str, str]) -> Panel:
    if style.scale == "frame":
        ends = ("", BY_FRAME)
    if style.colors == "maps":
        return Panel("", count, places, color_map(colors), ends)

    def colored(step: int) -> Pixels:
        values = places(step)
        by_channel = np.moveaxis(values, 0, -1) if values.ndim == 3 else values[..., None]
        levels = np.rint(np.clip(by_channel, 0, 1) * 255).astype(np.uint8)
        return np.broadcast_to(levels, (*levels.shape[:2], 3))

    return Panel("", count, colored, None, ends)


def divide(values: Values, limit: NDArray[np.float64], step: int) -> Values:
    """Return one frame's values / limit, clipped to -1 and 1; 0 where the limit is 0: nothing of that sign is there."""
    end = np.float32(limit[min(step, len(limit) - 1)])
    frame = values[..., step, :, :]
    return np.clip(frame / end, -1, 1) if end > 0 else np.zeros_like(frame)


def put_limit(limit: NDArray[np.float64]) -> str:
    """Return a limit in words; the largest where each frame has its own."""
    return re.sub(r"e([+-])0", r"e\1", f"{float(limit.max()):.2g}")


def _flow_frames(pixels: ClipPixels, channel: int, row: int, style: Style) -> Panel:
    """Return what a flow row shows of the frames: its own channel in grey; or both as a colour, and then the wheel."""
    if not style.has_wheel:
        return Panel(f"frame {'uv'[channel]}", len(pixels), lambda step: _as_bytes(pixels[step])[..., [channel] * 3])
    if row == 0:
        return Panel("flow u and v", len(pixels), lambda step: color_wheel(_motion_of(pixels[step]), WHEEL_BOUND))
    wheel = draw_wheel(2 * pixels.shape[1], BACKGROUND)
    name = f"direction; full at {WHEEL_BOUND:g} pixels a frame"
    return Panel(name, len(pixels), lambda step: wheel, is_key=True)


def _flow_frame(pixels: ClipPixels, style: Style) -> Panel:
    """Return what the only row shows of the frames of flow: what `_flow_frames` does, or u's and v's speed in grey."""
    if style.has_wheel or style.flow != "both":
        return _flow_frames(pixels, FLOW_CHANNELS[style.flow][0], 0, style)

    def grey(step: int) -> Pixels:
        speed = np.hypot(*np.moveaxis(_motion_of(pixels[step]), -1, 0)) / WHEEL_BOUND
        levels: Pixels = np.rint(255 * np.clip(speed, 0, 1)).astype(np.uint8)
        return levels[..., None].repeat(3, axis=-1)

    return Panel("speed", len(pixels), grey)


def _motion_of(frame: ClipPixels) -> NDArray[np.float32]:
    """Return a frame of flow as pixels a frame: float32 (H, W, 2)."""
    return frame.astype(np.float32) if frame.dtype == np.float32 else decode_motion(frame.astype(np.uint8))


def _as_bytes(pixels: ClipPixels) -> Pixels:
    """Return a clip's pixels to look at; motion of the resized frame as grey, black and white at 10 pixels."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    return encode_motion(pixels.astype(np.float32, copy=False), bound=BOUND / 2)


def _resize(image: Image.Image, side: int) -> Image.Image:
    """Return an image as a square of `side` pixels; whole multiples stay sharp."""
    is_multiple = side % image.height == 0
    return image.resize((side, side), Image.Resampling.NEAREST if is_multiple else Image.Resampling.BICUBIC)
