"""Padding as TensorFlow's SAME does it: from the input's size, the odd zero behind."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional


def count_zeros(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return how many zeros stand before and behind an axis."""
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2


def pad_like_tensorflow(activation: Tensor, kernel: Sequence[int], stride: Sequence[int]) -> Tensor:
    """Return an activation padded with zeros so that ceil(size / stride) outputs come of it along each axis.

    Args:
        activation: (N, C, T, H, W).
        kernel: Along T, H and W.
        stride: Along T, H and W.
    """
    pads: list[int] = []
    for sizes in zip(activation.shape[2:], kernel, stride, strict=True):
        pads = [*count_zeros(*sizes), *pads]  # torch wants the last axis first
    return functional.pad(activation, pads) if any(pads) else activation


class SameConvolution(nn.Conv3d):
    """A convolution without a bias that pads as TensorFlow's SAME does."""

    def __init__(self, inputs: int, outputs: int, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> None:
        super().__init__(inputs, outputs, kernel, stride, bias=False)

    def forward(self, activation: Tensor) -> Tensor:
        """Return (N, outputs, ceil(T / stride), ...) for (N, inputs, T, H, W)."""
        return super().forward(pad_like_tensorflow(activation, self.kernel_size, self.stride))
