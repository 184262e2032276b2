"""Worker processes of this machine, one for each slot; each is given one video after another."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Any

from gbvis.progress import Failure, Progress
from gbvis.steps.engines.devices import Slot, read_devices
from gbvis.steps.engines.engine import Engine, Result, Work
from gbvis.steps.engines.pipe import DONE, FAILED, FOUND, LOST, READY, Lost, Pipe, Start
from gbvis.steps.engines.sharing import Seat, Sharing
from gbvis.steps.video_names import NamedEntry

_MAIN = "gbvis.steps.engines.worker_process"

_PATIENCE = 3.0
"""Seconds that workers have to end by themselves."""

_SIGNALS = {getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")} - {None}
"""Signals that a terminal or a scheduler sends to all processes of a call. Workers leave them to the call."""

Inbox = SimpleQueue[tuple["WorkerProcess", tuple[str, tuple[Any, ...]]]]
"""What workers tell: which, and the name and the arguments of what it tells."""


class WorkerProcess:
    """One process.

    Attributes:
        has_begun: True once it has opened its work.
        how_lost: How it ended, in words; known once it has.
    """

    def __init__(self, start: Start, inbox: Inbox) -> None:
        self.has_begun, self.how_lost = False, ""
        self._inbox = inbox
        command = f"import sys; sys.path[:] = {sys.path!r}; from {_MAIN} import main; main()"
        threads = str(start.slot.threads)
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        with _signals_held_back():
            self._process = subprocess.Popen(
                [sys.executable, "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
            )
        assert self._process.stdin and self._process.stdout
        self._pipe = Pipe(self._process.stdout, self._process.stdin)  # type: ignore[arg-type]
        self._pipe.send(start)
        self._receiving = threading.Thread(target=self._receive, daemon=True)
        self._receiving.start()

    def _receive(self) -> None:
        with suppress(Lost):
            while True:
                self._inbox.put((self, self._pipe.receive()))
        self._pipe.close()
        self.how_lost = _describe_end(self._process.wait())
        self._inbox.put((self, (LOST, ())))

    def give(self, video: NamedEntry) -> None:
        """Give it a video."""
        self._pipe.send(video)

    def close(self) -> None:
        """Ask it to end."""
        self._pipe.close()

    def end(self, deadline: float) -> None:
        """Wait until it has ended; end it when its time is over."""
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._receiving.join()


class _Call(Sharing[WorkerProcess, Result]):
    """The videos of one call, shared among processes."""

    def __init__(
        self, slots: Sequence[Slot], work: Work[Result], videos: Sequence[NamedEntry], progress: Progress
    ) -> None:
        super().__init__(slots, work, videos, progress)
        self._inbox: Inbox = SimpleQueue()

    def _start(self, slot: Slot) -> WorkerProcess:
        return WorkerProcess(Start(self._work, slot), self._inbox)

    def _wait(self) -> Iterator[Result | Failure]:
        worker, (name, arguments) = self._inbox.get()
        for seat in self._seats:
            if seat.worker is worker:
                yield from self._heed(seat, worker, name, arguments)

    def _heed(
        self, seat: Seat[WorkerProcess, Result], worker: WorkerProcess, name: str, arguments: tuple[Any, ...]
    ) -> Iterator[Result | Failure]:
        """Do what a worker's message says."""
        if name == LOST:
            yield from self._replace(seat, worker.has_begun, worker.how_lost)
        elif name == FAILED:
            raise arguments[0]
        elif name == READY:
            worker.has_begun = True
        elif name == FOUND:
            seat.results.append(arguments[0])
        elif name == DONE:
            seat.deaths = 0
            yield from self._finish(seat)
        else:
            seat.finished += name == "finish_video"
            getattr(self._progress, name)(*arguments)

    def _end(self) -> None:
        workers = [seat.worker for seat in self._seats if seat.worker]
        for worker in workers:
            worker.close()
        deadline = time.monotonic() + _PATIENCE
        for worker in workers:
            worker.end(deadline)


class Processes(Engine):
    """Worker processes of this machine."""

    def __init__(self, devices: str | None) -> None:
        """Find the devices; `read_devices` says how they are named."""
        self._slots = read_devices("all" if devices is None else devices)

    def run(self, work: Work[Result], videos: Sequence[NamedEntry], progress: Progress) -> Iterator[Result | Failure]:
        """Yield the results, those of one video together, and failures of single videos; in the order they are done.

        Raises:
            GbvisError: What all other videos would meet too, or every worker was lost.
        """
        return _Call(self._slots, work, videos, progress).run()


def _describe_end(code: int) -> str:
    """Return in words how a process ended."""
    if code >= 0:
        return f"it ended with exit code {code}"
    with suppress(ValueError):
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it was ended by signal {-code}"


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """Start processes that signals of `_SIGNALS` do not reach: which a thread blocks, a child of it blocks too."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # type: ignore[arg-type]
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
