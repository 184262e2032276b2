"""The strip: frame, gradient, positive and negative saliency side by side, moving; clips follow one another.

Under the panels stand the colours with the values at their ends, and how much of the gradient each frame has. Several
runs stand below each other, on one clock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image

from gbvis.figures.caption import NARROWEST, count_lines, describe_moment, draw_caption, is_narrow
from gbvis.figures.layout import Layout, Moment
from gbvis.figures.legend import CURVE_NAMES, Curve, draw_bar, draw_wheel_key, legend_colors
from gbvis.figures.panel import WHEEL_BOUND, Panel, count_rows, describe_scale, make_panels, name_panels
from gbvis.figures.picture import Picture, Pixels
from gbvis.figures.run_view import ClipView, RunView
from gbvis.figures.style import BACKGROUND, FAINT_TEXT, TEXT, Style
from gbvis.figures.text import draw_text, fit_first, letter_size, wrap_text

_SIDE = 224


@dataclass(frozen=True)
class _Metrics:
    """Sizes in pixels: of a panel's side, the gap between panels, a line of text, its letters, the curve, the width.

    Attributes:
        head: Lines above the panels of a run.
        foot: Lines below everything.
        has_key: True where the wheel of flow stands at the foot, since no panel has room for it.
    """

    side: int
    gap: int
    line: int
    letters: int
    curve: int
    width: int
    head: int
    foot: int
    has_key: bool

    @classmethod
    def of(cls, style: Style, has_flow: bool) -> "_Metrics":
        side = style.size or _SIDE
        gap, line = max(2, side // 28), max(14, side // 12)
        width = max(len(style.panels) * (side + gap) - gap, NARROWEST * letter_size(line))
        has_key = has_flow and style.has_wheel and style.flow != "both" and "frame" in style.panels
        foot = (3 if is_narrow(width, line) else 1) + 2 * has_key
        return cls(side, gap, line, letter_size(line), 2 * line, width, count_lines(width, line), foot, has_key)

    def row_top(self, row: int) -> int:
        """Return where a row of panels begins below its block: a title, and for each row names, panels, colours."""
        return self.head * self.line + row * (self.side + 2 * self.line)

    def block_height(self, rows: int) -> int:
        """Return the height of what belongs to one run."""
        return self.row_top(rows) + self.curve

    def column(self, number: int) -> int:
        """Return where a column of panels begins."""
        return number * (self.side + self.gap)

    @property
    def moment_width(self) -> int:
        """Width of the words that say which moment this is."""
        return self.width - 8 if is_narrow(self.width, self.line) else round(0.4 * self.width)


class Strip(Layout):
    """Panels side by side, moving; several runs below each other."""

    def lay_out(self, views: Sequence[RunView], style: Style) -> list[Picture]:
        """Return one picture: a frame for every frame of every clip."""
        has_flow = any(view.modality == "flow" for view in views)
        metrics = _Metrics.of(style, has_flow)
        heights = [metrics.block_height(count_rows(view.modality, style)) for view in views]
        height = sum(heights) + metrics.foot * metrics.line

        def frames(step: int = 1) -> Iterator[Pixels]:
            for number, clips in enumerate(zip(*(view.clips() for view in views), strict=True), start=1):
                scene = _Scene(views, clips, number, style, metrics, heights)
                yield from (scene.draw(moment) for moment in range(0, len(scene.clock), step))

        count = sum(len(_clock(numbers)) for numbers in zip(*(view.frames for view in views), strict=True))
        kept = legend_colors(style, has_flow, any(view.has_warning for view in views))
        return [Picture(metrics.width, height, count, style.rate, frames, style.loops, kept)]

    def moments(self, views: Sequence[RunView]) -> list[Moment]:
        """Return what each frame shows: the runs of both streams go by one clock."""
        clips = enumerate(zip(*(view.frames for view in views), strict=True))
        return [Moment(clip, steps) for clip, numbers in clips for steps in _clock(numbers)]


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
        height = sum(heights) + metrics.foot * metrics.line
        self._still = Image.new("RGB", (metrics.width, height), BACKGROUND)
        self._foot = sum(heights)
        self._curves = [Curve(clip.importance, self._curve_box(block)) for block, clip in enumerate(clips)]
        self._has_wheel = False
        for block in range(len(views)):
            self._draw_block(block)
        self._draw_foot()

    def _draw_block(self, block: int) -> None:
        """Draw what stays the same of one run: title, names and colours of the panels, curve."""
        metrics, top, font = self._metrics, self._tops[block], self._style.font
        value = self._clips[block].value
        draw_caption(self._still, (0, top), metrics.width, metrics.line, self._views[block], value, font)
        shown = [panel for panels in self._rows[block] for panel in panels if not panel.is_key]
        names = iter(name_panels(shown, metrics.letters, metrics.side - 8, font))
        for row, panels in enumerate(self._rows[block]):
            self._draw_row(top + metrics.row_top(row), panels, names)
        self._curves[block].draw(self._still)
        left, above, _, below = self._curve_box(block)
        place = (4, (above + below) // 2 - metrics.letters // 2 - 2)
        name = fit_first(CURVE_NAMES, metrics.letters, left - 8, font)
        self._write(self._still, place, name, left - 8, FAINT_TEXT)

    def _draw_foot(self) -> None:
        """Draw below everything what the colours end at, and the wheel of flow where no panel has room for it."""
        metrics, style = self._metrics, self._style
        narrow = is_narrow(metrics.width, metrics.line)
        left = 4 if narrow else metrics.moment_width + 8
        top, room = self._foot + narrow * metrics.line, metrics.width - left - 4
        scale = describe_scale(style) if style.panels != ("frame",) else ""
        for text in wrap_text(scale, metrics.letters, room, 1 + narrow, style.font):
            self._write(self._still, (left, top), text, room, FAINT_TEXT)
            top += metrics.line
        if metrics.has_key:
            top = self._still.height - 2 * metrics.line
            draw_wheel_key(self._still, (0, top), metrics.width, metrics.line, WHEEL_BOUND, style.font)

    def draw(self, moment: int) -> Pixels:
        """Return the picture at a moment of the clip: uint8 (height, width, 3)."""
        canvas = self._still.copy()
        for block, step in enumerate(self.clock[moment]):
            for row, panels in enumerate(self._rows[block]):
                top = self._tops[block] + self._metrics.row_top(row) + self._metrics.line
                for column, panel in enumerate(panels):
                    if panel.is_key:
                        continue
                    image = Image.fromarray(panel.draw(step, self._metrics.side))
                    canvas.paste(image, (self._metrics.column(column), top))
            self._curves[block].mark(canvas, step)
        self._write(canvas, (4, self._foot), self._where(moment), self._metrics.moment_width)
        return np.asarray(canvas)

    def _where(self, moment: int) -> str:
        """Return in words which moment this is."""
        numbers = [clip.frames[step] for clip, step in zip(self._clips, self.clock[moment], strict=True)]
        names = [f"{view.modality} {number}" for view, number in zip(self._views, numbers, strict=True)]
        shown = f"frame {numbers[0]}" if len(set(numbers)) == 1 else f"frames {', '.join(names)}"
        return describe_moment(self._views[0], shown, max(numbers), (moment, len(self.clock)), self._number)

    def _draw_row(self, top: int, panels: Sequence[Panel], names: Iterator[str]) -> None:
        """Draw the names above a row of panels, and below it the colours with the values at their ends."""
        metrics = self._metrics
        for column, panel in enumerate(panels):
            left = metrics.column(column)
            if panel.is_key:
                self._draw_key(panel, (left, top))
                continue
            self._write(self._still, (left + 4, top), next(names), metrics.side - 8, FAINT_TEXT)
            if panel.ends is None:
                continue
            place = (left, top + metrics.line + metrics.side)
            draw_bar(self._still, place, metrics.side, metrics.line, panel.bar, panel.ends, self._style.font)

    def _draw_key(self, panel: Panel, place: tuple[int, int]) -> None:
        """Draw what explains another panel, once in a picture."""
        if self._has_wheel:
            return
        self._has_wheel = True
        left, top = place
        side, line = self._metrics.side, self._metrics.line
        (name,) = name_panels([panel], self._metrics.letters, side - 8, self._style.font)
        self._write(self._still, (left + 4, top), name, side - 8, FAINT_TEXT)
        size = round(0.8 * side)
        shift = (side - size) // 2
        wheel = Image.fromarray(panel.image(0)).resize((size, size), Image.Resampling.NEAREST)
        self._still.paste(wheel, (left + shift, top + line + shift))

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
