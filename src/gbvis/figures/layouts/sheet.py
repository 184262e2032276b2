"""The sheet: the old script's figure. A row for each panel, a column for each frame; clips below each other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from PIL import Image

from gbvis.errors import OutputError
from gbvis.figures.caption import NARROWEST, Caption
from gbvis.figures.encoders.size_limit import find_largest_size
from gbvis.figures.layout import Layout
from gbvis.figures.legend import Curve, draw_bar, draw_wheel_key, legend_colors, name_curve
from gbvis.figures.panel import (
    WHEEL_BOUND,
    Panel,
    count_rows,
    describe_scale,
    make_panels,
    name_panel,
    name_panels,
    panels_of,
)
from gbvis.figures.picture import Picture, Pixels
from gbvis.figures.run_view import ClipView, RunView
from gbvis.figures.style import BACKGROUND, FAINT_TEXT, Style
from gbvis.figures.text import draw_text, fit_first, letter_size, text_width, wrap_text

_SIDE = 112
_GAP = 2
_PAGE = 3_050
"""Pixels that the clips of one page may take below each other; at least one clip stands on it."""

_TALLEST = 16_000

_CURVE_LINES = 3
_BAR = 12
"""Lines' heights that a bar of colours takes at least, with its name and the values at its ends."""


@dataclass(frozen=True)
class Grid:
    """Where things stand on a sheet.

    Attributes:
        caption: What holds for all clips.
        is_transposed: A column for each panel and a row for each frame.
        side: Of a panel, pixels.
        line: Height of a line of text.
        panels: Panels of one clip.
        frames: Frames of one clip.
        bars: Kinds of panels that have colours of their own.
        has_key: True where the wheel of flow stands above the clips.
        scale_lines: Lines that say what the colours end at.
    """

    caption: Caption
    is_transposed: bool
    side: int
    line: int
    panels: int
    frames: int
    bars: int = 2
    has_key: bool = False
    scale_lines: int = 1

    @property
    def margin(self) -> int:
        """Width of the names to the left."""
        return round(8.5 * self.line)

    @property
    def curve_width(self) -> int:
        """Width of the curve beside the panels, where frames stand below each other."""
        return 6 * self.line if self.is_transposed else 0

    @property
    def width(self) -> int:
        """Of a sheet."""
        columns = self.panels if self.is_transposed else self.frames
        across = self.margin + columns * (self.side + _GAP) + self.curve_width
        return max(across, NARROWEST * letter_size(self.line))

    @property
    def title_height(self) -> int:
        """Height of what stands above the clips: the caption, what the colours end at, the wheel."""
        return (self.caption.count_lines(self.width, self.line) + self.scale_lines + 2 * self.has_key) * self.line

    @property
    def bars_beside(self) -> int:
        """How many bars of colours stand beside each other."""
        return max(1, min(self.bars, self.width // (_BAR * self.line)))

    @property
    def head(self) -> int:
        """Height of what stands above a clip: its value, the colours, the curve, the columns' names."""
        curve = 0 if self.is_transposed else _CURVE_LINES
        return (2 + -(-self.bars // self.bars_beside) + curve) * self.line

    @property
    def clip_height(self) -> int:
        """Of one clip, with the lines above it."""
        return self.head + (self.frames if self.is_transposed else self.panels) * (self.side + _GAP)

    @property
    def is_within_limits(self) -> bool:
        """True where a clip is not too large for a sheet."""
        return max(self.width, self.clip_height) <= _TALLEST

    def place(self, panel: int, frame: int) -> tuple[int, int]:
        """Return left and top of a panel's frame, from the top of its clip."""
        column, row = (panel, frame) if self.is_transposed else (frame, panel)
        return self.margin + column * (self.side + _GAP), self.head + row * (self.side + _GAP)

    def curve_box(self, top: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom of a clip's curve: its points stand at the middles of the frames."""
        length = (self.frames - 1) * (self.side + _GAP)
        if self.is_transposed:
            left, above = self.place(self.panels, 0)
            middle = top + above + self.side // 2
            return left + 8, middle, left + self.curve_width - 8, middle + length
        middle, below = self.margin + self.side // 2, top + self.head - self.line - 4
        return middle, below - (_CURVE_LINES - 1) * self.line, middle + length, below


class Sheet(Layout):
    """Every frame at once; transposed, panels stand side by side and frames below each other."""

    is_moving = False

    def __init__(self, is_transposed: bool = False) -> None:
        self._is_transposed = is_transposed

    def lay_out(self, views: Sequence[RunView], style: Style) -> list[Picture]:
        """Return the pages, each a single frame that shows every frame of some clips.

        Raises:
            GbvisError: One clip makes a sheet that nothing can show.
        """
        return _make_pages(views[0], style, self._is_transposed)


def _make_grid(view: RunView, style: Style, is_transposed: bool) -> Grid:
    side, names, rows = style.size or _SIDE, panels_of(view, style), count_rows(view, style)
    has_key = view.modality == "flow" and style.has_wheel and "frame" in names
    panels = rows * len(names) - (has_key and rows > 1)  # the wheel stands above the clips, and in no panel
    bars = len(list(_kinds(view, style)))
    caption, line = Caption(view), max(20, side // 6)
    grid = Grid(caption, is_transposed, side, line, panels, view.frames_per_clip, bars, has_key)
    return replace(grid, scale_lines=len(_wrap_scale(view, style, grid)))


def _wrap_scale(view: RunView, style: Style, grid: Grid) -> list[str]:
    """Return the lines that say what the colours end at; none where only frames are shown."""
    if panels_of(view, style) == ("frame",):
        return []
    return wrap_text(describe_scale(style), letter_size(grid.line), grid.width - 8, 2, style.font)


def _kinds(view: RunView, style: Style) -> Iterator[str]:
    """Yield the kinds of panels that have colours of their own."""
    has_saliency = False
    for name in panels_of(view, style):
        is_saliency = name in ("positive", "negative")
        if name != "frame" and not (is_saliency and has_saliency and style.saliency_scale == "shared"):
            yield name
        has_saliency |= is_saliency


def _make_pages(view: RunView, style: Style, is_transposed: bool) -> list[Picture]:
    """Return the pages of one run."""
    grid = _make_grid(view, style, is_transposed)
    if not grid.is_within_limits:
        size = find_largest_size(
            grid.side, lambda side: _make_grid(view, replace(style, size=side), is_transposed).is_within_limits
        )
        ways = ["--layout strip, which moves", "fewer frames, by explaining with -n"]
        raise OutputError(
            f"a sheet of {view.frames_per_clip} frames would be {grid.width}x{grid.clip_height} pixels",
            f"at most {_TALLEST} a side: this fits: {', or '.join([f'--size {size}', *ways] if size else ways)}",
        )
    per_page = max(1, _PAGE // grid.clip_height)
    starts = range(0, view.clip_count, per_page)
    ranges = [(first, min(first + per_page, view.clip_count)) for first in starts]
    return [
        _make_page(view, style, grid, first, end, f"   page {number}/{len(ranges)}" if len(ranges) > 1 else "")
        for number, (first, end) in enumerate(ranges, start=1)
    ]


def _make_page(view: RunView, style: Style, grid: Grid, first: int, end: int, page: str) -> Picture:
    height = grid.title_height + (end - first) * grid.clip_height

    def frames(step: int = 1) -> Iterator[Pixels]:
        canvas = Image.new("RGB", (grid.width, height), BACKGROUND)
        _draw_title(canvas, view, style, grid)
        for number, clip in enumerate(islice(view.clips(), first, end)):
            top = grid.title_height + number * grid.clip_height
            _draw_clip(canvas, view, style, grid, clip, top, f"clip {first + number + 1}/{view.clip_count}{page}")
        yield np.asarray(canvas)

    kept = legend_colors(style, panels_of(view, style), view.modality == "flow", view.has_warning)
    return Picture(grid.width, height, 1, style.rate, frames, kept=kept)


def _draw_title(canvas: Image.Image, view: RunView, style: Style, grid: Grid) -> None:
    """Draw what holds for all clips of a page."""
    line, letters, width, font = grid.line, letter_size(grid.line), grid.width, style.font
    grid.caption.draw(canvas, (0, 0), width, line, None, font)
    lines = grid.caption.count_lines(width, line)
    for number, text in enumerate(_wrap_scale(view, style, grid)):
        draw_text(canvas, (4, (lines + number) * line), text, letters, width - 8, FAINT_TEXT, font)
    if grid.has_key:
        draw_wheel_key(canvas, (0, grid.title_height - 2 * line), width, line, WHEEL_BOUND, font)


def _draw_clip(
    canvas: Image.Image, view: RunView, style: Style, grid: Grid, clip: ClipView, top: int, which: str
) -> None:
    letters, font = letter_size(grid.line), style.font
    draw_text(
        canvas, (4, top), f"{which}   {view.describe_value(clip.value)}", letters, canvas.width - 8, FAINT_TEXT, font
    )
    panels = [panel for row in make_panels(clip, view, style) for panel in row if not panel.is_key]
    _draw_bars(canvas, view, style, grid, panels, top + grid.line)
    _draw_names(canvas, style, grid, clip, panels, top)
    _draw_curve(canvas, view, style, grid, clip, top)
    for number, panel in enumerate(panels):
        for frame in range(len(clip.frames)):
            left, below = grid.place(number, frame)
            canvas.paste(Image.fromarray(panel.draw(frame, grid.side)), (left, top + below))


def _draw_bars(canvas: Image.Image, view: RunView, style: Style, grid: Grid, panels: Sequence[Panel], top: int) -> None:
    """Draw the colours of each kind of panel, its name in front; u and v share theirs."""
    letters, width = letter_size(grid.line), grid.width // grid.bars_beside
    for number, kind in enumerate(_kinds(view, style)):
        panel = next(panel for panel in panels if panel.kind == kind)
        is_both = kind != "gradient" and style.saliency_scale == "shared" and view.kind == "signed"
        both = "saliency" if view.quantity == "gradient" else f"|{view.quantity}|"
        name = both if is_both else name_panel(view, kind)
        row, column = divmod(number, grid.bars_beside)
        left, above = column * width, top + row * grid.line
        named = text_width(name, letters, style.font) + 12
        draw_text(canvas, (left + 4, above), name, letters, named, FAINT_TEXT, style.font)
        room = min(width - named, 12 * grid.line)
        draw_bar(canvas, (left + named, above), room, grid.line, panel.bar, panel.ends or ("", ""), style.font)


def _draw_names(
    canvas: Image.Image, style: Style, grid: Grid, clip: ClipView, panels: Sequence[Panel], top: int
) -> None:
    """Draw the names of panels and the numbers of frames, above the columns and beside the rows."""
    letters, font = letter_size(grid.line), style.font
    across, beside = grid.side - 4, grid.margin - 8
    frames = [f"frame {frame}" for frame in clip.frames]
    if not grid.is_transposed and max(text_width(name, letters, font) for name in frames) > across:
        frames = [f"{frame}" for frame in clip.frames]
        width = text_width("frame", letters, font) + 6
        draw_text(canvas, (grid.margin - width, top + grid.head - grid.line), "frame", letters, width, FAINT_TEXT, font)
    titles = name_panels(panels, letters, across if grid.is_transposed else beside, font)
    columns, rows = (titles, frames) if grid.is_transposed else (frames, titles)
    for column, name in enumerate(columns):
        place = (grid.margin + column * (grid.side + _GAP), top + grid.head - grid.line)
        draw_text(canvas, place, name, letters, across, FAINT_TEXT, font)
    for row, name in enumerate(rows):
        middle = top + grid.head + row * (grid.side + _GAP) + (grid.side - letters) // 2
        draw_text(canvas, (4, middle), name, letters, beside, FAINT_TEXT, font)


def _draw_curve(canvas: Image.Image, view: RunView, style: Style, grid: Grid, clip: ClipView, top: int) -> None:
    """Draw how much of the gradient each frame has, and its name."""
    letters, font = letter_size(grid.line), style.font
    box = grid.curve_box(top)
    curve = Curve(clip.importance, box, grid.is_transposed)
    curve.draw(canvas)
    for step in range(len(clip.frames)):
        curve.mark(canvas, step)
    if grid.is_transposed:
        place, room = (box[0], top + grid.head - grid.line), grid.curve_width - 8
    else:
        place, room = (4, (box[1] + box[3]) // 2 - letters // 2 - 2), grid.margin - 8
    name = fit_first(name_curve(view.magnitude), letters, room, font)
    draw_text(canvas, place, name, letters, room, FAINT_TEXT, font)


SHEET = Sheet()
TRANSPOSED = Sheet(is_transposed=True)
