"""Resizing: a frame to the size and the crop that a network sees, pixel for pixel as OpenCV does it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.videos.motion import Motion
from gbvis.videos.video import Frame


@dataclass(frozen=True)
class _Taps:
    """Between which two places of the source each place of the crop lies.

    Attributes:
        first: int64 (crop,).
        second: int64 (crop,), the next place, or the same at the source's end.
        fraction: float32 (crop,), how far it is to the second, 0-1.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    fraction: NDArray[np.float32]

    @classmethod
    def of(cls, source: int, target: int, start: int, count: int) -> "_Taps":
        """Return the taps for `count` of the `target` places that `source` places are resized to, from `start` on."""
        position = ((np.arange(start, start + count) + 0.5) * (source / target) - 0.5).astype(np.float32)
        first = np.floor(position).astype(np.int64)
        fraction = position - first.astype(np.float32)
        fraction[(first < 0) | (first >= source - 1)] = 0
        first = np.clip(first, 0, source - 1)
        return cls(first, np.minimum(first + 1, source - 1), fraction)

    @property
    def weights(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The weights of the two places in units of 1/2048, as OpenCV has them for 8 bit: int32 (crop,)."""
        first = np.rint((np.float32(1) - self.fraction) * np.float32(2048)).astype(np.int32)
        return first, np.rint(self.fraction * np.float32(2048)).astype(np.int32)


def resize_and_crop(frame: Frame | Motion, size: tuple[int, int], square: tuple[int, int, int]) -> NDArray[Any]:
    """Return the resized frame's crop: (side, side, channels), uint8, or float32 for motion, which shrinks with it.

    Bilinear without antialiasing; only the pixels inside the crop are computed.

    Args:
        frame: (H, W, channels), uint8; or float32, motion in pixels of this frame.
        size: Rows and columns to resize to.
        square: First row, first column and side of the crop in the resized frame.
    """
    (height, width), (top, left, side) = size, square
    rows = _Taps.of(frame.shape[0], height, top, side)
    columns = _Taps.of(frame.shape[1], width, left, side)
    if frame.dtype == np.uint8:
        return _blend_bytes(frame, rows, columns)
    scale = np.array([width / frame.shape[1], height / frame.shape[0]], np.float32)
    return _blend_reals(frame, rows, columns) * scale


def _blend_bytes(frame: NDArray[Any], rows: _Taps, columns: _Taps) -> NDArray[np.uint8]:
    """Bit for bit OpenCV's `resize(..., INTER_LINEAR)` on 8-bit pixels; Pillow's BILINEAR is another filter.

    modules/imgproc/src/resize.cpp: weights in 11 bits, `VResizeLinear` for uchar.
    """
    upper, lower = (weight[:, None, None] for weight in rows.weights)
    left, right = (weight[:, None] for weight in columns.weights)

    def between_columns(lines: NDArray[np.uint8]) -> NDArray[np.int32]:
        wide = lines.astype(np.int32)
        return (wide[:, columns.first] * left + wide[:, columns.second] * right) >> 4

    above = (between_columns(frame[rows.first]) * upper) >> 16
    below = (between_columns(frame[rows.second]) * lower) >> 16
    return ((above + below + 2) >> 2).astype(np.uint8)


def _blend_reals(frame: NDArray[Any], rows: _Taps, columns: _Taps) -> NDArray[np.float32]:
    """The same on float32, where nothing is rounded."""
    right, down = columns.fraction[:, None], rows.fraction[:, None, None]
    above, below = frame[rows.first], frame[rows.second]
    lines: NDArray[np.float32] = above + down * (below - above)
    blended: NDArray[np.float32] = lines[:, columns.first] + right * (
        lines[:, columns.second] - lines[:, columns.first]
    )
    return blended
