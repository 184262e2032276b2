"""Numbered pictures as those of `shared/field`: eight squares on top that are a binary number, bit 0 on the left."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def draw_numbers(count: int, height: int = 60, width: int = 80) -> np.ndarray:
    """Return pictures: uint8 (count, height, width, 3)."""
    wall = np.random.default_rng(0).integers(60, 120, (height, width, 3)).astype(np.uint8)
    frames = np.stack([np.roll(wall, number, axis=1) for number in range(count)])
    side, rows = width // 10, height * 2 // 15
    for number in range(count):
        for bit in range(8):
            frames[number, :rows, bit * side : (bit + 1) * side] = 255 * (number >> bit & 1)
    return frames


def read_number(frame: np.ndarray) -> int:
    """Return the number of a picture of any size, uint8 (height, width, 3)."""
    height, width = frame.shape[:2]
    return sum(int(frame[height // 15, (2 * bit + 1) * width // 20, 0] > 127) << bit for bit in range(8))


def write_numbers(
    path: Path,
    codec: str,
    count: int = 48,
    size: tuple[int, int] = (60, 80),
    pixels: str = "yuv420p",
    form: str | None = None,
    time_of: Callable[[int], int] | None = None,
    **options: str,
) -> Path:
    """Write numbered pictures as a video; see `write_video`."""
    return write_video(path, draw_numbers(count, *size), codec, pixels, form, time_of, **options)


def write_video(
    path: Path,
    frames: np.ndarray,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    form: str | None = None,
    time_of: Callable[[int], int] | None = None,
    **options: str,
) -> Path:
    """Write pictures, uint8 (T, height, width, 3), as a video of 25 a second, or each at its time in milliseconds."""
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], pixels
        if time_of:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if time_of:
                frame.pts, frame.time_base = time_of(number), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
