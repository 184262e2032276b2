"""Motion between frames: in pixels, and in 8 bit as two-stream data sets keep it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BOUND = 20.0
"""The motion, in pixels a frame, that the ends of 8 bit stand for where nothing else tells: -20 is 0, 20 is 255."""

REST = 1.01 * BOUND / 255
"""Slower motion, in pixels a frame, may be rest that went through 8 bit: rest lies in the middle of two levels."""

Motion = NDArray[np.float32]
"""float32 (..., 2), pixels a frame: u to the right, v downwards."""


def encode_motion(motion: NDArray[np.floating[Any]], bound: float = BOUND) -> NDArray[np.uint8]:
    """Return motion in pixels as 8 bit: uint8 of the same shape, 255 (m + bound) / (2 bound), cut off at the ends."""
    levels: NDArray[np.uint8] = np.rint(np.clip(255 * (motion + bound) / (2 * bound), 0, 255)).astype(np.uint8)
    return levels


def decode_motion(levels: NDArray[np.uint8], low: float = -BOUND, high: float = BOUND) -> Motion:
    """Return the motion in pixels, float32 of the same shape, that 8 bit stands for; 0 is `low`, 255 is `high`."""
    return (np.float32(low) + levels.astype(np.float32) * np.float32((high - low) / 255)).astype(np.float32)
