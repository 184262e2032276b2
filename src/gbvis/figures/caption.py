"""Caption: the lines that say what a picture shows of a run, and what the network predicted."""

from functools import partial
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


def count_lines(width: int, line: int) -> int:
    """Return how many lines the caption takes: the title, broken up where it is narrow, and the prediction."""
    return 4 if is_narrow(width, line) else 2


def draw_caption(
    canvas: Image.Image,
    place: tuple[int, int],
    width: int,
    line: int,
    view: RunView,
    value: float | None,
    font: Path | None,
) -> None:
    """Draw the caption; what was not predicted stands out.

    Args:
        canvas: Where to draw.
        place: Left and top.
        width: Of the picture, pixels.
        line: Height of a line.
        view: The run.
        value: The target's; None where the picture shows several.
        font: A font file, or None for the one that comes along.
    """
    left, top = place
    letters, room = letter_size(line), width - 8
    name = view.class_name
    target: Part = (f"{view.numbered_target} ", name) if name else view.numbered_target
    values = [] if value is None else [view.describe_value(value)]
    rows: list[list[Part]] = [[("", view.video), view.stream, str(view.endpoint)], [target, *values]]
    rows.append([view.method, view.remark] if view.remark else [view.method])
    for parts in rows if is_narrow(width, line) else [[part for row in rows for part in row]]:
        draw_text(canvas, (left + 4, top), fit_title(parts, letters, room, font), letters, room, TEXT, font)
        top += line
    color = WARNING if view.has_warning else FAINT_TEXT
    draw_text(canvas, (left + 4, top), fit_prediction(view, letters, room, font), letters, room, color, font)


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
