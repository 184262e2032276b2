"""Estimation: how the motion of a video is estimated, and on what."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.videos.clip import ClipFormat, resize_and_crop
from gbvis.videos.motion import BOUND, Grey, Motion, encode_motion, make_grey
from gbvis.videos.two_stream import SHORTER_SIDE, scale_frame, scaled_size
from gbvis.videos.video import Frame, VideoShape

ESTIMATION_VERSION = 1
"""Raised when our own part of estimating changes results; apart from the gradients', so that these cost no pair."""


@dataclass(frozen=True)
class FlowRecipe:
    """All that decides the motion between two frames of a video.

    Networks that take 8-bit flow get what the two-stream data sets have: frames scaled to 256 on the shorter side, in
    grey, motion cut off at 20 pixels. Networks that take motion in pixels get that of the very square they see, as VMZ
    does it (caffe2/video/video_io.cc, `ClipTransformOpticalFlow`).

    Attributes:
        algorithm: Its name.
        settings: The algorithm's, as plain data.
        crop: The network's format, if that takes motion in pixels; None for 8 bit.
    """

    algorithm: str
    settings: Mapping[str, Any]
    crop: ClipFormat | None = None

    @property
    def dtype(self) -> str:
        """Of what is kept of a pair: `uint8`, or `float32` for motion in pixels."""
        return "uint8" if self.crop is None else "float32"

    def frame_size(self, shape: VideoShape) -> tuple[int, int]:
        """Return the height and width of the flow frames of a video like that."""
        return scaled_size(shape.height, shape.width) if self.crop is None else (self.crop.crop, self.crop.crop)

    def prepare(self, frame: Frame) -> Grey:
        """Return an RGB frame, uint8 (H, W, 3), as its motion is estimated on it."""
        return make_grey(scale_frame(frame) if self.crop is None else resize_and_crop(frame, self.crop))

    def encode(self, motion: Motion) -> NDArray[Any]:
        """Return motion in pixels as it is kept: 8 bit, or as it is."""
        return encode_motion(motion) if self.crop is None else motion.astype(np.float32, copy=False)

    def to_json(self) -> dict[str, Any]:
        """Return the estimation as plain data, for digests and for people."""
        kept: dict[str, Any] = {"shorter_side": SHORTER_SIDE, "bound": BOUND}
        if self.crop is not None:
            kept = {name: value for name, value in self.crop.geometry.items() if name != "interpolation"}
        return {"algorithm": self.algorithm, "settings": dict(self.settings), "version": ESTIMATION_VERSION, **kept}
