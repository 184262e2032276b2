"""A report's file while it is written: the page, and blobs, each of which is there once."""

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from gbvis.figures.outputs.report.base85 import encode_base85
from gbvis.figures.outputs.report.facts import Facts
from gbvis.figures.outputs.report.page import build_page, put_data, put_json


@dataclass
class _Kept:
    """What is in the file, in the order in which it came: dictionaries, which can be shortened again."""

    blobs: dict[bytes, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)
    summaries: dict[str, Facts] = field(default_factory=dict)


@dataclass(frozen=True)
class Mark:
    """A place in the file to go back to."""

    size: int
    index_size: int
    counts: tuple[int, ...]


class ReportFile:
    """A report that is being written to an open file, from its beginning."""

    def __init__(self, file: BinaryIO, title: str) -> None:
        """Write the page's beginning."""
        self._file, self._page, self._kept = file, build_page(title), _Kept()
        self._index_size = 0
        self._write(self._page.head)

    @property
    def size(self) -> int:
        """Bytes so far, and those of the index and the page's end."""
        return self._file.tell() + self._index_size + len(self._page.tail)

    @property
    def run_count(self) -> int:
        """The runs in it."""
        return len(self._kept.runs)

    def add_blob(self, data: bytes) -> str:
        """Return the id of a blob; its bytes are written where they are not there yet."""
        digest = hashlib.sha256(data).digest()
        name = self._kept.blobs.get(digest)
        if name is None:
            name = self._kept.blobs[digest] = _number(len(self._kept.blobs))
            self._file.write(b'<script type="text/plain" id="blob-%b">' % name.encode())
            self._file.write(encode_base85(data))
            self._file.write(b"</script>\n")
        return name

    def name_blob(self, meaning: str, data: bytes | None) -> str:
        """Return the id of the blob that goes by a name in this file; where its data are given, it is added first."""
        if data is not None:
            self._kept.names[meaning] = self.add_blob(data)
        return self._kept.names[meaning]

    def has_name(self, meaning: str) -> bool:
        """Return whether a blob goes by a name in this file."""
        return meaning in self._kept.names

    def add_run(self, run: dict[str, Any], blobs: dict[str, str]) -> None:
        """Write the facts of a run.

        Args:
            run: All of it but its numbers.
            blobs: The ids of its blobs by the names that it has for them.
        """
        key, summary = run["summary"]["key"], run["summary"]
        told = put_json(rename_blobs(run, blobs)).encode()
        self._kept.runs[key] = self.add_blob(zlib.compress(told))
        self._kept.summaries[key] = summary
        self._index_size += len(put_json(summary)) + len(put_json(key)) + len(self._kept.runs[key])

    def list_summaries(self) -> list[Facts]:
        """Return the runs in it as the index lists them."""
        return list(self._kept.summaries.values())

    def finish(self, data: dict[str, Any], summaries: Iterable[Facts] | None = None) -> None:
        """Write the page's data and its end.

        Args:
            data: All but the runs.
            summaries: What the index lists; None for the runs that are in the file.
        """
        listed = self._kept.summaries.values() if summaries is None else summaries
        for part in put_data(data, listed, self._kept.runs):
            self._write(part)
        self._write(self._page.tail)

    def mark(self) -> Mark:
        """Return this place."""
        return Mark(self._file.tell(), self._index_size, tuple(len(kept) for kept in vars(self._kept).values()))

    def go_back(self, mark: Mark) -> None:
        """Forget all that was written after a place."""
        self._file.seek(mark.size)
        self._file.truncate()
        self._index_size = mark.index_size
        for kept, count in zip(vars(self._kept).values(), mark.counts, strict=True):
            while len(kept) > count:
                kept.popitem()

    def _write(self, text: str) -> None:
        self._file.write(text.encode("utf-8", errors="replace"))


def _number(number: int) -> str:
    """Return a number in few letters: base 36."""
    letters = "0123456789abcdefghijklmnopqrstuvwxyz"
    head, last = divmod(number, len(letters))
    return (_number(head) if head else "") + letters[last]


def rename_blobs(run: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Return the facts of a run with other names for its blobs; these are in its clips alone."""
    return {**run, "clips": [_rename_in_clip(clip, names) for clip in run["clips"]]}


def _rename_in_clip(clip: Facts, names: dict[str, str]) -> Facts:
    def rename(holder: Facts) -> Facts:
        if "strips" in holder:
            return {**holder, "strips": [rename(strip) for strip in holder["strips"]]}
        return {**holder, "blob": names[holder["blob"]]}

    overlay = clip["overlay"]
    pictures = [rename(picture) for picture in clip["pictures"]]
    return {**clip, "values": rename(clip["values"]), "pictures": pictures, "overlay": overlay and rename(overlay)}


def describe_runs(videos: Sequence[str]) -> str:
    """Return the title of a page with runs of these videos."""
    named = list(dict.fromkeys(videos))
    if len(named) == 1:
        return named[0]
    return f"{len(videos)} runs of {len(named)} videos"
