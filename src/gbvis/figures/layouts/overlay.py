"""The overlay: the magnitude of a method's values over the frames at their own size, exactly where the network saw it.

What lies outside the crop, which the network never saw, is dimmed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gbvis.figures.caption import Caption, describe_moment
from gbvis.figures.color import SEQUENTIAL, color_map
from gbvis.figures.layout import Layout
from gbvis.figures.legend import BY_FRAME, Curve, draw_bar, legend_colors, name_curve
from gbvis.figures.panel import describe_scale, divide, paint, put_limit
from gbvis.figures.picture import Picture, Pixels
from gbvis.figures.run_view import ClipView, RunView, SourceFrames
from gbvis.figures.scale import Limits
from gbvis.figures.style import BACKGROUND, FAINT_TEXT, Style
from gbvis.figures.text import draw_text, fit_first, letter_size, text_width

_DIMMED = 0.35
_HEAD, _FOOT = 4, 4
"""Lines above the frame, at least: video, target, method, prediction; and below: moment, colours, scale, curve."""

_NARROWEST = 320
"""Pixels; a narrower source is shown at a whole multiple of its size, or its text could not be read."""


class Overlay(Layout):
    """The gradient over the video's own frames."""

    def lay_out(self, views: Sequence[RunView], style: Style) -> list[Picture]:
        """Return one picture: a frame for every frame of every clip, and a line of text above and below."""
        (view,) = views
        source = view.find_source()
        factor = -(-_NARROWEST // source.width)
        width, height = factor * source.width, factor * source.height
        line = max(16, min(height // 14, width // 20))
        top = max(_HEAD, Caption(view).count_lines(width, line)) * line
        count = view.clip_count * view.frames_per_clip

        def frames(step: int = 1) -> Iterator[Pixels]:
            for number, clip in enumerate(view.clips(), start=1):
                strongest: NDArray[np.float32] = np.abs(clip.gradient).max(0)
                limits = style.limits or Limits.of(strongest, style.percentile, style.scale == "frame")
                still = Image.new("RGB", (width, top + height + _FOOT * line), BACKGROUND)
                curve = _draw_texts(still, view, clip, style, limits, line)
                for index in range(0, len(clip.frames), step):
                    canvas, frame_number = still.copy(), clip.frames[index]
                    frame = blend(source.read(frame_number), divide(strongest, limits.gradient, index), source)
                    shown = Image.fromarray(frame.repeat(factor, axis=0).repeat(factor, axis=1))
                    canvas.paste(shown, ((width - shown.width) // 2, top + (height - shown.height) // 2))
                    curve.mark(canvas, index)
                    moment = (index, len(clip.frames))
                    where = describe_moment(view, f"frame {frame_number}", frame_number, moment, number)
                    draw_text(canvas, (4, top + height), where, letter_size(line), width - 8, font=style.font)
                    yield np.asarray(canvas)

        kept = legend_colors(replace(style, colors="maps"), ["positive"], False, view.has_warning)  # its bar's map
        return [Picture(width, top + height + _FOOT * line, count, style.rate, frames, style.loops, kept)]


def blend(frame: Pixels, heat: NDArray[np.float32], source: SourceFrames) -> Pixels:
    """Return a frame with the heat in its place: uint8 (height, width, 3).

    Args:
        frame: uint8 (height, width, 3).
        heat: float32 (H, W), 0-1; the crop at the network's size.
        source: Where the crop lies.
    """
    left, top, right, bottom = source.box_in(frame)
    rows, columns = heat.shape
    across, down = columns / (right - left), rows / (bottom - top)
    size = (frame.shape[1], frame.shape[0])
    place = (across, 0, -left * across, 0, down, -top * down)
    spread = Image.fromarray(heat).transform(size, Image.Transform.AFFINE, place, Image.Resampling.BILINEAR)
    x, y = np.arange(frame.shape[1]) + 0.5, np.arange(frame.shape[0]) + 0.5
    inside = ((y >= top) & (y < bottom))[:, None, None] & ((x >= left) & (x < right))[None, :, None]
    weight = 0.85 * np.sqrt(np.clip(np.asarray(spread), 0, 1))[..., None] * inside
    seen = frame * np.where(inside, 1.0, _DIMMED)
    colors = paint(np.asarray(spread), color_map(SEQUENTIAL))
    return np.asarray(np.rint(seen + weight * (colors - seen)), np.uint8)


def _draw_texts(canvas: Image.Image, view: RunView, clip: ClipView, style: Style, limits: Limits, line: int) -> Curve:
    """Write all lines that stay the same through a clip but the moment's, and return the curve in the last one."""
    width, letters = canvas.width - 8, letter_size(line)
    top = canvas.height - (_FOOT - 1) * line
    Caption(view).draw(canvas, (0, 0), canvas.width, line, clip.value, style.font)
    ends = (f"{view.magnitude} 0", BY_FRAME if style.scale == "frame" else put_limit(limits.gradient))
    draw_bar(canvas, (0, top), canvas.width, line, color_map(SEQUENTIAL), ends, style.font)
    scale = fit_first([describe_scale(style), describe_scale(style, is_short=True)], letters, width, style.font)
    draw_text(canvas, (4, top + line), scale, letters, width, FAINT_TEXT, style.font)
    name = fit_first(name_curve(view.magnitude), letters, canvas.width // 2, style.font)
    left = 8 + text_width(name, letters, style.font)
    draw_text(canvas, (4, top + 2 * line), name, letters, left, FAINT_TEXT, style.font)
    curve = Curve(clip.importance, (left + 8, top + 2 * line + 6, canvas.width - 8, canvas.height - 4))
    curve.draw(canvas)
    return curve


OVERLAY = Overlay()
