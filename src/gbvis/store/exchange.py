"""Two names exchanged in one step, so that a group which is replaced is never absent."""

import ctypes
import os
import sys
from pathlib import Path

_HERE = -100
"""Linux's `AT_FDCWD`: a path is relative to the working directory."""

_EXCHANGE = 2
"""`RENAME_EXCHANGE`, see renameat2(2)."""


def exchange(first: Path, second: Path) -> bool:
    """Exchange what two paths name, and return whether that was done: Linux can, most of its file systems too."""
    if sys.platform != "linux":
        return False
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    return rename is not None and rename(_HERE, os.fsencode(first), _HERE, os.fsencode(second), _EXCHANGE) == 0
