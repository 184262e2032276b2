"""Workshops: the folders of a store that groups are made in, each locked by its process for as long as that lives."""

import errno
import os
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from gbvis.store.keys import UNFINISHED
from gbvis.store.storage import METADATA, encode_group

_LOCK = ".lock"

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


def open_workshop(root: Path) -> tuple[Path, FileLock]:
    """Return a new workshop and its lock, held; who sweeps may have taken it away before it was locked.

    Where the file system has no locks, it is not held, and nobody sweeps either.

    Raises:
        OSError: It cannot be made.
    """
    while True:
        workshop = root / f"{UNFINISHED}{uuid.uuid4().hex}"
        workshop.mkdir()
        try:
            lock = _lock(workshop)
        except BaseException:  # no room for it: nothing is left over where nobody was killed
            shutil.rmtree(workshop, ignore_errors=True)
            raise
        if lock:
            return workshop, lock


def _lock(workshop: Path) -> FileLock | None:
    """Return a new workshop's lock, held; None where it was swept away before."""
    lock = FileLock(workshop / _LOCK, thread_local=False)
    with suppress(FileNotFoundError, FileExistsError, Timeout):  # the latter: gone while filelock looks for it
        try:
            lock.acquire(blocking=False)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        if (workshop / _LOCK).exists():
            (workshop / METADATA).write_bytes(encode_group({}))
            return lock
        lock.release()
    return None


def list_staging(root: Path) -> list[Path]:
    """Return the workshops of a store, sorted; none where it cannot be read."""
    with suppress(OSError), os.scandir(root) as entries:
        return sorted(Path(entry.path) for entry in entries if entry.name.startswith(UNFINISHED))
    return []


def use_dead(workshop: Path, use: Callable[[Path], None]) -> bool:
    """Use a workshop if nobody holds its lock, and return whether that was so."""
    if workshop.is_symlink() or not workshop.is_dir():
        return False
    lock = FileLock(workshop / _LOCK, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except (OSError, Timeout):  # somebody lives in it, it has just gone, or this store cannot be written
        return False
    try:
        use(workshop)
    finally:
        lock.release(force=True)
    return True
