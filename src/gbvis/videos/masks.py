"""Masks: where the object of a video is, frame by frame, in line with the pixels that a network sees."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.errors import VideoError
from gbvis.videos.clip import ClipFormat
from gbvis.videos.resize import pick_and_crop
from gbvis.videos.synthetic import DRAWING_VERSION, draw_sample, read_sample_name
from gbvis.videos.video import SAMPLE_PREFIX, Video

FrameMask = NDArray[np.bool_]
"""bool (H, W), True on the object."""

ClipMask = NDArray[np.bool_]
"""bool (time, y, x), True on the object, in line with a clip's pixels."""

LEAST_MOTION = 1.0
"""Pixels of the video's own frames: what moves farther from a frame to the next one is a part of what moves."""

_LEANING = 0.02
"""How much the sides' ratio of a mask may differ from that of the frames: they are rounded to whole pixels."""


class Masks(ABC):
    """Where the object of a video is."""

    @property
    @abstractmethod
    def recipe(self) -> dict[str, Any]:
        """What decides the masks beside the video, as plain data."""

    @abstractmethod
    def cut(self, numbers: Sequence[int], clip_format: ClipFormat) -> ClipMask:
        """Return the masks of the frames `numbers` as the network sees these: bool (time, y, x).

        Masks go through the geometry of the frames; each pixel is as the nearest one of the mask.

        Raises:
            GbvisError: One is missing or cannot be read, or the object is in none of the frames.
        """


class FrameMasks(Masks):
    """Masks of whole frames, of the size of the frames or another one."""

    def __init__(self, video: Video) -> None:
        """Name the video, whose frames they are of; flow frame k goes by the mask of frame k."""
        self._video = video

    @abstractmethod
    def read(self, number: int) -> FrameMask:
        """Return the mask of frame `number`: bool (H, W).

        Raises:
            GbvisError: There is none, or it cannot be read.
        """

    def cut(self, numbers: Sequence[int], clip_format: ClipFormat) -> ClipMask:
        """Return the masks of the frames `numbers` as the network sees these: bool (time, y, x)."""
        masks = {}
        for number in sorted(set(numbers)):
            mask = self.read(number)
            self._check_sides(number, mask)
            masks[number] = pick_and_crop(mask, *clip_format.place(mask.shape[0], mask.shape[1]))
        return check_filled(np.stack([masks[number] for number in numbers]), numbers, self._video)

    def _check_sides(self, number: int, mask: FrameMask) -> None:
        shape = self._video.shape
        height, width = mask.shape
        if abs(height * shape.width - width * shape.height) > _LEANING * height * shape.width:
            raise VideoError(
                f"the mask of frame {number} of {self._video.name} has {width}x{height} pixels, and the frames have "
                f"{shape.width}x{shape.height}: another shape",
                "give masks of whole frames, scaled as these or not at all",
            )


def check_filled(mask: ClipMask, numbers: Sequence[int], video: Video) -> ClipMask:
    """Return a clip's mask; check that the object is anywhere in it.

    Raises:
        VideoError: It is not.
    """
    if not mask.any():
        raise VideoError(
            f"the object is nowhere in what the network sees of frames {min(numbers)} to {max(numbers)} of "
            f"{video.name}, as the masks say",
            "take other frames with --start, or other masks with --masks",
        )
    return mask


class Mover(FrameMasks):
    """The shape that moves in a sample."""

    def __init__(self, video: Video) -> None:
        """Name a stream of the sample.

        Raises:
            VideoError: It is none.
        """
        super().__init__(video)
        if not is_sample(video):
            raise VideoError(
                f"--masks mover is for samples, and {video.location} is none",
                "give --masks motion, a folder of masks, or a file of boxes",
            )

    @property
    def recipe(self) -> dict[str, Any]:
        """Which drawing."""
        return {"kind": "mover", "drawing": DRAWING_VERSION}

    @cached_property
    def _mover(self) -> NDArray[np.bool_]:
        return draw_sample(*read_sample_name(self._video.location.removeprefix(SAMPLE_PREFIX))).mover

    def read(self, number: int) -> FrameMask:
        """Return where the shape is in frame `number`: bool (H, W)."""
        mask: FrameMask = self._mover[number]
        return mask


def is_sample(video: Video) -> bool:
    """Return whether a stream is that of a sample."""
    return video.location.startswith(SAMPLE_PREFIX)


class MovingRegion(Masks):
    """What moves: where flow is faster than `LEAST_MOTION`. With a moving camera that is nearly everything."""

    def __init__(self, flow: Video) -> None:
        """Name the flow: its frame k is the motion from frame k to frame k + 1; the last frame goes by that before."""
        self._flow = flow

    @property
    def recipe(self) -> dict[str, Any]:
        """Which flow, and what counts as motion."""
        about = {"content": self._flow.motion_fingerprint, "recipe": self._flow.flow_recipe}
        return {"kind": "motion", "least": LEAST_MOTION, "flow": about}

    def cut(self, numbers: Sequence[int], clip_format: ClipFormat) -> ClipMask:
        """Return what moves in the frames `numbers` as the network sees these: bool (time, y, x)."""
        last = self._flow.shape.frame_count - 1
        pairs = [min(number, last) for number in numbers]
        self._flow.prepare(set(pairs))
        moving = {pair: self._find_moving(pair, clip_format) for pair in sorted(set(pairs))}
        return check_filled(np.stack([moving[pair] for pair in pairs]), numbers, self._flow)

    def _find_moving(self, number: int, clip_format: ClipFormat) -> FrameMask:
        """Return what moves in what the network sees of a frame: bool (y, x)."""
        motion, shape = self._flow.read_motion(number), self._flow.shape
        if self._flow.is_cropped:  # in pixels of the resized frame
            (rows, columns), _ = clip_format.place(shape.height, shape.width)
            return _is_fast(motion * np.array([shape.width / columns, shape.height / rows], np.float32))
        return pick_and_crop(_is_fast(motion), *clip_format.place(motion.shape[0], motion.shape[1]))


def _is_fast(motion: NDArray[np.float32]) -> FrameMask:
    fast: FrameMask = np.hypot(motion[..., 0], motion[..., 1]) > LEAST_MOTION
    return fast
