"""Frames in WebP: several below each other in one image, which a browser decodes at once."""

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from gbvis.figures.picture import Pixels

_MOST_FRAMES = 16
_LONGEST = 16383
"""Pixels, which WebP ends at."""

LARGEST_OVERLAY = 256
"""Pixels of the longer side of a frame under the overlay."""


@dataclass(frozen=True)
class Strip:
    """Some frames that follow each other.

    Attributes:
        name: Of the blob that holds them.
        first: The first of them, counted from 0.
        count: How many.
        width: Of a frame, pixels.
        height: Of a frame, pixels.
        is_difference: Each frame but the first is kept as its difference from the one before, modulo 256.
    """

    name: str
    first: int
    count: int
    width: int
    height: int
    is_difference: bool = False

    def to_json(self) -> dict[str, object]:
        """Return it as the page takes it."""
        size = {"width": self.width, "height": self.height}
        return {"blob": self.name, "count": self.count, **size, "isDifference": self.is_difference}

    def stack(self, frame: Callable[[int], Pixels]) -> Pixels:
        """Return what is kept of its frames, below each other: uint8 (count * height, width, 3).

        Args:
            frame: Returns a frame by its place: uint8 (height, width, 3).
        """
        frames = np.stack([frame(place) for place in range(self.first, self.first + self.count)])
        if self.is_difference:
            frames[1:] -= frames[:-1].copy()
        return frames.reshape(-1, *frames.shape[2:])


def divide_into_strips(name: str, count: int, size: tuple[int, int], is_difference: bool = False) -> list[Strip]:
    """Return the strips of a clip.

    Args:
        name: What their blobs' names begin with.
        count: Frames.
        size: Height and width of a frame, pixels.
        is_difference: Frames are kept as differences. It makes those of a film smaller, by a fifth where the camera
            moves and by a third where it rests (six clips), and those of flow larger.
    """
    height, width = size
    most = max(1, min(_MOST_FRAMES, _LONGEST // height))
    firsts = range(0, count, most)
    return [
        Strip(f"{name}.{number}", first, min(most, count - first), width, height, is_difference)
        for number, first in enumerate(firsts)
    ]


def fit_overlay(height: int, width: int) -> tuple[int, int]:
    """Return the height and width at which a source frame is kept: never larger than it is."""
    share = min(1.0, LARGEST_OVERLAY / max(height, width))
    return max(1, round(height * share)), max(1, round(width * share))


def resize(frame: Pixels, size: tuple[int, int]) -> Pixels:
    """Return a frame at another height and width: uint8 (height, width, 3)."""
    if frame.shape[:2] == size:
        return frame
    resized: Pixels = np.asarray(Image.fromarray(frame).resize((size[1], size[0]), Image.Resampling.BILINEAR))
    return resized


def encode_exactly(image: Pixels, is_quick: bool) -> bytes:
    """Return a WebP image that is uint8 (height, width, 3) again, pixel for pixel; a quick one is larger."""
    return _encode(image, lossless=True, method=0 if is_quick else 4, quality=50 if is_quick else 75)


def encode_roughly(image: Pixels, is_quick: bool, quality: int = 40) -> bytes:
    """Return a WebP image that looks like uint8 (height, width, 3)."""
    return _encode(image, method=0 if is_quick else 2, quality=quality)


def encode_thumbnail(image: Pixels, side: int) -> str:
    """Return a small WebP image as Base64: of uint8 (height, width, 3), at most so many pixels high and wide."""
    height, width = image.shape[:2]
    share = min(1.0, side / max(height, width))
    small = resize(image, (max(1, round(height * share)), max(1, round(width * share))))
    return base64.b64encode(encode_roughly(small, is_quick=False, quality=60)).decode()


def _encode(image: Pixels, **options: bool | int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "webp", **options)
    return buffer.getvalue()
