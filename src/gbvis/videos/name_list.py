"""Text files with one name per line: class names, and lists of videos."""

import re
from dataclasses import dataclass
from typing import BinaryIO

from gbvis.errors import GbvisError, UsageError
from gbvis.videos.video import VIDEO_SUFFIXES, Video

_LARGEST = 64 << 20
"""Bytes; a million names, long ones."""

_LONGEST_LINE = 1 << 14
"""Characters; a path may have 4096 bytes."""


_BLANK = " \t\r"
"""What does not count at the ends of a line of a list; other spaces may belong to a name."""


def read_text(file: BinaryIO, name: str, errors: str = "strict") -> str:
    """Return the text in a file, UTF-8 with or without a byte order mark.

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
    text = content.decode("utf-8-sig", errors)
    longest = max(map(len, text.splitlines()), default=0)
    if longest > _LONGEST_LINE:
        raise _no_names(name, f"a line of it has {longest:,} characters")
    return text


def _no_names(name: str, found: str) -> GbvisError:
    return UsageError(f"{name} is no file of names: {found}", "expected text, a name a line")


@dataclass(frozen=True)
class VideoEntry:
    """A video as it was asked for.

    Attributes:
        location: A path or a bare name, as typed.
        class_index: The class that a list gives for it, 0-based, or None.
        video: The video itself, where it was given and not only said where it is.
    """

    location: str
    class_index: int | None = None
    video: Video | None = None


def read_video_list(text: str, is_from_one: bool) -> list[VideoEntry]:
    """Return the videos of a list: a name a line, or `NAME.avi LABEL` with the class behind it.

    Args:
        text: The list; empty lines do not count.
        is_from_one: True where classes are counted from 1, as in UCF-101's official lists.

    Raises:
        UsageError: A label is 0 where they are counted from 1.
    """
    entries = []
    lines = (line.strip(_BLANK) for line in text.split("\n"))  # `splitlines` divides names at U+2028 and its like too
    for line in filter(None, lines):
        match = re.fullmatch(r"(?P<name>.*\S)[ \t]+(?P<label>[0-9]{1,9})", line)
        if match and match["name"].lower().endswith(VIDEO_SUFFIXES):  # `take 2` is a name
            label = int(match["label"])
            if is_from_one and label == 0:
                raise UsageError(
                    f"label 0 in the line {line!r}, and classes are to be counted from 1",
                    "leave out --labels-from-one",
                )
            entries.append(VideoEntry(match["name"], label - is_from_one))
        else:
            entries.append(VideoEntry(line))
    return entries
