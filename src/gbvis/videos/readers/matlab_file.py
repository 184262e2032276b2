"""MATLAB's files of level 5 (`save -v6` and `-v7`): numbers, texts, structures and cells. Nothing in them is run.

MathWorks, "MAT-File Format", R2023b: a header of 128 bytes, then elements, each a tag of 8 bytes (type, length) and its
data, filled up to 8 bytes; up to 4 bytes of data fit into the tag itself.
"""

import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from gbvis.errors import VideoError

LARGEST = 1 << 26
"""Bytes of a file, and of what its compressed parts hold; all boxes of UCF-101-24 take 4 million."""

_MOST = 1_000_000
"""Arrays in structures and cells."""

_EMPTY = np.zeros((0, 0))

_DEEPEST = 16
"""Structures inside structures."""

_NUMBERS = {
    **{1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"},
    **{16: "u1", 17: "u2", 18: "u4"},
}
"""NumPy's types of the types of data; of texts in UTF-8, UTF-16 and UTF-32 those of their units."""

_TEXTS = {4: "utf-16-le", 17: "utf-16-le", 18: "utf-32-le"}
"""Encodings of texts by the type of their data; all others are UTF-8."""

_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCTURE, _TEXT = 1, 2, 4
_FIRST_NUMERIC, _LAST_NUMERIC = 6, 15


def read_matlab(path: Path) -> dict[str, Any]:
    """Return the variables of a file by their names.

    Numbers are arrays with the sizes that they have there, texts are `str`; a structure array is a list of dicts and a
    cell array a list, both in MATLAB's order, the first axis running fastest. Other things, such as objects, are None.

    Raises:
        VideoError: It cannot be read, is too large, or is none.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise VideoError(f"cannot read {path}: {error.strerror}", "check its permissions") from error
    try:
        return _Reader(content).read_all()
    except (ValueError, struct.error, zlib.error, UnicodeError) as error:
        problem = f"cannot read {path}: {error}"
        raise VideoError(problem, "expected a file of MATLAB's, written by `save -v7` or earlier") from error


class _Reader:
    def __init__(self, content: bytes) -> None:
        if len(content) > LARGEST:
            raise ValueError(f"it has more than {LARGEST:,} bytes")
        if content.startswith(b"MATLAB 7.3"):
            raise ValueError("it is HDF5, MATLAB's level 7.3")
        if not content.startswith(b"MATLAB 5.0") or content[126:128] != b"IM":  # `MI`: the high byte first
            raise ValueError("it is no file of MATLAB's level 5, with the low byte first")
        self._content, self._left, self._count = content, LARGEST, 0

    def read_all(self) -> dict[str, Any]:
        """Return the variables by their names."""
        found, place = {}, 128
        while place < len(self._content):
            kind, data, place = self._element(self._content, place, is_filled=False)
            if kind == _COMPRESSED:
                kind, data, _ = self._element(self._decompress(data), 0)
            if kind == _MATRIX:
                name, value = self._matrix(data, 0)
                found[name] = value
        return found

    def _decompress(self, data: bytes) -> bytes:
        inflate = zlib.decompressobj()
        plain = inflate.decompress(data, self._left)
        if inflate.unconsumed_tail:
            raise ValueError(f"decompressed it has more than {LARGEST:,} bytes")
        self._left -= len(plain)
        return plain

    def _element(self, data: bytes, place: int, is_filled: bool = True) -> tuple[int, bytes, int]:
        """Return an element's type and data, and where the next one begins; compressed ones are not filled up."""
        kind, length = struct.unpack_from("<II", data, place)
        if kind >> 16:  # small: 2 bytes of length, 2 of type
            length, kind = kind >> 16, kind & 0xFFFF
            if length > 4:
                raise ValueError("a small element is none")
            return kind, data[place + 4 : place + 4 + length], place + 8
        end = place + 8 + length
        if end > len(data):
            raise ValueError("it is cut short")
        is_filled = is_filled or kind != _COMPRESSED
        return kind, data[place + 8 : end], end + (-length % 8 if is_filled else 0)

    def _matrix(self, data: bytes, depth: int) -> tuple[str, Any]:
        """Return the name and the value of an array."""
        if depth > _DEEPEST:
            raise ValueError("its structures are too deep")
        if not data:
            return "", _EMPTY
        _, flags, place = self._element(data, 0)
        array_class = struct.unpack_from("<I", flags)[0] & 0xFF
        if array_class > _LAST_NUMERIC:  # objects and functions are laid out otherwise
            return "", None
        _, sizes, place = self._element(data, place)
        shape = tuple(int(size) for size in np.frombuffer(sizes, "<i4"))
        if min(shape, default=0) < 0:
            raise ValueError("an array has a negative size")
        _, name, place = self._element(data, place)
        return name.decode("latin-1"), self._value(array_class, shape, data, place, depth)

    def _value(self, array_class: int, shape: tuple[int, ...], data: bytes, place: int, depth: int) -> Any:
        if array_class == _STRUCTURE:
            return self._structure(math.prod(shape), data, place, depth)
        if array_class == _CELL:
            return self._parts(math.prod(shape), data, place, depth)
        kind, content, _ = self._element(data, place)
        if array_class == _TEXT:
            return content.decode(_TEXTS.get(kind, "utf-8"))
        if not _FIRST_NUMERIC <= array_class <= _LAST_NUMERIC or kind not in _NUMBERS:
            return None
        return np.frombuffer(content, "<" + _NUMBERS[kind]).reshape(shape, order="F")

    def _structure(self, count: int, data: bytes, place: int, depth: int) -> list[dict[str, Any]]:
        _, sizes, place = self._element(data, place)
        _, names, place = self._element(data, place)
        (width,) = struct.unpack_from("<i", sizes)
        if width < 1:
            raise ValueError("a structure is none")
        fields = [names[at : at + width].split(b"\0")[0].decode("latin-1") for at in range(0, len(names), width)]
        if not fields:
            return []
        values = self._parts(count * len(fields), data, place, depth)
        ends = range(len(fields), len(values) + 1, len(fields))
        return [dict(zip(fields, values[end - len(fields) : end], strict=True)) for end in ends]

    def _parts(self, count: int, data: bytes, place: int, depth: int) -> list[Any]:
        """Return the values of so many arrays that follow each other."""
        self._count += count
        if self._count > _MOST:
            raise ValueError(f"it has more than {_MOST:,} arrays")
        parts = []
        for _ in range(count):
            _, content, place = self._element(data, place)
            parts.append(self._matrix(content, depth + 1)[1])
        return parts
