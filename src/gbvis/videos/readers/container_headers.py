"""What a video file's own headers promise, checked without FFmpeg, which believes them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from gbvis.errors import GbvisError, VideoError

_MOST_BOXES = 1_000_000
"""Top-level boxes of an ISO file; 100 hours in fragments of a second have fewer, and FFmpeg looks at each."""

_MOST_SAMPLES = 1 << 23
"""Samples of a track, for each of which FFmpeg lays out 24 bytes. A day at 60 frames a second has fewer."""

_FILM = {b"moov", b"mdat", b"moof"}
"""Boxes that a film consists of; behind it may lie others that are cut off, or no boxes at all: cameras write so."""

_ISO_BEGINNINGS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def check_headers(path: Path) -> None:
    """Check that a file is as long as its headers say, and that they claim nothing that cannot be.

    Raises:
        GbvisError: It is shorter, or claims more frames than it has bytes, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            size, head = os.fstat(file.fileno()).st_size, file.read(4096)
            if head[4:8] in _ISO_BEGINNINGS:
                promised = _check_boxes(path, file, size)
            else:
                promised = _avi_size(head) if head[:4] == b"RIFF" else _matroska_size(head)
    except OSError as error:
        raise VideoError(f"cannot read {path}: {error.strerror}", "check the file's permissions") from error
    if promised is not None and size < promised:
        found = f"{size:,} of {promised:,} bytes are there"
        raise VideoError(f"{path} is cut short: {found}", "copy the video again whole")


def _avi_size(head: bytes) -> int | None:
    """Return the end of the first chunk of an AVI, or None where nothing tells it, or it is another kind of RIFF."""
    size = int.from_bytes(head[4:8], "little")
    return 8 + size if head[8:11] == b"AVI" and 0 < size < 0xFFFFFFFF else None


def _matroska_size(head: bytes) -> int | None:
    """Return the end of a Matroska file's Segment, or None where nothing tells it.

    Its size is an EBML number of up to 8 bytes: its first byte's leading zeros tell its length, all ones mean unknown
    (RFC 8794, part 4; RFC 9559, part 4.5).
    """
    place = head.find(b"\x18\x53\x80\x67") + 4
    if head[:4] == b"\x1a\x45\xdf\xa3" and 4 <= place < len(head) - 8 and head[place]:
        length = 9 - head[place].bit_length()
        size = int.from_bytes(head[place : place + length]) & (1 << 7 * length) - 1
        return place + length + size if size != (1 << 7 * length) - 1 else None
    return None


def _check_boxes(path: Path, file: BinaryIO, size: int) -> int | None:
    """Return the end of a film's last box, or None where that reaches as far as the file does.

    Raises:
        GbvisError: There are more boxes, or a track claims more samples, than any film has.
    """
    promised: int | None = 0
    seen: set[bytes] = set()
    for number, (name, start, end) in enumerate(_boxes(file, size)):
        if number > _MOST_BOXES:
            raise _unbelievable(path, f"it consists of more than {_MOST_BOXES:,} boxes")
        if name == b"moov":
            file.seek(start)
            counts = _sample_counts(file.read(min(end or size, size) - start))
            if any(count > max(size, _MOST_SAMPLES) for count in counts):
                raise _unbelievable(path, "it claims more frames than it has bytes")
        if end is not None and end > size and name not in _FILM and seen >= {b"moov", b"mdat"}:
            break
        seen.add(name)
        promised = end
    return promised


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int | None]]:
    """Yield the top-level boxes of an ISO media file: name, start, and end (ISO/IEC 14496-12, part 4.2).

    The end, None where a box reaches as far as the file does, is as promised: it may lie behind the file's.
    """
    place = 0
    while place < size:
        file.seek(place)
        header = file.read(16)
        length = int.from_bytes(header[:4])
        if length == 1:  # it is too large for 4 bytes
            length = int.from_bytes(header[8:])
        if len(header) < 8:
            length = len(header)
        elif length < 8:
            yield header[4:8], place, None
            return
        yield header[4:8], place, place + length
        place += length


def _sample_counts(index: bytes) -> Iterator[int]:
    """Yield the number of samples of each track whose samples are all of one size (ISO/IEC 14496-12, part 8.7.3).

    Where their sizes differ, each has an entry in the file, and FFmpeg makes no more of them than are there.
    """
    place = index.find(b"stsz")
    while place >= 0:
        one_size, count = (int.from_bytes(index[start : start + 4]) for start in (place + 8, place + 12))
        if one_size:
            yield count
        place = index.find(b"stsz", place + 4)


def _unbelievable(path: Path, found: str) -> GbvisError:
    return VideoError(f"{path} is damaged: {found}", "copy or encode the video again")
