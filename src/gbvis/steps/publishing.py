"""How a file gets onto the disk: whole or not at all, and never over something else."""

import filecmp
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gbvis.errors import GbvisError


def publish(path: Path, write: Callable[[Path], object], is_forced: bool, hint: str, exit_code: int = 1) -> bool:
    """Write a file beside its place, give it its name, and return whether the very same file was there already.

    Args:
        path: The file.
        write: Writes it to the path given.
        is_forced: Replace another file of that name.
        hint: What to do where the place cannot be used.
        exit_code: Of the error, 2 where no video but the call itself fails.

    Raises:
        GbvisError: Another file has the name, or it cannot be written.
    """
    partial = path.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        if path.exists():
            if filecmp.cmp(partial, path, shallow=False):
                return True
            if not is_forced:
                raise GbvisError(f"{path} is there already, and differs", hint, exit_code)
        partial.replace(path)
    except OSError as error:
        raise GbvisError(f"cannot write {path}: {error.strerror or error}", hint, exit_code) from error
    finally:
        with suppress(OSError):
            partial.unlink()
    return False
