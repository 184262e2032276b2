"""Functions that turn words of the command line into parts of a request."""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gbvis.cli.weights_options import WEIGHTS_VARIABLE
from gbvis.errors import UsageError
from gbvis.networks.sample import find_weights

if TYPE_CHECKING:
    from gbvis.steps.streams import FlowRequest
    from gbvis.videos.name_list import VideoEntry
    from gbvis.videos.video_list import ListRequest


def parse_videos(typed: list[str] | None, listed: ListRequest | None) -> tuple[VideoEntry, ...]:
    """Return the videos typed and those of the list, `-` being standard input.

    Raises:
        UsageError: There are none, or the list cannot be read.
    """
    missing = UsageError("no video given", "give files, folders or names, or a list with --videos-from")
    if not typed and not listed:
        raise missing

    from gbvis.videos.name_list import VideoEntry  # with NumPy, which a call without a video does not wait for

    entries, is_done = [VideoEntry(video) for video in typed or []], False
    if listed:
        try:
            found = _read_list(listed)
            entries, is_done = entries + (found or []), found is None
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it looks like UTF-16 or UTF-32, and is not"
            hint = "check the path after --videos-from"
            if re.match("[a-z][a-z0-9+.]+:/", listed.name):
                hint = "give a file of this machine, or - for standard input"
            raise UsageError(f"cannot read the list {listed.name}: {why}", hint) from error
    if not entries and not is_done:
        raise missing
    return tuple(entries)


def _read_list(listed: ListRequest) -> list[VideoEntry] | None:
    """Return the videos of a list, or of the lists of one split in a folder; None if it says that none failed."""
    from gbvis.videos.name_list import read_text
    from gbvis.videos.video_list import find_split_files, is_empty_table, read_video_list

    if Path(listed.name).is_dir():
        lists = [replace(listed, name=str(path)) for path in find_split_files(Path(listed.name), listed)]
        return [entry for one in lists for entry in _read_list(one) or []]
    with _open_list(listed.name) as file:
        text = read_text(file, f"the list {listed.name}", "surrogateescape")
    return None if is_empty_table(text) else read_video_list(text, listed)


def _open_list(name: str) -> AbstractContextManager[BinaryIO]:
    """Open a list of videos, `-` being standard input, which stays open."""
    if name == "-":
        return nullcontext(sys.stdin.buffer if sys.stdin else io.BytesIO())
    return Path(name).open("rb")


def parse_weights(typed: list[str] | None) -> tuple[Path, ...]:
    """Return the weights files typed."""
    return tuple(path for path, _ in _read_all_weights(typed))


def name_weights(typed: list[str] | None) -> dict[Path, str]:
    """Return the names that were typed for weights files, by file."""
    return {path: name for path, name in _read_all_weights(typed) if name}


def _read_all_weights(typed: list[str] | None) -> list[tuple[Path, str]]:
    """Return the files typed with their names; an empty word, as behind the last `:` of GBVIS_WEIGHTS, is none."""
    return [read_weights(word) for word in _split_weights(typed or []) if word]


def read_weights(typed: str) -> tuple[Path, str]:
    """Return the weights file that is meant, and its name, empty where none is given.

    A file whose own path has a `=` goes first. `sample` is the file that comes with gbvis.

    Raises:
        UsageError: The name is empty, or no terminal shows it.
    """
    name, equals, path = typed.partition("=")
    if not equals or "/" in name or os.path.exists(typed):  # noqa: PTH110
        return find_weights(_expand_path(typed)), ""
    if not (name.strip() and name.isprintable() and path):
        raise UsageError(f"-w {typed!r} is no NAME=FILE", "give a file, or a name of letters and a file behind =")
    return find_weights(_expand_path(path)), name.strip()


def leave_variable(typed: list[str] | None) -> list[str]:
    """Return the words typed, and none where they come from `GBVIS_WEIGHTS`."""
    variable = os.environ.get(WEIGHTS_VARIABLE)
    return [] if variable is not None and typed == variable.split() else typed or []


def _split_weights(typed: list[str]) -> list[str]:
    """Return the words typed; those in `GBVIS_WEIGHTS` are divided as paths are, which Typer does at spaces instead.

    Typer divides only a list of `Path` there, and a `Path` does not tell `-w .` from an empty name.
    """
    variable = os.environ.get(WEIGHTS_VARIABLE)
    return variable.split(os.pathsep) if variable is not None and typed == variable.split() else typed


def _expand_path(name: str) -> Path:
    """Return a path; `~` is the home folder where the shell has left it, unless there is a file of that name."""
    path = Path(name)
    if not name.startswith("~") or path.exists():
        return path
    try:
        return path.expanduser()
    except RuntimeError:  # a user that the system does not know
        return path


def parse_flow(algorithm: str | None, is_jpeg: bool, is_mean_subtracted: bool, is_stretched: bool) -> FlowRequest:
    """Return how flow is computed.

    Raises:
        UsageError: The algorithm is unknown, or both remedies against camera motion are named.
    """
    from gbvis.steps.streams import FlowRequest

    if is_mean_subtracted and is_stretched:
        raise UsageError("both --flow-mean-subtract and --meansub are given", "give one of them")
    remedy = "mean-subtract" if is_mean_subtracted else "meansub" if is_stretched else None
    return FlowRequest(algorithm, is_jpeg, remedy)


def parse_folder(typed: str) -> Path:
    """Return the folder typed after `-o`; an empty name, as an unset variable leaves it, is none.

    Raises:
        UsageError: It is empty.
    """
    if not typed:
        raise UsageError("-o names no folder", "give the data set's folder; the current one is .")
    return Path(typed)


def parse_duration(typed: str) -> float:
    """Return the seconds that `30s`, `10m`, `2h` or a plain number of seconds means.

    Raises:
        UsageError: It is no such time, or none at all.
    """
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([smh]?)", typed.strip())
    seconds = float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]] if match else 0.0
    if not seconds:
        raise UsageError(f"{typed!r} is no time", "give seconds, minutes or hours: 30s, 10m, 2h")
    return seconds
