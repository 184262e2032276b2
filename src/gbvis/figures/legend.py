"""What explains a picture beside its panels: colours with their values, the wheel of flow, and a curve over time."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gbvis.figures.color import DIVERGING, SEQUENTIAL, color_map, draw_wheel
from gbvis.figures.picture import Pixels
from gbvis.figures.style import BACKGROUND, FAINT_TEXT, TEXT, WARNING, Style
from gbvis.figures.text import draw_text, fit_first, letter_size, text_width

CURVE = WARNING

BY_FRAME = "each frame its own"
"""What stands beside the colours where each frame has a scale of its own."""

_GAP = 6
_SHORTEST_BAR = 16
_TIGHT_GAP, _TINIEST_BAR = 3, 6
"""Beside the upper value alone."""


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

    Where there is no room for all of it, the lower value goes first, then the bar: no number is ever cut.

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
        shown = fit_first([ends[1], "by frame"] if ends[1] == BY_FRAME else [ends[1]], letters, width - _GAP, font)
        room = min(width - text_width(shown, letters, font) - 3 * _TIGHT_GAP, round(0.45 * width))
        beside = left + (room + 2 * _TIGHT_GAP if room >= _TINIEST_BAR else _GAP)
        if room >= _TINIEST_BAR:
            _paste_bar(canvas, (left + _TIGHT_GAP, top), (room, line), colors)
        draw_text(canvas, (beside, top), shown, letters, width - (beside - left), FAINT_TEXT, font)
        return
    start = left + (width - room - low - high - 2 * _GAP) // 2
    draw_text(canvas, (start, top), ends[0], letters, low + _GAP, FAINT_TEXT, font)
    _paste_bar(canvas, (start + low + _GAP, top), (room, line), colors)
    draw_text(canvas, (start + low + room + 2 * _GAP, top), ends[1], letters, high + _GAP, FAINT_TEXT, font)


def _paste_bar(canvas: Image.Image, place: tuple[int, int], size: tuple[int, int], colors: Pixels) -> None:
    """Paint a bar into a line: `place` is its left and the line's top, `size` its width and the line's height."""
    (left, top), (width, line) = place, size
    places = np.linspace(0, len(colors) - 1, width).round().astype(np.intp)
    bar = np.broadcast_to(colors[places], (max(4, line - 10), width, 3))
    canvas.paste(Image.fromarray(np.ascontiguousarray(bar)), (left, top + 5))


def name_curve(magnitude: str) -> tuple[str, ...]:
    """Return what the curve of a magnitude is called, the longest first."""
    short = f"|{magnitude[1]}|" if magnitude.startswith("|") else f"{magnitude[:3]}."
    return f"{magnitude} in each frame", magnitude, short


class Curve:
    """How much of the gradient each frame of a clip has, from nothing to the most."""

    def __init__(
        self, importance: NDArray[np.float64], box: tuple[int, int, int, int], is_downwards: bool = False
    ) -> None:
        """Put the curve into a box.

        Args:
            importance: float64 (T,), at least 0.
            box: Left, top, right, bottom, pixels.
            is_downwards: Time goes from top to bottom, and more is to the right; else to the right, and more is higher.
        """
        left, top, right, bottom = box
        shares = importance / (float(importance.max()) or 1.0)
        along = np.linspace(0, 1, len(importance)) if len(importance) > 1 else np.zeros(1)
        if is_downwards:
            x, y = left + (right - left) * shares, top + (bottom - top) * along
            self._zeros = [(float(left), float(one)) for one in y]
            self._axis = [(left, top), (left, bottom)]
        else:
            x, y = left + (right - left) * along, bottom - (bottom - top) * shares
            self._zeros = [(float(one), float(bottom)) for one in x]
            self._axis = [(left, bottom), (right, bottom)]
        self._points = list(zip(x.tolist(), y.tolist(), strict=True))

    def draw(self, canvas: Image.Image) -> None:
        """Draw the curve beside its line of zero."""
        pen = ImageDraw.Draw(canvas)
        pen.line(self._axis, fill=FAINT_TEXT)
        pen.line(self._points, fill=CURVE, width=2)

    def mark(self, canvas: Image.Image, step: int) -> None:
        """Mark one frame."""
        x, y = self._points[step]
        pen = ImageDraw.Draw(canvas)
        pen.line([(x, y), self._zeros[step]], fill=CURVE)
        pen.ellipse((x - 4, y - 4, x + 4, y + 4), fill=CURVE)


def draw_wheel_key(
    canvas: Image.Image, place: tuple[int, int], width: int, line: int, bound: float, font: Path | None
) -> None:
    """Draw the wheel of flow, two lines high, and beside it what it says.

    Args:
        canvas: Where to draw.
        place: Left and top.
        width: Of all of it, pixels.
        line: Height of a line.
        bound: Pixels at which its colours are full.
        font: A font file, or None for the one that comes along.
    """
    left, top = place
    side, letters = 2 * line - 4, letter_size(line)
    canvas.paste(Image.fromarray(draw_wheel(side, BACKGROUND)), (left + 4, top + 2))
    beside, room = left + side + 12, width - side - 16
    directions = ("flow: the colour is its direction", "flow: direction")
    speeds = (f"full colour from {bound:g} pixels a frame", f"full at {bound:g} pixels", f"{bound:g} px")
    for number, names in enumerate((directions, speeds)):
        text = fit_first(names, letters, room, font)
        draw_text(canvas, (beside, top + number * line), text, letters, room, FAINT_TEXT, font)


def legend_colors(style: Style, panels: Iterable[str], has_flow: bool, has_warning: bool) -> Pixels:
    """Return the colours of all that is not a panel: text, curve, bars and the wheel.

    Args:
        style: How the picture looks.
        panels: Which panels it shows.
        has_flow: It shows flow.
        has_warning: A class is explained that was not predicted, or a target is saturated.

    Returns:
        uint8 (any, 3), neighbours in a map after each other.
    """
    strength = np.arange(256)[:, None] / 255
    inks = [np.array(ink, float) for ink in (TEXT, FAINT_TEXT, *([WARNING] if has_warning else []))]
    parts = [np.rint(np.array(BACKGROUND) * (1 - strength) + ink * strength).astype(np.uint8) for ink in inks]
    parts.append(np.array([CURVE], np.uint8))
    shown = {*panels}
    if style.colors == "old":
        parts.append(np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1))
    else:
        parts += [color_map(DIVERGING)] if "gradient" in shown else []
        parts += [color_map(SEQUENTIAL)] if shown & {"positive", "negative"} else []
    if has_flow and style.has_wheel and "frame" in shown:
        parts.append(np.unique(draw_wheel(64, BACKGROUND).reshape(-1, 3), axis=0))
    return np.concatenate(parts)
