"""What the page shows of a clip: rows of values, frames beside them, and how much there is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gbvis.figures.color import SEQUENTIAL, color_map
from gbvis.figures.outputs.report.limits import (
    ClipLimits,
    Ends,
    find_clip_limits,
    find_magnitude_limits,
    offer_percentiles,
)
from gbvis.figures.outputs.report.strips import encode_thumbnail
from gbvis.figures.panel import Panel, make_panels, paint, values_of
from gbvis.figures.picture import Pixels
from gbvis.figures.run_view import ClipView, RunView
from gbvis.figures.scale import Limits, Values
from gbvis.figures.style import FLOW_CHANNELS, Style

_THUMBNAIL = 72
"""Pixels of its side: twice what it takes on the screen."""


@dataclass(frozen=True)
class ClipMeasure:
    """What is known of a clip's values before they are packed.

    Attributes:
        value: The target's.
        importance: For each frame |values| summed over it.
        limits: Of the panels' colours.
        overlay_limits: Of the overlay's.
        level: `0` or `the same` where all values are, else empty.
        size: Height and width of a frame, pixels.
    """

    value: float
    importance: list[float]
    limits: ClipLimits
    overlay_limits: ClipLimits
    level: str
    size: tuple[int, int]


@dataclass(frozen=True)
class RunMeasure:
    """What is known of a run's values before they are packed.

    Attributes:
        clips: Of each clip.
        thumbnail: The strongest frame, a WebP image as Base64.
    """

    clips: list[ClipMeasure]
    thumbnail: str

    @property
    def importance(self) -> list[list[float]]:
        """Of each clip."""
        return [clip.importance for clip in self.clips]

    @property
    def limits(self) -> Ends:
        """The largest limits of any clip: float64 (percentile, 3)."""
        return np.asarray(np.max([clip.limits.clip for clip in self.clips], axis=0))

    @property
    def level(self) -> str:
        """What all values are, where there is nothing to see; else empty."""
        levels = {clip.level for clip in self.clips}
        return "" if "" in levels else max(levels, key=len)


def name_rows(view: RunView, style: Style) -> list[str]:
    """Return what tells a run's rows of panels apart."""
    return [""] if _has_one_row(view) else ["uv"[channel] for channel in FLOW_CHANNELS[style.flow]]


def pick_rows(values: Values, view: RunView, style: Style) -> Values:
    """Return the rows that are shown of all channels of `stack_values`: float32 (row, time, y, x)."""
    return values if _has_one_row(view) else values[list(FLOW_CHANNELS[style.flow])]


def stack_values(clip: ClipView, view: RunView, style: Style) -> Values:
    """Return all values that decide the limits: float32 (channel, time, y, x), one channel for RGB."""
    return np.stack(values_of(clip.gradient, view.modality, style))


def _has_one_row(view: RunView) -> bool:
    return view.modality == "rgb" or view.is_one_channel


def make_frame_panels(clip: ClipView, view: RunView, style: Style) -> list[Panel]:
    """Return the panels of the clip's frames, one for each row; the wheel's colours are explained by the page."""
    nothing = np.zeros((clip.gradient.shape[0], len(clip.frames), 1, 1), np.float32)
    bare = replace(style, panels=("frame",), limits=Limits.none(), scale="clip")
    rows = make_panels(replace(clip, gradient=nothing), view, bare)
    return [row[0] for row in rows if not row[0].is_key]


def name_frame_panels(view: RunView, style: Style) -> list[str]:
    """Return what the panels of frames are called, one for each that `make_frame_panels` gives."""
    pixels = np.zeros((1, 1, 1, 3 if view.modality == "rgb" else 2), np.uint8)
    clip = ClipView([0], pixels, np.zeros((pixels.shape[3], 1, 1, 1), np.float32), 0.0)
    return [panel.name for panel in make_frame_panels(clip, view, style)]


def measure_run(view: RunView, style: Style, keep: Callable[[int, Values], None] | None = None) -> RunMeasure:
    """Return what is known of a run's values; its clips are read one by one.

    Args:
        view: The run.
        style: How it looks.
        keep: Takes the rows of each clip, given by its number, that are to be packed later.

    Raises:
        GbvisError: They are missing or damaged.
    """
    percentiles = offer_percentiles(style)
    best, thumbnail = -1.0, ""
    measures = []
    for number, clip in enumerate(view.clips()):
        values = stack_values(clip, view, style)
        rows = pick_rows(values, view, style)
        measure = _measure_clip(clip, values, rows, style, percentiles)
        if keep is not None:
            keep(number, rows)
        measures.append(measure)
        if max(measure.importance) > best:
            best = max(measure.importance)
            end = float(measure.overlay_limits.clip[percentiles.index(float(style.percentile)), 0])
            thumbnail = _draw_thumbnail(clip, values, end, view, style, int(np.argmax(measure.importance)))
    return RunMeasure(measures, thumbnail)


def _measure_clip(
    clip: ClipView, values: Values, rows: Values, style: Style, percentiles: Sequence[float]
) -> ClipMeasure:
    level = "" if values.max() != values.min() else ("the same" if values.any() else "0")
    return ClipMeasure(
        value=clip.value,
        importance=[float(f"{one:.6g}") for one in clip.importance],
        limits=find_clip_limits(values, percentiles, style.saliency_scale == "shared"),
        overlay_limits=find_magnitude_limits(rows, percentiles),
        level=level,
        size=(values.shape[2], values.shape[3]),
    )


def illustrate(view: RunView, style: Style) -> dict[str, object]:
    """Return what the index shows of a run beside its facts: `importance` and `thumbnail`.

    Raises:
        GbvisError: Its clips are missing or damaged.
    """
    importance: list[list[float]] = []
    best, thumbnail = -1.0, ""
    for clip in view.clips():
        importance.append([float(f"{one:.6g}") for one in clip.importance])
        if max(importance[-1]) > best:
            best = max(importance[-1])
            values = stack_values(clip, view, style)
            magnitude = np.abs(pick_rows(values, view, style)).max(0)
            end = float(Limits.of(magnitude, style.percentile, is_one_for_both=True).gradient[0])
            thumbnail = _draw_thumbnail(clip, values, end, view, style, int(np.argmax(importance[-1])))
    return {"importance": importance, "thumbnail": thumbnail}


def _draw_thumbnail(clip: ClipView, values: Values, end: float, view: RunView, style: Style, step: int) -> str:
    """Return a frame under its values: a WebP image as Base64.

    Args:
        clip: The clip.
        values: What `stack_values` says of it.
        end: Where the colours end.
        view: The run.
        style: How it looks.
        step: The frame, counted from 0.
    """
    frame: Pixels = make_frame_panels(clip, view, style)[0].image(step)
    magnitude = np.abs(pick_rows(values[:, step : step + 1], view, style)).max(0)[0]
    heat = np.clip(magnitude / end, 0, 1) if end > 0 else np.zeros_like(magnitude)
    weight = 0.85 * np.sqrt(heat)[..., None]
    shown = np.rint(frame + weight * (paint(heat, color_map(SEQUENTIAL)) - frame.astype(np.float32)))
    return encode_thumbnail(shown.astype(np.uint8), _THUMBNAIL)
