"""Video: something with numbered frames."""

import os
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.videos.motion import Motion, decode_motion

Frame = NDArray[np.uint8]
"""uint8 (height, width, channels), 0-255: RGB, or u and v of the flow encoded in 8 bit."""


LARGEST_FRAME = 1 << 26
"""Pixels, 8192x8192: twice what 8K has. What claims more is damaged, or meant to fill the memory."""


@dataclass(frozen=True)
class VideoShape:
    """What has to be known of a video before its frames are read.

    Attributes:
        frame_count: Number of frames, those of `modality`: a video has one flow frame fewer than RGB frames.
        rate: Frames per second, or None where nothing tells it.
        width: Pixels, upright; of estimated flow those of the frames it is estimated on.
        height: The same.
    """

    frame_count: int
    rate: float | None
    width: int
    height: int


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
    """One stream of a video; numbers its frames from 0.

    Attributes:
        name: The file's stem or the folder's name.
        location: The absolute path it is read from; `sample:NAME` for one that gbvis draws.
        modality: `rgb` or `flow`.
        is_cropped: True where `read_motion` returns the network's crop and not the whole frame.
    """

    is_cropped = False

    def __init__(self, name: str, location: str, modality: str) -> None:
        self.name = name
        self.location = location
        self.modality = modality

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """The SHA-256 of the video's content, hexadecimal; takes no decoding."""

    @property
    def motion_fingerprint(self) -> str:
        """The same of what `read_motion` depends on."""
        return self.fingerprint

    @property
    def flow_recipe(self) -> dict[str, Any]:
        """How the motion came about, where more was done than reading it: plain data, and part of a run's recipe."""
        return {}

    @property
    @abstractmethod
    def shape(self) -> VideoShape:
        """The video's frame count, rate and size.

        Raises:
            GbvisError: The video cannot be read, is cut short, or holds no frame.
        """

    def prepare(self, numbers: Collection[int]) -> None:  # noqa: B027
        """Make frames ready that are about to be read: what takes long is done for all of them at once.

        Raises:
            GbvisError: As `read`.
        """

    def mend(self, numbers: Collection[int]) -> None:  # noqa: B027
        """Make those of the frames anew that were made, and kept, and are damaged now."""

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
        """Return a clip cut from this video, (T, crop, crop, channels), as it is to be seen."""
        return pixels
