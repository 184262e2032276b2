"""Padding as TensorFlow's SAME does it: from the input's size, the odd zero behind."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional


def pad_like_tensorflow(activation: Tensor, kernel: Sequence[int], stride: Sequence[int]) -> Tensor:
    """Return an activation padded with zeros so that ceil(size / stride) outputs come of it along each axis.

    Args:
        activation: (N, C, T, H, W).
        kernel: Along T, H and W.
        stride: Along T, H and W.
    """
    pads: list[int] = []
    for size, width, step in zip(activation.shape[2:], kernel, stride, strict=True):
        total = max(0, (-(-size // step) - 1) * step + width - size)
        pads = [total // 2, total - total // 2, *pads]  # torch wants the last axis first
    return functional.pad(activation, pads) if any(pads) else activation
