"""Places that hold no file: what is written there would take the place of a terminal, a pipe or a device."""

import stat
from contextlib import suppress
from pathlib import Path

from gbvis.errors import UsageError

_DESCRIPTORS = (Path("/dev/fd"), Path("/proc/self/fd"))


def check_place(output: Path, typed: str, made: tuple[str, str], hint: str) -> None:
    """Check that a file or folder can be written there: it is renamed when it is whole, and would take its place.

    Args:
        output: Where to.
        typed: How it was asked for, such as `-o x`.
        made: What is to be there, a file or a folder; and what that is.
        hint: What to do instead.

    Raises:
        UsageError: It is standard output, a pipe or a device.
    """
    is_special = str(output) in ("-", "/dev/stdout", "/dev/stderr") or output.parent in _DESCRIPTORS
    with suppress(OSError, ValueError):  # not there, or not to be looked at: it is found out when it is written
        mode = output.stat().st_mode
        is_special |= not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
    if is_special:
        raise UsageError(
            f"{typed} is no place for {made[0]}: {made[1]} are not written to standard output, pipes or devices", hint
        )
