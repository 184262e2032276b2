"""3-D convolutions whose kernel is three frames long, computed as several in space; measured on a CPU with AVX2.

- `SummedConvolution` adds up one for each frame of the kernel. The frames outside of the clip cost nothing then: of two
  frames, a third of the work.
- `WinogradConvolution` gets two frames out of four convolutions instead of six: Winograd's F(2, 3) along time, see
  Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", part 4.1.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional


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


class WinogradConvolution(nn.Module):
    """A convolution of three frames, one after the other, with four weights in space for each two frames.

    The weights are buffers: for frames a, b, c of the kernel they are a, (a + b + c) / 2, (a - b + c) / 2, c.
    """

    bias: Tensor

    def __init__(self, convolution: nn.Conv3d) -> None:
        super().__init__()
        assert convolution.bias is not None
        self._stride = convolution.stride[1:]
        self._padding = convolution.kernel_size[1] // 2, convolution.kernel_size[2] // 2
        first, middle, last = convolution.weight.detach().unbind(2)
        weights = first, (first + middle + last) / 2, (first - middle + last) / 2, last
        for number, weight in enumerate(weights):
            self.register_buffer(f"weight_{number}", weight.contiguous(memory_format=torch.channels_last))
        self.register_buffer("bias", convolution.bias.detach())

    def forward(self, activation: Tensor) -> Tensor:
        """Return (N, outputs, T, H', W') for (N, inputs, T, H, W), both channels last in memory."""
        weights = [self.get_buffer(f"weight_{number}") for number in range(4)]
        frames = activation.shape[2]
        even = functional.pad(activation, (0, 0, 0, 0, 0, 1)) if frames % 2 else activation
        convolved: Tensor = _Winograd.apply(even, weights, self.bias, self._stride, self._padding)  # type: ignore[no-untyped-call]
        return convolved[:, :, :frames]


class _Winograd(torch.autograd.Function):
    """What `WinogradConvolution` computes, of an even number of frames; weights get no gradient.

    The frames are taken in pairs. With the one before and the one after, a pair meets the weights as
    before - second, first + second, second - first, first - after; what comes out of the middle two is in both frames.
    """

    @staticmethod
    def forward(
        context: torch.autograd.function.FunctionCtx,
        activation: Tensor,
        weights: list[Tensor],
        bias: Tensor,
        stride: tuple[int, int],
        padding: tuple[int, int],
    ) -> Tensor:
        context.shape, context.weights = activation.shape, weights  # type: ignore[attr-defined]
        context.stride, context.padding = stride, padding  # type: ignore[attr-defined]
        first, second = _split_pairs(activation)
        before, after = -second, first.clone()
        before[:, 1:] += second[:, :-1]
        after[:, :-1] -= first[:, 1:]
        summands = [
            functional.conv2d(frames.flatten(0, 1), weight, shift, stride, padding)
            for frames, weight, shift in zip(
                (before, first + second, second - first, after), weights, (None, bias, None, None), strict=True
            )
        ]
        of_first, of_sum, of_difference, of_second = (torch.unflatten(one, 0, first.shape[:2]) for one in summands)
        convolved = _make_clips(activation.shape[2], of_sum)
        first, second = _split_pairs(convolved)
        torch.add(of_sum, of_difference, out=first).add_(of_first)
        torch.sub(of_sum, of_difference, out=second).sub_(of_second)
        return convolved

    @staticmethod
    def backward(
        context: torch.autograd.function.FunctionCtx, *gradients: Tensor
    ) -> tuple[Tensor, None, None, None, None]:
        shape, weights = context.shape, context.weights  # type: ignore[attr-defined]
        first, second = _split_pairs(gradients[0])
        size = (first.shape[0] * first.shape[1], shape[1], *shape[3:])
        before, of_sum, of_difference, after = (
            torch.unflatten(
                nn.grad.conv2d_input(size, weight, _as_one_batch(frames), context.stride, context.padding),  # type: ignore[attr-defined]
                0,
                first.shape[:2],
            )
            for frames, weight in zip((first, first + second, first - second, second), weights, strict=True)
        )
        passed = _make_clips(shape[2], of_sum)
        first, second = _split_pairs(passed)
        torch.sub(of_sum, of_difference, out=first).sub_(after)
        first[:, 1:] += after[:, :-1]
        torch.add(of_sum, of_difference, out=second).sub_(before)
        second[:, :-1] += before[:, 1:]
        return passed, None, None, None, None


def _split_pairs(clips: Tensor) -> tuple[Tensor, Tensor]:
    """Return views of the first and second frames of all pairs: (N, T / 2, C, H, W) for (N, C, T, H, W)."""
    frames = clips.transpose(1, 2)
    return frames[:, ::2], frames[:, 1::2]


def _make_clips(frames: int, pairs: Tensor) -> Tensor:
    """Return new memory (N, C, T, H, W) for (N, T / 2, C, H, W), channels last in it."""
    clips, _, *shape = pairs.shape
    channels, height, width = shape
    return pairs.new_empty((clips, frames, height, width, channels)).permute(0, 4, 1, 2, 3)


def _as_one_batch(frames: Tensor) -> Tensor:
    """Return (N x T, C, H, W) for (N, T, C, H, W), channels last in memory."""
    return frames.flatten(0, 1).contiguous(memory_format=torch.channels_last)


def _as_images(activation: Tensor) -> Tensor:
    """Return (N x T, C, H, W) for (N, C, T, H, W), channels last in memory."""
    return _as_one_batch(activation.transpose(1, 2))


def _as_clips(images: Tensor, clips: int) -> Tensor:
    """Return (N, C, T, H, W) for (N x T, C, H, W)."""
    return torch.unflatten(images, 0, (clips, -1)).transpose(1, 2)
