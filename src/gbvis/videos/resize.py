"""Resizing: a frame to the size and the crop that a network sees, pixel for pixel as OpenCV or torch does it."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gbvis.videos.motion import Motion
from gbvis.videos.video import Frame

Interpolation = Literal["opencv", "torch"]
"""Whose arithmetic makes 8-bit pixels: OpenCV's fixed point cuts off, torch's float is rounded to the nearest level.
They differ by one level in a tenth of the pixels."""

INTERPOLATIONS: tuple[Interpolation, ...] = get_args(Interpolation)
"""All of them."""


@dataclass(frozen=True)
class _Taps:
    """Between which two places of the source each place of the crop lies.

    Attributes:
        first: int64 (crop,).
        second: int64 (crop,), the next place, or the same outside the source.
        fraction: float32 (crop,), how far it is to the second, 0-1.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    fraction: NDArray[np.float32]

    @classmethod
    def of(cls, source: int, target: int, start: int, count: int, are_columns: bool) -> "_Taps":
        """Return the taps for `count` of the `target` places that `source` places are resized to, from `start` on.

        Outside the source both places are its last one. For columns OpenCV forgets the fraction there, for rows it
        does not, and cuts off twice.
        """
        position = ((np.arange(start, start + count) + 0.5) * (source / target) - 0.5).astype(np.float32)
        first = np.floor(position).astype(np.int64)
        fraction = position - first.astype(np.float32)
        if are_columns:
            fraction[(first < 0) | (first >= source - 1)] = 0
        return cls(np.clip(first, 0, source - 1), np.clip(first + 1, 0, source - 1), fraction)

    @property
    def weights(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The weights of the two places in units of 1/2048, as OpenCV has them for 8 bit: int32 (crop,)."""
        first = np.rint((np.float32(1) - self.fraction) * np.float32(2048)).astype(np.int32)
        return first, np.rint(self.fraction * np.float32(2048)).astype(np.int32)


@dataclass(frozen=True)
class _TorchTaps:
    """The same as torch computes it, in float32; see `_blend_as_torch`.

    Attributes:
        first: int64 (crop,).
        second: int64 (crop,).
        near: float32 (crop,), the weight of the first.
        far: float32 (crop,), that of the second.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    near: NDArray[np.float32]
    far: NDArray[np.float32]

    @classmethod
    def of(cls, source: int, target: int, start: int, count: int) -> "_TorchTaps":
        """Return the taps, as `_Taps.of`; aten/src/ATen/native/UpSample.h, `area_pixel_compute_source_index`."""
        scale = np.float32(source) / np.float32(target)
        centre = np.arange(start, start + count, dtype=np.float32) + np.float32(0.5)
        position = np.maximum((centre * np.float64(scale) - 0.5).astype(np.float32), np.float32(0))
        first = np.minimum(position.astype(np.int64), source - 1)
        far = np.clip(position - first.astype(np.float32), np.float32(0), np.float32(1))
        return cls(first, np.minimum(first + 1, source - 1), np.float32(1) - far, far)


def resize_and_crop(
    frame: Frame | Motion,
    size: tuple[int, int],
    square: tuple[int, int, int],
    interpolation: Interpolation = "opencv",
) -> NDArray[Any]:
    """Return the resized frame's crop: (side, side, channels), uint8, or float32 for motion, which shrinks with it.

    Bilinear without antialiasing; only the pixels inside the crop are computed.

    Args:
        frame: (H, W, channels), uint8; or float32, motion in pixels of this frame.
        size: Rows and columns to resize to.
        square: First row, first column and side of the crop in the resized frame.
        interpolation: Whose arithmetic is meant where pixels are 8 bit.
    """
    (height, width), (top, left, side) = size, square
    if frame.dtype == np.uint8 and interpolation == "torch":
        rows_as_torch = _TorchTaps.of(frame.shape[0], height, top, side)
        return _blend_as_torch(frame, rows_as_torch, _TorchTaps.of(frame.shape[1], width, left, side))
    rows = _Taps.of(frame.shape[0], height, top, side, are_columns=False)
    columns = _Taps.of(frame.shape[1], width, left, side, are_columns=True)
    if frame.dtype == np.uint8:
        return _blend_bytes(frame, rows, columns)
    scale = np.array([width / frame.shape[1], height / frame.shape[0]], np.float32)
    return _blend_reals(frame, rows, columns) * scale


def pick_and_crop(mask: NDArray[np.bool_], size: tuple[int, int], square: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Return a mask as `resize_and_crop` has a frame, each pixel as the nearest one of the source: bool (side, side).

    Args:
        mask: bool (H, W).
        size: Rows and columns to resize to.
        square: First row, first column and side of the crop in the resized frame.
    """
    (height, width), (top, left, side) = size, square
    rows = ((np.arange(top, top + side) + 0.5) * (mask.shape[0] / height)).astype(np.int64)
    columns = ((np.arange(left, left + side) + 0.5) * (mask.shape[1] / width)).astype(np.int64)
    rows, columns = np.clip(rows, 0, mask.shape[0] - 1), np.clip(columns, 0, mask.shape[1] - 1)
    picked: NDArray[np.bool_] = mask[rows][:, columns]
    return picked


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


def _blend_as_torch(frame: NDArray[Any], rows: _TorchTaps, columns: _TorchTaps) -> NDArray[np.uint8]:
    """Bit for bit torch's `interpolate(mode="bilinear")` on float32, rounded to the nearest level as torchvision does.

    aten/src/ATen/native/cpu/UpSampleKernel.cpp, `Interpolate::eval`, as it is compiled for AVX2 and later, on two
    threads or more: the second product is rounded, the first is added to it by a fused multiply-add. One thread, and
    processors without fused multiply-add, round otherwise, which counts where a value lies within 1e-5 of half a
    level: `docs/notes/rounding.md`.
    """

    def blend(near: NDArray[Any], far: NDArray[Any], weights: _TorchTaps, axes: tuple[int, ...]) -> NDArray[np.float32]:
        product = far * np.expand_dims(weights.far, axes)  # float32
        # float64 holds the product of two float32 exactly
        exact = np.multiply(near, np.expand_dims(weights.near, axes), dtype=np.float64)
        blended: NDArray[np.float32] = np.add(exact, product, out=exact).astype(np.float32)
        return blended

    def between_columns(lines: NDArray[np.uint8]) -> NDArray[np.float32]:
        wide = lines.astype(np.float32)
        return blend(wide[:, columns.first], wide[:, columns.second], columns, (1,))

    above, below = between_columns(frame[rows.first]), between_columns(frame[rows.second])
    return np.rint(blend(above, below, rows, (1, 2))).astype(np.uint8)


def _blend_reals(frame: NDArray[Any], rows: _Taps, columns: _Taps) -> NDArray[np.float32]:
    """The same on float32, where nothing is rounded."""
    right, down = columns.fraction[:, None], rows.fraction[:, None, None]
    above, below = frame[rows.first], frame[rows.second]
    lines: NDArray[np.float32] = above + down * (below - above)
    blended: NDArray[np.float32] = lines[:, columns.first] + right * (
        lines[:, columns.second] - lines[:, columns.first]
    )
    return blended
