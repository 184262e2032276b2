"""Check: what tests found of a run, a row each: its number and those of uninformed attributions, and their curves."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image, ImageDraw

from gbvis.figures.caption import Caption
from gbvis.figures.check_view import VALUE, CheckView, Plot
from gbvis.figures.layout import Groups, Layout, Lonely
from gbvis.figures.picture import Picture, Pixels
from gbvis.figures.run_view import RunView
from gbvis.figures.style import BACKGROUND, FAINT_TEXT, TEXT, Style
from gbvis.figures.text import draw_text, letter_size, text_width, wrap_text

Color = tuple[int, int, int]

COLORS: dict[str, Color] = {
    VALUE: (255, 255, 255),
    "edges": (86, 180, 233),
    "motion": (230, 159, 0),
    "center": (0, 190, 140),
    "random": (150, 150, 158),
}
"""Of the attribution, and of what knows nothing of the network: the colours of Okabe and Ito, apart for all eyes."""

OTHER_COLORS: tuple[Color, ...] = ((255, 255, 255), (86, 180, 233), (230, 159, 0), (204, 121, 167), (0, 190, 140))
"""Of curves that belong to neither, in their order."""

_SIDE = 160
_MOST_BESIDE = 4
_GAP = 12
_PAGE = 3_050
_FINER = 3
"""How much finer lines are drawn than they are shown: else they would have steps."""

_DOTTED = 12
"""Points of a curve that are marked: of more than so many only the line is drawn."""

_MOST_LINES = 8
"""Lines of a verdict."""


@dataclass(frozen=True)
class _Sizes:
    """Where things stand.

    Attributes:
        style: How the picture looks.
        caption: What is said of the run.
        checks: What was found.
    """

    style: Style
    caption: Caption
    checks: Sequence[CheckView]

    @property
    def side(self) -> int:
        """Height of a plot, pixels."""
        return self.style.size or _SIDE

    @property
    def line(self) -> int:
        """Height of a line of text."""
        return max(18, self.side // 8)

    @property
    def across(self) -> int:
        """Width of a plot, with its numbers."""
        return max(round(1.6 * self.side), 11 * self.line)

    @property
    def margin(self) -> int:
        """Width of the numbers to the left."""
        return 10 * self.line

    @cached_property
    def beside(self) -> int:
        """Plots beside each other."""
        most = max((len(check.plots) for check in self.checks), default=1)
        return min(_MOST_BESIDE, max(2, most))

    @property
    def width(self) -> int:
        """Of the picture."""
        return self.margin + self.beside * (self.across + _GAP)

    @property
    def head(self) -> int:
        """Height of what is said of the run."""
        return (self.caption.count_lines(self.width, self.line) + 1) * self.line

    def height_of(self, check: CheckView) -> int:
        """Return the height of a test's row."""
        rows = -(-len(check.plots) // self.beside)
        numbers = (len(_numbers_of(check)) + 0.5) * self.line
        above = (1 + self.count_lines(check)) * self.line
        return above + max(rows * (self.side + _GAP + self.line), round(numbers))

    def count_lines(self, check: CheckView) -> int:
        """Return how many lines a verdict takes."""
        return len(self.wrap(check.verdict))

    def wrap(self, verdict: str) -> list[str]:
        """Return the lines of a verdict."""
        return wrap_text(verdict, letter_size(self.line), self.width - 8, _MOST_LINES, self.style.font)

    def place(self, number: int) -> tuple[int, int]:
        """Return left and top of a plot, from the left of the picture and the top of the row's plots."""
        row, column = divmod(number, self.beside)
        return self.margin + column * (self.across + _GAP), row * (self.side + _GAP + self.line)


class Check(Layout):
    """The tests of a run, each with its number, its verdict and its curves, below each other."""

    is_moving = False

    def group(self, views: Sequence[RunView]) -> Groups:
        """Return the runs that were tested, each alone."""
        tested = {view.key: bool(view.checks()) for view in views}
        alone = [
            Lonely(view, f"{view.key} was not tested", "test it: gbvis check, with the same words as gbvis explain")
            for view in views
            if not tested[view.key]
        ]
        return Groups([[view] for view in views if tested[view.key]], alone)

    def lay_out(self, views: Sequence[RunView], style: Style) -> list[Picture]:
        """Return the pages, each with some of the tests; none is cut in two."""
        view = views[0]
        checks = view.checks()
        sizes = _Sizes(style, Caption(view), checks)
        pages: list[list[CheckView]] = [[]]
        for check in checks:
            if pages[-1] and sum(map(sizes.height_of, [*pages[-1], check])) > _PAGE:
                pages.append([])
            pages[-1].append(check)
        value = next(view.clips()).value if view.clip_count == 1 else None
        return [_make_page(sizes, page, value) for page in pages]


def _make_page(sizes: _Sizes, checks: Sequence[CheckView], value: float | None) -> Picture:
    """Return a page; `value` is the target's, where there is one clip."""
    height = sizes.head + sum(map(sizes.height_of, checks))

    def frames(step: int = 1) -> Iterator[Pixels]:
        canvas = Image.new("RGB", (sizes.width, height), BACKGROUND)
        sizes.caption.draw(canvas, (0, 0), sizes.width, sizes.line, value, sizes.style.font)
        top = sizes.head
        for check in checks:
            _draw_check(canvas, sizes, check, top)
            top += sizes.height_of(check)
        yield np.asarray(canvas)

    colors = np.array([TEXT, FAINT_TEXT, *COLORS.values(), *OTHER_COLORS], np.uint8)
    return Picture(sizes.width, height, 1, sizes.style.rate, frames, kept=np.unique(colors, axis=0))


def _draw_check(canvas: Image.Image, sizes: _Sizes, check: CheckView, top: int) -> None:
    """Draw a test's row: its name and verdict, the numbers to the left, the plots."""
    line, letters, font = sizes.line, letter_size(sizes.line), sizes.style.font
    room = sizes.width - 8
    ImageDraw.Draw(canvas).line([(4, top - line // 3), (sizes.width - 4, top - line // 3)], fill=(60, 60, 66))
    draw_text(canvas, (4, top), check.test, letters, room, TEXT, font)
    for number, text in enumerate(sizes.wrap(check.verdict), start=1):
        draw_text(canvas, (4, top + number * line), text, letters, room, FAINT_TEXT, font)
    below = top + (1 + sizes.count_lines(check)) * line
    for number, (name, text) in enumerate(_numbers_of(check).items()):
        color = COLORS.get(name, TEXT)
        draw_text(canvas, (4, below + number * line), f"{name}   {text}", letters, sizes.margin - 8, color, font)
    for number, plot in enumerate(check.plots):
        left, above = sizes.place(number)
        has_room = number + 1 == len(check.plots) and (number + 1) % sizes.beside > 0
        _draw_plot(canvas, sizes, plot, (left, below + above), has_room)


def _numbers_of(check: CheckView) -> dict[str, str]:
    """Return the value and those of uninformed attributions in words, by name."""
    return {name: put(number) for name, number in {VALUE: check.value, **check.baselines}.items()}


def put(number: float, digits: int = 3) -> str:
    """Return the first digits of a number in words."""
    return re.sub(r"e([+-])0", r"e\1", f"{number:.{digits}g}").replace("e+", "e").replace("-", "\N{MINUS SIGN}")


def _draw_plot(canvas: Image.Image, sizes: _Sizes, plot: Plot, place: tuple[int, int], has_room: bool) -> None:
    """Draw the curves, the ends of both axes, and what they show: above them, or beside them where there is room."""
    (left, top), line, letters, font = place, sizes.line, letter_size(sizes.line), sizes.style.font
    (first, last), (low, high) = plot.ends
    beside = 3 * line  # for numbers
    box = (left + beside, top + line, left + sizes.across - 6, top + sizes.side - 2)
    if plot.name:
        draw_text(canvas, (box[0], top), plot.name, letters, box[2] - box[0], TEXT, font)
    elif has_room:
        _draw_names(canvas, sizes, plot, (box[2] + _GAP, box[1], box[2] + sizes.across), True)
    else:
        _draw_names(canvas, sizes, plot, (box[0], top, box[2]), False)
    for number, place_of in ((high, box[1] - 2), (low, box[3] - line + 2)):
        text = put(number, 2)
        across = left + max(0, beside - 6 - text_width(text, letters, font))
        draw_text(canvas, (across, place_of), text, letters, beside, FAINT_TEXT, font)
    start, end = (plot.stages[0], plot.stages[-1]) if len(plot.stages) > 1 else (put(first, 2), put(last, 2))
    room = (box[2] - box[0]) // 2
    draw_text(canvas, (box[0], box[3] + 2), start, letters, room, FAINT_TEXT, font)
    at_end = box[2] - min(room, text_width(end, letters, font))
    draw_text(canvas, (at_end, box[3] + 2), end, letters, room, FAINT_TEXT, font)
    _draw_lines(canvas, plot, box)


def _draw_names(canvas: Image.Image, sizes: _Sizes, plot: Plot, room: tuple[int, int, int], is_downwards: bool) -> None:
    """Draw the names of curves in their colours, below each other or in one line; `room` is left, top and right."""
    (left, top, right), letters, font = room, letter_size(sizes.line), sizes.style.font
    for name in plot.lines:
        if left < right:
            draw_text(canvas, (left, top), name, letters, right - left, _color_of(plot, name), font)
        if is_downwards:
            top += sizes.line
        else:
            left += text_width(name, letters, font) + 8


def _color_of(plot: Plot, name: str) -> Color:
    if plot.name:
        return COLORS.get(name, TEXT)
    return OTHER_COLORS[list(plot.lines).index(name) % len(OTHER_COLORS)]


def _draw_lines(canvas: Image.Image, plot: Plot, box: tuple[int, int, int, int]) -> None:
    """Draw the curves into a box (left, top, right, bottom), the attribution's own above the others."""
    left, top, right, bottom = box
    size = (right - left, bottom - top)
    fine = Image.new("RGB", (size[0] * _FINER, size[1] * _FINER), (32, 32, 37))
    pen = ImageDraw.Draw(fine)
    (first, last), (low, high) = plot.ends
    edge = 3 * _FINER  # so that a curve along an end is seen whole
    for name, (along, curve) in reversed(list(plot.lines.items())):
        x = edge + (along - first) / ((last - first) or 1) * (fine.width - 2 * edge)
        y = fine.height - edge - (curve - low) / ((high - low) or 1) * (fine.height - 2 * edge)
        points = list(zip(x.tolist(), y.tolist(), strict=True))
        is_thick, color = name == VALUE or not plot.name, _color_of(plot, name)
        if len(points) > 1:
            pen.line(points, fill=color, width=(2 if is_thick else 1) * _FINER, joint="curve")
        radius = (3 if is_thick else 2) * _FINER
        for across, down in points if len(points) <= _DOTTED else []:
            pen.ellipse((across - radius, down - radius, across + radius, down + radius), fill=color)
    canvas.paste(fine.reduce(_FINER), (left, top))


CHECK = Check()
