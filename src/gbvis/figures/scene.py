"""The scene of a strip: runs below each other, and one clip of each of them drawn moment by moment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np
from PIL import Image

from gbvis.figures.caption import NARROWEST, Caption, describe_moment, is_narrow
from gbvis.figures.legend import Curve, draw_bar, draw_wheel_key, name_curve
from gbvis.figures.panel import (
    WHEEL_BOUND,
    Panel,
    count_rows,
    describe_scale,
    make_panels,
    name_panels,
    panels_of,
)
from gbvis.figures.picture import Pixels
from gbvis.figures.run_view import ClipView, RunView
from gbvis.figures.style import BACKGROUND, FAINT_TEXT, TEXT, Style
from gbvis.figures.text import draw_text, fit_first, letter_size, wrap_text

_SIDE = 224


@dataclass(frozen=True)
class Block:
    """What belongs to one run.

    Attributes:
        caption: What stands above its panels; it has the run.
        style: How its panels look.
    """

    caption: Caption
    style: Style

    @property
    def view(self) -> RunView:
        """The run."""
        return self.caption.view

    @property
    def rows(self) -> int:
        """Rows of panels."""
        return count_rows(self.view, self.style)

    @property
    def panels(self) -> tuple[str, ...]:
        """Panels of a row."""
        return panels_of(self.view, self.style)


@dataclass(frozen=True)
class Plan:
    """What stands where in a strip; sizes are in pixels.

    Attributes:
        blocks: The runs, from top to bottom.
        style: How the picture looks.
        heading: What holds for all runs, and stands above them; None for nothing.
    """

    blocks: tuple[Block, ...]
    style: Style
    heading: Caption | None = None

    @property
    def side(self) -> int:
        """Of a panel."""
        return self.style.size or _SIDE

    @property
    def gap(self) -> int:
        """Between panels."""
        return max(2, self.side // 28)

    @property
    def line(self) -> int:
        """Of a line of text."""
        return max(14, self.side // 12)

    @property
    def letters(self) -> int:
        """Of letters."""
        return letter_size(self.line)

    @property
    def curve(self) -> int:
        """Height of a curve."""
        return 2 * self.line

    @property
    def has_flow(self) -> bool:
        """True where a run is of flow."""
        return any(block.view.modality == "flow" for block in self.blocks)

    @cached_property
    def width(self) -> int:
        """Of the picture."""
        columns = max(len(block.panels) for block in self.blocks)
        return max(columns * (self.side + self.gap) - self.gap, NARROWEST * self.letters)

    @property
    def is_narrow(self) -> bool:
        """True where text has more lines."""
        return is_narrow(self.width, self.line)

    @property
    def has_key(self) -> bool:
        """True where the wheel of flow stands at the foot, since no panel has room for it."""
        shown = [block for block in self.blocks if block.view.modality == "flow" and "frame" in block.panels]
        has_room = any(block.rows > 1 for block in shown)
        return bool(shown) and self.style.has_wheel and not has_room

    @cached_property
    def tops(self) -> list[int]:
        """Where each block begins, and behind the last one the foot."""
        heading = self.heading.count_lines(self.width, self.line) if self.heading else 0
        return list(accumulate((self._height(block) for block in self.blocks), initial=heading * self.line))

    @property
    def height(self) -> int:
        """Of the picture."""
        return self.tops[-1] + ((3 if self.is_narrow else 1) + 2 * self.has_key) * self.line

    def row_top(self, number: int, row: int) -> int:
        """Return where a row of a block begins: below its caption, and for each row names, panels, colours."""
        return self.tops[number] + self._head(self.blocks[number]) + row * self._row_height

    def curve_box(self, number: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom of a block's curve."""
        bottom = self.tops[number + 1] - 6
        return self.width // 4, bottom - self.curve + 10, self.width - 8, bottom

    def column(self, number: int) -> int:
        """Return where a column of panels begins."""
        return number * (self.side + self.gap)

    @property
    def moment_width(self) -> int:
        """Width of the words that say which moment this is."""
        return self.width - 8 if self.is_narrow else round(0.4 * self.width)

    @property
    def _row_height(self) -> int:
        return self.side + 2 * self.line

    def _head(self, block: Block) -> int:
        return block.caption.count_lines(self.width, self.line) * self.line

    def _height(self, block: Block) -> int:
        return self._head(block) + block.rows * self._row_height + self.curve


