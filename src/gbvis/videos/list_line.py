"""Lines of a list of videos: what each may mean, and what it means where the videos are looked for."""

import csv
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from gbvis.errors import GbvisError, UsageError
from gbvis.videos.two_stream import find_dataset, list_videos
from gbvis.videos.video import SAMPLE_PREFIX, VIDEO_SUFFIXES, video_name

HOW_LINES_ARE_READ = (
    "a line is NAME, NAME LABEL, NAME FRAMES LABEL or NAME CLASS-NAME, with spaces, tabs, commas or semicolons "
    "between; FRAMES is for a folder of pictures; names with these in them stand in quotes, and paths begin here or "
    "beside the list"
)

_DELIMITERS = "\t,;"
_LABEL = r"-?[0-9]{1,9}(?:\.0{1,9})?"
"""A class index; -1 for none, and 1.0 as tables with empty cells write 1."""

_SAMPLE = re.compile(rf"{SAMPLE_PREFIX}[a-z-]+-[0-9]+")

_MOST_WORDS = 20
"""Of a class name, and of a video's name before one."""


@dataclass(frozen=True)
class Reading:
    """What a line may mean.

    Attributes:
        kind: `name`, `label`, `frames` or `class`: what stands behind the name.
        name: Of the video.
        label: A class index as digits, or a class name; None for neither.
        frame_count: What is said to be its number of frames.
    """

    kind: str
    name: str
    label: str | None = None
    frame_count: int | None = None


class SearchPath:
    """Where the videos of a list are looked for: in the current folder, in a data set, and beside the list."""

    def __init__(self, folder: Path, dataset: Path | None = None) -> None:
        self._folder, self._dataset = folder, dataset

    @cached_property
    def _known(self) -> set[str]:
        """The names in the data set, in small letters."""
        try:
            folders = find_dataset(self._dataset) if self._dataset else None
            parents = [parent for parent in (folders.rgb, folders.u) if parent] if folders else []
            return {name.casefold() for parent in parents for name in list_videos(parent)}
        except (OSError, GbvisError):  # whoever opens it says what is wrong with it
            return set()

    def locate(self, name: str) -> str | None:
        """Return where the video `name` is to be looked for; None where it is nowhere."""
        if _SAMPLE.fullmatch(name) or (name and os.path.exists(name)):  # noqa: PTH110
            return name
        if self._known and video_name(name).casefold() in self._known:
            return name
        if self._dataset and name and os.path.isdir(os.path.join(self._dataset, name)):  # noqa: PTH112, PTH118
            return name
        home = os.path.expanduser(name) if re.match("~[^/]*/.", name) else name  # noqa: PTH111
        beside = os.path.join(self._folder, home) if name else ""  # noqa: PTH118
        return next((path for path in (home, beside) if path and os.path.exists(path)), None)  # noqa: PTH110

    def locate_near(self, name: str) -> str | None:
        """Return where the last part of a path that is nowhere is: a list may hold the paths of another machine."""
        last = Path(name).name
        return self.locate(last) if last != name else None


def split_columns(line: str, delimiter: str) -> list[str]:
    """Return the columns of a line; those in double quotes may hold the delimiter."""
    try:
        columns = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:  # a carriage return within it, or a column without end: this is no table
        columns = line.split(delimiter)
    return [column.strip() for column in columns]


def find_reading(line: str, search_path: SearchPath) -> tuple[Reading, str] | None:
    """Return what a line means and where its video is: the longest name that a video there has; None where none has.

    Raises:
        UsageError: Two readings do; or it tells a file's number of frames, which only folders' lists do.
    """
    found: dict[tuple[str, str | None], tuple[Reading, str]] = {}
    for reading in _read_line(line):
        location = search_path.locate(reading.name)
        if location is not None and reading.kind == "name":
            return reading, location
        if location is not None:
            found.setdefault((location, reading.label), (reading, location))
    ordered = sorted(found.values(), key=lambda one: (-len(one[0].name), _counts_a_file(*one)))
    if len(ordered) > 1 and {ordered[0][0].kind, ordered[1][0].kind} == {"label", "frames"}:
        both = f"{ordered[0][0].name!r} and {ordered[1][0].name!r} are both there"
        raise UsageError(f"the line {line!r} can be read in two ways: {both}", HOW_LINES_ARE_READ)
    if ordered and _counts_a_file(*ordered[0]):
        problem = f"the line {line!r} has a column more, as for the frames of a folder, and {ordered[0][1]} is a file"
        raise UsageError(problem, HOW_LINES_ARE_READ)
    return ordered[0] if ordered else None


