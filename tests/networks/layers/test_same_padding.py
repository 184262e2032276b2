"""TensorFlow's SAME padding."""

import torch

from gbvis.networks.layers.same_padding import pad_like_tensorflow


def test_the_odd_zero_stands_behind() -> None:
    """A 7-kernel at stride 2 over 112 starts 2 before the first pixel and ends 3 behind the last."""
    padded = pad_like_tensorflow(torch.ones(1, 3, 8, 112, 112), (1, 7, 7), (1, 2, 2))
    assert padded.shape == (1, 3, 8, 117, 117)
    assert padded[0, 0, 0, :, 60].tolist() == [0.0] * 2 + [1.0] * 112 + [0.0] * 3


def test_each_axis_is_padded_by_its_own_kernel() -> None:
    padded = pad_like_tensorflow(torch.ones(1, 1, 8, 4, 4), (3, 1, 1), (2, 1, 1))
    assert padded[0, 0, :, 0, 0].tolist() == [1.0] * 8 + [0.0]


def test_what_needs_no_zeros_is_not_copied() -> None:
    activation = torch.ones(1, 1, 8, 4, 4)
    assert pad_like_tensorflow(activation, (1, 1, 1), (1, 2, 2)) is activation
