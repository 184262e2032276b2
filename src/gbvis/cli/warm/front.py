"""The front: has everything loaded that a call needs but torch, and forks a child for each call."""

import gc
import importlib
import os
import select
import selectors
import shutil
import signal
import socket
import sys
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from gbvis.cli.warm import message
from gbvis.cli.warm.child import Request, run_call
from gbvis.cli.warm.surroundings import Surroundings, describe_surroundings, find_difference

LOADED = (
    *("explain", "check", "predict", "render", "extract", "store.ls", "store.rm", "store.verify"),
    *("estimated_flow", "run_views", "report", "view"),
)
"""Steps that are loaded from the beginning."""

WORKER = "worker"
"""The name of the worker's socket in the front's folder."""

_OFTEN = 0.5
"""Seconds between two looks at whether the owner lives, where the system cannot tell when it ends."""

_PATIENCE = 5.0
"""Seconds that a call may take to say what it wants."""

_DEATHS = 3
"""Workers that may die soon one after the other; then calls compute by themselves."""

_LONG = 30.0
"""Seconds after which a worker has not died soon."""


class Front:
    """Serves calls until its owner has ended, it is told to stop, or none has come for long."""

    def __init__(self, folder: Path, listener: socket.socket, owner: int | None, idle: float | None) -> None:
        """Name the parts.

        Args:
            folder: Of this user's alone; it is removed at the end.
            listener: Where calls connect.
            owner: The process that this front ends with, or None.
            idle: Seconds without a call after which it ends, or None.
        """
        self._folder, self._listener, self._owner, self._idle = folder, listener, owner, idle
        self._surroundings: Surroundings = describe_surroundings()
        self._calls: dict[int, socket.socket] = {}
        self._worker, self._deaths, self._started = 0, 0, 0.0
        self._held: int | None = None  # the worker ends when this is closed
        self._watched: int | None = None
        if owner is not None and hasattr(os, "pidfd_open"):
            with suppress(OSError):  # an old kernel, or one that does not let us
                self._watched = os.pidfd_open(owner)
        self._worker_listener = listen(folder / WORKER)
        self._is_stopped = False
        self._last = time.monotonic()

    def run(self) -> NoReturn:
        """Serve, clean up, and end the process."""
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self._start_worker()
            self._load()
            self._serve()
        finally:
            self._clean_up()
            os._exit(0)

    def _serve(self) -> None:
        wakeup, alarm = os.pipe()
        os.set_blocking(wakeup, False)
        os.set_blocking(alarm, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(wakeup, selectors.EVENT_READ)
            if self._watched is not None:
                selector.register(self._watched, selectors.EVENT_READ)
            while not self._is_stopped:
                events = selector.select(self._seconds_left())
                with suppress(BlockingIOError):  # emptied first: who dies after this look wakes it again
                    os.read(wakeup, 4096)
                self._reap()
                self._is_stopped |= self._is_over()
                if not self._is_stopped and any(key.fileobj is self._listener for key, _ in events):
                    self._accept()

    def _seconds_left(self) -> float | None:
        """Return when to look again by itself; None where only events count."""
        if self._owner is not None:
            return None if self._watched is not None else _OFTEN
        if self._idle is None or self._calls:
            return None
        return max(0.0, self._last + self._idle - time.monotonic())

    def _is_over(self) -> bool:
        """Return whether nobody needs this front any more."""
        if self._owner is None:
            return self._seconds_left() == 0
        if self._watched is not None:
            return bool(select.select([self._watched], [], [], 0)[0])
        try:
            os.kill(self._owner, 0)
        except ProcessLookupError:
            return True
        except PermissionError:  # it lives, as another user
            return False
        return False

    def _accept(self) -> None:
        """Take one call: fork a child for it, or say why not."""
        connection = self._listener.accept()[0]
        connection.settimeout(_PATIENCE)
        try:
            wanted, files = message.receive(connection)
        except (OSError, ValueError):
            connection.close()
            return
        self._last = time.monotonic()
        if wanted is None or "stop" in wanted or not _is_own(connection):
            self._is_stopped = bool(wanted and "stop" in wanted and _is_own(connection))
            connection.close()
        else:
            try:
                self._begin(connection, wanted, files)
            except OSError:  # no process can be made: the call runs by itself
                connection.close()
        for file in files:
            os.close(file)

    def _begin(self, connection: socket.socket, wanted: dict[str, Any], files: list[int]) -> None:
        difference = find_difference(self._surroundings, wanted.pop("surroundings"))
        if difference:
            with suppress(OSError):
                message.send(connection, {"refused": f"the {difference} of this call is another one"})
            connection.close()
            return
        connection.settimeout(None)
        child = _fork()
        if not child:
            run_call(Request(**wanted, files=files), connection, str(self._folder / WORKER))
        self._calls[child] = connection

    def _reap(self) -> None:
        """Bury children; tell a call by which signal its child died, where it did, and start a worker again."""
        while True:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not child:
                return
            self._bury(child, status)

    def _bury(self, child: int, status: int) -> None:
        if child == self._worker:
            self._worker = 0
            if time.monotonic() - self._started > _LONG:
                self._deaths = 0
            if not self._is_stopped:
                self._start_worker()
        elif child in self._calls:
            self._last = time.monotonic()
            connection = self._calls.pop(child)
            if os.WIFSIGNALED(status):
                with suppress(OSError):
                    message.send(connection, {"signal": os.WTERMSIG(status)})
            connection.close()

    def _start_worker(self) -> None:
        """Start the worker, which ends with this process."""
        self._deaths += 1
        self._started = time.monotonic()
        if self._deaths > _DEATHS:
            self._worker_listener.close()
            return
        lifeline, held = os.pipe()
        self._worker = _fork()
        if not self._worker:
            _be_worker(self._worker_listener, lifeline)
        os.close(lifeline)
        if self._held is not None:
            os.close(self._held)
        self._held = held

    def _load(self) -> None:
        """Load what calls need, and keep it in memory that children share."""
        others = ("gbvis.cli.app", "multiprocessing.connection", "rich.progress", "rich.table", "av", "PIL.Image")
        for name in (*(f"gbvis.steps.{name}" for name in LOADED), *others):
            importlib.import_module(name)
            if self._is_over():
                self._is_stopped = True
                return
        importlib.import_module("gbvis.cli.app").make_command_line()
        gc.freeze()

    def _clean_up(self) -> None:
        self._listener.close()
        self._worker_listener.close()  # or a call would wait in its queue
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._worker:
            with suppress(ProcessLookupError):
                os.kill(self._worker, signal.SIGKILL)
        while self._calls:  # they go on, and are told if a signal ends them
            try:
                self._bury(*os.waitpid(-1, 0))
            except ChildProcessError:
                return


def listen(path: Path) -> socket.socket:
    """Return a socket that is listening at a path.

    Raises:
        OSError: The path is too long, or cannot be written.
    """
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(128)
    return listener


def _is_own(connection: socket.socket) -> bool:
    """Return whether the other side is a process of this user; where the system cannot tell, the folder's mode does."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int.from_bytes(told[4:8], sys.byteorder) == os.getuid()


def _fork() -> int:
    with warnings.catch_warnings(action="ignore"):  # of threads: NumPy's stop before a fork by themselves
        return os.fork()


def _be_worker(listener: socket.socket, lifeline: int) -> NoReturn:
    """Compute for calls until the front ends."""
    import threading

    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    message.close_others({0, 1, 2, listener.fileno(), lifeline})  # the other end of the lifeline above all

    def watch() -> None:
        os.read(lifeline, 1)
        os._exit(0)

    try:
        threading.Thread(target=watch, daemon=True).start()
        from gbvis.steps.worker.service import serve

        serve(listener)
    finally:
        os._exit(1)
