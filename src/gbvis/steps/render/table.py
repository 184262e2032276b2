"""The numbers of the curves below pictures, as CSV."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from gbvis.figures import RunView

COLUMNS = ("video", "modality", "endpoint", "target", "group", "clip", "frame", "seconds", "importance", "share")

_FORMULA = re.compile(r"[=+@\t\r]|-.*[(|!]", re.DOTALL)


def write_table(path: Path, exhibits: Sequence[tuple[tuple[object, ...], RunView]]) -> int:
    """Write how much of the gradient lies in each frame as CSV, and return the number of rows.

    Args:
        path: The file.
        exhibits: Each with the first five of `COLUMNS`.
    """
    rows = 0
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for about, exhibit in exhibits:
            named = [_as_cell(word) for word in about]
            for number, clip in enumerate(exhibit.clips()):
                total = float(clip.importance.sum()) or 1.0
                for frame, importance in zip(clip.frames, clip.importance.tolist(), strict=True):
                    seconds = f"{frame / exhibit.rate:.3f}" if exhibit.rate else ""
                    share = f"{importance / total:.6f}"
                    writer.writerow([*named, number, frame, seconds, f"{importance:.6g}", share])
                    rows += 1
    return rows


def _as_cell(word: object) -> object:
    """Return a word as spreadsheets show it and do not compute it: behind an apostrophe where it could be a formula.

    A hyphen alone makes none: many names of videos begin with one, which programs are to find as they are.
    """
    return f"'{word}" if isinstance(word, str) and _FORMULA.match(word) else word
