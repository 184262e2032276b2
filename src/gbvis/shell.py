"""Command lines that gbvis suggests, quoted so that they can be pasted into a shell."""

import os
import shlex
from collections.abc import Iterable


def join_words(words: Iterable[str]) -> str:
    r"""Return a line that a shell splits into these words, and that a terminal shows as it is.

    What a terminal does not show is written `$'\x1b'`, as bash, zsh and POSIX 2024 read it; so is a leading `=`,
    which zsh takes for a program's path.
    """
    return " ".join(_quote(word) for word in words)


def as_argument(location: str) -> str:
    """Return the path or name of a video as a word that is not taken for an option."""
    return f"./{location}" if location.startswith("-") else location


def _quote(word: str) -> str:
    if word.isprintable() and not word.startswith("="):
        return shlex.quote(word)
    return f"$'{''.join(_escape(character) for character in word)}'"


def _escape(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    return character if character.isprintable() else "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))
