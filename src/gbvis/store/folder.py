"""A store in a folder of this machine, or of a file system that it mounts."""

import errno
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from gbvis.store.key import UNFINISHED
from gbvis.store.place import METADATA, Place, StoredFile, encode_group

_LOCK = ".lock"
_TARGET = "target"
"""A file of a workshop: the key that its group was about to get."""

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}

_ATTEMPTS = 10


class Folder(Place):
    """A store as a directory tree.

    A group is made in a workshop, a folder `.unfinished-…` of the store whose lock its process holds, and renamed into
    place once all of it is on the disk. The lock ends with the process, however that ends: a workshop that can be
    locked belongs to nobody any more. (No guess is made from the age of files.)
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._root = path

    def exists(self) -> bool:
        """Return whether anything at all is there."""
        return self._root.exists()

    def is_empty(self) -> bool:
        """Return whether there is nothing, or a folder with nothing in it but what another process begins to make."""
        if self._root.is_dir():
            return all(entry.name.startswith(UNFINISHED) for entry in self._root.iterdir())
        return not self._root.exists()

    def locate(self, key: str) -> str:
        """Return the absolute path of a key."""
        return str((self._root / key).absolute())

    def read(self, key: str) -> bytes:
        """Return a file's content."""
        with self._path(key).open("rb", buffering=0) as file:
            return file.read()

    def replace(self, key: str, content: bytes, is_lasting: bool = True) -> None:
        """Write a file in a workshop, and rename it into place."""
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        with self.staging() as staged:
            write = write_durably if is_lasting else Path.write_bytes
            write(staged / target.name, content)
            (staged / target.name).replace(target)

    def list_folders(self, key: str) -> list[str]:
        """Return the names of the folders directly below a key; unfinished ones are left out, and links."""
        try:
            with os.scandir(self._path(key)) as entries:
                return sorted(e.name for e in entries if e.name[0] != "." and e.is_dir(follow_symlinks=False))
        except OSError as error:  # what may not be read is not taken for empty: `store rm` believes what is listed
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                return []
            raise

    def list_files(self, key: str) -> Iterator[StoredFile]:
        """Yield all files at any depth below a key."""
        for folder, _, names in os.walk(self._path(key)):
            for name in sorted(names):
                path = Path(folder, name)
                with suppress(FileNotFoundError):  # taken away this very moment
                    yield StoredFile(path.relative_to(self._root).as_posix(), path.lstat().st_size)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Give an empty folder in a workshop of the store; the workshop is locked as long as the context lasts."""
        workshop, lock = self._open_workshop()
        try:
            staged = workshop / "group"
            staged.mkdir()
            yield staged
        finally:
            shutil.rmtree(workshop, ignore_errors=True)
            lock.release(force=True)

    def publish(self, staged: Path, key: str, is_kept: Callable[[], bool]) -> None:
        """Rename a staged folder into place once it is on the disk."""
        target = self._path(key)
        for folder, _, _ in os.walk(staged, topdown=False):
            _flush_folder(Path(folder))
        for attempt in range(_ATTEMPTS):
            self.ensure_levels(key)
            if os.path.lexists(target):
                if is_kept():
                    return
                self._set_aside(staged, target, key)
            try:
                staged.rename(target)
                break
            except OSError:  # another has published the same meanwhile, or taken the level above away
                if attempt + 1 == _ATTEMPTS or not staged.exists():
                    raise
        _flush_folder(target.parent)

    def remove(self, key: str) -> None:
        """Move a group out of sight in one step, then take it away."""
        with self.staging() as staged, suppress(FileNotFoundError):  # another process has taken it away
            self._path(key).rename(staged / "removed")
        parts = key.split("/")
        for depth in range(len(parts) - 1, 0, -1):
            if not self._remove_level("/".join(parts[:depth])):
                break

    def list_unfinished(self) -> list[str]:
        """Return the names of the workshops that no living process holds."""
        return [workshop.name for workshop in self._workshops() if self._lock_dead(workshop, lambda _: None)]

    def discard(self, key: str) -> None:
        """Take away a workshop, unless a living process holds it."""
        self._lock_dead(self._root / key, self._clear)

    def sweep(self) -> None:
        """Take away the workshops that no living process holds."""
        for workshop in self._workshops():
            self._lock_dead(workshop, self._clear)

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

    def _open_workshop(self) -> tuple[Path, FileLock]:
        """Return a new workshop and its lock, held; who sweeps may have taken it away before it was locked.

        Where the file system has no locks, it is not held, and nobody sweeps either.
        """
        while True:
            workshop = self._root / f"{UNFINISHED}{uuid.uuid4().hex}"
            workshop.mkdir()
            lock = FileLock(workshop / _LOCK, thread_local=False)
            with suppress(FileNotFoundError, Timeout):
                try:
                    lock.acquire(blocking=False)
                except OSError as error:
                    if error.errno not in _NO_LOCKS:
                        raise
                if (workshop / _LOCK).exists():
                    (workshop / METADATA).write_bytes(encode_group({}))
                    return workshop, lock
                lock.release()

    def _workshops(self) -> list[Path]:
        with suppress(OSError), os.scandir(self._root) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.name.startswith(UNFINISHED))
        return []

    def _lock_dead(self, workshop: Path, use: Callable[[Path], None]) -> bool:
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

    def _clear(self, workshop: Path) -> None:
        """Take away what a killed process left; a group that was whole, and its old one set aside, gets its place."""
        with suppress(OSError, UnicodeDecodeError):
            key = (workshop / _TARGET).read_text(encoding="utf-8")
            if (workshop / "old").exists() and not (self._root / key).exists():
                (workshop / "group").rename(self._root / key)
        shutil.rmtree(workshop, ignore_errors=True)

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
