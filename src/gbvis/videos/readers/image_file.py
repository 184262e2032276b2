"""Single image files: a frame of a folder, upright."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.errors import VideoError
from gbvis.videos.readers.upright import turn_by_orientation
from gbvis.videos.video import LARGEST_FRAME

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")

_FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
"""What these may hold. Pillow knows dozens more whatever the suffix; PostScript is a program that Ghostscript runs."""

_MOST_SCANS = 200
"""Of a JPEG; a progressive one has ten, and each, a few bytes in the file, goes over the whole picture."""

_ORIENTATION = 0x0112
"""The EXIF tag, which TIFF has as its own."""

_GREY = ("1", "L", "LA", "P", "I", "I;16", "I;16B")
"""Pillow's modes that masks are written in; colours of a palette stand for numbers there."""


def read_image(path: Path, mode: str) -> NDArray[np.uint8]:
    """Return an image file, turned as its EXIF orientation says: uint8 (H, W, 3) for mode `RGB`, (H, W) for `L`.

    Raises:
        VideoError: It is broken, too large, or no image of the formats read.
    """
    from PIL import Image  # here: a cached run reads no frame

    try:
        # Pillow warns of a broken TIFF where it goes on, and of sizes, for which ours is the lower limit
        with warnings.catch_warnings(action="ignore"), _open_checked(path) as image:
            image.load()
            orientation = image.getexif().get(_ORIENTATION, 1)
            values = _as_bytes(image, mode)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is broken, or no image"
        raise VideoError(f"cannot read frame {path}: {why}", "write this frame again") from error
    return np.ascontiguousarray(turn_by_orientation(values, orientation))


def is_grey(path: Path) -> bool:
    """Return whether an image file holds one number a pixel, as masks do; False where it cannot be read."""
    from PIL import Image

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=_formats(path)) as image:
            return image.mode in _GREY
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


def _as_bytes(image: Any, mode: str) -> NDArray[np.uint8]:
    """Return an open image's pixels in 8 bit."""
    if image.mode in ("F", "I") and image.format == "TIFF":
        raise ValueError("32 bits a pixel")
    if not image.mode.startswith("I"):
        return np.array(image.convert(mode), np.uint8)
    grey = np.rint(np.asarray(image) / 257).astype(np.uint8)  # Pillow cuts 16 bits off at 255 where it should scale
    return grey if mode == "L" else np.stack([grey] * 3, axis=-1)


def _formats(path: Path) -> tuple[str, ...]:
    return ("TIFF",) if path.suffix.lower() in (".tif", ".tiff") else _FORMATS


def _open_checked(path: Path) -> Any:
    """Return an open image that, before it is decoded, is no larger than a frame can be, and takes no longer.

    Raises:
        GbvisError: It is.
        OSError: As Pillow: it is no image of the formats expected.
    """
    from PIL import Image

    image = Image.open(path, formats=_formats(path))
    width, height = image.size
    is_jpeg = image.format in ("JPEG", "MPO")
    if is_jpeg and path.read_bytes().count(b"\xff\xda") > _MOST_SCANS:  # inside a scan, 0 follows each 255
        image.close()
        raise VideoError(f"frame {path} goes over its pixels more than {_MOST_SCANS} times", "write this frame again")
    if width * height > LARGEST_FRAME:
        image.close()
        raise VideoError(
            f"frame {path} has {width}x{height} pixels, and gbvis reads up to {LARGEST_FRAME:,} of them",
            "scale it down, or write it again where that is not its size",
        )
    return image
