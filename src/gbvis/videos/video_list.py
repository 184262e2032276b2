"""Lists of videos, as data sets bring them: names, labels, splits."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gbvis.errors import UsageError
from gbvis.progress import FAILURE_COLUMNS
from gbvis.videos.list_line import (
    HOW_LINES_ARE_READ,
    Reading,
    SearchPath,
    find_reading,
    guess_reading,
    spell_name,
    split_columns,
)
from gbvis.videos.name_list import VideoEntry

PARTS = ("train", "test", "val")

_BLANK = " \t\r"
"""What does not count at the ends of a line; other spaces may belong to a name."""

_HMDB = re.compile(r"(?:hmdb(?:51)?_)?(?P<name>.+)_test_split(?P<split>[0-9]+)\.txt", re.IGNORECASE)
_HMDB_PARTS = {"0": None, "1": "train", "2": "test"}
_UCF = re.compile(r"(?P<part>train|test|val)list(?P<split>[0-9]+)\.txt", re.IGNORECASE)

_COLUMNS = {
    "name": "video videos name filename file_name file path filepath file_path video_path video_name video_id clip "
    "clip_name clip_path id dir folder",
    "frames": "frames num_frames total_frames n_frames frame_count nframes",
    "label": "label label_id label_index label_name class class_id class_index class_name category target action tag y",
    "part": "split part subset set usage partition",
}
"""What a column is that is headed so."""

_PART_NAMES = {"training": "train", "testing": "test", "validation": "val", "validate": "val", "valid": "val"}


@dataclass(frozen=True)
class ListRequest:
    """How a list of videos is to be read.

    Attributes:
        name: The list's path; `-` for standard input.
        is_from_one: True where classes are counted from 1, as in UCF-101's official lists.
        split: Which split is meant, where a list or its name tells.
        part: Which part of it, one of `PARTS`; None for all.
        dataset: A two-stream data set where names are looked up.
    """

    name: str = "-"
    is_from_one: bool = False
    split: int | None = None
    part: str | None = None
    dataset: Path | None = None

    def __post_init__(self) -> None:
        if self.part not in (None, *PARTS):
            raise UsageError(f"unknown part {self.part!r}", f"choose from {', '.join(PARTS)}")


def read_video_list(text: str, request: ListRequest) -> list[VideoEntry]:
    """Return the videos of a list, with the class that a line gives.

    What a line means is decided by which name is there: a path from the current folder, a name in the data set, or a
    path from the list's own folder. HMDB-51's split files are known by their name: 0, 1 and 2 are no classes there.

    Raises:
        UsageError: A label is 0 where they are counted from 1, a line can be read in two ways, or the list has no such
            split or part.
    """
    lines = [stripped for line in text.split("\n") if (stripped := line.strip(_BLANK))]
    folder = Path() if request.name == "-" else Path(request.name).parent
    search_path = SearchPath(folder, request.dataset)
    hmdb = _read_hmdb(lines, search_path, request)
    if hmdb is not None:
        return hmdb
    _check_name(request)
    header = _find_header(lines, search_path)
    if header:
        return list(_read_table(lines[1:], header, search_path, request))
    if request.part and not _UCF.fullmatch(Path(request.name).name):
        raise _no_parts(request)
    return _read_lines(lines, search_path, request)


def is_empty_table(text: str) -> bool:
    """Return whether a list is that of the videos that failed, where none has."""
    return text.strip() == ",".join(FAILURE_COLUMNS)


def find_split_files(folder: Path, request: ListRequest) -> list[Path]:
    """Return the lists of one split and part in a folder: those of HMDB-51, or of UCF-101.

    Raises:
        UsageError: There are none.
        OSError: The folder cannot be read.
    """
    files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    known = [(path, match) for path in files if (match := _HMDB.fullmatch(path.name) or _UCF.fullmatch(path.name))]
    splits = sorted({int(match["split"]) for _, match in known})
    if len(splits) > 1 and request.split is None:
        raise UsageError(f"{folder} holds the splits {', '.join(map(str, splits))}", "say which: --split 1")
    found = [
        path
        for path, match in known
        if request.split in (None, int(match["split"]))
        and ("part" not in match.groupdict() or request.part in (None, match["part"].lower()))  # HMDB's lines tell it
    ]
    if not found:
        problem = f"{folder} holds no list of videos that is asked for"
        raise UsageError(problem, "expected CLASS_test_split1.txt, as of HMDB-51, or testlist01.txt, as of UCF-101")
    return found


def _read_hmdb(lines: list[str], search_path: SearchPath, request: ListRequest) -> list[VideoEntry] | None:
    """Return the videos of one of HMDB-51's split files; None where it is none.

    Its name tells class and split, and a line the part: 1 for training, 2 for testing, 0 for neither.
    """
    about = _HMDB.fullmatch(Path(request.name).name)
    matches = [re.fullmatch(r"(.*\S)[ \t]+([012])", line) for line in lines]
    if not about or not lines or not all(matches):
        return None
    _check_split(int(about["split"]), request)
    wanted = (request.part,) if request.part else ("train", "test")
    names = [match[1] for match in matches if match and _HMDB_PARTS[match[2]] in wanted]
    return [
        VideoEntry(search_path.locate(name) or name, class_name=about["name"], is_class_sure=False, is_listed=True)
        for name in names
    ]


def _check_name(request: ListRequest) -> None:
    """Check that a list whose name tells its split and part is the one asked for."""
    about = _UCF.fullmatch(Path(request.name).name)
    if about:
        _check_split(int(about["split"]), request)
        if request.part not in (None, about["part"].lower()):
            raise UsageError(f"{request.name} is the part {about['part'].lower()}", f"leave out --part {request.part}")
    elif request.split is not None:
        raise UsageError(
            f"--split {request.split}, and nothing tells the split of the list {request.name}",
            "leave it out; it is for lists that are called CLASS_test_split1.txt or testlist01.txt",
        )


def _check_split(split: int, request: ListRequest) -> None:
    if request.split not in (None, split):
        raise UsageError(f"{request.name} is of split {split}", f"give the list of split {request.split}")


def _no_parts(request: ListRequest) -> UsageError:
    return UsageError(
        f"--part {request.part}, and nothing tells the parts of the list {request.name}",
        "leave it out; it is for HMDB-51's CLASS_test_split1.txt, UCF-101's testlist01.txt, and a column `split`",
    )


def _read_lines(lines: list[str], search_path: SearchPath, request: ListRequest) -> list[VideoEntry]:
    found = [find_reading(line, search_path) for line in lines]
    kinds = Counter(one[0].kind for one in found if one and one[0].kind != "name")
    kind = next(iter(kinds)) if len(kinds) == 1 else None
    entries = []
    for line, one in zip(lines, found, strict=True):
        reading, location = one or (guess_reading(line, kind), None)
        entries.append(_make_entry(reading, location, line, search_path, request))
    return entries


def _make_entry(
    reading: Reading, location: str | None, line: str, search_path: SearchPath, request: ListRequest
) -> VideoEntry:
    """Return what a line says of a video; its `location` is None where it is nowhere."""
    near = None if location else search_path.locate_near(reading.name)
    entry = VideoEntry(location or reading.name, is_listed=True, frame_count=reading.frame_count, near=near)
    label = reading.label
    number = re.fullmatch(r"(-?[0-9]{1,9})(?:\.0{1,9})?", label or "")
    if not label or (number and int(number[1]) == -1):  # -1 is written where there is no label
        return entry
    if not number:
        return replace(entry, class_name=label)
    index = int(number[1]) - request.is_from_one
    if index < 0 <= int(number[1]):
        raise UsageError(
            f"label 0 in the line {line!r}, and classes are to be counted from 1", "leave out --labels-from-one"
        )
    if index < 0:
        raise UsageError(
            f"label {number[1]} in the line {line!r}", "classes are counted from 0; -1 says that there is none"
        )
    return replace(entry, class_index=index)


@dataclass(frozen=True)
class _Header:
    delimiter: str | None
    columns: tuple[str, ...]


def _find_header(lines: list[str], search_path: SearchPath) -> _Header | None:
    """Return what the columns are, where the first line says it: it names them, and no video."""
    if len(lines) < 2 or search_path.locate(lines[0]) is not None:
        return None
    delimiter = next((one for one in "\t,;" if one in lines[0]), None)
    heads = split_columns(lines[0], delimiter) if delimiter else lines[0].split()
    kinds = tuple(_column_kind(head) for head in heads)
    is_alone = not any(head for head, kind in zip(heads, kinds, strict=True) if kind != "name")
    if "name" not in kinds or not (is_alone or kinds.count("name") > 1 or len({*kinds} - {""}) > 1):
        return None
    return _Header(delimiter, kinds)


def _column_kind(head: str) -> str:
    plain = head.lstrip("# ").lower().replace(" ", "_").replace("-", "_")
    return next((kind for kind, names in _COLUMNS.items() if plain in names.split()), "")


def _read_table(
    lines: list[str], header: _Header, search_path: SearchPath, request: ListRequest
) -> Iterator[VideoEntry]:
    """Yield the videos of a list whose columns have headings."""
    if request.part and "part" not in header.columns:
        raise _no_parts(request)
    for line in lines:
        row = split_columns(line, header.delimiter or " ")
        if len(row) != len(header.columns):
            raise UsageError(
                f"the line {line!r} has {len(row)} columns, and the first line names {len(header.columns)}",
                HOW_LINES_ARE_READ,
            )
        cells: dict[str, list[str]] = {}
        for kind, cell in zip(header.columns, row, strict=True):
            cells.setdefault(kind, []).append(cell)
        part = next(iter(cells.get("part", [])), "").lower()
        if request.part in (None, _PART_NAMES.get(part, part)):
            located = (search_path.locate(name) for cell in cells["name"] for name in spell_name(cell))
            location = next((there for there in located if there), None)
            yield _make_entry(_read_cells(cells), location, line, search_path, request)


def _read_cells(cells: dict[str, list[str]]) -> Reading:
    """Return what the cells of a line say, by what their columns are."""
    labels = sorted(cells.get("label", []), key=lambda label: not label.isdigit())  # a number goes first
    count = next((int(cell) for cell in cells.get("frames", []) if re.fullmatch("[0-9]{1,9}", cell)), None)
    return Reading("frames", cells["name"][0], next(iter(labels), None), count)
