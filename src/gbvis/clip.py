"""Clip: the T frames a network sees at once, sampled, resized, cropped and normalised; and the way back."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gbvis.errors import GbvisError
from gbvis.video import Video, VideoShape

ClipPixels = NDArray[np.uint8]
"""uint8 (time, y, x, channel), 0-255: what the network sees before normalisation."""


@dataclass(frozen=True)
class ClipFormat:
    """How frames become a network's input; belongs to a checkpoint family.

    A frame is resized to `height` x `width`, then the `crop` x `crop` square at (`top`, `left`) is cut out, then
    every channel becomes (value / scale - mean) / std.

    Attributes:
        frames: Frames per clip unless `--frames` says otherwise.
        height: Rows after resizing.
        width: Columns after resizing.
        crop: Side of the square that the network sees, pixels.
        top: First row of the square.
        left: First column of the square.
        scale: What 8-bit values are divided by.
        mean: Per channel, in units of value / scale.
        std: Per channel, in the same units.
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

    def __post_init__(self) -> None:
        assert len(self.mean) == len(self.std)
        assert 0 <= self.top <= self.height - self.crop and 0 <= self.left <= self.width - self.crop

    @property
    def channels(self) -> int:
        """3 for RGB, 2 for the u and v of flow."""
        return len(self.mean)

    @property
    def geometry(self) -> dict[str, Any]:
        """The part that decides the pixels of a clip, as opposed to their normalisation."""
        return {
            "size": [self.height, self.width],
            "crop": [self.top, self.left, self.crop, self.crop],
            "interpolation": "bilinear, as OpenCV's INTER_LINEAR on 8 bit",
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
        return {**asdict(self), "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "ClipFormat":
        """Return the format that `to_json` wrote."""
        return cls(**{**data, "mean": tuple(data["mean"]), "std": tuple(data["std"])})


@dataclass(frozen=True)
class ClipRequest:
    """Which clips of a video are meant.

    Attributes:
        frames: Frames per clip; None leaves it to the network.
        count: How many clips, spread evenly over the video; or `all`, which covers it.
        start: The first clip's first frame, a number from 0; None leaves it to `count`.
        start_seconds: The same in seconds; at most one of the two is given.
        stride: Every how-manieth frame is taken.
    """

    frames: int | None = None
    count: int | Literal["all"] = 1
    start: int | None = None
    start_seconds: float | None = None
    stride: int = 1

    def __post_init__(self) -> None:
        assert (self.frames is None or self.frames > 0) and self.stride > 0
        assert self.count == "all" or self.count > 0

    def completed(self, clip_format: ClipFormat) -> "ClipRequest":
        """Return the request with the network's own number of frames where none was given."""
        return replace(self, frames=self.frames or clip_format.frames)

    @property
    def span(self) -> int:
        """The number of source frames from a clip's first to its last."""
        assert self.frames is not None
        return (self.frames - 1) * self.stride + 1

    def sample(self, shape: VideoShape) -> list[list[int]]:
        """Return the frame numbers of each clip.

        One clip lies in the middle; K clips start at round(k (N - T) / (K - 1)); `all` goes in steps of a clip's
        length and its last clip ends with the video. A video shorter than a clip is repeated from its beginning.
        Where more clips are asked for than there are places to start, each place is taken once.

        Raises:
            GbvisError: The first clip starts outside the video.
        """
        steps = range(0, self.span, self.stride)
        return [[(start + step) % shape.frame_count for step in steps] for start in self._starts(shape)]

    def _starts(self, shape: VideoShape) -> list[int]:
        room = max(0, shape.frame_count - self.span)  # the last possible start
        first = self._first(shape, room)
        if self.count == "all":
            return list(dict.fromkeys([*range(first or 0, room, self.span), room]))
        if self.count == 1:
            return [room // 2 if first is None else first]
        first = first or 0
        count = min(self.count, room - first + 1)
        return [first + round(k * (room - first) / max(1, count - 1)) for k in range(count)]

    def _first(self, shape: VideoShape, room: int) -> int | None:
        first = self.start
        if self.start_seconds is not None:
            if shape.rate is None:
                raise GbvisError(
                    "--start is given in seconds, and nothing tells this video's frame rate",
                    "give it as a frame number, counted from 0",
                )
            first = round(self.start_seconds * shape.rate)
        if first is not None and not 0 <= first <= room:
            raise GbvisError(
                f"a clip over {self.span} frames cannot start at frame {first} of {shape.frame_count}",
                f"choose a start from 0 to {room}",
            )
        return first


def read_clip_request(frames: int | None, clips: str, start: str | None, stride: int) -> ClipRequest:
    """Return the clips that command line options mean.

    Args:
        frames: Frames per clip, or None for the network's own number.
        clips: A number, or `all`.
        start: A frame number from 0, or seconds with an `s` behind, or None.
        stride: Every how-manieth frame.

    Raises:
        GbvisError: `clips` or `start` cannot be read (exit code 2).
    """
    if clips != "all" and not (re.fullmatch("[0-9]{1,9}", clips) and int(clips) > 0):
        raise GbvisError(f"--clips {clips!r} is no number of clips", "give a number from 1, or all", exit_code=2)
    count: int | Literal["all"] = "all" if clips == "all" else int(clips)
    match = re.fullmatch(r"(?P<frame>[0-9]{1,9})|(?P<seconds>[0-9]{1,9}(\.[0-9]*)?|\.[0-9]+)s", start or "0")
    if match is None:
        raise GbvisError(
            f"--start {start!r} is no place in a video",
            "give a frame number counted from 0, such as 120, or seconds, such as 2.5s",
            exit_code=2,
        )
    if start is None:
        return ClipRequest(frames, count, stride=stride)
    if match["seconds"]:
        return ClipRequest(frames, count, start_seconds=float(match["seconds"]), stride=stride)
    return ClipRequest(frames, count, start=int(match["frame"]), stride=stride)


def cut_clip(video: Video, numbers: Sequence[int], clip_format: ClipFormat) -> ClipPixels:
    """Return the clip made of the video's frames `numbers`: uint8 (T, crop, crop, channels), 0-255.

    Each frame is resized as soon as it is read: the source's own size is held once, not T times.

    Raises:
        GbvisError: A frame cannot be read, or has another size than the one before it.
    """
    cut: dict[int, ClipPixels] = {}
    size: tuple[int, ...] | None = None
    for number in sorted(set(numbers)):
        frame = video.read(number)
        if size not in (None, frame.shape[:2]):
            raise GbvisError(
                f"frame {number} of {video.location} is {frame.shape[1]}x{frame.shape[0]} pixels, the one before it "
                f"{size[1]}x{size[0]}",
                "all frames of a clip must have one size",
            )
        size = frame.shape[:2]
        cut[number] = resize_and_crop(frame[None], clip_format)[0]
    return np.stack([cut[number] for number in numbers])


def normalise(pixels: ClipPixels, clip_format: ClipFormat) -> NDArray[np.float32]:
    """Return the network's input: float32 (C, T, H, W)."""
    mean, std = np.array(clip_format.mean, np.float32), np.array(clip_format.std, np.float32)
    normalised = (pixels.astype(np.float32) / np.float32(clip_format.scale) - mean) / std
    return np.ascontiguousarray(np.moveaxis(normalised, -1, 0))


def resize_and_crop(frames: NDArray[np.uint8], clip_format: ClipFormat) -> ClipPixels:
    """Return the resized frames' crop: uint8 (T, crop, crop, channels), 0-255.

    Bilinear without antialiasing, bit for bit OpenCV's `resize(..., INTER_LINEAR)` on 8-bit pixels
    (modules/imgproc/src/resize.cpp: weights in 11 bits, `VResizeLinear` for uchar). Pillow's BILINEAR is another
    filter. Only the pixels inside the crop are computed.
    """
    height, width = frames.shape[1:3]
    rows = slice(clip_format.top, clip_format.top + clip_format.crop)
    columns = slice(clip_format.left, clip_format.left + clip_format.crop)
    top, bottom, weight_top, weight_bottom = (tap[rows] for tap in _taps(height, clip_format.height))
    left, right, weight_left, weight_right = (tap[columns, None] for tap in _taps(width, clip_format.width))

    def between_columns(lines: NDArray[np.uint8]) -> NDArray[np.int32]:
        wide = lines.astype(np.int32)
        return (wide[:, left[:, 0]] * weight_left + wide[:, right[:, 0]] * weight_right) >> 4

    clip = np.empty((len(frames), clip_format.crop, clip_format.crop, frames.shape[3]), np.uint8)
    for frame, pixels in zip(frames, clip, strict=True):
        above = (between_columns(frame[top]) * weight_top[:, None, None]) >> 16
        below = (between_columns(frame[bottom]) * weight_bottom[:, None, None]) >> 16
        pixels[:] = (above + below + 2) >> 2
    return clip


def _taps(source: int, target: int) -> tuple[NDArray[np.integer[Any]], ...]:
    """Return for each of `target` places its two source places and their weights, which add up to 2048."""
    position = ((np.arange(target) + 0.5) * (source / target) - 0.5).astype(np.float32)
    first = np.floor(position).astype(np.int64)
    fraction = position - first.astype(np.float32)
    outside = (first < 0) | (first >= source - 1)
    fraction[outside] = 0
    first = np.clip(first, 0, source - 1)
    second_weight = np.rint(fraction * np.float32(2048)).astype(np.int32)
    first_weight = np.rint((np.float32(1) - fraction) * np.float32(2048)).astype(np.int32)
    return first, np.minimum(first + 1, source - 1), first_weight, second_weight
