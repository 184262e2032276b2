"""MP4 (H.264 in yuv420p, which plays everywhere), animated WebP and animated PNG, through PyAV."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream

from gbvis.figures.encoders.metadata import add_png_texts, add_webp_comment
from gbvis.figures.notes import as_comment
from gbvis.figures.picture import Picture


def write_mp4(picture: Picture, path: Path) -> None:
    """Write the picture as an MP4; an odd last column or row is doubled, since yuv420p wants even sizes.

    Raises:
        OSError: It cannot be written.
    """
    container = {"movflags": "+faststart"}
    codec = {"crf": "18", "preset": "medium"}
    with _same_memory():
        encode(picture, path, "mp4", "libx264", "yuv420p", container, codec, True, _comment(picture))


_PERTURB = -6
"""A parameter of glibc's `mallopt`, as malloc.h numbers it."""


@contextmanager
def _same_memory() -> Iterator[None]:
    """Have the C library fill all memory that it gives out with the same byte, where it can.

    x264 looks at memory that nobody has written: the same picture came out as another file, once in a thousand times
    in a young process, and every other time where a network had run before.
    """
    library = ctypes.CDLL(None) if hasattr(os, "fork") else None
    perturb = getattr(library, "mallopt", lambda *_: 0)
    perturb(_PERTURB, 1)
    try:
        yield
    finally:
        perturb(_PERTURB, 0)


def encode(
    picture: Picture,
    path: Path,
    format_name: str,
    codec: str,
    pixel_format: str,
    container_options: dict[str, str],
    codec_options: dict[str, str],
    is_even: bool = False,
    comment: str = "",
) -> None:
    """Write the picture with one of FFmpeg's encoders, a frame at a time.

    Args:
        picture: What to write.
        path: Where, whatever its suffix.
        format_name: FFmpeg's name of the file format.
        codec: FFmpeg's name of the encoder.
        pixel_format: How the encoder wants its pixels.
        container_options: For the file format.
        codec_options: For the encoder.
        is_even: Double the last row or column where their number is odd.
        comment: What the file says of itself, in formats whose FFmpeg muxer writes it.
    """
    rate = Fraction(picture.rate).limit_denominator(1001)
    pad = (picture.height % 2, picture.width % 2) if is_even else (0, 0)
    with av.open(f"file:{path.absolute()}", "w", format=format_name, options=container_options) as container:
        stream = cast(VideoStream, container.add_stream(codec, rate=rate, options=codec_options))
        stream.width, stream.height = picture.width + pad[1], picture.height + pad[0]
        stream.pix_fmt = pixel_format
        if comment:
            container.metadata["comment"] = comment
        for frame in picture.frames():
            padded = np.pad(frame, ((0, pad[0]), (0, pad[1]), (0, 0)), mode="edge")
            colored = av.VideoFrame.from_ndarray(padded, format="rgb24")
            # converted here: left to encode(), a picture in a hundred came out different from the one before it
            container.mux(stream.encode(colored.reformat(format=pixel_format)))
        container.mux(stream.encode())


def write_webp(picture: Picture, path: Path) -> None:
    """Write the picture as a WebP."""
    container = {"loop": str(picture.loops or 0)}
    encode(picture, path, "webp", "libwebp_anim", "yuv420p", container, {"quality": "85"})
    if picture.notes:
        add_webp_comment(path, as_comment(picture.notes), (picture.width, picture.height))


def write_apng(picture: Picture, path: Path) -> None:
    """Write the picture as an animated PNG, every pixel as it is."""
    encode(picture, path, "apng", "apng", "rgb24", {"plays": str(picture.loops or 0)}, {"pred": "sub"})
    if picture.notes:
        add_png_texts(path, picture.notes)


def _comment(picture: Picture) -> str:
    return as_comment(picture.notes) if picture.notes else ""
