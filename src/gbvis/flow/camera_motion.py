"""Remedies for a moving camera: a flow stream without the motion that a whole frame or a whole clip shares."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.videos.motion import Motion, decode_motion, encode_motion
from gbvis.videos.video import Frame, Video, VideoShape

REMEDIES = ("mean-subtract", "meansub")
"""Each frame's mean motion taken away; and the old script's remedy, `stretch_over_time`."""


class CompensatedFlow(Video):
    """Another flow stream, with a remedy applied."""

    def __init__(self, video: Video, remedy: str) -> None:
        super().__init__(video.name, video.location, video.modality)
        self.is_cropped = video.is_cropped
        self._video, self._remedy = video, remedy

    @property
    def fingerprint(self) -> str:
        """The other's."""
        return self._video.fingerprint

    @property
    def motion_fingerprint(self) -> str:
        """The other's."""
        return self._video.motion_fingerprint

    @property
    def notices(self) -> tuple[str, ...]:
        """The other's."""
        return self._video.notices

    @property
    def flow_recipe(self) -> dict[str, Any]:
        """The other's, and the remedy."""
        return {**self._video.flow_recipe, "camera_motion": self._remedy}

    @property
    def shape(self) -> VideoShape:
        """The other's."""
        return self._video.shape

    def prepare(self, numbers: Collection[int]) -> None:
        """Prepare the other."""
        self._video.prepare(numbers)

    def mend(self, numbers: Collection[int]) -> None:
        """Mend the other."""
        self._video.mend(numbers)

    def read(self, number: int) -> Frame:
        """Return frame `number`: uint8 (height, width, 2)."""
        if self._remedy == "meansub":
            return self._video.read(number)
        return encode_motion(subtract_mean(decode_motion(self._video.read(number))))

    def read_motion(self, number: int) -> Motion:
        """Return flow frame `number` in pixels: float32 (height, width, 2)."""
        motion = self._video.read_motion(number)
        return subtract_mean(motion) if self._remedy == "mean-subtract" else motion

    def finish_clip(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return the clip as the other gives it, stretched where that is the remedy."""
        pixels = self._video.finish_clip(pixels)
        return stretch_over_time(pixels) if self._remedy == "meansub" else pixels


def stretch_over_time(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a clip of 8-bit flow, uint8 (T, H, W, 2), as the old script's `-meansub` changes it.

    Each place loses its mean over time, then the clip's values are stretched, channel by channel, so that they reach
    from 0 to 255 (`flow_mean_sub` there, which keeps fractions of a level; here they are rounded). Where nothing
    changes over time the old script divides by zero; here it is rest.
    """
    values = pixels.astype(np.float32)
    values -= values.mean(0, keepdims=True)
    values -= values.min((0, 1, 2))
    highest = values.max((0, 1, 2))
    stretched = np.where(highest > 0, values * (255 / np.where(highest > 0, highest, 1)), 128)
    return np.rint(stretched).astype(np.uint8)


def subtract_mean(motion: Motion) -> Motion:
    """Return a frame's motion, float32 (H, W, 2), less its mean over the frame, channel by channel.

    The usual remedy for a camera that moves (Simonyan & Zisserman 2014, part 3.1, "mean flow subtraction").
    """
    steady: Motion = motion - motion.mean((0, 1), dtype=np.float64).astype(np.float32)
    return steady
