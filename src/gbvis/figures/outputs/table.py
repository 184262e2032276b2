"""The numbers of the curves below pictures, as CSV."""

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gbvis.figures.output import Output
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style

COLUMNS = (
    *("video", "modality", "endpoint", "target", "group", "clip", "frame", "seconds", "importance", "share"),
    *("method", "settings", "relevance"),
)

_FORMULA = re.compile(r"[=+@\t\r]|-.*[(|!]", re.DOTALL)


class Table(Output):
    """How much of the gradient lies in each frame, a row a frame, of all runs that were asked for."""

    suffix = ".csv"
    scope = "all"

    def write(self, views: Sequence[RunView], style: Style, path: Path) -> Mapping[str, Any]:
        """Write the table, and return its number of rows, less the names of the columns."""
        rows = 0
        with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for view in views:
                for row in _list_rows(view):
                    writer.writerow(row)
                    rows += 1
        return {"rows": rows}


def _list_rows(view: RunView) -> list[list[object]]:
    about = (view.video, view.modality, view.endpoint.name, view.target, view.key)
    named = [_as_cell(word) for word in about]
    how = [_as_cell(view.method_name), _as_cell(view.method_settings), str(view.relevance or "all")]
    rows: list[list[object]] = []
    for number, clip in enumerate(view.clips()):
        total = float(clip.importance.sum()) or 1.0
        for frame, importance in zip(clip.frames, clip.importance.tolist(), strict=True):
            second = view.second_of(frame)
            seconds = "" if second is None else f"{second:.3f}"
            rows.append([*named, number, frame, seconds, f"{importance:.6g}", f"{importance / total:.6f}", *how])
    return rows


def _as_cell(word: object) -> object:
    """Return a word as spreadsheets show it and do not compute it: behind an apostrophe where it could be a formula.

    A hyphen alone makes none: many names of videos begin with one, which programs are to find as they are.
    """
    return f"'{word}" if isinstance(word, str) and _FORMULA.match(word) else word


CSV = Table()
