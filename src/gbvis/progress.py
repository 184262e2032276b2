"""How a step reports its progress, and how it reports a video that failed."""

from dataclasses import dataclass
from typing import Any

from gbvis.errors import GbvisError

FAILURE_COLUMNS = ("path", "label")
"""The headings of a list of failures, which is read as a list of videos."""


class Progress:
    """Is told what a step is doing, from any of its threads. This class ignores it; override what you need."""

    def expect_videos(self, count: int) -> None:
        """This many videos are to be done, each stream counted."""

    def finish_video(self) -> None:
        """One video is done, or has failed."""

    def expect(self, count: int, what: str) -> None:
        """This many clips, gradients, pairs of frames or groups of `what` are to be done."""

    def advance(self, what: str) -> None:
        """One of them is done."""

    def check(self) -> None:
        """Raise `CancelledError` if the work is no longer wanted."""

    def say(self, line: str) -> None:
        """Tell a detail, for `--verbose`."""

    def note(self, line: str, once: str) -> None:
        """Tell what is good to know, such as how long something will take; of notes with one `once`, the first."""

    def warn(self, line: str) -> None:
        """Tell a warning; the work goes on."""


class StoppableProgress(Progress):
    """Passes everything on to another progress, and stops whoever reports to it once the work is no longer wanted."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._is_stopped = False

    def stop(self) -> None:
        """Stop the work at its next step."""
        self._is_stopped = True

    def check(self) -> None:
        """Go on, unless `stop` has been called."""
        if self._is_stopped:
            from concurrent.futures import CancelledError  # here: it brings logging, and `--help` would wait for that

            raise CancelledError

    def expect(self, count: int, what: str) -> None:
        """Pass it on."""
        self.check()
        self._progress.expect(count, what)

    def advance(self, what: str) -> None:
        """Pass it on."""
        self.check()
        self._progress.advance(what)

    def say(self, line: str) -> None:
        """Pass it on."""
        self._progress.say(line)

    def note(self, line: str, once: str) -> None:
        """Pass it on."""
        self._progress.note(line, once)

    def warn(self, line: str) -> None:
        """Pass it on."""
        self._progress.warn(line)


@dataclass(frozen=True)
class Failure:
    """A video that could not be done; the others are done.

    Attributes:
        video: As it was given.
        problem: What was found.
        hint: What to do next.
        label: The class that a list gives for it, as a list has it; None for none.
    """

    video: str
    problem: str
    hint: str
    label: str | None = None

    @classmethod
    def of(cls, video: str, error: GbvisError, label: str | None = None) -> "Failure":
        """Return the failure of `video`; an error of the whole call is raised again instead."""
        if error.ends_call:
            raise error
        return cls(video, error.problem, error.hint, label)

    def to_json(self) -> dict[str, Any]:
        """Return the failure as a line of `--json`."""
        return {"video": self.video, "error": self.problem, "hint": self.hint}
