"""The strip: frame, gradient, positive and negative saliency side by side, moving; clips follow one another.

Under the panels stand the colours with the values at their ends, and how much of the gradient each frame has. Several
runs stand below each other, on one clock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from gbvis.picture import Exhibit, ExhibitClip, Picture, Pixels, Style
from gbvis.picture.panel import Panel, count_rows, describe_scale, make_panels
from gbvis.picture.style import BACKGROUND, FAINT_TEXT
from gbvis.picture.text import draw_text, letter_size

IS_MOVING = True
JOINS = None
NEEDS_SOURCE = False

_SIDE = 224
_CURVE = (255, 184, 77)


@dataclass(frozen=True)
class _Metrics:
    """Sizes in pixels: of a panel's side, the gap between panels, a line of text, its letters, the curve, the width."""

    side: int
    gap: int
    line: int
    letters: int
    curve: int
    width: int

    @classmethod
    def of(cls, style: Style) -> "_Metrics":
        side = style.size or _SIDE
        gap, line = max(2, side // 28), max(14, side // 12)
        return cls(side, gap, line, letter_size(line), 2 * line, len(style.panels) * (side + gap) - gap)

    def row_top(self, row: int) -> int:
        """Return where a row of panels begins below its block: a title, and for each row names, panels, colours."""
        return self.line + row * (self.side + 2 * self.line)

    def block_height(self, rows: int) -> int:
        """Return the height of what belongs to one run."""
        return self.row_top(rows) + self.curve

    def column(self, number: int) -> int:
        """Return where a column of panels begins."""
        return number * (self.side + self.gap)


def lay_out(exhibits: Sequence[Exhibit], style: Style) -> list[Picture]:
    """Return one picture: a frame for every frame of every clip."""
    metrics = _Metrics.of(style)
    heights = [metrics.block_height(count_rows(exhibit.modality, style)) for exhibit in exhibits]
    height = sum(heights) + metrics.line

    def frames(step: int = 1) -> Iterator[Pixels]:
        for number, clips in enumerate(zip(*(exhibit.clips() for exhibit in exhibits), strict=True), start=1):
            scene = _Scene(exhibits, clips, number, style, metrics, heights)
            yield from (scene.draw(moment) for moment in range(0, len(scene.clock), step))

    count = sum(len(_clock(numbers)) for numbers in zip(*(exhibit.frames for exhibit in exhibits), strict=True))
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
        exhibits: Sequence[Exhibit],
        clips: Sequence[ExhibitClip],
        number: int,
        style: Style,
        metrics: _Metrics,
        heights: Sequence[int],
    ) -> None:
        self.clock = _clock([clip.frames for clip in clips])
        self._exhibits, self._clips, self._number, self._style, self._metrics = exhibits, clips, number, style, metrics
        self._tops = [sum(heights[:block]) for block in range(len(heights))]
        self._rows = [make_panels(clip, exhibit.modality, style) for clip, exhibit in zip(clips, exhibits, strict=True)]
        self._still = Image.new("RGB", (metrics.width, sum(heights) + metrics.line), BACKGROUND)
        for block, (exhibit, clip) in enumerate(zip(exhibits, clips, strict=True)):
            title = f"{exhibit.title}   {exhibit.target}   {exhibit.value_name} {clip.value:.4g}"
            self._write(self._still, (4, self._tops[block]), title, metrics.width - 8)
            for row, panels in enumerate(self._rows[block]):
                self._draw_row(self._tops[block] + metrics.row_top(row), panels)
            self._draw_curve(block)
        self._write(
            self._still,
            (metrics.width // 2, self._still.height - metrics.line),
            describe_scale(style),
            metrics.width // 2 - 4,
            FAINT_TEXT,
        )

    def draw(self, moment: int) -> Pixels:
        """Return the picture at a moment of the clip: uint8 (height, width, 3)."""
        canvas = self._still.copy()
        for block, step in enumerate(self.clock[moment]):
            for row, panels in enumerate(self._rows[block]):
                top = self._tops[block] + self._metrics.row_top(row) + self._metrics.line
                for column, panel in enumerate(panels):
                    image = Image.fromarray(panel.draw(step, self._metrics.side))
                    canvas.paste(image, (self._metrics.column(column), top))
            self._mark(canvas, block, step)
        self._write(canvas, (4, canvas.height - self._metrics.line), self._where(moment), self._metrics.width // 2 - 8)
        return np.asarray(canvas)

    def _where(self, moment: int) -> str:
        """Return in words which moment this is."""
        numbers = [clip.frames[step] for clip, step in zip(self._clips, self.clock[moment], strict=True)]
        names = [f"{exhibit.modality} {number}" for exhibit, number in zip(self._exhibits, numbers, strict=True)]
        shown = f"frame {numbers[0]}" if len(set(numbers)) == 1 else f"frames {', '.join(names)}"
        rate = self._exhibits[0].rate
        seconds = f"   {max(numbers) / rate:.2f} s" if rate else ""
        clip = f"   clip {self._number}/{self._exhibits[0].clip_count}"
        return f"{shown}{seconds}   {moment + 1}/{len(self.clock)}{clip}"

    def _draw_row(self, top: int, panels: Sequence[Panel]) -> None:
        """Draw the names above a row of panels, and below it the colours with the values at their ends."""
        metrics = self._metrics
        for column, panel in enumerate(panels):
            left = metrics.column(column)
            self._write(self._still, (left + 4, top), panel.name, metrics.side - 8, FAINT_TEXT)
            if panel.ends is None:
                continue
            below = top + metrics.line + metrics.side
            margin = round(0.28 * metrics.side)
            bar = panel.draw_bar(metrics.side - 2 * margin - 8, metrics.line - 10)
            self._still.paste(Image.fromarray(np.ascontiguousarray(bar)), (left + margin + 4, below + 5))
            low, high = panel.ends
            self._write(self._still, (left + margin, below), low, margin - 4, FAINT_TEXT, "right")
            self._write(self._still, (left + metrics.side - margin, below), high, margin, FAINT_TEXT)

    def _curve_box(self, block: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom of a block's curve."""
        metrics = self._metrics
        bottom = self._tops[block] + metrics.block_height(len(self._rows[block])) - 6
        return metrics.width // 4, bottom - metrics.curve + 10, metrics.width - 8, bottom

    def _curve(self, block: int) -> list[tuple[float, float]]:
        """Return the points of a block's curve."""
        left, top, right, bottom = self._curve_box(block)
        importance = self._clips[block].importance
        highest = importance.max() or 1.0
        gap = (right - left) / max(1, len(importance) - 1)
        return [
            (left + gap * step, bottom - (bottom - top) * float(value) / highest)
            for step, value in enumerate(importance)
        ]

    def _draw_curve(self, block: int) -> None:
        """Draw how much of the gradient each frame has, from nothing to the most."""
        left, top, right, bottom = self._curve_box(block)
        pen = ImageDraw.Draw(self._still)
        pen.line([(left, bottom), (right, bottom)], fill=FAINT_TEXT)
        pen.line(self._curve(block), fill=_CURVE, width=2)
        place = (4, (top + bottom) // 2 - self._metrics.letters // 2 - 2)
        self._write(self._still, place, "|gradient| in each frame", left - 8, FAINT_TEXT)

    def _mark(self, canvas: Image.Image, block: int, step: int) -> None:
        """Mark the current frame on a block's curve."""
        x, y = self._curve(block)[step]
        bottom = self._curve_box(block)[3]
        pen = ImageDraw.Draw(canvas)
        pen.line([(x, y), (x, bottom)], fill=_CURVE)
        pen.ellipse((x - 4, y - 4, x + 4, y + 4), fill=_CURVE)

    def _write(
        self,
        canvas: Image.Image,
        place: tuple[int, int],
        text: str,
        width: int,
        color: tuple[int, int, int] | None = None,
        anchor: str = "left",
    ) -> None:
        colors = {} if color is None else {"color": color}
        draw_text(canvas, place, text, self._metrics.letters, width, font=self._style.font, anchor=anchor, **colors)
