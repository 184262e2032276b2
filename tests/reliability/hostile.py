"""The list of hostile cases: files that a fuzzer would seldom find, each an attack that is known."""

from collections.abc import Callable
from pathlib import Path

from cases import Call

Make = Callable[[Path, Path], Call]
"""Makes a case's files in an empty folder from whole ones in another, and says what to type there."""

HOSTILE: dict[str, Make] = {}
"""All of them, by name; filled by the files `hostile_….py`."""


def hostile(make: Make) -> Make:
    """Enter what makes a case into the list."""
    HOSTILE[make.__name__] = make
    return make
