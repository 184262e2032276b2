import struct

import numpy as np
import pytest

from gbvis.videos.readers.upright import turn_by_matrix

PICTURE = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((1, 0, 0, 1), PICTURE),
        ((-1, 0, 0, 1), np.fliplr(PICTURE)),
        ((1, 0, 0, -1), np.flipud(PICTURE)),
        ((-1, 0, 0, -1), np.rot90(PICTURE, 2)),
        ((0, 1, -1, 0), np.rot90(PICTURE, -1)),  # a phone held upright: clockwise
        ((0, -1, 1, 0), np.rot90(PICTURE)),
        ((0, 1, 1, 0), PICTURE.swapaxes(0, 1)),
        ((0, -1, -1, 0), np.rot90(PICTURE.swapaxes(0, 1), 2)),
    ],
)
def test_all_eight_ways_up(matrix: tuple[int, int, int, int], expected: np.ndarray) -> None:
    a, b, c, d = (number << 16 for number in matrix)
    found = turn_by_matrix(PICTURE, struct.pack("=9i", a, b, 0, c, d, 0, 0, 0, 1 << 30))
    np.testing.assert_array_equal(found, expected)


def test_no_matrix_leaves_the_picture_as_it_is() -> None:
    assert turn_by_matrix(PICTURE, None) is PICTURE
