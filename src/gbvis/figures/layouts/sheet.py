"""The sheet: the old script's figure. A row for each panel, a column for each frame; clips below each other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from PIL import Image

from gbvis.errors import OutputError
from gbvis.figures.layout import Layout
from gbvis.figures.panel import Panel, count_rows, describe_scale, make_panels
from gbvis.figures.picture import Picture, Pixels
from gbvis.figures.run_view import ClipView, RunView
from gbvis.figures.style import BACKGROUND, FAINT_TEXT, Style
from gbvis.figures.text import draw_text, fit_name, letter_size, text_width

_SIDE = 112
_GAP = 2
_PAGE = 3_000
"""Pixels that the clips of one page may take below each other; at least one clip stands on it."""

_TALLEST = 16_000


@dataclass(frozen=True)
class Grid:
    """Where things stand on a sheet.

    Attributes:
        is_transposed: A column for each panel and a row for each frame.
        side: Of a panel, pixels.
        line: Height of a line of text.
        panels: Panels of one clip.
        frames: Frames of one clip.
    """

    is_transposed: bool
    side: int
    line: int
    panels: int
    frames: int

    @property
    def margin(self) -> int:
        """Width of the names to the left."""
        return 5 * self.line

    @property
    def width(self) -> int:
        """Of a sheet."""
        return self.margin + (self.panels if self.is_transposed else self.frames) * (self.side + _GAP)

    @property
    def head(self) -> int:
        """Height of the lines above a clip: its value and scale, the ends of the colours, the columns' names."""
        return 3 * self.line

    @property
    def clip_height(self) -> int:
        """Of one clip, with the lines above it."""
        return self.head + (self.frames if self.is_transposed else self.panels) * (self.side + _GAP)

    def place(self, panel: int, frame: int) -> tuple[int, int]:
        """Return left and top of a panel's frame, from the top of its clip."""
        column, row = (panel, frame) if self.is_transposed else (frame, panel)
        return self.margin + column * (self.side + _GAP), self.head + row * (self.side + _GAP)


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


def _make_pages(view: RunView, style: Style, is_transposed: bool) -> list[Picture]:
    """Return the pages of one run."""
    side = style.size or _SIDE
    panels = count_rows(view.modality, style) * len(style.panels)
    grid = Grid(is_transposed, side, max(20, side // 6), panels, view.frames_per_clip)
    if max(grid.width, grid.clip_height) > _TALLEST:
        raise OutputError(
            f"a sheet of {view.frames_per_clip} frames would be {grid.width}x{grid.clip_height} pixels",
            f"at most {_TALLEST} a side: choose a smaller --size, or --layout strip",
        )
    per_page = max(1, _PAGE // grid.clip_height)
    starts = range(0, view.clip_count, per_page)
    ranges = [(first, min(first + per_page, view.clip_count)) for first in starts]
    return [
        _make_page(view, style, grid, first, end, f"page {number}/{len(ranges)}   " if len(ranges) > 1 else "")
        for number, (first, end) in enumerate(ranges, start=1)
    ]


def _make_page(view: RunView, style: Style, grid: Grid, first: int, end: int, page: str) -> Picture:
    height = grid.line + (end - first) * grid.clip_height

    def frames(step: int = 1) -> Iterator[Pixels]:
        canvas = Image.new("RGB", (grid.width, height), BACKGROUND)
        facts = f"{page}{view.stream}   {view.endpoint}   {view.target_name}   {view.method}"
        title = fit_name(view.video, facts, _letters(grid), grid.width - 8, style.font)
        draw_text(canvas, (4, 0), title, _letters(grid), grid.width - 8, font=style.font)
        for number, clip in enumerate(islice(view.clips(), first, end)):
            top = grid.line + number * grid.clip_height
            _draw_clip(canvas, view, style, grid, clip, top, f"clip {first + number + 1}/{view.clip_count}")
        yield np.asarray(canvas)

    return Picture(grid.width, height, 1, style.rate, frames)


def _draw_clip(
    canvas: Image.Image, view: RunView, style: Style, grid: Grid, clip: ClipView, top: int, which: str
) -> None:
    letters = _letters(grid)

    def write(place: tuple[int, int], text: str, width: int, color: tuple[int, int, int] = FAINT_TEXT) -> None:
        draw_text(canvas, place, text, letters, width, color, style.font)

    about = f"{which}   {view.describe_value(clip.value)}   {describe_scale(style)}"
    panels = [panel for row in make_panels(clip, view.modality, style) for panel in row]
    write((4, top), about, canvas.width - 8)
    write((4, top + grid.line), _describe_ends(panels), canvas.width - 8)
    is_tight = not grid.is_transposed and text_width("frame 0000", letters, style.font) > grid.side - 4
    names = [f"{frame}" if is_tight else f"frame {frame}" for frame in clip.frames]
    titles = [panel.name for panel in panels]
    above, beside = (titles, names) if grid.is_transposed else (names, titles)
    for column, name in enumerate(above):
        left = grid.margin + column * (grid.side + _GAP)
        write((left, top + 2 * grid.line), name, grid.side - 4)
    for row, name in enumerate(beside):
        middle = top + grid.head + row * (grid.side + _GAP) + (grid.side - letters) // 2
        write((4, middle), name, grid.margin - 8)
    for number, panel in enumerate(panels):
        for frame in range(len(clip.frames)):
            left, below = grid.place(number, frame)
            canvas.paste(Image.fromarray(panel.draw(frame, grid.side)), (left, top + below))


def _describe_ends(panels: Sequence[Panel]) -> str:
    """Return what the colours' ends stand for; u and v share theirs."""
    ends = {panel.name.split()[0]: panel.ends for panel in panels if panel.ends}
    return "   ".join(f"{name} {low} to {high}" if low else f"{name} {high}" for name, (low, high) in ends.items())


def _letters(grid: Grid) -> int:
    return letter_size(grid.line)


SHEET = Sheet()
TRANSPOSED = Sheet(is_transposed=True)
