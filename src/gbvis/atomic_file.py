"""Files and folders that are whole or not there: written in a temporary place, then renamed; and locks.

The only such code: everything that gbvis writes goes through here, or, in a store elsewhere, through its service.
"""

import errno
import filecmp
import hashlib
import os
import platform
import re
import shutil
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from gbvis.errors import OutputError, UsageError

_LOCK = ".lock"

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
"""What a file system says that has no locks."""

_POLL = 0.2
"""Seconds between two looks at a lock that another process holds."""

_DAY = 24 * 3600
"""Seconds: longer than any process writes nothing into what it makes, and than clocks of two hosts differ."""

_DESCRIPTORS = (Path("/dev/fd"), Path("/proc/self/fd"))


def check_place(output: Path, typed: str, made: tuple[str, str], hint: str) -> None:
    """Check that a place is no terminal, pipe or device: a finished file is renamed to it, and would replace it.

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


def publish(path: Path, write: Callable[[Path], object], force: bool, hint: str) -> bool:
    """Write a file or a folder beside its place, give it its name, and return whether the very same was there already.

    Args:
        path: Its place.
        write: Makes it at the path given, which is free.
        force: Replace another file of that name.
        hint: What to do where the place cannot be used.

    Raises:
        GbvisError: Something else has the name, or it cannot be written.
    """
    partial = path.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        if path.exists():
            if _are_same(partial, path):
                return True
            if not force:
                raise OutputError(f"{path} is there already, and differs", hint)
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}", hint) from error
    finally:
        remove(partial)
    return False


def publish_together(path: Path, write: Callable[[Path], object], force: bool, hint: str) -> bool:
    """Write a file and what lies beside it, as `publish`; return whether the very same was there already.

    The file gets its name last: it leads to the others.

    Args:
        path: The file's place.
        write: Makes it at the path given, in an empty folder, and the others beside it.
        force: Replace others of these names.
        hint: What to do where the place cannot be used.

    Raises:
        GbvisError: Something else has one of the names, or it cannot be written.
    """
    staged = path.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        staged.mkdir(parents=True)
        write(staged / path.name)
        made = sorted(staged.iterdir(), key=lambda one: one.name == path.name)
        places = [path.with_name(one.name) for one in made]
        if all(_are_same(one, place) for one, place in zip(made, places, strict=True)):
            return True
        taken = next((place for place in places if os.path.lexists(place)), None)
        if taken and not force:
            raise OutputError(f"{taken} is there already, and differs", hint)
        for one, place in zip(made, places, strict=True):
            remove(place)
            one.replace(place)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}", hint) from error
    finally:
        remove(staged)
    return False


def _are_same(one: Path, other: Path) -> bool:
    if not one.is_dir() or not other.is_dir():
        return one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)
    names = sorted(path.name for path in one.iterdir())
    if names != sorted(path.name for path in other.iterdir()):
        return False
    return not any(filecmp.cmpfiles(one, other, names, shallow=False)[1:])


def replace_file(path: Path, content: bytes, is_lasting: bool = False) -> None:
    """Write a file beside its place, and rename it: at every moment it is the old one or the new one.

    Args:
        path: The file; a link in its place is replaced, never followed.
        content: All of it.
        is_lasting: Wait until it is on the disk, so that the rename cannot come before it.

    Raises:
        OSError: It cannot be written.
    """
    partial = path.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        (write_durably if is_lasting else Path.write_bytes)(partial, content)
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()


def create_file(write: Callable[[Path], None], name: Callable[[Path], str], folder: Path) -> None:
    """Write a file that is named by its content, and rename it into its folder.

    Args:
        write: Writes it at the path given, which is free.
        name: Returns its name, once it is written.
        folder: Where it goes.

    Raises:
        OSError: It cannot be written.
    """
    partial = folder / f".{uuid.uuid4().hex}.partial"
    try:
        write(partial)
        partial.replace(folder / name(partial))
    finally:
        remove(partial)


def write_durably(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on the disk.

    Raises:
        OSError: It cannot be written.
    """
    with path.open("wb", buffering=0) as file:
        view = memoryview(content)
        while view:
            view = view[file.write(view) :]
        os.fsync(file.fileno())


