"""The child that the front forks for a call: becomes what the call would have been, and runs it."""

import atexit
import io
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn

from gbvis.cli.warm import message, resumed
from gbvis.steps.worker.remote import Worker

_LEAST = 63
"""No file that a call does not know of has a lower number."""


@dataclass(frozen=True)
class Request:
    """What a call is given.

    Attributes:
        arguments: `sys.argv`.
        environment: All variables.
        umask: Its umask.
        numbers: The numbers of its open files.
        ignored: Signals that it ignores.
        blocked: Signals that it blocks.
        files: Its working folder and its open files, as they have come.
    """

    arguments: list[str]
    environment: dict[str, str]
    umask: int
    numbers: list[int]
    ignored: list[int]
    blocked: list[int]
    files: list[int]


class Journal:
    """Tells the client how far a call is, so that it can go on should this process be lost."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def tell(self, **what: Any) -> None:
        """Tell something."""
        with self._lock, suppress(OSError):
            message.send(self._connection, what)

    def tell_process(self) -> None:
        """Tell which process this is, and end it as soon as the client ends."""
        files = []
        with suppress(OSError, AttributeError):
            files = [os.pidfd_open(os.getpid())]
        with suppress(OSError):
            message.send(self._connection, {"pid": os.getpid()}, files)
        for file in files:
            os.close(file)
        threading.Thread(target=self._end_with_client, daemon=True).start()

    def _end_with_client(self) -> None:
        with suppress(OSError):
            self._connection.recv(1)
        os.kill(os.getpid(), signal.SIGKILL)


class _Input(io.FileIO):
    """Standard input; once something was read from it the client is told: it cannot read that again."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(0, "r", closefd=False)
        self._journal: Journal | None = journal

    def readinto(self, buffer: Any) -> Any:
        """Read."""
        count = super().readinto(buffer)
        if count and self._journal:
            self._journal.tell(read=True)
            self._journal = None
        return count


def run_call(request: Request, connection: socket.socket, worker: str) -> NoReturn:
    """Run a call in this process, which was forked for it."""
    code = 1
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # they wait until somebody heeds them
    try:
        journal = _become(request, connection, worker)
        journal.tell_process()
        code = _run(journal, request.blocked)
    finally:
        os._exit(code)


def _become(request: Request, connection: socket.socket, worker: str) -> Journal:
    """Take over all that the call was given."""
    import fcntl

    signal.set_wakeup_fd(-1)
    os.setpgid(0, 0)
    above = max(_LEAST, *request.numbers, 0) + 1  # the numbers that the call knows of are all below
    kept, *moved = (fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, above) for file in (connection.fileno(), *request.files))
    message.close_others({kept, *moved})
    folder, *files = moved
    for number, file in zip(request.numbers, files, strict=True):
        os.dup2(file, number)
        os.close(file)
    os.fchdir(folder)
    os.close(folder)
    os.environ.clear()
    os.environ.update(request.environment)
    os.umask(request.umask)
    time.tzset()
    tempfile.tempdir = None
    sys.argv[:] = request.arguments
    _set_signals(request)
    journal = Journal(socket.socket(fileno=kept))
    _open_streams(request.numbers, journal)
    Worker.address = worker
    resumed.tell = journal.tell
    return journal


def _set_signals(request: Request) -> None:
    for one in signal.Signals:
        handler = signal.SIG_IGN if one.value in request.ignored else signal.SIG_DFL
        if one == signal.SIGINT and handler == signal.SIG_DFL:
            handler = signal.default_int_handler  # type: ignore[assignment]
        with suppress(OSError, ValueError):
            signal.signal(one, handler)


def _open_streams(numbers: list[int], journal: Journal) -> None:
    """Make the standard streams as Python makes them at its start; one that is closed is None."""
    encodings = {"stdin": ("utf-8", "strict"), "stdout": ("utf-8", "strict"), "stderr": ("utf-8", "backslashreplace")}
    for number, (name, (encoding, errors)) in enumerate(encodings.items()):
        before = getattr(sys, f"__{name}__")
        if before is not None:
            encoding, errors = before.encoding, before.errors
        stream = None
        if number in numbers:
            raw = io.FileIO(number, "w", closefd=False) if number else _Input(journal)
            is_line = number == 2 or raw.isatty()
            buffer: Any = io.BufferedWriter(raw) if number else io.BufferedReader(raw)
            stream = io.TextIOWrapper(buffer, encoding, errors, line_buffering=is_line)
            stream.mode = "w" if number else "r"  # type: ignore[misc]
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _run(journal: Journal, blocked: list[int]) -> int:
    """Run the command line and return its exit code, as the interpreter would; a signal ends this process."""
    run = import_module("gbvis.cli.app").run  # by its name: that module knows this one
    code = 0
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        code = run()
    except SystemExit as stopped:
        if stopped.code is not None and not isinstance(stopped.code, int):
            sys.stderr.write(f"{stopped.code}\n")
        code = stopped.code if isinstance(stopped.code, int) else int(stopped.code is not None)
    except KeyboardInterrupt:
        traceback.print_exc()
        sys.stderr.flush()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        traceback.print_exc()
        code = 1
    ending = {signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)  # all is done
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.main_thread():
            thread.join()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    journal.tell(exit=code & 0xFF)
    return code & 0xFF
