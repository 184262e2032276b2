"""Storage in a folder of this machine, or of a file system that it mounts.

A group is made in a staging folder, `.unfinished-…`, and renamed into place once all of it is on the disk.
"""

import errno
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from gbvis.atomic_file import NO_LOCKS, StagingArea, flush_folder, locked, sweep_lock, write_durably
from gbvis.store.keys import UNFINISHED
from gbvis.store.storage import (
    LARGEST_METADATA,
    METADATA,
    WITH_STORE,
    Storage,
    StoredFile,
    Unreachable,
    encode_group,
)

_OVERTAKEN = {errno.ENOENT, errno.EEXIST, errno.ENOTEMPTY}
"""What a rename says where another process was faster."""

_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ESTALE}
"""The last: what NFS says of a file that another host has removed while it is read here."""

_LOCK = f"{UNFINISHED}weights.lock"
"""While it is held, nobody else changes a record of weights."""

_ATTEMPTS = 10

_PAUSE = 0.002
"""Seconds more to wait before each further attempt."""


class LocalStorage(Storage):
    """A store as a directory tree."""

    def __init__(self, path: Path, given: str = WITH_STORE) -> None:
        super().__init__(str(path), given)
        self._root = path
        self._staging = StagingArea(path, UNFINISHED)

    def is_empty(self) -> bool:
        """Return whether there is nothing, or a folder with nothing in it but what another process begins to make."""
        if self._root.is_dir():
            with os.scandir(self._root) as entries:
                return all(entry.name.startswith(UNFINISHED) for entry in entries)
        return not self._root.exists()

    def locate(self, key: str) -> str:
        """Return the absolute path of a key."""
        return str((self._root / key).absolute())

    def read(self, key: str, at_most: int = LARGEST_METADATA) -> bytes:
        """Return a file's content; what is no plain file, a pipe that nobody fills among them, is not there."""
        with self._reading():
            path = self._check_parent(key)
            status = os.lstat(path)  # a link is no plain file
            if not stat.S_ISREG(status.st_mode) or status.st_size > at_most:
                raise FileNotFoundError(errno.ENOENT, "it is no file, or far too large", path)
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123
                return file.read()

    def replace(self, key: str, content: bytes, is_lasting: bool = True) -> None:
        """Write a file in a staging folder, and rename it; a group that was removed meanwhile stays away."""
        target = self._target(key)
        self._root.mkdir(parents=True, exist_ok=True)
        if target.is_dir() and not target.is_symlink():  # a name of ours, and nothing that we read
            shutil.rmtree(target)
        with self.staging() as staged:
            (write_durably if is_lasting else Path.write_bytes)(staged / target.name, content)
            (staged / target.name).replace(target)

    def list_folders(self, key: str) -> list[str]:
        """Return the names of the folders directly below a key; unfinished ones are left out, and links."""
        with suppress(OSError), self._reading(), os.scandir(self._check_path(key)) as entries:
            return sorted(one.name for one in entries if one.name[0] != "." and one.is_dir(follow_symlinks=False))
        return []

    def list_files(self, key: str) -> Iterator[StoredFile]:
        """Yield all files at any depth below a key."""
        folders = [(self._check_path(key), f"{key}/" if key else "")]
        while folders:
            folder, prefix = folders.pop()
            for entry in self._scan(folder):
                if entry.is_dir(follow_symlinks=False):
                    folders.append((entry.path, f"{prefix}{entry.name}/"))
                    continue
                with suppress(FileNotFoundError):  # removed this very moment
                    yield StoredFile(f"{prefix}{entry.name}", entry.stat(follow_symlinks=False).st_size)

    def _scan(self, folder: str) -> list[os.DirEntry[str]]:
        """Return what lies in a folder, less links to folders; nothing where it is gone."""
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._complain(error)
            return []
        return [entry for entry in found if not (entry.is_symlink() and os.path.isdir(entry.path))]  # noqa: PTH112

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Give an empty folder of the store, locked as long as the context lasts."""
        with self._staging.open() as staged:
            (staged.parent / METADATA).write_bytes(encode_group({}))  # or who walks the store with Zarr is warned
            yield staged

    def publish(self, staged: Path, key: str, is_kept: Callable[[], bool]) -> None:
        """Rename a staged folder into place once it is on the disk; an old group of that name is moved out first."""
        target = self._target(key)
        for folder, _, _ in os.walk(staged, topdown=False):
            flush_folder(Path(folder))
        for attempt in range(_ATTEMPTS):
            try:
                self.ensure_levels(key)
                if os.path.lexists(target):
                    if is_kept():
                        return
                    target.rename(staged.with_name(f"old-{attempt}"))
                staged.rename(target)
                break
            except OSError as error:  # another has published the same meanwhile, or removed the level above
                if error.errno not in _OVERTAKEN or attempt + 1 == _ATTEMPTS or not staged.exists():
                    raise
                time.sleep(attempt * _PAUSE)
        flush_folder(target.parent)

    def ensure_levels(self, key: str) -> None:
        """Make the folders of the groups above a key too."""
        self._target(key).parent.mkdir(parents=True, exist_ok=True)
        super().ensure_levels(key)

    def remove(self, key: str) -> None:
        """Move a group out of sight in one step, then remove it."""
        with self.staging() as staged, suppress(FileNotFoundError):  # another process has removed it
            self._target(key).rename(staged / "removed")
        parts = key.split("/")
        for depth in range(len(parts) - 1, 0, -1):
            if not self._remove_level("/".join(parts[:depth])):
                break

    def _remove_level(self, key: str) -> bool:
        """Remove a group that holds no groups; one that another process uses this moment stays, or comes back."""
        level = self._root / key
        try:
            if any(entry.name != METADATA for entry in level.iterdir()):
                return False
            (level / METADATA).unlink(missing_ok=True)
            level.rmdir()
        except FileNotFoundError:
            return True
        except OSError:
            with suppress(FileNotFoundError):
                self.replace(f"{key}/{METADATA}", encode_group({}))
            return False
        return True

    def list_unfinished(self) -> list[str]:
        """Return the names of the staging folders that no living process holds."""
        return [folder.name for folder in self._staging.list_dead()]

    def discard(self, key: str) -> None:
        """Remove a staging folder, unless a living process holds it."""
        self._staging.discard(self._root / key)

    def sweep(self) -> None:
        """Remove the staging folders that no living process holds, and the file of a lock that none holds."""
        self._staging.sweep()
        sweep_lock(self._root / _LOCK)

    @contextmanager
    def locking(self) -> Iterator[None]:
        """As `Storage`: a lock of the file system's, which ends with its process."""
        with ExitStack() as held:
            try:
                held.enter_context(locked(self._root / _LOCK, lambda holder: None))
            except OSError as error:
                if error.errno not in NO_LOCKS:
                    raise
            yield

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Let what may not be read pass neither for damaged nor for empty: `store rm` believes what it is told."""
        try:
            yield
        except OSError as error:
            self._complain(error)
            raise

    def _complain(self, error: OSError) -> None:
        if error.errno not in _NOT_THERE:
            why = f"{error.filename or 'a part of it'}: {error.strerror}"
            raise Unreachable(self.location, why, self.given) from error

    def _check_path(self, key: str) -> str:
        """Return the path of a key, which never leads out of the store.

        Raises:
            OSError: It would, by `..` or by a symbolic link on the way.
        """
        path = str(self._root)
        for part in key.split("/") if key else ():
            path = f"{path}/{part}"
            if part == ".." or os.path.islink(path):  # noqa: PTH114
                raise OSError(errno.ELOOP, f"{path} is a symbolic link, and would lead out of the store")
        return path

    def _check_parent(self, key: str) -> str:
        """Return the path of a key, which may itself be a link, in a level that never leads out of the store.

        Raises:
            OSError: It would.
        """
        level, _, name = key.rpartition("/")
        return self._check_path(key) if name == ".." else f"{self._check_path(level)}/{name}"

    def _target(self, key: str) -> Path:
        """Return the path of what is to be replaced or removed: a link in its place goes, and what it leads to stays.

        Raises:
            OSError: As `_check_parent`.
        """
        return Path(self._check_parent(key))