def make_clock(numbers: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
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


class Scene:
    """One clip of all runs: what stays the same through it is drawn once.

    Attributes:
        clock: As `make_clock` returns it.
    """

    def __init__(self, plan: Plan, clips: Sequence[ClipView], number: int) -> None:
        """Draw what stays the same.

        Args:
            plan: What stands where.
            clips: Of each run.
            number: Which clip of the runs it is, counted from 1.
        """
        self.clock = make_clock([clip.frames for clip in clips])
        self._plan, self._clips, self._number = plan, clips, number
        self._rows = [
            make_panels(clip, block.view, block.style) for clip, block in zip(clips, plan.blocks, strict=True)
        ]
        self._still = Image.new("RGB", (plan.width, plan.height), BACKGROUND)
        self._curves = [Curve(clip.importance, plan.curve_box(block)) for block, clip in enumerate(clips)]
        self._has_wheel = False
        if plan.heading:
            plan.heading.draw(self._still, (0, 0), plan.width, plan.line, clips[0].value, plan.style.font)
        for block in range(len(clips)):
            self._draw_block(block)
        self._draw_foot()

    def _draw_block(self, number: int) -> None:
        """Draw what stays the same of one run: title, names and colours of the panels, curve."""
        plan, block, font = self._plan, self._plan.blocks[number], self._plan.style.font
        value = self._clips[number].value
        block.caption.draw(self._still, (0, plan.tops[number]), plan.width, plan.line, value, font)
        shown = [panel for panels in self._rows[number] for panel in panels if not panel.is_key]
        names = iter(name_panels(shown, plan.letters, plan.side - 8, font))
        for row, panels in enumerate(self._rows[number]):
            self._draw_row(plan.row_top(number, row), panels, names)
        self._curves[number].draw(self._still)
        left, above, _, below = plan.curve_box(number)
        place = (4, (above + below) // 2 - plan.letters // 2 - 2)
        name = fit_first(name_curve(block.view.magnitude), plan.letters, left - 8, font)
        self._write(self._still, place, name, left - 8, FAINT_TEXT)

    def _draw_foot(self) -> None:
        """Draw below everything what the colours end at, and the wheel of flow where no panel has room for it."""
        plan, style = self._plan, self._plan.style
        left = 4 if plan.is_narrow else plan.moment_width + 8
        top, room = plan.tops[-1] + plan.is_narrow * plan.line, plan.width - left - 4
        has_colors = any(block.panels != ("frame",) for block in plan.blocks)
        scale = describe_scale(style) if has_colors else ""
        for text in wrap_text(scale, plan.letters, room, 1 + plan.is_narrow, style.font):
            self._write(self._still, (left, top), text, room, FAINT_TEXT)
            top += plan.line
        if plan.has_key:
            top = self._still.height - 2 * plan.line
            draw_wheel_key(self._still, (0, top), plan.width, plan.line, WHEEL_BOUND, style.font)

    def draw(self, moment: int) -> Pixels:
        """Return the picture at a moment of the clip: uint8 (height, width, 3)."""
        plan, canvas = self._plan, self._still.copy()
        for block, step in enumerate(self.clock[moment]):
            for row, panels in enumerate(self._rows[block]):
                top = plan.row_top(block, row) + plan.line
                for column, panel in enumerate(panels):
                    if panel.is_key:
                        continue
                    image = Image.fromarray(panel.draw(step, plan.side))
                    canvas.paste(image, (plan.column(column), top))
            self._curves[block].mark(canvas, step)
        self._write(canvas, (4, plan.tops[-1]), self._where(moment), plan.moment_width)
        return np.asarray(canvas)

    def _where(self, moment: int) -> str:
        """Return in words which moment this is."""
        views = [block.view for block in self._plan.blocks]
        numbers = [clip.frames[step] for clip, step in zip(self._clips, self.clock[moment], strict=True)]
        names = [f"{view.modality} {number}" for view, number in zip(views, numbers, strict=True)]
        shown = f"frame {numbers[0]}" if len(set(numbers)) == 1 else f"frames {', '.join(names)}"
        return describe_moment(views[0], shown, max(numbers), (moment, len(self.clock)), self._number)

    def _draw_row(self, top: int, panels: Sequence[Panel], names: Iterator[str]) -> None:
        """Draw the names above a row of panels, and below it the colours with the values at their ends."""
        plan = self._plan
        for column, panel in enumerate(panels):
            left = plan.column(column)
            if panel.is_key:
                self._draw_key(panel, (left, top))
                continue
            self._write(self._still, (left + 4, top), next(names), plan.side - 8, FAINT_TEXT)
            if panel.ends is None:
                continue
            place = (left, top + plan.line + plan.side)
            draw_bar(self._still, place, plan.side, plan.line, panel.bar, panel.ends, plan.style.font)

    def _draw_key(self, panel: Panel, place: tuple[int, int]) -> None:
        """Draw what explains another panel, once in a picture."""
        if self._has_wheel:
            return
        self._has_wheel = True
        left, top = place
        side, line = self._plan.side, self._plan.line
        (name,) = name_panels([panel], self._plan.letters, side - 8, self._plan.style.font)
        self._write(self._still, (left + 4, top), name, side - 8, FAINT_TEXT)
        size = round(0.8 * side)
        shift = (side - size) // 2
        wheel = Image.fromarray(panel.image(0)).resize((size, size), Image.Resampling.NEAREST)
        self._still.paste(wheel, (left + shift, top + line + shift))

    def _write(
        self,
        canvas: Image.Image,
        place: tuple[int, int],
        text: str,
        width: int,
        color: tuple[int, int, int] = TEXT,
    ) -> None:
        draw_text(canvas, place, text, self._plan.letters, width, color, self._plan.style.font)
