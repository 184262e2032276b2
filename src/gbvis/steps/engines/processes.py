"""Worker processes of this machine, one for each slot; each is given one video after another."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Any, Generic

from gbvis.errors import DeviceError
from gbvis.progress import Failure, Progress
from gbvis.steps.engines.devices import Slot, read_devices
from gbvis.steps.engines.engine import Engine, Result, Work
from gbvis.steps.engines.pipe import Lost, Pipe, Start
from gbvis.steps.video_names import NamedEntry

_MAIN = "gbvis.steps.engines.worker_process"

_DEATHS = 3
"""Workers that may be lost one after the other in one slot, none of which finished a video."""

_PATIENCE = 3.0
"""Seconds that workers have to end by themselves."""

_SIGNALS = {getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")} - {None}
"""Signals that a terminal or a scheduler sends to all processes of a call. Workers leave them to the call."""

Inbox = SimpleQueue[tuple["Worker", tuple[str, tuple[Any, ...]]]]
"""What workers tell: which, and the name and the arguments of what it tells."""


class Worker:
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
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        with suppress(Lost):
            while True:
                self._inbox.put((self, self._pipe.receive()))
        self.how_lost = _describe_end(self._process.wait())
        self._inbox.put((self, ("lose", ())))

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
            self._process.wait()


class _Seat(Generic[Result]):
    """A slot, whose worker is replaced when it is lost.

    Attributes:
        worker: None once it is given up.
        at_hand: The videos that the worker has; the first is being worked on.
        results: What it has found of the first.
        finished: How many streams of the first are done.
        deaths: Workers that were lost since a video was finished here.
    """

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.worker: Worker | None = None
        self.at_hand: deque[NamedEntry] = deque()
        self.results: list[Result | Failure] = []
        self.finished = self.deaths = 0


class _Call(Generic[Result]):
    """The videos of one call, shared out."""

    def __init__(
        self, slots: Sequence[Slot], work: Work[Result], videos: Sequence[NamedEntry], progress: Progress
    ) -> None:
        self._work, self._progress = work, progress
        self._waiting = deque(videos)
        self._suspects: list[NamedEntry] = []  # a worker was lost that had them: each is given alone
        self._inbox: Inbox = SimpleQueue()
        self._seats: list[_Seat[Result]] = [_Seat(slot) for slot in slots[: len(videos)]]

    def run(self) -> Iterator[Result | Failure]:
        try:
            for seat in self._seats:
                self._start(seat)
            self._share_out()
            while any(seat.at_hand for seat in self._seats):
                worker, (name, arguments) = self._inbox.get()
                for seat in self._seats:
                    if seat.worker is worker:
                        yield from self._heed(seat, name, arguments)
                self._share_out()
            self._check_all_done()
        finally:
            self._end()

    def _start(self, seat: _Seat[Result]) -> None:
        seat.worker = Worker(Start(self._work, seat.slot), self._inbox)

    def _share_out(self) -> None:
        """Give every worker a video, and one ahead while there are enough for all."""
        seats = [seat for seat in self._seats if seat.worker]
        for count in (1, 2):
            for seat in seats:
                is_enough = count == 1 or len(self._waiting) >= len(seats)
                if self._waiting and len(seat.at_hand) < count and is_enough and not self._is_alone(seat, count):
                    video = self._waiting.popleft()
                    seat.at_hand.append(video)
                    assert seat.worker
                    seat.worker.give(video)

    def _is_alone(self, seat: _Seat[Result], count: int) -> bool:
        """Return whether a video must not be given beside another: should the worker be lost, one is to blame."""
        return count > 1 and any(video in self._suspects for video in (*seat.at_hand, self._waiting[0]))

    def _heed(self, seat: _Seat[Result], name: str, arguments: tuple[Any, ...]) -> Iterator[Result | Failure]:
        """Do what a worker's message says."""
        if name == "lose":
            yield from self._replace(seat)
        elif name == "fail":
            raise arguments[0]
        elif name == "begin":
            assert seat.worker
            seat.worker.has_begun = True
        elif name == "keep":
            seat.results.append(arguments[0])
        elif name == "end_video":
            seat.deaths = 0
            yield from self._finish(seat)
        else:
            seat.finished += name == "finish_video"
            getattr(self._progress, name)(*arguments)

    def _finish(self, seat: _Seat[Result]) -> Iterator[Result | Failure]:
        """Yield what was found of the video that a worker had; it is done, or given up."""
        video, results = seat.at_hand.popleft(), seat.results
        seat.results, seat.finished = [], 0
        if video in self._suspects:
            self._suspects.remove(video)
        yield from results

    def _replace(self, seat: _Seat[Result]) -> Iterator[Result | Failure]:
        """Start another worker in place of one that was lost, and yield that its video failed."""
        worker = seat.worker
        assert worker
        if worker.has_begun and seat.at_hand:
            entry = seat.at_hand[0].entry
            problem = f"{entry.location}: the worker on {seat.slot.device} was lost while it had this video: "
            hint = "repeat the call; where memory ran out, with fewer workers"
            seat.results.append(Failure(entry.location, f"{problem}{worker.how_lost}", hint, entry.label))
            for _ in range(self._work.stream_count - seat.finished):
                self._progress.finish_video()
            yield from self._finish(seat)
        self._suspects += seat.at_hand
        self._waiting.extendleft(reversed(seat.at_hand))
        seat.at_hand.clear()
        seat.deaths += 1
        seat.worker = None
        if seat.deaths < _DEATHS:
            self._start(seat)
            return
        lost = f"{_DEATHS} workers on {seat.slot.device} were lost one after the other, and no video was finished"
        self._progress.warn(f"{lost} ({worker.how_lost}): no more is started there")

    def _check_all_done(self) -> None:
        if self._waiting:
            count = len(self._waiting)
            raise DeviceError(
                f"every worker was lost, and {count} {'video was' if count == 1 else 'videos were'} not begun",
                "look at the messages above, and at the memory; what was finished is kept, so repeat the call",
            )

    def _end(self) -> None:
        """Leave no process."""
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
        self._slots = read_devices(devices or "all")

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