def flush_folder(path: Path) -> None:
    """Wait until a folder's entries are on the disk, where the system can be asked to."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file or a folder, as far as it can be; of a link, the link alone."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


class StagingArea:
    """Folders of a root in which something is made before it gets its name, each locked by its process.

    A lock ends with its process, however that ends: a folder whose lock is free belongs to nobody any more. That is so
    on one host. Not every file system shows one host the locks of another: NFS with `nolock` or `local_lock` does not,
    nor Lustre with `localflock`. So a folder's name says which host made it, and another host's is swept only once
    nothing has been written there for a day. Where the file system has no locks, none is held, and nothing is swept.
    """

    def __init__(self, root: Path, prefix: str) -> None:
        """Name the root, which must be there when a folder is opened, and what the folders' names begin with."""
        self._root, self._prefix = root, prefix

    @contextmanager
    def open(self) -> Iterator[Path]:
        """Give an empty folder; what is left of it is removed when the context ends.

        Raises:
            OSError: It cannot be made.
        """
        folder, lock = self._make()
        try:
            inside = folder / "staged"
            inside.mkdir()
            yield inside
        finally:
            _remove_locked(folder, lock)

    def _make(self) -> tuple[Path, FileLock]:
        while True:  # who sweeps may have removed a new folder before it was locked
            folder = self._root / f"{self._prefix}{'-'.join((*identify_host(), uuid.uuid4().hex))}"
            folder.mkdir()
            try:
                lock = _try_lock(folder / _LOCK)
            except BaseException:  # no room for it: nothing is left over where nobody was killed
                remove(folder)
                raise
            if lock and (folder / _LOCK).exists():
                return folder, lock

    def list_dead(self) -> list[Path]:
        """Return the folders whose lock is free, as far as this host sees it; none where the root cannot be read."""
        return [folder for folder in self._list() if _use_dead(folder, lambda *_: None)]

    def discard(self, folder: Path) -> None:
        """Remove a folder, unless a living process holds it."""
        _use_dead(folder, _remove_locked)

    def sweep(self) -> None:
        """Remove the folders that no living process of this host holds, and those of other hosts after a day."""
        for folder in self._list():
            made_by = folder.name.removeprefix(self._prefix).split("-")
            if not {*made_by}.isdisjoint(identify_host()) or _is_old(folder):
                self.discard(folder)

    def _list(self) -> list[Path]:
        with suppress(OSError), os.scandir(self._root) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.name.startswith(self._prefix))
        return []


def _use_dead(folder: Path, use: Callable[[Path, FileLock], None]) -> bool:
    """Use a folder if nobody holds its lock, and return whether that was so."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    try:
        lock = _try_lock(folder / _LOCK)
    except OSError:  # nothing can be written there
        return False
    if lock is None or not lock.is_locked:
        return False
    try:
        use(folder, lock)
    finally:
        lock.release(force=True)
    return True


def _remove_locked(folder: Path, lock: FileLock) -> None:
    """Remove a folder whose lock this process holds.

    NFS keeps an open file that is removed under another name in its folder, until it is closed: that takes two goes.
    """
    remove(folder)
    lock.release(force=True)
    with suppress(OSError):
        folder.rmdir()


@cache
def identify_host() -> tuple[str, ...]:
    """Return what tells this host from others: by its name, which it keeps, and by its start, which is never shared.

    Containers of one host have names of their own, and see each other's locks.
    """
    name, start = platform.node(), ""
    with suppress(OSError):
        start = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    named = "" if name.partition(".")[0] in ("", "localhost") else name
    return tuple(hashlib.sha256(one.encode()).hexdigest()[:8] for one in (named, start) if one)


def _is_old(folder: Path) -> bool:
    """Return whether nothing has been written into a folder for a day; to look at its lock is to write that alone."""
    newest = 0.0
    with suppress(OSError):
        for place, _, files in os.walk(folder):
            written = [place, *(os.path.join(place, name) for name in files if name != _LOCK)]  # noqa: PTH118
            newest = max(newest, *(os.lstat(path).st_mtime for path in written))
        return time.time() - newest > _DAY
    return False  # its process goes on writing


def _try_lock(path: Path) -> FileLock | None:
    """Return the lock on a file; None where another process holds it, or its folder is gone.

    Raises:
        OSError: It cannot be made.
    """
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except (FileNotFoundError, FileExistsError, Timeout):  # the second: gone while filelock looks for it
        return None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    return lock


@contextmanager
def locked(path: Path, wait: Callable[[str], None]) -> Iterator[None]:
    """Hold a lock as long as the context lasts; waits for other processes, and says for which.

    Args:
        path: The lock's file; a file beside it says which process holds it.
        wait: Called again and again while another process has it, with words that say which; what it raises ends the
            waiting.

    Raises:
        OSError: There are no locks to be had there.
    """
    lock, holder = FileLock(path), _holder_of(path)
    while not lock.is_locked:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            wait(_describe_holder(holder))
            with suppress(Timeout):
                lock.acquire(timeout=_POLL)
    try:
        with suppress(OSError):
            replace_file(holder, _describe_process().encode())
        yield
    finally:
        for file in (holder, path):  # while the lock is held: who opened the file meanwhile finds it gone
            remove(file)
        lock.release()


def sweep_lock(path: Path) -> None:
    """Remove the file of a lock of `locked` that a killed process left behind, unless a living one holds it."""
    if not path.exists():
        return
    with suppress(OSError):
        lock = _try_lock(path)
        if lock and lock.is_locked:
            for file in (_holder_of(path), path):
                remove(file)
            lock.release(force=True)


def _holder_of(path: Path) -> Path:
    """Return the file that says which process holds the lock on another."""
    return path.with_name(f"{path.name}.holder")


def _describe_process() -> str:
    """Return this process, its machine and the time: `4711 host 2026-01-31 12:00:00`."""
    now = datetime.now().astimezone().isoformat(" ", "seconds")
    return f"{os.getpid()} {platform.node() or 'unknown'} {now}\n"


def _describe_holder(holder: Path) -> str:
    """Return which process has a lock; what its file says is believed only where it has the form that we give it."""
    found = None
    with suppress(OSError, ValueError), holder.open(encoding="ascii") as file:
        found = re.fullmatch(r"(\d{1,10}) ([\w.-]{1,255}) (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\S{0,20}\s*", file.read(1000))
    return "process {} on {}, since {}".format(*found.groups()) if found else "another process"
