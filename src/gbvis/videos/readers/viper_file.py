"""ViPER's XML, in which UCF-101-24 comes (`v_NAME_g01_c01.xgtf`): boxes around persons, and when each of them acts.

```
<viper><data><sourcefile filename="..."><file><attribute name="H-FRAME-SIZE"><data:dvalue value="320"/>...
  <object name="PERSON" framespan="1:178">
    <attribute name="Location"><data:bbox framespan="1:1" x="135" y="55" width="64" height="124"/>...
    <attribute name="SoccerJuggling"><data:bvalue framespan="1:178" value="true"/>...
```
Frames are counted from 1, pixels from 0. Where any person is marked as acting, only acting ones count, while they act.
Of several `sourcefile` the first is the video. http://viper-toolkit.sourceforge.net/docs/file/
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from gbvis.errors import VideoError
from gbvis.videos.readers.boxes import UCF_101, Box, Boxes

LARGEST = 1 << 26
"""Bytes: a hundred times what the largest of UCF-101-24 has."""

_LARGEST_PLACE = 1e6
"""Pixels from the edge of a frame, which a box may leave."""

_LARGEST_SIZE = 1 << 13
"""Pixels of a side of a frame."""

_MOST = 10_000_000
"""Boxes of a person times the spans in which it acts."""

_NO_ACTION = frozenset(("occlusion", "occluded", "ambiguous", "present", "synthetic"))
"""What is marked of a person, in small letters, and is no action."""

Span = tuple[int, int]
"""The first and the last frame, counted from 0."""


@dataclass
class _Person:
    spans: list[Span]
    boxes: list[Box] = field(default_factory=list)
    acting: list[Span] = field(default_factory=list)


def read_viper(path: Path) -> Boxes:
    """Return the boxes of an XML file of ViPER's.

    Raises:
        VideoError: It cannot be read, is too large, or is none.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise VideoError(f"cannot read {path}: {error.strerror}", "check its permissions") from error
    if len(content) > LARGEST:
        raise VideoError(f"{path} has more than {LARGEST:,} bytes", "expected the boxes of one video")
    try:
        reader = _Reader(content)
        return Boxes(list(reader.find_boxes()), reader.size)
    except (expat.ExpatError, ValueError, LookupError) as error:
        problem = f"cannot read the boxes in {path}: {error}"
        raise VideoError(problem, "expected XML of ViPER's, as UCF-101-24 comes in") from error


class _Reader:
    """Goes through a file once; nothing of it is kept but numbers."""

    def __init__(self, content: bytes) -> None:
        self._persons: list[_Person] = []
        self._attribute = ""
        self._files = 0
        self._sides: dict[str, int] = {}
        self._is_person = False
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.Parse(content, True)
        if not self._files:
            raise ValueError("it holds no sourcefile")

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the frames; those of UCF-101 where it does not tell."""
        height, width = self._sides.get("v-frame-size", 0), self._sides.get("h-frame-size", 0)
        return (height, width) if height and width else UCF_101

    def find_boxes(self) -> Iterator[Box]:
        """Yield the boxes that count."""
        is_marked = any(person.acting for person in self._persons)
        for person in self._persons:
            if len(person.boxes) * len(person.acting) > _MOST:
                raise ValueError(f"a person has {len(person.boxes)} boxes, and acts {len(person.acting)} times")
            for box in person.boxes:
                for first, last in person.acting if is_marked else [(box.first, box.last)]:
                    low, high = max(first, box.first), min(last, box.last)
                    if low <= high:
                        yield Box(low, high, box.left, box.top, box.right, box.bottom)

    def _start(self, element: str, given: dict[str, str]) -> None:
        name = element.rpartition(" ")[2]
        if name == "sourcefile":
            self._files += 1
        elif self._files != 1:
            return
        elif name == "object":
            self._is_person = given.get("name", "").lower() == "person"
            if self._is_person:
                self._persons.append(_Person(_read_spans(given)))
        elif name == "attribute":
            self._attribute = given.get("name", "").lower()
        elif name == "dvalue" and self._attribute in ("h-frame-size", "v-frame-size"):
            self._sides[self._attribute] = min(max(int(given.get("value", 0)), 0), _LARGEST_SIZE)
        elif self._is_person:
            self._add(name, given)

    def _end(self, element: str) -> None:
        name = element.rpartition(" ")[2]
        if name == "object":
            self._is_person = False
        elif name == "attribute":
            self._attribute = ""

    def _add(self, name: str, given: dict[str, str]) -> None:
        """Add what is said of the person: where it is, or when it acts."""
        person = self._persons[-1]
        spans = _read_spans(given) or person.spans
        if name == "bbox":
            left, top, width, height = (_read_place(given, word) for word in ("x", "y", "width", "height"))
            person.boxes += [Box(*span, left, top, left + width, top + height) for span in spans]
        elif name == "bvalue" and self._attribute not in _NO_ACTION:
            person.acting += spans if given.get("value", "").lower() in ("true", "1") else []


def _refuse_doctype(*_: object) -> None:
    raise ValueError("it declares a document type, whose entities may grow without bound")


def _read_spans(given: dict[str, str]) -> list[Span]:
    """Return what `framespan` says, `1:5 9:20`; nothing where it is not there."""
    spans = re.findall(r"([0-9]{1,9}):([0-9]{1,9})", given.get("framespan", ""))
    return [(int(first) - 1, int(last) - 1) for first, last in spans]


def _read_place(given: dict[str, str], word: str) -> float:
    place = float(given[word])
    if not abs(place) <= _LARGEST_PLACE:
        raise ValueError(f"{word}={given[word]} is no place in a frame")
    return place
