"""Text files that people write, a name a line: class names, and lists of videos."""

from typing import BinaryIO

from gbvis.errors import GbvisError

_LARGEST = 64 << 20
"""Bytes; a million names, long ones."""

_LONGEST_LINE = 1 << 14
"""Characters; a path may have 4096 bytes."""


def read_text(file: BinaryIO, name: str, errors: str = "strict") -> str:
    """Return the text in a file, UTF-8 with or without a byte order mark.

    Args:
        file: Open for reading; what never ends is not waited for.
        name: What errors are to call it.
        errors: What `bytes.decode` does with other bytes.

    Raises:
        GbvisError: It is too large, or has a line too long, for a file of names (exit code 2).
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
    return GbvisError(f"{name} is no file of names: {found}", "expected text, a name a line", exit_code=2)
