"""How videos are shared among workers, whatever these are: who is given which, and what happens where one is lost."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from gbvis.errors import DeviceError
from gbvis.progress import Failure, Progress
from gbvis.steps.engines.devices import Slot
from gbvis.steps.engines.engine import Result, Work
from gbvis.steps.video_names import NamedEntry

_DEATHS = 3
"""Workers that may be lost one after the other in one slot, none of which finished a video."""


class Worker(Protocol):
    """What works on videos, one after the other."""

    def give(self, video: NamedEntry) -> None:
        """Give it a video."""


AnyWorker = TypeVar("AnyWorker", bound=Worker)


class Seat(Generic[AnyWorker, Result]):
    """A slot, whose worker is replaced when it is lost.

    Attributes:
        slot: Where the worker computes.
        worker: None once no other is started.
        at_hand: The videos that the worker has; the first is being worked on.
        results: What it has found of the first.
        finished: How many streams of the first are done.
        deaths: Workers that were lost since a video was finished here.
    """

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.worker: AnyWorker | None = None
        self.at_hand: deque[NamedEntry] = deque()
        self.results: list[Result | Failure] = []
        self.finished = self.deaths = 0


class Sharing(ABC, Generic[AnyWorker, Result]):
    """The videos of one call, shared among workers."""

    def __init__(
        self, slots: Sequence[Slot], work: Work[Result], videos: Sequence[NamedEntry], progress: Progress
    ) -> None:
        self._work, self._progress = work, progress
        self._waiting = deque(videos)
        self._suspects: list[NamedEntry] = []  # a worker was lost that had them: each is given alone
        self._seats: list[Seat[AnyWorker, Result]] = [Seat(slot) for slot in slots[: len(videos)]]

    def run(self) -> Iterator[Result | Failure]:
        """Yield the results, those of one video together, and failures; at the end no worker is left."""
        try:
            for seat in self._seats:
                seat.worker = self._start(seat.slot)
            self._share_out()
            while any(seat.at_hand for seat in self._seats):
                yield from self._wait()
                self._share_out()
            self._check_all_done()
        finally:
            self._end()

    @abstractmethod
    def _start(self, slot: Slot) -> AnyWorker:
        """Return a new worker."""

    @abstractmethod
    def _wait(self) -> Iterator[Result | Failure]:
        """Wait until a worker tells something, and yield the results that are complete by that."""

    @abstractmethod
    def _end(self) -> None:
        """Leave no worker."""

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

    def _is_alone(self, seat: Seat[AnyWorker, Result], count: int) -> bool:
        """Return whether a video must not be given beside another: should the worker be lost, one is to blame."""
        return count > 1 and any(video in self._suspects for video in (*seat.at_hand, self._waiting[0]))

    def _finish(self, seat: Seat[AnyWorker, Result]) -> Iterator[Result | Failure]:
        """Yield what was found of the video that a worker had; it is done, or has failed."""
        video, results = seat.at_hand.popleft(), seat.results
        seat.results, seat.finished = [], 0
        if video in self._suspects:
            self._suspects.remove(video)
        yield from results

    def _replace(self, seat: Seat[AnyWorker, Result], has_begun: bool, how: str) -> Iterator[Result | Failure]:
        """Start another worker in place of one that was lost, and yield the failure of the video that it had.

        Args:
            seat: Where.
            has_begun: False where it was lost before it could begin with any video.
            how: What is known of its end, in words.
        """
        device = seat.slot.device
        if has_begun and seat.at_hand:
            entry = seat.at_hand[0].entry
            problem = f"{entry.location}: the worker on {device} was lost while it had this video ({how})"
            hint = "repeat the call; where memory ran out, with fewer workers"
            seat.results.append(Failure(entry.location, problem, hint, entry.label))
            for _ in range(self._work.stream_count - seat.finished):
                self._progress.finish_video()
            yield from self._finish(seat)
        self._suspects += seat.at_hand
        self._waiting.extendleft(reversed(seat.at_hand))
        seat.at_hand.clear()
        seat.deaths += 1
        seat.worker = self._start(seat.slot) if seat.deaths < _DEATHS else None
        if seat.worker is None:
            lost = f"{_DEATHS} workers on {device} were lost one after the other, and none finished a video ({how})"
            self._progress.warn(f"{lost}: no other is started there")

    def _check_all_done(self) -> None:
        if self._waiting:
            count = len(self._waiting)
            raise DeviceError(
                f"every worker was lost, and {count} {'video was' if count == 1 else 'videos were'} not begun",
                "look at the messages above, and at the memory; what was finished is kept, so repeat the call",
            )
