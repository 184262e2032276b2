"""How pictures and tables get onto the disk: whole or not at all, and never over something else."""

import csv
import filecmp
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from gbvis.errors import GbvisError
from gbvis.picture import Exhibit

COLUMNS = ("video", "modality", "endpoint", "target", "clip", "frame", "seconds", "importance", "share")


def publish(path: Path, write: Callable[[Path], None], is_forced: bool) -> bool:
    """Write a file beside its place, give it its name, and return whether the very same file was there already.

    Args:
        path: The file.
        write: Writes it to the path given.
        is_forced: Replace another file of that name.

    Raises:
        GbvisError: Another file has the name, or it cannot be written.
    """
    partial = path.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        if path.exists():
            if filecmp.cmp(partial, path, shallow=False):
                return True
            if not is_forced:
                problem = f"{path} is there already, and differs"
                raise GbvisError(problem, "overwrite it with --force, or choose another -o")
        partial.replace(path)
    except OSError as error:
        raise GbvisError(
            f"cannot write {path}: {error.strerror or error}", "choose a place you may write to with -o"
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()
    return False


def write_table(path: Path, exhibits: Sequence[tuple[tuple[object, ...], Exhibit]]) -> int:
    """Write how much of the gradient lies in each frame as CSV, and return the number of rows.

    Args:
        path: The file.
        exhibits: Each with the first four of `COLUMNS`.
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
