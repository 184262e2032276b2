"""Which way up a picture is shown: by the display matrix of a video, and by the EXIF orientation of an image file."""

import struct

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""uint8 (height, width, 3), or (height, width) of a grey one."""

_BY_ORIENTATION = {
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}
"""The a, b, c, d of `_turn` by EXIF orientation, which says where row 0 and column 0 are (Exif 2.32, 4.6.4 A)."""


def turn_by_matrix(pixels: Picture, matrix: bytes | None) -> Picture:
    """Return a picture as a player shows it: turned by right angles, or mirrored, or both.

    Args:
        pixels: As stored.
        matrix: FFmpeg's display matrix, 9 int32 (libavutil/display.h): a, b, u, c, d, v, x, y, w; or None.
    """
    if matrix is None or len(matrix) < 36:
        return pixels
    a, b, _, c, d = struct.unpack("=5i", matrix[:20])
    return _turn(pixels, a, b, c, d)


def turn_by_orientation(pixels: Picture, orientation: int) -> Picture:
    """Return a picture as its EXIF orientation says that it is shown; a number that says nothing leaves it."""
    place = _BY_ORIENTATION.get(orientation)
    return _turn(pixels, *place) if place else pixels


def _turn(pixels: Picture, a: int, b: int, c: int, d: int) -> Picture:
    """Return a picture whose place (p, q), to the right and downwards, is shown at (a p + c q, b p + d q)."""
    is_turned = abs(b) + abs(c) > abs(a) + abs(d)
    turned = np.swapaxes(pixels, 0, 1) if is_turned else pixels
    is_mirrored, is_upside_down = (c < 0, b < 0) if is_turned else (a < 0, d < 0)
    return turned[:: -1 if is_upside_down else 1, :: -1 if is_mirrored else 1]
