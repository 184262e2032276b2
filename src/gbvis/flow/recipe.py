"""FlowRecipe: how the motion of a video is estimated, on what, and in which form it is kept."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.flow import ALGORITHMS
from gbvis.flow.preprocess import SHORTER_SIDE, Grey, make_grey, scale_frame, scaled_size
from gbvis.videos.clip import ClipFormat
from gbvis.videos.motion import BOUND, Motion, encode_motion
from gbvis.videos.two_stream import JPEG_QUALITY
from gbvis.videos.video import Frame, VideoShape

FLOW_VERSION = 1
"""Raised when our own part of estimating changes results; apart from the gradients', so that these cost no pair."""


@dataclass(frozen=True)
class FlowRecipe:
    """Everything that decides the computed motion between two frames of a video.

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

    @classmethod
    def of(cls, algorithm: str, crop: ClipFormat | None = None) -> "FlowRecipe":
        """Return the recipe for an algorithm with its own settings.

        Raises:
            UsageError: There is no such algorithm.
        """
        return cls(algorithm, ALGORITHMS.load(algorithm).SETTINGS, crop)

    @property
    def dtype(self) -> str:
        """Of what is kept of a pair: `uint8`, or `float32` for motion in pixels."""
        return "uint8" if self.crop is None else "float32"

    def frame_size(self, shape: VideoShape) -> tuple[int, int]:
        """Return the height and width of the flow frames of a video of this shape."""
        return scaled_size(shape.height, shape.width) if self.crop is None else (self.crop.crop, self.crop.crop)

    def prepare(self, frame: Frame) -> Grey:
        """Return an RGB frame, uint8 (H, W, 3), as its motion is estimated on it."""
        return make_grey(scale_frame(frame) if self.crop is None else self.crop.resize_and_crop(frame))

    def encode(self, motion: Motion) -> NDArray[Any]:
        """Return motion in pixels as it is kept: 8 bit, or as it is."""
        return encode_motion(motion) if self.crop is None else motion.astype(np.float32, copy=False)

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as plain data, for digests and for people."""
        kept: dict[str, Any] = {"shorter_side": SHORTER_SIDE, "bound": BOUND}
        if self.crop is not None:
            kept = {name: value for name, value in self.crop.geometry.items() if name != "interpolation"}
        return {"algorithm": self.algorithm, "settings": dict(self.settings), "version": FLOW_VERSION, **kept}


def as_from_jpeg(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return 8-bit flow, uint8 (H, W, 2), as it comes back from the data set's JPEGs, one a channel."""
    import imageio.v3 as imageio

    def through(channel: NDArray[np.uint8]) -> NDArray[np.uint8]:
        file = imageio.imwrite("<bytes>", channel, extension=".jpg", quality=JPEG_QUALITY)
        return np.asarray(imageio.imread(io.BytesIO(file), plugin="pillow", mode="L"))

    return np.stack([through(levels[..., channel]) for channel in range(levels.shape[-1])], axis=-1)
