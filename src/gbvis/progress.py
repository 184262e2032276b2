"""What a step tells while it runs, and how a video that failed is reported."""

from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

from gbvis.errors import GbvisError


class Watcher:
    """Told what a step is doing, from any of its threads; this one keeps it to itself."""

    def expect_videos(self, count: int) -> None:
        """So many videos lie ahead, each stream counted."""

    def finish_video(self) -> None:
        """One of them is done, or has failed."""

    def expect(self, count: int, what: str) -> None:
        """So many clips or gradients of `what` lie ahead."""

    def advance(self, what: str) -> None:
        """One of those of `what` is done."""

    def check(self) -> None:
        """Go on, or raise `CancelledError` where the work is no longer wanted."""

    def say(self, line: str) -> None:
        """A detail for `--verbose`."""

    def warn(self, line: str) -> None:
        """Something the user should know, though the work goes on."""


class StoppableWatcher(Watcher):
    """Tells another watcher, until the work is no longer wanted: then whoever reports progress is stopped."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._is_stopped = False

    def stop(self) -> None:
        """Stop the work at its next step."""
        self._is_stopped = True

    def check(self) -> None:
        """Go on, unless `stop` has been called."""
        if self._is_stopped:
            raise CancelledError

    def expect(self, count: int, what: str) -> None:
        """Tell the other."""
        self.check()
        self._watcher.expect(count, what)

    def advance(self, what: str) -> None:
        """Tell the other."""
        self.check()
        self._watcher.advance(what)

    def say(self, line: str) -> None:
        """Tell the other."""
        self._watcher.say(line)

    def warn(self, line: str) -> None:
        """Tell the other."""
        self._watcher.warn(line)


@dataclass(frozen=True)
class Failure:
    """A video that could not be done; the others were.

    Attributes:
        video: As it was typed.
        problem: What was found.
        hint: What to do next.
    """

    video: str
    problem: str
    hint: str

    @classmethod
    def of(cls, video: str, error: GbvisError) -> "Failure":
        """Return the failure of `video`; an error of the whole call is raised again instead."""
        if error.ends_call:
            raise error
        return cls(video, error.problem, error.hint)

    def to_json(self) -> dict[str, Any]:
        """Return the failure as a line of `--json`."""
        return {"video": self.video, "error": self.problem, "hint": self.hint}
