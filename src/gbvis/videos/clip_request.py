"""ClipRequest: which clips of a video are meant, and which frames these are."""

import math
import re
from dataclasses import dataclass, replace
from typing import Literal

from gbvis.errors import UsageError, VideoError
from gbvis.videos.clip import ClipFormat
from gbvis.videos.video import VideoShape


@dataclass(frozen=True)
class ClipRequest:
    """Which clips of a video are meant.

    Attributes:
        frames: Frames per clip; None leaves it to the network.
        count: How many clips, spread evenly over the video; or `all`, which covers it.
        start: The first clip's first frame, a number from 0; None leaves it to `count`.
        start_seconds: The same in seconds; at most one of the two is given.
        stride: 2 takes every second frame, and so on.
    """

    frames: int | None = None
    count: int | Literal["all"] = 1
    start: int | None = None
    start_seconds: float | None = None
    stride: int = 1

    def __post_init__(self) -> None:
        assert (self.frames is None or self.frames > 0) and self.stride > 0
        assert self.count == "all" or self.count > 0

    def completed(self, clip_format: ClipFormat) -> "ClipRequest":
        """Return the request with the network's own number of frames where none was given."""
        return replace(self, frames=self.frames or clip_format.frames)

    @property
    def span(self) -> int:
        """The number of source frames from a clip's first to its last."""
        assert self.frames is not None
        return (self.frames - 1) * self.stride + 1

    def choose_frames(self, shape: VideoShape) -> list[list[int]]:
        """Return the frame numbers of each clip.

        One clip lies in the middle; K clips start at round(k (N - T) / (K - 1)); `all` goes in steps of a clip's
        length and its last clip ends with the video. A video shorter than a clip is repeated from its beginning.
        Where more clips are asked for than there are places to start, each place is taken once.

        Raises:
            GbvisError: The first clip starts outside the video.
        """
        steps = range(0, self.span, self.stride)
        return [[(start + step) % shape.frame_count for step in steps] for start in self._starts(shape)]

    def _starts(self, shape: VideoShape) -> list[int]:
        room = max(0, shape.frame_count - self.span)  # the last possible start
        first = self._first(shape, room)
        if self.count == "all":
            return list(dict.fromkeys([*range(first or 0, room, self.span), room]))
        if self.count == 1:
            return [room // 2 if first is None else first]
        first = first or 0
        count = min(self.count, room - first + 1)
        return [first + round(k * (room - first) / max(1, count - 1)) for k in range(count)]

    def _first(self, shape: VideoShape, room: int) -> int | None:
        first = self.start
        if self.start_seconds is not None:
            first = shape.number_at(self.start_seconds)
            if first is None:
                raise VideoError(
                    "--start is given in seconds, and nothing tells this video's frame rate",
                    "give it as a frame number, counted from 0",
                )
        if first is not None and not 0 <= first <= room:
            raise self._outside(shape, first, room)
        return first

    def _outside(self, shape: VideoShape, first: int, room: int) -> VideoError:
        """Return the error for a start from which no clip fits, in the unit in which it was asked for."""
        if shape.frame_count == 1:
            asked = f"frame {self.start}" if self.start_seconds is None else f"{self.start_seconds:g} s"
            return VideoError(f"the video has one frame, and no clip can start at {asked}", "leave out --start")
        clip = f"a clip over {self.span} frames" if self.span > 1 else "a clip of one frame"
        last, length = shape.second_of(room), shape.length
        if self.start_seconds is None or last is None or length is None:
            problem = f"{clip} cannot start at frame {first} of {shape.frame_count}"
            return VideoError(problem, f"choose a start from 0 to {room}")
        problem = f"{clip} cannot start at {self.start_seconds:g} s, the video is {_in_seconds(length)} s long"
        return VideoError(problem, f"choose a start from 0s to {_in_seconds(last)}s")


def _in_seconds(second: float) -> str:
    """Return a time as `--start` takes it, rounded down, so that it lies inside."""
    return f"{math.floor(second * 1000 + 1e-6) / 1000:.3f}".rstrip("0").rstrip(".")


def read_clip_request(frames: int | None, clips: str, start: str | None, stride: int) -> ClipRequest:
    """Return the clips that command line options mean.

    Args:
        frames: Frames per clip, or None for the network's own number.
        clips: A number, or `all`.
        start: A frame number from 0, or seconds with an `s` behind, or None.
        stride: Every how-manieth frame.

    Raises:
        UsageError: `clips` or `start` cannot be read.
    """
    if clips != "all" and not (re.fullmatch("[0-9]{1,9}", clips) and int(clips) > 0):
        raise UsageError(f"--clips {clips!r} is no number of clips", "give a number from 1, or all")
    count: int | Literal["all"] = "all" if clips == "all" else int(clips)
    match = re.fullmatch(r"(?P<frame>[0-9]{1,9})|(?P<seconds>[0-9]{1,9}(\.[0-9]*)?|\.[0-9]+)s", start or "0")
    if match is None:
        raise UsageError(
            f"--start {start!r} is no place in a video",
            "give a frame number counted from 0, such as 120, or seconds, such as 2.5s",
        )
    if start is None:
        return ClipRequest(frames, count, stride=stride)
    if match["seconds"]:
        return ClipRequest(frames, count, start_seconds=float(match["seconds"]), stride=stride)
    return ClipRequest(frames, count, start=int(match["frame"]), stride=stride)
