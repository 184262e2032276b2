"""Starts a front for a command or a shell, and stops one."""

import fcntl
import os
import shlex
import shutil
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from gbvis.cli.warm import VARIABLE, message
from gbvis.cli.warm.front import Front, listen
from gbvis.errors import UsageError
from gbvis.provenance import digest_of

_PREFIX = f"gbvis-warm-{digest_of({'host': socket.gethostname()})[:6]}-"
"""Of this machine alone: others may share the folder, and cannot be asked whether they live."""

_WAIT = 10.0
"""Seconds that a front may take to end."""


def run_command(command: list[str]) -> NoReturn:
    """Become a command under which every call is served; its front ends with it.

    Raises:
        UsageError: The command cannot be run.
    """
    address = _start(os.getpid(), None)
    os.environ[VARIABLE] = address
    sys.stdout.flush()
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, and the command would too
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        with suppress(OSError):
            stop(address)
        problem = f"cannot run {command[0]}: {error.strerror}"
        raise UsageError(problem, "give a command as you would type it, after --") from error


def start_for_shell(idle: float) -> str:
    """Start a front that ends when no call has come for `idle` seconds, and return what the shell has to run."""
    return _assign(_start(None, idle))


def stop_for_shell() -> str:
    """Stop the front of this shell, and return what the shell has to run.

    Raises:
        UsageError: There is none.
    """
    address = os.environ.get(VARIABLE)
    if not address:
        raise UsageError(f"no worker to stop: {VARIABLE} is not set", 'start one with eval "$(gbvis warm)"')
    with suppress(OSError):
        stop(address)
    return f"set -e {VARIABLE};" if _is_fish() else f"unset {VARIABLE};"


def stop(address: str) -> None:
    """Stop a front, and wait until it listens no more.

    Raises:
        OSError: There is none.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        message.send(connection, {"stop": True})
    end = time.monotonic() + _WAIT
    while Path(address).exists() and time.monotonic() < end:
        time.sleep(0.005)


def _assign(address: str) -> str:
    quoted = shlex.quote(address)
    return f"set -gx {VARIABLE} {quoted};" if _is_fish() else f"{VARIABLE}={quoted}; export {VARIABLE};"


def _is_fish() -> bool:
    return os.environ.get("SHELL", "").endswith("fish")


def _start(owner: int | None, idle: float | None) -> str:
    """Start a front, and return where it listens, which it does from now on; calls wait until it has loaded.

    Raises:
        UsageError: There is no room for it.
    """
    folder: Path | None = None
    try:
        _sweep()
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_place()))  # of this user's alone: 0700
        listener = listen(folder / "calls")
        ready, told = os.pipe()
        between = os.fork()
    except OSError as error:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
        problem = f"cannot start a worker: {error.strerror or error}"
        raise UsageError(problem, "look at TMPDIR, and at the limits of ulimit -a") from error
    if not between:
        _be_front(folder, listener, owner, idle, told)
    os.close(told)
    with suppress(ChildProcessError):  # where SIGCHLD is ignored
        os.waitpid(between, 0)
    os.read(ready, 1)  # the front knows its owner now
    os.close(ready)
    listener.close()
    return str(folder / "calls")


def _be_front(folder: Path, listener: socket.socket, owner: int | None, idle: float | None, told: int) -> NoReturn:
    """Become the front: of no terminal, with no other files open, nobody's child."""
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        listener = socket.socket(fileno=fcntl.fcntl(listener.detach(), fcntl.F_DUPFD_CLOEXEC, 3))
        told = fcntl.fcntl(told, fcntl.F_DUPFD_CLOEXEC, 3)  # where a standard stream was closed, they had its number
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1) if os.environ.get("GBVIS_DEBUG") else (0, 1, 2):
            os.dup2(nothing, number)
        message.close_others({0, 1, 2, listener.fileno(), told})
        os.chdir("/")
        front = Front(folder, listener, owner, idle)
        os.close(told)
        front.run()
    finally:
        os._exit(1)


def _place() -> str:
    """Return where sockets of this user may lie."""
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    return given if given and os.access(given, os.W_OK | os.X_OK) else tempfile.gettempdir()


def _sweep() -> None:
    """Remove the folders of fronts that were killed."""
    for folder in Path(_place()).glob(f"{_PREFIX}*"):
        with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            if folder.stat().st_uid == os.getuid():
                try:
                    connection.connect(str(folder / "calls"))
                except ConnectionRefusedError:
                    shutil.rmtree(folder, ignore_errors=True)
