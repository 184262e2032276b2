"""The list of videos that failed, to be given to `--videos-from` again; and what failed, summed up."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from gbvis.atomic_file import check_place, replace_file
from gbvis.errors import OutputError, UsageError
from gbvis.progress import FAILURE_COLUMNS

if TYPE_CHECKING:
    from gbvis.progress import Failure

_MOST_REASONS = 5


def parse_failure_list(path: Path | None) -> Path | None:
    """Return the file after `--failed-to`, in which a list can be written.

    Raises:
        UsageError: It is no place for a file.
    """
    if path is None:
        return None
    hint = "name a file, such as --failed-to failed.csv"
    check_place(path, f"--failed-to {path}", ("a file", "lists"), hint)
    if path.is_dir() or not path.absolute().parent.is_dir() or not os.access(path.absolute().parent, os.W_OK):
        raise UsageError(f"--failed-to {path}: no file can be written there", hint)
    return path


def write_failures(path: Path, failures: Iterable[Failure]) -> int:
    """Write the videos that failed as a list with these columns, each once, and return how many they are.

    A name with a line break cannot stand in a list, and is left out.

    Raises:
        OutputError: It cannot be written.
    """
    rows = dict.fromkeys((one.video, one.label or "") for one in failures if len(one.video.splitlines()) == 1)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([FAILURE_COLUMNS, *rows])
    try:
        replace_file(path, text.getvalue().encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}", "choose another file") from error
    return len(rows)


def sum_up_reasons(failures: Iterable[Failure]) -> list[str]:
    """Return why videos failed, the commonest reason first, and how many failed of each; at most five lines."""
    reasons = Counter(_find_reason(one) for one in dict.fromkeys(failures))
    lines = [f"  {count}  {reason}" for reason, count in reasons.most_common(_MOST_REASONS)]
    rest = sum(reasons.values()) - sum(count for _, count in reasons.most_common(_MOST_REASONS))
    return [*lines, f"  {rest}  for other reasons"] if rest else lines


def _find_reason(failure: Failure) -> str:
    """Return why a video failed, without its name, by whatever part of its path it goes."""
    reason, path = failure.problem, Path(failure.video)
    for name in (failure.video, str(path.absolute()), path.name, path.stem):
        reason = reason.replace(name, "VIDEO") if len(name) > 2 else reason
    return reason
