"""Clip: the T frames that a network sees at once, resized, cropped and normalised; and where they lie in the source."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.errors import VideoError
from gbvis.videos.motion import REST, Motion
from gbvis.videos.resize import INTERPOLATIONS, Interpolation, resize_and_crop
from gbvis.videos.video import Frame, Video, VideoShape, reading_of

ClipPixels = NDArray[np.uint8] | NDArray[np.float32]
"""What the network sees before normalisation, (time, y, x, channel): uint8, 0-255; or, for networks that take motion
in pixels, float32, pixels of the resized frame."""

Size = tuple[int, int]
"""Height and width of a frame, pixels."""


LARGEST = 4096
"""Frames of a clip, or pixels of a side."""

LARGEST_NUMBER = 1e6
"""Upper bound of |scale|, |mean| and |std| of a format; scale and std are at least its inverse."""


_RARE = ("is_motion", "is_bgr", "keeps_aspect")
"""What a format says of itself only where it is so."""


@dataclass(frozen=True)
class ClipFormat:
    """How frames become a network's input; belongs to a checkpoint format.

    A frame is resized to `height` x `width`, then the `crop` x `crop` square at (`top`, `left`) is cut out, then
    every channel becomes (value / scale - mean) / std. The values are 8 bit, or motion in pixels.

    Where `keeps_aspect`, the shorter side is resized to `height`, which `width` is equal to, the longer one in
    proportion, and the square is the middle one, as torchvision's `Resize` and `CenterCrop` do it.

    Attributes:
        frames: Frames per clip unless `--frames` says otherwise.
        height: Rows after resizing.
        width: Columns after resizing.
        crop: Side of the square that the network sees, pixels.
        top: First row of the square.
        left: First column of the square.
        scale: What values are divided by.
        mean: Per channel, in the order in which the network takes them, in units of value / scale.
        std: Per channel, in the same order and units.
        is_motion: True where values are motion in pixels of the resized frame, False where they are 8 bit.
        interpolation: Whose arithmetic makes 8-bit pixels.
        is_bgr: True where the network takes blue, green, red.
        keeps_aspect: True where only the shorter side's size is fixed.
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
    interpolation: Interpolation = "opencv"
    is_bgr: bool = False
    keeps_aspect: bool = False

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
        if self.interpolation not in INTERPOLATIONS or (self.is_motion and self.interpolation != "opencv"):
            raise ValueError(f"expected an interpolation of {INTERPOLATIONS}; motion is resized as OpenCV does it")
        if self.is_bgr not in (False, True) or (self.is_bgr and len(self.mean) != 3):
            raise ValueError("only colours have an order")
        if self.keeps_aspect not in (False, True) or (self.keeps_aspect and self.height != self.width):
            raise ValueError("a shorter side has one size")

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
        square = {"size": [self.height, self.width], "crop": [self.top, self.left, self.crop, self.crop]}
        middle = {"shorter_side": self.height, "crop": ["middle", self.crop, self.crop]}
        return {
            **(middle if self.keeps_aspect else square),
            "interpolation": self._interpolation_in_words,
            **values,
        }

    @property
    def _interpolation_in_words(self) -> str:
        if self.interpolation == "torch":
            return "bilinear, as torch's on float, rounded to 8 bit"
        return f"bilinear, as OpenCV's INTER_LINEAR on {'float' if self.is_motion else '8 bit'}"

    def resize_and_crop(self, frame: Frame | Motion) -> NDArray[Any]:
        """Return what the network sees of a frame: (crop, crop, channels); see `resize.resize_and_crop`."""
        return resize_and_crop(frame, *self.place(frame.shape[0], frame.shape[1]), self.interpolation)

    def place(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int, int]]:
        """Return where the network looks in a frame of this size.

        Returns:
            Rows and columns that the frame is resized to; first row, first column and side of the square in them.
        """
        if not self.keeps_aspect:
            return (self.height, self.width), (self.top, self.left, self.crop)
        shorter = min(height, width)
        rows, columns = (int(self.height * side / shorter) for side in (height, width))
        return (rows, columns), (round((rows - self.crop) / 2), round((columns - self.crop) / 2), self.crop)

    def source_box(self, shape: VideoShape) -> tuple[float, float, float, float]:
        """Return the cropped square in the source's own pixels: left, top, right, bottom."""
        (rows, columns), (top, left, side) = self.place(shape.height, shape.width)
        x_scale, y_scale = shape.width / columns, shape.height / rows
        return left * x_scale, top * y_scale, (left + side) * x_scale, (top + side) * y_scale

    def to_json(self) -> dict[str, Any]:
        """Return the format as plain data, for `from_json`."""
        data = {**asdict(self), "mean": list(self.mean), "std": list(self.std)}
        return {name: value for name, value in data.items() if name not in _RARE or value}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "ClipFormat":
        """Return the format that `to_json` wrote.

        Raises:
            ValueError: As the constructor.
        """
        return cls(**{**data, "mean": tuple(data["mean"]), "std": tuple(data["std"])})


