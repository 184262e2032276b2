"""The strip: frame, gradient, positive and negative saliency side by side, moving; clips follow one another.

Under the panels stand the colours with the values at their ends, and how much of the gradient each frame has. Several
runs stand below each other, on one clock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image

from gbvis.figures.layout import Layout
from gbvis.figures.legend import Curve, draw_bar
from gbvis.figures.panel import Panel, count_rows, describe_scale, make_panels
from gbvis.figures.picture import Picture, Pixels
from gbvis.figures.run_view import ClipView, RunView
from gbvis.figures.style import BACKGROUND, FAINT_TEXT, TEXT, Style
from gbvis.figures.text import draw_text, fit_name, letter_size, text_width

_SIDE = 224


@dataclass(frozen=True)
class _Metrics:
    """Sizes in pixels: of a panel's side, the gap between panels, a line of text, its letters, the curve, the width.

    Attributes:
        lines: Of the title, and of what stands at the foot: two where a picture is narrow.
    """

    side: int
    gap: int
    line: int
    letters: int
    curve: int
    width: int
    lines: int

    @classmethod
    def of(cls, style: Style) -> "_Metrics":
        side = style.size or _SIDE
        gap, line = max(2, side // 28), max(14, side // 12)
        width = len(style.panels) * (side + gap) - gap
        return cls(side, gap, line, letter_size(line), 2 * line, width, 1 if width > 40 * letter_size(line) else 2)

    def row_top(self, row: int) -> int:
        """Return where a row of panels begins below its block: a title, and for each row names, panels, colours."""
        return self.lines * self.line + row * (self.side + 2 * self.line)

    def block_height(self, rows: int) -> int:
        """Return the height of what belongs to one run."""
        return self.row_top(rows) + self.curve

    def column(self, number: int) -> int:
        """Return where a column of panels begins."""
        return number * (self.side + self.gap)


class Strip(Layout):
    """Panels side by side, moving; several runs below each other."""

    def lay_out(self, views: Sequence[RunView], style: Style) -> list[Picture]:
        """Return one picture: a frame for every frame of every clip."""
        metrics = _Metrics.of(style)
        heights = [metrics.block_height(count_rows(view.modality, style)) for view in views]
        height = sum(heights) + metrics.lines * metrics.line

        def frames(step: int = 1) -> Iterator[Pixels]:
            for number, clips in enumerate(zip(*(view.clips() for view in views), strict=True), start=1):
                scene = _Scene(views, clips, number, style, metrics, heights)
                yield from (scene.draw(moment) for moment in range(0, len(scene.clock), step))

        count = sum(len(_clock(numbers)) for numbers in zip(*(view.frames for view in views), strict=True))
        return [Picture(metrics.width, height, count, style.rate, frames, style.loops)]


def _clock(numbers: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """Return for each moment of a clip which of its frames each run shows.

    Runs of a video's two streams may begin a frame apart: the moments are the numbers of all frames, and each run shows
    the last of its frames that has begun. Where frames are repeated, a run shows its next one at each moment.
    """
    rising = all(before < after for frames in numbers for before, after in pairwise(frames))
    if len(numbers) == 1 or not rising:
        length = max(len(frames) for frames in numbers)
        return [tuple(min(moment, len(frames) - 1) for frames in numbers) for moment in range(length)]
    moments = sorted({number for frames in numbers for number in frames})
    return [
        tuple(max(0, int(np.searchsorted(frames, moment, side="right")) - 1) for frames in numbers)
        for moment in moments
    ]


class _Scene:
    """One clip of all runs: what stays the same through it is drawn once.

    Attributes:
        clock: As `_clock` returns it.
    """

    def __init__(
        self,
        views: Sequence[RunView],
        clips: Sequence[ClipView],
        number: int,
        style: Style,
        metrics: _Metrics,
        heights: Sequence[int],
    ) -> None:
        self.clock = _clock([clip.frames for clip in clips])
        self._views, self._clips, self._number, self._style, self._metrics = views, clips, number, style, metrics
        self._tops = [sum(heights[:block]) for block in range(len(heights))]
        self._rows = [make_panels(clip, view.modality, style) for clip, view in zip(clips, views, strict=True)]
        height = sum(heights) + metrics.lines * metrics.line
        self._still = Image.new("RGB", (metrics.width, height), BACKGROUND)
        self._foot = sum(heights)
        self._curves = [Curve(clip.importance, self._curve_box(block)) for block, clip in enumerate(clips)]
        for block in range(len(views)):
            self._draw_block(block)
        left = metrics.width // 2 if metrics.lines == 1 else 4
        place = (left, self._foot + (metrics.lines - 1) * metrics.line)
        self._write(self._still, place, describe_scale(style), metrics.width - left - 4, FAINT_TEXT)

    def _draw_block(self, block: int) -> None:
        """Draw what stays the same of one run: title, names and colours of the panels, curve."""
        metrics, top = self._metrics, self._tops[block]
        view, clip = self._views[block], self._clips[block]
        facts = view.describe(clip.value)
        if metrics.lines == 1:
            title = fit_name(view.video, facts, metrics.letters, metrics.width - 8, self._style.font)
            self._write(self._still, (4, top), title, metrics.width - 8)
        else:
            self._write(self._still, (4, top), view.video, metrics.width - 8)
            self._write(self._still, (4, top + metrics.line), facts, metrics.width - 8)
        for row, panels in enumerate(self._rows[block]):
            self._draw_row(top + metrics.row_top(row), panels)
        self._curves[block].draw(self._still)
        left, above, _, below = self._curve_box(block)
        place = (4, (above + below) // 2 - metrics.letters // 2 - 2)
        names = ("|gradient| in each frame", "|gradient|", "|g|")
        fitting = [name for name in names if text_width(name, metrics.letters, self._style.font) < left - 8]
        self._write(self._still, place, fitting[0] if fitting else "", left - 8, FAINT_TEXT)

    def draw(self, moment: int) -> Pixels:
        """Return the picture at a moment of the clip: uint8 (height, width, 3)."""
        canvas = self._still.copy()
        for block, step in enumerate(self.clock[moment]):
            for row, panels in enumerate(self._rows[block]):
                top = self._tops[block] + self._metrics.row_top(row) + self._metrics.line
                for column, panel in enumerate(panels):
                    image = Image.fromarray(panel.draw(step, self._metrics.side))
                    canvas.paste(image, (self._metrics.column(column), top))
            self._curves[block].mark(canvas, step)
        width = self._metrics.width // (2 if self._metrics.lines == 1 else 1) - 8
        self._write(canvas, (4, self._foot), self._where(moment), width)
        return np.asarray(canvas)

    def _where(self, moment: int) -> str:
        """Return in words which moment this is."""
        numbers = [clip.frames[step] for clip, step in zip(self._clips, self.clock[moment], strict=True)]
        names = [f"{view.modality} {number}" for view, number in zip(self._views, numbers, strict=True)]
        shown = f"frame {numbers[0]}" if len(set(numbers)) == 1 else f"frames {', '.join(names)}"
        rate = self._views[0].rate
        seconds = f"   {max(numbers) / rate:.2f} s" if rate else ""
        clip = f"   clip {self._number}/{self._views[0].clip_count}"
        return f"{shown}{seconds}   {moment + 1}/{len(self.clock)}{clip}"

    def _draw_row(self, top: int, panels: Sequence[Panel]) -> None:
        """Draw the names above a row of panels, and below it the colours with the values at their ends."""
        metrics = self._metrics
        for column, panel in enumerate(panels):
            left = metrics.column(column)
            self._write(self._still, (left + 4, top), panel.name, metrics.side - 8, FAINT_TEXT)
            if panel.ends is None:
                continue
            place = (left, top + metrics.line + metrics.side)
            draw_bar(self._still, place, metrics.side, metrics.line, panel.bar, panel.ends, self._style.font)

    def _curve_box(self, block: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom of a block's curve."""
        metrics = self._metrics
        bottom = self._tops[block] + metrics.block_height(len(self._rows[block])) - 6
        return metrics.width // 4, bottom - metrics.curve + 10, metrics.width - 8, bottom

    def _write(
        self,
        canvas: Image.Image,
        place: tuple[int, int],
        text: str,
        width: int,
        color: tuple[int, int, int] = TEXT,
    ) -> None:
        draw_text(canvas, place, text, self._metrics.letters, width, color, self._style.font)


STRIP = Strip()
