"""The pipe between a call and a worker process that it has started: plain Python objects, both ways.

Both ends are ours: what is read here was written by this release of gbvis, started by the same call.
"""

import pickle
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from gbvis.errors import UsageError
from gbvis.steps.engines.devices import Slot
from gbvis.steps.engines.engine import Work

READY, FOUND, DONE, FAILED, LOST = "ready", "found", "done", "failed", "lost"
"""What a worker tells, beside the names of what `Progress` is told: it is open; a result; a video is done; an error
that all other videos would meet; and, told by this end, that the worker has ended."""


@dataclass(frozen=True)
class Start:
    """The first thing that a worker is given.

    Attributes:
        work: What it does.
        slot: Where.
    """

    work: Work[Any]
    slot: Slot


class Lost(Exception):
    """The other side has ended."""


class Pipe:
    """One end."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._lock = threading.Lock()

    def send(self, what: Any) -> None:
        """Send something; nothing happens where the other side has ended: who receives is told.

        Raises:
            UsageError: It cannot be sent.
        """
        try:
            data = pickle.dumps(what)
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            problem = f"{type(what).__name__} cannot be sent to another process: {error}"
            raise UsageError(problem, "leave --devices out, or define its class in a module") from error
        with self._lock, suppress(OSError, ValueError):
            self._outgoing.write(data)
            self._outgoing.flush()

    def receive(self) -> Any:
        """Return the next thing that was sent.

        Raises:
            Lost: The other side has ended, perhaps in the middle of it.
        """
        try:
            return pickle.load(self._incoming)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
            self._incoming.close()
            raise Lost from error

    def close(self) -> None:
        """Tell the other side that there is nothing more."""
        with suppress(OSError, ValueError):
            self._outgoing.close()
