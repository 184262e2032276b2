"""How videos are shared among workers, with workers that do nothing: which is given what, and which are to blame."""

from collections.abc import Iterator, Sequence

import pytest

from gbvis.errors import DeviceError
from gbvis.progress import Failure, Progress
from gbvis.steps.engines.devices import Slot
from gbvis.steps.engines.engine import Session, Work
from gbvis.steps.engines.sharing import Seat, Sharing
from gbvis.steps.video_names import NamedEntry
from gbvis.videos.name_list import VideoEntry


class Nothing(Work[str]):
    """Work that nobody opens."""

    stream_count, folder = 2, ""

    def open(self, device: str, progress: Progress) -> Session[str]:
        raise AssertionError

    def detach(self, result: str) -> str:
        return result


class Idle:
    """A worker that remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def give(self, video: NamedEntry) -> None:
        self.given.append(video.entry.location)


class Scripted(Sharing[Idle, str]):
    """Workers that die of some videos, wherever these are in their hands, and do all others, in turns."""

    def __init__(self, count: int, videos: Sequence[str], deadly: str = "", before: int = 0) -> None:
        """Name the parts; so many workers are lost `before` one can begin."""
        self.finished, self.warnings = 0, list[str]()
        named = [NamedEntry(VideoEntry(name), "") for name in videos]
        super().__init__([Slot("cpu", 1)] * count, Nothing(), named, _Told(self))
        self.deadly, self.before, self.workers, self.ended = deadly, before, list[Idle](), False

    def _start(self, slot: Slot) -> Idle:
        self.workers.append(Idle())
        return self.workers[-1]

    def _wait(self) -> Iterator[str | Failure]:
        seat = next(seat for seat in self._seats if seat.at_hand)
        self._seats.append(self._seats.pop(self._seats.index(seat)))
        yield from self._work_on(seat)

    def _work_on(self, seat: Seat[Idle, str]) -> Iterator[str | Failure]:
        if self.before:
            self.before -= 1
            yield from self._replace(seat, False, "it ended")
        elif any(video.entry.location in self.deadly for video in seat.at_hand):
            yield from self._replace(seat, True, "it ended")
        else:
            seat.deaths = 0
            seat.results.append(seat.at_hand[0].entry.location)
            for _ in range(2):
                self._progress.finish_video()
            yield from self._finish(seat)

    def _end(self) -> None:
        self.ended = True


class _Told(Progress):
    def __init__(self, sharing: Scripted) -> None:
        self._sharing = sharing

    def finish_video(self) -> None:
        self._sharing.finished += 1

    def warn(self, line: str) -> None:
        self._sharing.warnings.append(line)


def split(results: Iterator[str | Failure]) -> tuple[str, str]:
    """Return which videos were done, and which failed."""
    done, failed = [], []
    for one in results:
        (failed if isinstance(one, Failure) else done).append(one.video if isinstance(one, Failure) else one)
    return "".join(sorted(done)), "".join(sorted(failed))


def test_every_video_is_done_once_and_one_is_given_ahead() -> None:
    sharing = Scripted(2, "abcdefgh")
    assert split(sharing.run()) == ("abcdefgh", "")
    assert sharing.finished == 16 and sharing.ended
    assert sorted("".join(name for worker in sharing.workers for name in worker.given)) == [*"abcdefgh"]


def test_no_more_workers_are_started_than_there_are_videos() -> None:
    sharing = Scripted(8, "ab")
    assert split(sharing.run()) == ("ab", "")
    assert len(sharing.workers) == 2


def test_the_last_videos_are_not_kept_in_the_hands_of_one_worker() -> None:
    sharing = Scripted(2, "abc")
    results = sharing.run()
    next(results)
    assert [len(worker.given) for worker in sharing.workers] == [1, 1], "c goes to who is free first"
    results.close()
    assert sharing.ended


@pytest.mark.parametrize("deadly", ["a", "d", "h"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_video_that_ends_workers_fails_and_at_most_one_beside_it(deadly: str, count: int) -> None:
    """The worker ends of the video that is prepared, too; who was worked on then fails, and none after it."""
    sharing = Scripted(count, "abcdefgh", deadly)
    done, failed = split(sharing.run())
    assert deadly in failed and len(failed) <= 2
    assert sorted(done + failed) == [*"abcdefgh"]
    assert sharing.finished == 16 and not sharing.warnings


def test_workers_that_are_lost_before_they_begin_cost_no_video() -> None:
    sharing = Scripted(2, "abcd", before=3)
    assert split(sharing.run()) == ("abcd", "")


def test_where_every_worker_is_lost_the_rest_is_not_begun() -> None:
    sharing = Scripted(2, "abcdefgh", "abcdefgh")
    results, failed = sharing.run(), []
    with pytest.raises(DeviceError, match="every worker was lost, and 2 videos were not begun"):
        failed += [one.video for one in results if isinstance(one, Failure)]
    assert len(sharing.warnings) == 2 and sharing.ended
