"""Text files with one name per line: class names, and lists of videos."""

import codecs
from dataclasses import dataclass
from typing import BinaryIO

from gbvis.errors import GbvisError, UsageError
from gbvis.videos.video import Video

_LARGEST = 64 << 20
"""Bytes; a million names, long ones."""

_LONGEST_LINE = 1 << 14
"""Characters; a path may have 4096 bytes."""


def read_text(file: BinaryIO, name: str, errors: str = "strict") -> str:
    """Return the text in a file: UTF-8, or UTF-16 or 32, with or without a byte order mark.

    Args:
        file: Open for reading; what never ends is not waited for.
        name: What errors are to call it.
        errors: What `bytes.decode` does with other bytes.

    Raises:
        UsageError: It is too large, or has a line too long, for a file of names.
        OSError: It cannot be read.
        UnicodeDecodeError: It is not UTF-8, and `errors` is `strict`.
    """
    content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise _no_names(name, f"it has more than {_LARGEST:,} bytes")
    text = content.decode(_find_encoding(content), errors)
    longest = max(map(len, text.splitlines()), default=0)
    if longest > _LONGEST_LINE:
        raise _no_names(name, f"a line of it has {longest:,} characters")
    return text


_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # before that of UTF-16, with which it begins
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def _find_encoding(content: bytes) -> str:
    """Return the encoding of a text: by its byte order mark; UTF-16 without one by its ends of lines and zeros."""
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return encoding
    if len(content) % 2 == 0 and 0 in content:
        for encoding, end, zeros in (
            ("utf-16-le", b"\n\0", content[1::2]),
            ("utf-16-be", b"\0\n", content[0::2]),
        ):
            has_ends = any(content[at : at + 2] == end for at in range(0, len(content), 2)) or b"\n" not in content
            if has_ends and 2 * zeros.count(0) > len(zeros) and 2 * content.count(0) < 1.1 * len(content):
                return encoding
    return "utf-8-sig"


def _no_names(name: str, found: str) -> GbvisError:
    return UsageError(f"{name} is no file of names: {found}", "expected text, a name a line")


@dataclass(frozen=True)
class VideoEntry:
    """A video as it was asked for.

    Attributes:
        location: A path or a bare name, as typed.
        class_index: The class that a list gives for it, 0-based, or None.
        video: The video itself, where it was given and not only said where it is.
        class_name: The same by its name, which the network may know.
        is_class_sure: False where a network that does not know the class is to explain the one that it predicts.
        is_listed: True where a list names it: then it is no pattern, whatever is in it.
        frame_count: How many frames the list says that it has.
        near: A path beside the list that has its name, where there is nothing at the location.
        problem: The error of a location that may mean two things; the other videos go on.
    """

    location: str
    class_index: int | None = None
    video: Video | None = None
    class_name: str | None = None
    is_class_sure: bool = True
    is_listed: bool = False
    frame_count: int | None = None
    near: str | None = None
    problem: GbvisError | None = None

    @property
    def label(self) -> str | None:
        """The class that a list gives for it, as a list has it; None where it gives none for sure."""
        if self.class_index is not None:
            return str(self.class_index)
        return self.class_name if self.is_class_sure else None
