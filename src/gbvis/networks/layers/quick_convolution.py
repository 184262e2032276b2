"""3-D convolutions computed in another way, where that is quicker on a CPU; measured on one with AVX2.

- The first convolution of a network takes three channels and halves rows and columns. Kernels for so few channels are
  slow, their gradients above all. With every 2x2 pixels made one of four times as many channels it halves nothing.
- A kernel of three frames becomes several kernels in space, see `space_convolutions`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from gbvis.networks.layers.same_padding import SameConvolution, count_zeros
from gbvis.networks.layers.space_convolutions import SummedConvolution, WinogradConvolution

_FEW = 4
"""Up to how many input channels a convolution is taken for the first of a network."""

_MANY = 200
"""From how many input channels on kernels are summed up frame by frame: so wide layers have few frames."""

_WINOGRAD = range(16, 300)
"""With how many input channels Winograd's way is quicker; wider layers mostly have two frames, where it is not."""

_EXACT = (torch.float32, torch.float64)
"""Types in which Winograd's sums of weights lose no accuracy that counts."""


def make_quick(convolution: nn.Conv3d) -> nn.Module:
    """Return a module that does what the convolution does; the convolution itself where nothing is quicker."""
    kernel, stride, channels = convolution.kernel_size, convolution.stride, convolution.in_channels
    if not _can_be_quick(convolution):
        return convolution
    if channels <= _FEW and stride[1:] == (2, 2) and min(kernel[1:]) > 1:
        return PhasedConvolution(convolution)
    if kernel[0] != 3 or (isinstance(convolution, SameConvolution) and {*stride} != {1}):
        return convolution  # with other strides SAME is not symmetric
    if channels in _WINOGRAD and min(kernel[1:]) > 1 and stride[0] == 1 and convolution.weight.dtype in _EXACT:
        return WinogradConvolution(convolution)
    return SummedConvolution(convolution) if channels >= _MANY else convolution


def _can_be_quick(convolution: nn.Conv3d) -> bool:
    """Return whether a convolution has a bias and an odd kernel, and zeros on both sides alike, or those of SAME."""
    kernel = convolution.kernel_size
    if convolution.bias is None or convolution.groups != 1 or {*convolution.dilation} != {1}:
        return False
    is_same = type(convolution) is SameConvolution
    is_centred = type(convolution) is nn.Conv3d and convolution.padding == tuple(size // 2 for size in kernel)
    return (is_same or is_centred) and convolution.padding_mode == "zeros" and all(size % 2 for size in kernel)


class PhasedConvolution(nn.Module):
    """A convolution that halves rows and columns, over clips whose every 2x2 pixels are one of four times the channels.

    Attributes:
        weight: float (outputs, 4 x inputs, frames, rows, columns), channels last; the channels are ordered by row,
            column, input.
        bias: float (outputs,).
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, convolution: nn.Conv3d) -> None:
        super().__init__()
        self._kernel, self._stride = convolution.kernel_size, convolution.stride
        self._count_zeros = count_zeros if isinstance(convolution, SameConvolution) else _count_centred
        assert convolution.bias is not None
        weight = functional.pad(convolution.weight.detach(), (0, 1, 0, 1))  # an odd kernel made even
        weight = _join_pixels(weight).contiguous(memory_format=torch.channels_last_3d)
        self.register_buffer("weight", weight)
        self.register_buffer("bias", convolution.bias.detach())

    def forward(self, clips: Tensor) -> Tensor:
        """Return (N, outputs, T', H / 2, W / 2) for (N, inputs, T, H, W), channels last in memory."""
        pads: list[int] = []
        for axis, (size, kernel, stride) in enumerate(zip(clips.shape[2:], self._kernel, self._stride, strict=True)):
            before, behind = self._count_zeros(size, kernel, stride)
            has_odd = axis > 0 and (before + size + behind) % 2 == 1  # 2x2 pixels want even rows and columns
            pads = [before, behind + has_odd, *pads]  # torch wants the last axis first
        joined = _join_pixels(functional.pad(clips, pads)).contiguous(memory_format=torch.channels_last_3d)
        return functional.conv3d(joined, self.weight, self.bias, (self._stride[0], 1, 1))


def _count_centred(_size: int, kernel: int, _stride: int) -> tuple[int, int]:
    return kernel // 2, kernel // 2


def _join_pixels(values: Tensor) -> Tensor:
    """Return (N, 4 x C, T, H / 2, W / 2) for (N, C, T, H, W) with even H and W."""
    pairs = torch.unflatten(torch.unflatten(values, 4, (-1, 2)), 3, (-1, 2))
    return pairs.permute(0, 4, 6, 1, 2, 3, 5).flatten(1, 3)
