"""Optical flow: motion in pixels, how the two-stream data set keeps it in 8 bit, and the library that estimates it."""

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.errors import GbvisError

BOUND = 20.0
"""The motion, in pixels a frame, that the ends of 8 bit stand for where nothing else tells: -20 is 0, 20 is 255."""

Motion = NDArray[np.float32]
"""float32 (..., 2), pixels a frame: u to the right, v downwards."""

Grey = NDArray[np.uint8]
"""uint8 (H, W), 0-255: a frame as motion is estimated on it."""


def encode_motion(motion: NDArray[np.floating[Any]], bound: float = BOUND) -> NDArray[np.uint8]:
    """Return motion in pixels as 8 bit: uint8 of the same shape, 255 (m + bound) / (2 bound), cut off at the ends."""
    levels: NDArray[np.uint8] = np.rint(np.clip(255 * (motion + bound) / (2 * bound), 0, 255)).astype(np.uint8)
    return levels


def decode_motion(levels: NDArray[np.uint8], low: float = -BOUND, high: float = BOUND) -> Motion:
    """Return the motion in pixels, float32 of the same shape, that 8 bit stands for; 0 is `low`, 255 is `high`."""
    return (np.float32(low) + levels.astype(np.float32) * np.float32((high - low) / 255)).astype(np.float32)


def load_opencv() -> Any:
    """Return OpenCV's module, which comes with the extra `gbvis[flow]` and is loaded only to estimate motion.

    Raises:
        GbvisError: It is not installed, or without its contributed modules, where TV-L1 is (exit code 2).
    """
    try:
        opencv = import_module("cv2")
        _ = opencv.optflow.DualTVL1OpticalFlow_create
    except (ImportError, AttributeError) as error:
        lacking = "OpenCV, which is not installed" if isinstance(error, ImportError) else "OpenCV's contributed modules"
        raise GbvisError(
            f"computing optical flow, and scaling frames as for it, needs {lacking}",
            "install gbvis with its extra, gbvis[flow], or `pip install opencv-contrib-python-headless`; else point "
            "with -d to a two-stream data set that holds the flow",
            exit_code=2,
        ) from error
    return opencv


def make_grey(frame: NDArray[np.uint8]) -> Grey:
    """Return an RGB frame, uint8 (H, W, 3), in grey, as OpenCV weighs the colours: .299, .587, .114.

    Raises:
        GbvisError: As `load_opencv`.
    """
    opencv = load_opencv()
    grey: Grey = opencv.cvtColor(frame, opencv.COLOR_RGB2GRAY)
    return grey


def subtract_mean(motion: Motion) -> Motion:
    """Return a frame's motion, float32 (H, W, 2), less its mean over the frame, channel by channel.

    The usual remedy for a camera that moves (Simonyan & Zisserman 2014, part 3.1, "mean flow subtraction").
    """
    steady: Motion = motion - motion.mean((0, 1), dtype=np.float64).astype(np.float32)
    return steady
