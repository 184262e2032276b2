"""Video: numbered frames, wherever they come from."""

import hashlib
import os
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.errors import VideoError
from gbvis.videos.motion import Motion, decode_motion

Frame = NDArray[np.uint8]
"""uint8 (height, width, channels), 0-255: RGB, or u and v of the flow encoded in 8 bit."""


READING_VERSION = 2
"""Raised whenever a file is read otherwise than before: other frames, another way up, other pixels. What was cut or
computed from the old ones is not taken for the new ones then."""


def reading_of(fingerprint: str) -> str:
    """Return the hash of what is read from content with this fingerprint, by this release."""
    return hashlib.sha256(f"reading {READING_VERSION} of {fingerprint}".encode()).hexdigest()


LARGEST_FRAME = 1 << 26
"""Pixels, 8192x8192: twice what 8K has. What claims more is damaged, or meant to fill the memory."""


@dataclass(frozen=True)
class VideoShape:
    """What is known of a video before its frames are read.

    Attributes:
        frame_count: Number of frames, those of `modality`: a video has one flow frame fewer than RGB frames.
        rate: Frames per second, or None where it is not known.
        width: Pixels of the first frame, upright; of estimated flow those of the frames it is estimated on.
        height: The same.
        seconds: Per frame when it is shown, counted from the first; None where the rate tells it.
    """

    frame_count: int
    rate: float | None
    width: int
    height: int
    seconds: tuple[float, ...] | None = None

    def second_of(self, number: int) -> float | None:
        """Return when frame `number` is shown, or None where nothing tells it."""
        if self.seconds:
            return self.seconds[number]
        return number / self.rate if self.rate else None

    @property
    def length(self) -> float | None:
        """How many seconds it lasts, if the last frame is shown as long as the one before; None where nothing tells."""
        if not self.seconds:
            return self.frame_count / self.rate if self.rate else None
        return self.seconds[-1] + (self.seconds[-1] - self.seconds[-2] if len(self.seconds) > 1 else 0)

    def number_at(self, second: float) -> int | None:
        """Return the frame that is shown nearest to a time, `frame_count` behind the last; None where nothing tells."""
        if not self.seconds:
            return round(second * self.rate) if self.rate else None
        last = self.seconds[-1]
        gap = last - self.seconds[-2] if len(self.seconds) > 1 else 0
        if second > last + gap / 2:
            return self.frame_count
        after = bisect_left(self.seconds, second, hi=len(self.seconds) - 1)
        is_before = after > 0 and second - self.seconds[after - 1] <= self.seconds[after] - second
        return after - 1 if is_before else after


VIDEO_SUFFIXES = (
    ".avi",
    ".mp4",
    ".mkv",
    ".webm",
    ".mov",
    ".m4v",
    ".mpg",
    ".mpeg",
    ".wmv",
    ".flv",
    ".ts",
    ".ogv",
    ".gif",
    ".3gp",
    ".asf",
    ".divx",
    ".f4v",
    ".m2ts",
    ".m2v",
    ".mts",
    ".mxf",
    ".ogg",
    ".qt",
    ".vob",
    ".y4m",
)


SAMPLE_PREFIX = "sample:"
"""What the location of a video begins with that gbvis draws."""


def video_name(location: str) -> str:
    """Return the name of the video at `location`: a file's stem, or the name of a folder or of nothing on disk."""
    if location.startswith(SAMPLE_PREFIX):
        return location.removeprefix(SAMPLE_PREFIX)
    path = Path(os.path.abspath(location))  # `..` has a name too  # noqa: PTH100
    # of these, `False` and no error where the name is too long to be on disk
    is_file = os.path.isfile(path) or (path.suffix.lower() in VIDEO_SUFFIXES and not os.path.isdir(path))  # noqa: PTH112, PTH113
    return path.stem if is_file else path.name


class Video(ABC):
    """One stream of a video. Frames are numbered from 0.

    Attributes:
        name: The file's stem or the folder's name.
        location: The absolute path it is read from; `sample:NAME` for one that gbvis draws, `memory:NAME` for an array.
        modality: `rgb` or `flow`.
        is_cropped: True where `read_motion` returns the network's crop and not the whole frame.
    """

    is_cropped = False

    def __init__(self, name: str, location: str, modality: str) -> None:
        self.name = name
        self.location = location
        self.modality = modality

    @staticmethod
    def from_frames(name: str, frames: NDArray[np.uint8], rate: float | None = None) -> "Video":
        """Return a video of frames in memory.

        Args:
            name: The video's name.
            frames: uint8 (T, H, W, 3), RGB, 0-255; or (T, H, W, 2), the u and v of flow in 8 bit.
            rate: Frames per second, where it is known.

        Raises:
            VideoError: The frames have another shape or type.
        """
        return VideoInMemory(name, frames, rate)

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """The SHA-256 of the video's content, hexadecimal; takes no decoding."""

    @property
    def motion_fingerprint(self) -> str:
        """The SHA-256 of everything that `read_motion` depends on."""
        return self.fingerprint

    @property
    def flow_recipe(self) -> dict[str, Any]:
        """How the flow was computed or changed, as plain data; empty where it was only read. Part of a run's recipe."""
        return {}

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user should know of how the video was read, a sentence each."""
        return ()

    @property
    @abstractmethod
    def shape(self) -> VideoShape:
        """The video's frame count, rate and size.

        Raises:
            GbvisError: The video cannot be read, is cut short, or holds no frame.
        """

    def prepare(self, numbers: Collection[int]) -> None:  # noqa: B027
        """Get frames ready that are about to be read, all at once where that is quicker.

        Raises:
            GbvisError: As `read`.
        """

    def mend(self, numbers: Collection[int]) -> None:  # noqa: B027
        """Compute again those frames that were computed and kept, and are damaged now."""

    @abstractmethod
    def read(self, number: int) -> Frame:
        """Return frame `number`: uint8 (height, width, 3 or 2), 0-255. Rising numbers are the quickest.

        Raises:
            GbvisError: It cannot be decoded.
        """

    def read_motion(self, number: int) -> Motion:
        """Return flow frame `number` in pixels: float32 (height, width, 2), u to the right and v downwards.

        8 bit stands for -20 to 20 pixels where the source does not know better.

        Raises:
            GbvisError: As `read`.
        """
        return decode_motion(self.read(number))

    def finish_clip(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return a clip that was cut from this video, (T, crop, crop, channels), with what is done to whole clips."""
        return pixels


class VideoInMemory(Video):
    """A video whose frames are an array; see `Video.from_frames`."""

    def __init__(self, name: str, frames: NDArray[np.uint8], rate: float | None) -> None:
        if frames.ndim != 4 or frames.shape[-1] not in (2, 3) or frames.dtype != np.uint8 or not frames.size:
            raise VideoError(
                f"the frames of {name} are {frames.dtype} {frames.shape}",
                "give uint8 (T, H, W, 3) for RGB, or (T, H, W, 2) for flow in 8 bit",
            )
        super().__init__(name, f"memory:{name}", "rgb" if frames.shape[-1] == 3 else "flow")
        self._frames, self._rate = frames, rate

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the frames and their shape."""
        return hashlib.sha256(repr(self._frames.shape).encode() + self._frames.tobytes()).hexdigest()

    @property
    def shape(self) -> VideoShape:
        """Frame count, rate and size."""
        return VideoShape(len(self._frames), self._rate, self._frames.shape[2], self._frames.shape[1])

    def read(self, number: int) -> Frame:
        """Return frame `number`: uint8 (height, width, 3 or 2)."""
        frame: Frame = self._frames[number]
        return frame
