"""What a step tells while it runs, and how a video that failed is reported."""

from dataclasses import dataclass
from typing import Any

from gbvis.errors import GbvisError


class Watcher:
    """Told what a step is doing; this one keeps it to itself."""

    def expect_videos(self, count: int) -> None:
        """So many videos lie ahead, each stream counted."""

    def finish_video(self) -> None:
        """One of them is done, or has failed."""

    def expect(self, count: int, what: str) -> None:
        """So many clips or gradients of `what` lie ahead."""

    def advance(self) -> None:
        """One of them is done."""

    def say(self, line: str) -> None:
        """A detail for `--verbose`."""

    def warn(self, line: str) -> None:
        """Something the user should know, though the work goes on."""


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
        if error.exit_code != 1:
            raise error
        return cls(video, error.problem, error.hint)

    def to_json(self) -> dict[str, Any]:
        """Return the failure as a line of `--json`."""
        return {"video": self.video, "error": self.problem, "hint": self.hint}
