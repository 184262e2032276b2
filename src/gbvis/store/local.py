"""A store in a folder of this machine, or of a file system that it mounts."""

import errno
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gbvis.store.exchange import exchange
from gbvis.store.keys import UNFINISHED
from gbvis.store.staging import list_staging, open_workshop, use_dead
from gbvis.store.storage import METADATA, Storage, StoredFile, Unreachable, encode_group

_TARGET = "target"
"""A file of a workshop: the key that its group was about to get."""

_OVERTAKEN = {errno.ENOENT, errno.EEXIST, errno.ENOTEMPTY}
"""What a rename says where another process was faster."""

_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}

_ATTEMPTS = 10

_PAUSE = 0.002
"""Seconds more to wait before each further attempt."""


class LocalStorage(Storage):
    """A store as a directory tree.

    A group is made in a workshop, a folder `.unfinished-…` of the store whose lock its process holds, and renamed into
    place once all of it is on the disk. The lock ends with the process, however that ends: a workshop that can be
    locked belongs to nobody any more. (No guess is made from the age of files.)
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._root = path

    def is_empty(self) -> bool:
        """Return whether there is nothing, or a folder with nothing in it but what another process begins to make."""
        if self._root.is_dir():
            return all(entry.name.startswith(UNFINISHED) for entry in self._root.iterdir())
        return not self._root.exists()

    def locate(self, key: str) -> str:
        """Return the absolute path of a key."""
        return str((self._root / key).absolute())

    def read(self, key: str) -> bytes:
        """Return a file's content; what is no plain file, a pipe that nobody fills among them, is not there."""
        with self._reading():
            path = self._path(key)
            if not stat.S_ISREG(path.lstat().st_mode):
                raise FileNotFoundError(errno.ENOENT, "it is no file", str(path))
            with path.open("rb", buffering=0) as file:
                return file.read()

    def replace(self, key: str, content: bytes, is_lasting: bool = True) -> None:
        """Write a file in a workshop, and rename it into place; a group that was taken away meanwhile stays away."""
        target = self._target(key)
        self._root.mkdir(parents=True, exist_ok=True)
        if target.is_dir() and not target.is_symlink():  # a name of ours, and nothing that we read
            shutil.rmtree(target)
        with self.staging() as staged:
            write = write_durably if is_lasting else Path.write_bytes
            write(staged / target.name, content)
            (staged / target.name).replace(target)

    def list_folders(self, key: str) -> list[str]:
        """Return the names of the folders directly below a key; unfinished ones are left out, and links."""
        return [entry.name for entry in self._scan(key) if entry.is_dir(follow_symlinks=False)]

    def list_strays(self, key: str) -> list[str]:
        """Return the names of the files and links directly below a key."""
        return [entry.name for entry in self._scan(key) if not entry.is_dir(follow_symlinks=False)]

    def _scan(self, key: str) -> list[os.DirEntry[str]]:
        with suppress(OSError), self._reading(), os.scandir(self._path(key)) as entries:
            found = [entry for entry in entries if entry.name[0] != "." and entry.name != METADATA]
            return sorted(found, key=lambda entry: entry.name)
        return []

    def list_files(self, key: str) -> Iterator[StoredFile]:
        """Yield all files at any depth below a key."""
        for folder, _, names in os.walk(self._path(key), onerror=self._complain):
            for name in sorted(names):
                path = Path(folder, name)
                with suppress(FileNotFoundError):  # taken away this very moment
                    yield StoredFile(path.relative_to(self._root).as_posix(), path.lstat().st_size)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Give an empty folder in a workshop of the store; the workshop is locked as long as the context lasts."""
        workshop, lock = open_workshop(self._root)
        try:
            staged = workshop / "group"
            staged.mkdir()
            yield staged
        finally:
            self._clear(workshop)  # Ctrl-C may have come between two renames
            lock.release(force=True)

    def publish(self, staged: Path, key: str, is_kept: Callable[[], bool]) -> None:
        """Rename a staged folder into place once it is on the disk."""
        target = self._target(key)
        for folder, _, _ in os.walk(staged, topdown=False):
            _flush_folder(Path(folder))
        for attempt in range(_ATTEMPTS):
            try:
                self.ensure_levels(key)
                if os.path.lexists(target):
                    if is_kept():
                        return
                    if exchange(staged, target):
                        break
                    self._set_aside(staged, target, key)
                staged.rename(target)
                break
            except OSError as error:  # another has published the same meanwhile, or taken the level above away
                if error.errno not in _OVERTAKEN or attempt + 1 == _ATTEMPTS or not staged.exists():
                    raise
                time.sleep(attempt * _PAUSE)
        _flush_folder(target.parent)

    def ensure_levels(self, key: str) -> None:
        """Make the folders of the groups above a key too."""
        self._target(key).parent.mkdir(parents=True, exist_ok=True)
        super().ensure_levels(key)

    def remove(self, key: str) -> None:
        """Move a group out of sight in one step, then take it away."""
        with self.staging() as staged, suppress(FileNotFoundError):  # another process has taken it away
            self._target(key).rename(staged / "removed")
        parts = key.split("/")
        for depth in range(len(parts) - 1, 0, -1):
            if not self._remove_level("/".join(parts[:depth])):
                break

    def list_unfinished(self) -> list[str]:
        """Return the names of the workshops that no living process holds."""
        return [workshop.name for workshop in list_staging(self._root) if use_dead(workshop, lambda _: None)]

    def discard(self, key: str) -> None:
        """Take away a workshop, unless a living process holds it."""
        use_dead(self._root / key, self._clear)

    def sweep(self) -> None:
        """Take away the workshops that no living process holds."""
        for workshop in list_staging(self._root):
            use_dead(workshop, self._clear)

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
            raise Unreachable(self.location, f"{error.filename or 'a part of it'}: {error.strerror}") from error

    def _path(self, key: str) -> Path:
        """Return the path of a key, which never leads out of the store.

        Raises:
            OSError: It would, by `..` or by a symbolic link on the way.
        """
        path = self._root
        for part in key.split("/") if key else ():
            path = path / part
            if part == ".." or path.is_symlink():
                raise OSError(errno.ELOOP, f"{path} is a symbolic link, and would lead out of the store")
        return path

    def _target(self, key: str) -> Path:
        """Return the path of what is to be replaced or removed: a link in its place goes, and what it leads to stays.

        Raises:
            OSError: A level above it would lead out of the store.
        """
        level, _, name = key.rpartition("/")
        return self._path(key) if name == ".." else self._path(level) / name

    def _clear(self, workshop: Path) -> None:
        """Take a workshop away; a group that was whole, and its old one set aside, gets its place first."""
        try:
            self._roll_forward(workshop)
        except OSError:  # there is no room for it at the moment: both stay, and the next sweep tries again
            return
        shutil.rmtree(workshop, ignore_errors=True)

    def _roll_forward(self, workshop: Path) -> None:
        """Finish a replacement that ended between its two renames: neither the old group nor the new one is lost."""
        if not ((workshop / "old").exists() and (workshop / "group").exists()):
            return
        with suppress(ValueError):  # that is no key of ours
            key = (workshop / _TARGET).read_text(encoding="utf-8")
            target = self._path(key)
            if not target.exists():
                self.ensure_levels(key)  # `store rm` may have found the level empty meanwhile
                (workshop / "group").rename(target)

    def _set_aside(self, staged: Path, target: Path, key: str) -> None:
        """Move what has the name out of the way; the workshop says what was meant, should this process end here."""
        write_durably(staged.with_name(_TARGET), key.encode())
        shutil.rmtree(staged.with_name("old"), ignore_errors=True)
        with suppress(FileNotFoundError):
            target.rename(staged.with_name("old"))

    def _remove_level(self, key: str) -> bool:
        """Take a group away that holds no groups; one that another process uses this moment stays, or comes back."""
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


def write_durably(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on the disk, so that a rename after it cannot come before it.

    Raises:
        OSError: It cannot be written.
    """
    with path.open("wb", buffering=0) as file:
        view = memoryview(content)
        while view:
            view = view[file.write(view) :]
        os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    """Wait until a folder's entries are on the disk, where the system can be asked to."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
