"""Caption: the lines that say what a picture shows of a run, and what the network predicted."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from PIL import Image

from gbvis.figures.run_view import RunView
from gbvis.figures.style import FAINT_TEXT, TEXT, WARNING
from gbvis.figures.text import ELLIPSIS, Part, draw_text, fit_label, fit_title, letter_size

_NARROW = 56
"""Letters' sizes: what is at most so wide has more lines."""

NARROWEST = 26
"""Letters' sizes: no picture is narrower, or its words could not be read."""


def is_narrow(width: int, line: int) -> bool:
    """Return whether a picture is too narrow for a caption in two lines."""
    return width <= _NARROW * letter_size(line)


ROWS = (("video", "stream", "weights", "endpoint"), ("target", "value"), ("method", "precision", "remark"))
"""What a title is made of; where it is narrow, in a line each."""

RELEVANCE, PREDICTION = "relevance", "prediction"
"""What stands in lines of their own below the title."""

EVERYTHING = frozenset((*chain(*ROWS), RELEVANCE, PREDICTION))


@dataclass(frozen=True)
class Caption:
    """The lines that say what a picture shows of a run.

    Attributes:
        view: The run.
        parts: Which of `EVERYTHING` it says.
        label: A word in front.
        notes: Other words, behind the parts.
    """

    view: RunView
    parts: frozenset[str] = EVERYTHING
    label: str = ""
    notes: tuple[str, ...] = ()

    @property
    def _rows(self) -> list[list[str]]:
        """The parts said, in the order of `ROWS`, less those with nothing to say; no value is known yet."""
        said = {part for part in self.parts if part == "value" or say(part, self.view)}
        rows = [[part for part in row if part in said] for row in ROWS]
        return [row for row in rows if row]

    @property
    def _selection(self) -> list[str]:
        """The line that says which part of the values is shown, if not all are."""
        return list(filter(None, [self.view.describe_relevance()])) if RELEVANCE in self.parts else []

    def count_lines(self, width: int, line: int) -> int:
        """Return how many lines it takes: the title, broken up where it is narrow, and the prediction."""
        title = (len(self._rows) or 1) + len(self.notes) if is_narrow(width, line) else 1
        return title + len(self._selection) + (PREDICTION in self.parts)

    def draw(
        self, canvas: Image.Image, place: tuple[int, int], width: int, line: int, value: float | None, font: Path | None
    ) -> None:
        """Draw it; what was not predicted stands out.

        Args:
            canvas: Where to draw.
            place: Left and top.
            width: Of the picture, pixels.
            line: Height of a line.
            value: The target's; None where the picture shows several.
            font: A font file, or None for the one that comes along.
        """
        left, top = place
        letters, room = letter_size(line), width - 8
        for parts in self._make_titles(value, is_narrow(width, line)):
            draw_text(canvas, (left + 4, top), fit_title(parts, letters, room, font), letters, room, TEXT, font)
            top += line
        if PREDICTION in self.parts:
            color = WARNING if self.view.has_warning else FAINT_TEXT
            draw_text(
                canvas, (left + 4, top), fit_prediction(self.view, letters, room, font), letters, room, color, font
            )

    def _make_titles(self, value: float | None, is_broken: bool) -> list[list[Part]]:
        """Return the lines of the title, in parts."""
        label: list[Part] = [self.label] if self.label else []
        rows = [[say(part, self.view, value) for part in row] for row in self._rows] or [[]]
        notes: list[list[Part]] = [[note] for note in self.notes]
        lines = [[*label, *rows[0]], *rows[1:], *notes]
        title = lines if is_broken else [[part for row in lines for part in row]]
        selection: list[list[Part]] = [[line] for line in self._selection]
        return [*title, *selection]


def say(part: str, view: RunView, value: float | None = None) -> Part:
    """Return a part of a caption, one of `EVERYTHING`; empty where there is nothing to say."""
    if part == "target" and view.class_name:
        return f"{view.numbered_target} ", view.class_name
    said: dict[str, Callable[[], Part]] = {
        "video": lambda: ("", view.video),
        "stream": lambda: view.stream,
        "weights": lambda: view.weights_name,
        "endpoint": lambda: str(view.endpoint),
        "target": lambda: view.numbered_target,
        "value": lambda: "" if value is None else view.describe_value(value),
        "method": lambda: view.method,
        "precision": lambda: view.recipe.precision if view.recipe.precision != "float32" else "",
        "remark": lambda: view.remark,
        RELEVANCE: view.describe_relevance,
        PREDICTION: view.describe_prediction,
    }
    return said[part]()


def describe_moment(view: RunView, shown: str, frame: int, place: tuple[int, int], clip: int) -> str:
    """Return in words which moment of a clip a moving picture shows.

    Args:
        view: The run.
        shown: The frames' numbers, in words.
        frame: The number of the frame whose second is said.
        place: Which of the clip's moments it is, counted from 0, and how many there are.
        clip: Which clip it is, counted from 1.
    """
    second = view.second_of(frame)
    seconds = "" if second is None else f"   {second:.2f} s"
    return f"{shown}{seconds}   {place[0] + 1}/{place[1]}   clip {clip}/{view.clip_count}"


def fit_prediction(view: RunView, letters: int, width: int, font: Path | None) -> str:
    """Return what the network predicts in one line of `width` pixels.

    Where it is too long, the class's name loses its middle. Where that is not enough, the number of clips is said in
    fewer words, and then not at all.
    """
    name = view.prediction.label if view.prediction else ""
    for shortness in range(3):
        said = partial(view.describe_prediction, shortness=shortness)
        shown = fit_label(said, name, letters, width, font)
        if not shown.endswith(ELLIPSIS):
            break
    return shown
