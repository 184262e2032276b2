"""A call under `gbvis warm`: passed to the worker, with all that this process was given, and its signals after it.

Imported by every such call: nothing heavy here, and neither torch nor NumPy.
"""

import os
import signal
import socket
import sys
from types import FrameType
from typing import Any

from gbvis.cli.warm import VARIABLE, message
from gbvis.cli.warm.resumed import notes, printed
from gbvis.cli.warm.surroundings import describe_surroundings

_FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGALRM")

_HARMLESS = (signal.SIGCONT, signal.SIGWINCH)
"""Signals that end no process."""


def run_warm() -> None:
    """Have the worker run this call, and end as it ends; returns where the call has to run by itself."""
    address = os.environ.get(VARIABLE)
    if not address or sys.argv[1:2] == ["warm"]:
        return
    files: list[int] = []
    try:
        files = _list_open_files()
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(address)
        folder = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))
    except OSError as error:
        notes.append(f"no worker: {error.strerror}")
        return
    if len(files) >= message.MOST_FILES:
        notes.append("no worker: too many open files")
        return
    _Call(connection).run(files, folder)
    connection.close()


class _Call:
    """One call that the worker runs."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._child: int | None = None
        self._pid = 0
        self._has_read = False
        self._sent: set[int] = set()
        self._before: dict[int, Any] = {}

    def run(self, files: list[int], folder: int) -> None:
        """Run it; returns where that did not come to an end."""
        self._catch_signals()
        try:
            message.send(self._connection, self._request(files), [folder, *files])
            os.close(folder)
            while self._heed(*message.receive(self._connection)):
                pass
        except (OSError, ValueError):  # the other side ended, in the middle of a word perhaps
            pass
        if self._has_read:  # what it read from standard input is gone
            self._die_by(signal.SIGKILL)
        if not notes:
            notes.append("the worker is lost, and this process goes on")
        self._restore_signals()

    def _heed(self, answer: Any, received: list[int]) -> bool:
        """Do what an answer asks for, and return whether there may be another."""
        if answer is None:
            return False
        if "exit" in answer:
            os._exit(answer["exit"])
        if "refused" in answer:
            notes.append(f"no worker: {answer['refused']}")
            return False
        if "signal" in answer:
            if self._has_read or answer["signal"] in self._sent:
                self._die_by(answer["signal"])
            return False
        if "pid" in answer:
            self._pid, self._child = answer["pid"], received[0] if received else None
        if "printed" in answer:
            printed.add(answer["printed"])
        self._has_read |= "read" in answer
        return True

    def _request(self, files: list[int]) -> dict[str, Any]:
        umask = os.umask(0)
        os.umask(umask)
        return {
            "surroundings": describe_surroundings(),
            "arguments": sys.argv,
            "environment": dict(os.environ),
            "umask": umask,
            "numbers": files,
            "ignored": [one.value for one in signal.Signals if signal.getsignal(one) == signal.SIG_IGN],
            "blocked": [int(one) for one in signal.pthread_sigmask(signal.SIG_BLOCK, ())],
        }

    def _catch_signals(self) -> None:
        for name in (*_FORWARDED, "SIGTSTP", "SIGCONT"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._pass_on)

    def _restore_signals(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        """Pass a signal on to the child, and stop with it; before there is a child, do what the signal does.

        A child that is just being made ends with this process.
        """
        if number == signal.SIGTSTP:
            self._send(signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGSTOP)
        elif self._pid:
            self._send(number)
        elif number not in _HARMLESS:
            self._die_by(number)

    def _send(self, number: int) -> None:
        if not self._pid:
            return
        self._sent.add(number)
        try:
            if self._child is not None and hasattr(signal, "pidfd_send_signal"):
                signal.pidfd_send_signal(self._child, number)
            else:
                os.kill(self._pid, number)
        except OSError:  # it has just ended
            pass

    def _die_by(self, number: int) -> None:
        """End by a signal, as the call did."""
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
        os.kill(os.getpid(), number)


def _list_open_files() -> list[int]:
    """Return the numbers of the open files that this process was given: all that another program would be given too.

    Raises:
        OSError: The system does not list them.
    """
    found = []
    for number in message.list_files():
        try:
            if os.get_inheritable(number):
                found.append(number)
        except OSError:
            continue
    return sorted(found)
