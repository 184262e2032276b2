"""Which way up a picture is shown: the display matrix that cameras write."""

import struct

import numpy as np

from gbvis.videos.video import Frame


def turn_upright(pixels: Frame, matrix: bytes | None) -> Frame:
    """Return a picture, uint8 (height, width, 3), as a player shows it: turned by right angles, or mirrored, or both.

    Args:
        pixels: As stored.
        matrix: FFmpeg's display matrix, 9 int32 (libavutil/display.h), or None: a, b, u, c, d, v, x, y, w, by which a
            place (p, q), to the right and downwards, is shown at (a p + c q, b p + d q).
    """
    if matrix is None or len(matrix) < 36:
        return pixels
    a, b, _, c, d = struct.unpack("=5i", matrix[:20])
    is_turned = abs(b) + abs(c) > abs(a) + abs(d)
    if is_turned:
        pixels = np.swapaxes(pixels, 0, 1)
    is_mirrored, is_upside_down = (c < 0, b < 0) if is_turned else (a < 0, d < 0)
    return pixels[:: -1 if is_upside_down else 1, :: -1 if is_mirrored else 1]
