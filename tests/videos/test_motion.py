import numpy as np
import pytest

from gbvis.videos.motion import decode_motion, encode_motion


def test_8_bit_stands_for_what_the_two_stream_data_set_says() -> None:
    assert encode_motion(np.array([-25, -20, 0, 20, 25.0])).tolist() == [0, 0, 128, 255, 255]
    np.testing.assert_allclose(
        decode_motion(np.array([0, 128, 255], np.uint8)), [-20, 128 * 40 / 255 - 20, 20], atol=1e-5
    )


@pytest.mark.parametrize("bound", [20.0, 7.5])
def test_encoding_and_decoding_are_inverse_to_half_a_level(random: np.random.Generator, bound: float) -> None:
    motion = random.uniform(-bound, bound, (50, 40, 2)).astype(np.float32)
    back = decode_motion(encode_motion(motion, bound), -bound, bound)
    assert back.dtype == np.float32
    assert np.abs(back - motion).max() <= bound / 255 * 1.001
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(encode_motion(decode_motion(levels, -bound, bound), bound), levels)
