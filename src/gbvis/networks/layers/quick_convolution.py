"""3-D convolutions computed in another way, where that is quicker on a CPU; measured on one with AVX2.

- The first convolution of a network takes three channels and halves rows and columns. Kernels for so few channels are
  slow, their gradients above all. With every 2x2 pixels made one of four times as many channels it halves nothing.
- Where a kernel of three frames meets few frames and many channels it is three convolutions in space, whose outputs
  are added up. The frames outside of the clip cost nothing then: of two frames, a third of the work.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

_FEW = 4
"""Up to how many input channels a convolution is taken for the first of a network."""

_MANY = 200
"""From how many input channels on a convolution along time is several in space."""


def make_quick(convolution: nn.Conv3d) -> nn.Module:
    """Return a module that does what the convolution does; the convolution itself where nothing is quicker."""
    kernel, stride = convolution.kernel_size, convolution.stride
    is_plain = type(convolution) is nn.Conv3d and convolution.bias is not None and convolution.groups == 1
    is_centred = convolution.padding == tuple(size // 2 for size in kernel) and all(size % 2 for size in kernel)
    if not is_plain or not is_centred or convolution.padding_mode != "zeros" or {*convolution.dilation} != {1}:
        return convolution
    if convolution.in_channels <= _FEW and stride[1:] == (2, 2) and min(kernel[1:]) > 1:
        return PhasedConvolution(convolution)
    if convolution.in_channels >= _MANY and kernel[0] == 3:
        return SummedConvolution(convolution)
    return convolution


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
        self._kernel, self._time_step = convolution.kernel_size, convolution.stride[0]
        assert convolution.bias is not None
        weight = functional.pad(convolution.weight.detach(), (0, 1, 0, 1))  # an odd kernel made even
        weight = _join_pixels(weight).contiguous(memory_format=torch.channels_last_3d)
        self.register_buffer("weight", weight)
        self.register_buffer("bias", convolution.bias.detach())

    def forward(self, clips: Tensor) -> Tensor:
        """Return (N, outputs, T', H / 2, W / 2) for (N, inputs, T, H, W), channels last in memory."""
        pads: list[int] = []
        for size, kernel in zip(clips.shape[3:], self._kernel[1:], strict=True):
            pads = [kernel // 2, kernel // 2 + size % 2, *pads]  # torch wants the last axis first
        joined = _join_pixels(functional.pad(clips, pads)).contiguous(memory_format=torch.channels_last_3d)
        step, padding = (self._time_step, 1, 1), (self._kernel[0] // 2, 0, 0)
        return functional.conv3d(joined, self.weight, self.bias, step, padding)


def _join_pixels(values: Tensor) -> Tensor:
    """Return (N, 4 x C, T, H / 2, W / 2) for (N, C, T, H, W) with even H and W."""
    pairs = torch.unflatten(torch.unflatten(values, 4, (-1, 2)), 3, (-1, 2))
    return pairs.permute(0, 4, 6, 1, 2, 3, 5).flatten(1, 3)


class SummedConvolution(nn.Module):
    """A convolution of three frames as three in space; its weights are buffers, one for each frame of the kernel."""

    bias: Tensor

    def __init__(self, convolution: nn.Conv3d) -> None:
        super().__init__()
        assert convolution.bias is not None
        self._stride = convolution.stride
        self._padding = convolution.kernel_size[1] // 2, convolution.kernel_size[2] // 2
        for frame, weight in enumerate(convolution.weight.detach().unbind(2)):
            self.register_buffer(f"weight_{frame}", weight.contiguous(memory_format=torch.channels_last))
        self.register_buffer("bias", convolution.bias.detach())

    def forward(self, activation: Tensor) -> Tensor:
        """Return (N, outputs, T', H', W') for (N, inputs, T, H, W), both channels last in memory."""
        weights = [self.get_buffer(f"weight_{frame}") for frame in range(3)]
        convolved: Tensor = _Sum.apply(activation, weights, self.bias, self._stride, self._padding)  # type: ignore[no-untyped-call]
        return convolved


class _Sum(torch.autograd.Function):
    """What `SummedConvolution` computes; weights get no gradient."""

    @staticmethod
    def forward(
        context: torch.autograd.function.FunctionCtx,
        activation: Tensor,
        weights: list[Tensor],
        bias: Tensor,
        stride: tuple[int, int, int],
        padding: tuple[int, int],
    ) -> Tensor:
        context.shape, context.weights = activation.shape, weights  # type: ignore[attr-defined]
        context.stride, context.padding = stride, padding  # type: ignore[attr-defined]
        frames = activation.shape[2]
        middle = functional.conv2d(_as_images(activation[:, :, :: stride[0]]), weights[1], bias, stride[1:], padding)
        convolved = _as_clips(middle, len(activation))
        for weight, inputs, outputs in _outer_frames(frames, stride[0], weights):
            images = _as_images(activation[:, :, inputs])
            summand = functional.conv2d(images, weight, None, stride[1:], padding)
            convolved[:, :, outputs] += _as_clips(summand, len(activation))
        return convolved

    @staticmethod
    def backward(
        context: torch.autograd.function.FunctionCtx, *gradients: Tensor
    ) -> tuple[Tensor, None, None, None, None]:
        shape, weights, stride = context.shape, context.weights, context.stride  # type: ignore[attr-defined]
        clips, channels, frames = shape[:3]
        passed = torch.zeros_like(gradients[0].new_empty(shape), memory_format=torch.channels_last_3d)
        every = (weights[1], slice(None, None, stride[0]), slice(None))
        for weight, inputs, outputs in (every, *_outer_frames(frames, stride[0], weights)):
            images = _as_images(gradients[0][:, :, outputs])
            size = (len(images), channels, *shape[3:])
            given = nn.grad.conv2d_input(size, weight, images, stride[1:], context.padding)  # type: ignore[attr-defined]
            passed[:, :, inputs] += _as_clips(given, clips)
        return passed, None, None, None, None


def _outer_frames(frames: int, step: int, weights: list[Tensor]) -> Iterator[tuple[Tensor, slice, slice]]:
    """Yield the weights of the first and last frame, the input frames each meets, the output frames it adds to."""
    outputs = -(-frames // step)
    before, after = outputs - 1, (frames - 2) // step + 1
    if before > 0:
        yield weights[0], slice(step - 1, step - 1 + (before - 1) * step + 1, step), slice(1, None)
    if after > 0:
        yield weights[2], slice(1, None, step), slice(0, after)


def _as_images(activation: Tensor) -> Tensor:
    """Return (N x T, C, H, W) for (N, C, T, H, W), channels last in memory."""
    return activation.transpose(1, 2).flatten(0, 1).contiguous(memory_format=torch.channels_last)


def _as_clips(images: Tensor, clips: int) -> Tensor:
    """Return (N, C, T, H, W) for (N x T, C, H, W)."""
    return torch.unflatten(images, 0, (clips, -1)).transpose(1, 2)