def fingerprint_for(video: Video, clip_format: ClipFormat) -> str:
    """Return the hash of what a network of this format sees of a video."""
    return reading_of(video.motion_fingerprint if clip_format.is_motion else video.fingerprint)


def cut_clip(
    video: Video, numbers: Sequence[int], clip_format: ClipFormat, sizes: dict[int, Size] | None = None
) -> ClipPixels:
    """Return the clip made of the video's frames `numbers`: (T, crop, crop, channels), uint8 or, for motion, float32.

    Each frame is resized as soon as it is read: the source's own size is held once, not T times. Frames of an RGB
    stream may differ in size.

    Args:
        video: The stream.
        numbers: Its frames.
        clip_format: What the network takes.
        sizes: Where the size of each RGB frame that is read is written, by its number.

    Raises:
        GbvisError: A frame cannot be read, or holds flow of another size than the one before it, or that is no number.
    """
    cut: dict[int, NDArray[Any]] = {}
    size: tuple[int, ...] | None = None
    for number in sorted(set(numbers)):
        frame = video.read_motion(number) if clip_format.is_motion else video.read(number)
        if sizes is not None and video.modality == "rgb":
            sizes[number] = (frame.shape[0], frame.shape[1])
        if video.modality == "flow" and size not in (None, frame.shape[:2]):
            raise VideoError(
                f"frame {number} of {video.location} is {frame.shape[1]}x{frame.shape[0]} pixels, the one before it "
                f"{size[1]}x{size[0]}",
                "all flow frames of a clip must have one size",
            )
        size = frame.shape[:2]
        cut[number] = frame if video.is_cropped else clip_format.resize_and_crop(frame)
        if clip_format.is_motion:
            _check_motion(cut[number], number, video)
    return video.finish_clip(np.stack([cut[number] for number in numbers]))


def cut_motion(flow: Video, numbers: Sequence[int], clip_format: ClipFormat) -> Motion:
    """Return how far each place of a clip moves until the next frame: float32 (T, crop, crop, 2), the clip's pixels.

    In the last frame it is 0, and so it is where 8 bit could not tell it from rest.

    Args:
        flow: Its frame k is the motion from frame k of the clip's video, RGB or flow, to frame k + 1.
        numbers: The clip's frames; each follows the one before.
        clip_format: How the clip was cut.

    Raises:
        GbvisError: A frame cannot be read, or holds what is no number.
    """
    motion = np.zeros((len(numbers), clip_format.crop, clip_format.crop, 2), np.float32)
    for place, number in enumerate(numbers[:-1]):
        frame = flow.read_motion(number)
        frame = np.where(np.abs(frame) < REST, np.float32(0), frame)
        motion[place] = frame if flow.is_cropped else clip_format.resize_and_crop(frame)
        _check_motion(motion[place], number, flow)
    return motion


def _check_motion(motion: NDArray[Any], number: int, video: Video) -> None:
    if not np.isfinite(motion).all():
        row, column, channel = place = find_no_number(motion)
        raise VideoError(
            f"{'uv'[channel]} of flow frame {number} of {video.location} is {motion[place]} in row {row}, column "
            f"{column} of what the network sees",
            "the flow is broken there: compute it anew, or take other frames with --start",
        )


def find_no_number(values: NDArray[Any]) -> tuple[int, ...]:
    """Return the first place, axis by axis, where an array holds NaN or infinity."""
    return tuple(int(at) for at in np.argwhere(~np.isfinite(values))[0])


@dataclass(frozen=True)
class Inputs:
    """Clips that are normalised already, for methods that look at other inputs than a clip.

    Attributes:
        values: float32 (clip, channel, time, y, x), the channels in the order of the pixels.
    """

    values: NDArray[np.float32]


def normalise_in_line(pixels: ClipPixels, clip_format: ClipFormat) -> NDArray[np.float32]:
    """Return a clip normalised and in line with its pixels: float32 (C, T, H, W), RGB also where networks take BGR."""
    normalised = normalise(pixels, clip_format)
    return np.ascontiguousarray(normalised[::-1]) if clip_format.is_bgr else normalised


def normalise(pixels: ClipPixels, clip_format: ClipFormat) -> NDArray[np.float32]:
    """Return the network's input: float32 (C, T, H, W)."""
    mean, std = np.array(clip_format.mean, np.float32), np.array(clip_format.std, np.float32)
    if clip_format.is_bgr:
        pixels = pixels[..., ::-1]
    normalised = (pixels.astype(np.float32) / np.float32(clip_format.scale) - mean) / std
    return np.ascontiguousarray(np.moveaxis(normalised, -1, 0))
