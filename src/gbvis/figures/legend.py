"""What explains a picture beside its panels: colours with the values at their ends, and a curve over time."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gbvis.figures.picture import Pixels
from gbvis.figures.style import FAINT_TEXT
from gbvis.figures.text import draw_text, letter_size, text_width

CURVE = (255, 184, 77)

_GAP = 6
_SHORTEST_BAR = 16


def draw_bar(
    canvas: Image.Image,
    place: tuple[int, int],
    width: int,
    line: int,
    colors: Pixels,
    ends: tuple[str, str],
    font: Path | None,
) -> None:
    """Draw colours from the lowest to the highest between the values that their ends stand for.

    Where there is no room for all of it, the upper value is what stays: no number is ever cut.

    Args:
        canvas: Where to draw.
        place: Left and top of the line.
        width: Of all of it, pixels.
        line: Height of the line.
        colors: uint8 (any, 3), from the lowest to the highest.
        ends: The values, in words.
        font: A font file, or None for the one that comes along.
    """
    left, top = place
    letters = letter_size(line)
    low, high = (text_width(end, letters, font) for end in ends)
    room = min(width - low - high - 4 * _GAP, round(0.45 * width))
    if room < _SHORTEST_BAR:
        draw_text(canvas, (left + _GAP, top), ends[1], letters, width - _GAP, FAINT_TEXT, font)
        return
    start = left + (width - room - low - high - 2 * _GAP) // 2
    draw_text(canvas, (start, top), ends[0], letters, low + _GAP, FAINT_TEXT, font)
    places = np.linspace(0, len(colors) - 1, room).round().astype(np.intp)
    bar = np.broadcast_to(colors[places], (max(4, line - 10), room, 3))
    canvas.paste(Image.fromarray(np.ascontiguousarray(bar)), (start + low + _GAP, top + 5))
    draw_text(canvas, (start + low + room + 2 * _GAP, top), ends[1], letters, high + _GAP, FAINT_TEXT, font)


class Curve:
    """How much of the gradient each frame of a clip has, from nothing to the most."""

    def __init__(self, importance: NDArray[np.float64], box: tuple[int, int, int, int]) -> None:
        """Put the curve into a box.

        Args:
            importance: float64 (T,), at least 0.
            box: Left, top, right, bottom, pixels.
        """
        self._box = box
        left, top, right, bottom = box
        highest = float(importance.max()) or 1.0
        gap = (right - left) / max(1, len(importance) - 1)
        self._points = [
            (left + gap * step, bottom - (bottom - top) * float(value) / highest)
            for step, value in enumerate(importance)
        ]

    def draw(self, canvas: Image.Image) -> None:
        """Draw the curve above its line of zero."""
        left, _, right, bottom = self._box
        pen = ImageDraw.Draw(canvas)
        pen.line([(left, bottom), (right, bottom)], fill=FAINT_TEXT)
        pen.line(self._points, fill=CURVE, width=2)

    def mark(self, canvas: Image.Image, step: int) -> None:
        """Mark one frame."""
        x, y = self._points[step]
        pen = ImageDraw.Draw(canvas)
        pen.line([(x, y), (x, self._box[3])], fill=CURVE)
        pen.ellipse((x - 4, y - 4, x + 4, y + 4), fill=CURVE)
