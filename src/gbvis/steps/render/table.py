"""The numbers of the curves below pictures, as CSV."""

import csv
from collections.abc import Sequence
from pathlib import Path

from gbvis.picture import Exhibit

COLUMNS = ("video", "modality", "endpoint", "target", "group", "clip", "frame", "seconds", "importance", "share")


def write_table(path: Path, exhibits: Sequence[tuple[tuple[object, ...], Exhibit]]) -> int:
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
            for number, clip in enumerate(exhibit.clips()):
                total = float(clip.importance.sum()) or 1.0
                for frame, importance in zip(clip.frames, clip.importance.tolist(), strict=True):
                    seconds = f"{frame / exhibit.rate:.3f}" if exhibit.rate else ""
                    share = f"{importance / total:.6f}"
                    writer.writerow([*about, number, frame, seconds, f"{importance:.6g}", share])
                    rows += 1
    return rows
