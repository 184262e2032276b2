"""Clip: the T frames a network sees at once, resized, cropped and normalised; and the way back."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.errors import GbvisError
from gbvis.videos.motion import Motion
from gbvis.videos.video import Frame, Video, VideoShape

ClipPixels = NDArray[np.uint8] | NDArray[np.float32]
"""What the network sees before normalisation, (time, y, x, channel): uint8, 0-255; or, for networks that take motion
in pixels, float32, pixels of the resized frame."""


LARGEST = 4096
"""Frames of a clip, or pixels of a side."""

LARGEST_NUMBER = 1e6
"""Of a format's scale, mean and std; the smallest that something is divided by is its inverse."""


@dataclass(frozen=True)
class ClipFormat:
    """How frames become a network's input; belongs to a checkpoint family.

    A frame is resized to `height` x `width`, then the `crop` x `crop` square at (`top`, `left`) is cut out, then
    every channel becomes (value / scale - mean) / std. The values are 8 bit, or motion in pixels.

    Attributes:
        frames: Frames per clip unless `--frames` says otherwise.
        height: Rows after resizing.
        width: Columns after resizing.
        crop: Side of the square that the network sees, pixels.
        top: First row of the square.
        left: First column of the square.
        scale: What values are divided by.
        mean: Per channel, in units of value / scale.
        std: Per channel, in the same units.
        is_motion: True where values are motion in pixels of the resized frame, False where they are 8 bit.
    """

    frames: int
    height: int
    width: int
    crop: int
    top: int
    left: int
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    is_motion: bool = False

    def __post_init__(self) -> None:
        """Check the numbers: a weights file may have brought them.

        Raises:
            ValueError: They are no format, or one that no machine can compute with.
        """
        sizes = (self.frames, self.height, self.width, self.crop)
        if not all(type(size) is int and 0 < size <= LARGEST for size in sizes):
            raise ValueError(f"sizes {sizes}, expected whole numbers from 1 to {LARGEST}")
        if not (0 <= self.top <= self.height - self.crop and 0 <= self.left <= self.width - self.crop):
            raise ValueError("the crop lies outside the resized frame")
        if len(self.mean) != len(self.std) or len(self.mean) not in (2, 3):
            raise ValueError("mean and std must have 3 numbers, for RGB, or 2, for flow")
        if not all(1 / LARGEST_NUMBER <= abs(number) <= LARGEST_NUMBER for number in (self.scale, *self.std)):
            raise ValueError("scale and std must be numbers that a pixel can be divided by")
        if not all(abs(number) <= LARGEST_NUMBER for number in self.mean):
            raise ValueError("mean must be numbers")
        if self.is_motion not in (False, True) or (self.is_motion and len(self.mean) != 2):
            raise ValueError("only flow is motion")

    @property
    def channels(self) -> int:
        """3 for RGB, 2 for the u and v of flow."""
        return len(self.mean)

    @property
    def dtype(self) -> str:
        """Of a clip's pixels."""
        return "float32" if self.is_motion else "uint8"

    @property
    def geometry(self) -> dict[str, Any]:
        """The part that decides the pixels of a clip, as opposed to their normalisation."""
        values = {"values": "motion in pixels of the resized frame"} if self.is_motion else {}
        return {
            "size": [self.height, self.width],
            "crop": [self.top, self.left, self.crop, self.crop],
            "interpolation": f"bilinear, as OpenCV's INTER_LINEAR on {'float' if self.is_motion else '8 bit'}",
            **values,
        }

    def source_box(self, shape: VideoShape) -> tuple[float, float, float, float]:
        """Return the cropped square in the source's own pixels: left, top, right, bottom."""
        x_scale, y_scale = shape.width / self.width, shape.height / self.height
        return (
            self.left * x_scale,
            self.top * y_scale,
            (self.left + self.crop) * x_scale,
            (self.top + self.crop) * y_scale,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the format as plain data, for `from_json`."""
        data = {**asdict(self), "mean": list(self.mean), "std": list(self.std)}
        return data if self.is_motion else {name: value for name, value in data.items() if name != "is_motion"}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "ClipFormat":
        """Return the format that `to_json` wrote.

        Raises:
            ValueError: As the constructor.
        """
        return cls(**{**data, "mean": tuple(data["mean"]), "std": tuple(data["std"])})


def fingerprint_for(video: Video, clip_format: ClipFormat) -> str:
    """Return the hash of what a network of this format sees of a video."""
    return video.motion_fingerprint if clip_format.is_motion else video.fingerprint


def cut_clip(video: Video, numbers: Sequence[int], clip_format: ClipFormat) -> ClipPixels:
    """Return the clip made of the video's frames `numbers`: (T, crop, crop, channels), uint8 or, for motion, float32.

    Each frame is resized as soon as it is read: the source's own size is held once, not T times.

    Raises:
        GbvisError: A frame cannot be read, has another size than the one before it, or motion that is no number.
    """
    cut: dict[int, NDArray[Any]] = {}
    size: tuple[int, ...] | None = None
    for number in sorted(set(numbers)):
        frame = video.read_motion(number) if clip_format.is_motion else video.read(number)
        if size not in (None, frame.shape[:2]):
            raise GbvisError(
                f"frame {number} of {video.location} is {frame.shape[1]}x{frame.shape[0]} pixels, the one before it "
                f"{size[1]}x{size[0]}",
                "all frames of a clip must have one size",
            )
        size = frame.shape[:2]
        cut[number] = frame if video.is_cropped else resize_and_crop(frame, clip_format)
        if clip_format.is_motion:
            _check_motion(cut[number], number, video)
    return video.finish_clip(np.stack([cut[number] for number in numbers]))


def _check_motion(motion: NDArray[Any], number: int, video: Video) -> None:
    if not np.isfinite(motion).all():
        row, column, channel = place = find_no_number(motion)
        raise GbvisError(
            f"{'uv'[channel]} of flow frame {number} of {video.location} is {motion[place]} in row {row}, column "
            f"{column} of what the network sees",
            "the flow is broken there: compute it anew, or take other frames with --start",
        )


def find_no_number(values: NDArray[Any]) -> tuple[int, ...]:
    """Return the first place, axis by axis, where an array holds NaN or infinity."""
    return tuple(int(at) for at in np.argwhere(~np.isfinite(values))[0])


def normalise(pixels: ClipPixels, clip_format: ClipFormat) -> NDArray[np.float32]:
    """Return the network's input: float32 (C, T, H, W)."""
    mean, std = np.array(clip_format.mean, np.float32), np.array(clip_format.std, np.float32)
    normalised = (pixels.astype(np.float32) / np.float32(clip_format.scale) - mean) / std
    return np.ascontiguousarray(np.moveaxis(normalised, -1, 0))


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


def resize_and_crop(frame: Frame | Motion, clip_format: ClipFormat) -> NDArray[Any]:
    """Return the resized frame's crop: (crop, crop, channels), uint8, or float32 for motion, which shrinks with it.

    Bilinear without antialiasing; only the pixels inside the crop are computed.

    Args:
        frame: (H, W, channels), uint8; or float32, motion in pixels of this frame.
        clip_format: The size to resize to, and the square to cut out.
    """
    height, width = frame.shape[:2]
    rows = _Taps.of(height, clip_format.height, clip_format.top, clip_format.crop)
    columns = _Taps.of(width, clip_format.width, clip_format.left, clip_format.crop)
    if frame.dtype == np.uint8:
        return _blend_bytes(frame, rows, columns)
    scale = np.array([clip_format.width / width, clip_format.height / height], np.float32)
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