def _counts_a_file(reading: Reading, location: str) -> bool:
    return reading.kind == "frames" and os.path.isfile(location)  # noqa: PTH113


def guess_reading(line: str, kind: str | None) -> Reading:
    """Return what a line means whose video is nowhere: by the name's suffix, or as the list's other lines are read."""
    readings = list(_read_line(line))
    if line.lower().endswith(VIDEO_SUFFIXES):
        return readings[0]
    known = [one for one in readings[1:] if one.name.lower().endswith(VIDEO_SUFFIXES)]
    alike = [one for one in readings[1:] if one.kind == kind]
    return next(iter(known or alike), readings[0])


def _read_line(line: str) -> Iterator[Reading]:
    """Yield what a line may mean, likely ones first."""
    for reading in _divide_line(line):
        yield from (replace(reading, name=name) for name in spell_name(reading.name))


def spell_name(name: str) -> tuple[str, ...]:
    """Return a name as it stands, and without the quotes around it."""
    is_quoted = len(name) > 2 and name[0] == name[-1] and name[0] in "'\"" and name[0] not in name[1:-1]
    return (name, name[1:-1]) if is_quoted else (name,)


def _divide_line(line: str) -> Iterator[Reading]:
    yield Reading("name", line)
    for delimiter in _DELIMITERS + (" " if '"' in line else ""):
        if delimiter in line:
            yield from _read_columns(split_columns(line, delimiter))
            name, _, last = line.rpartition(delimiter)
            yield from _read_columns([name.strip(), last.strip()])
    match = re.fullmatch(rf"(.*\S)[ \t]+([0-9]{{1,9}})[ \t]+({_LABEL})", line)
    if match:
        yield Reading("frames", match[1], match[3], int(match[2]))
    match = re.fullmatch(rf"(.*\S)[ \t]+({_LABEL})", line)
    if match:
        yield Reading("label", match[1], match[2])
    for gap in list(re.finditer(r"(?<=\S)[ \t]+(?=\S)", line))[-1 : -_MOST_WORDS - 1 : -1]:
        name, class_name = line[: gap.start()], line[gap.end() :]
        if _is_class_name(class_name):
            yield Reading("class", name, class_name)
            if counted := re.fullmatch(r"(.*\S)[ \t]+([0-9]{1,9})", name):
                yield Reading("frames", counted[1], class_name, int(counted[2]))


def _read_columns(columns: list[str]) -> Iterator[Reading]:
    if not columns or not columns[0]:
        return
    name, *rest = columns
    while rest and not rest[-1]:
        rest.pop()
    if not rest:
        yield Reading("name", name)
    elif len(rest) == 1 and re.fullmatch(_LABEL, rest[0]):
        yield Reading("label", name, rest[0])
    elif len(rest) == 2 and re.fullmatch("[0-9]{1,9}", rest[0]):
        if re.fullmatch(_LABEL, rest[1]) or _is_class_name(rest[1]):
            yield Reading("frames", name, rest[1], int(rest[0]))
    elif len(rest) == 1 and _is_class_name(rest[0]):
        yield Reading("class", name, rest[0])


def _is_class_name(text: str) -> bool:
    """Return whether a class can be called that: it has a letter, and is no path, number or video."""
    is_path = "/" in text or text.lower().endswith(VIDEO_SUFFIXES)
    return not is_path and bool(re.search(r"[^\W\d_]", text)) and not re.search(r"(?:^|[\s,;])[0-9]+$", text)
