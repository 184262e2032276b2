"""The fused R(2+1)D: norms folded into 2-D convolutions, for speed. Networks run only in this form.

What makes it quick on a CPU (`benchmarks/gradient.py` measures all of it together):

- Norms are fused into the convolutions: in evaluation they are a factor and a shift for each channel.
- Activations lie in memory as (clip, time, y, x, channel), "channels last", which oneDNN's best kernels want.
- A (2+1)D convolution never needs a 3-D one: in space it is a 2-D convolution over all frames; in time it is one over
  an image whose rows are frames and whose columns are all places of a frame. With channels last both images are views
  of the same memory. The 3-D kernels of the last stages are slow.
- ReLUs work in place, so that an activation is written once.

In float32 a CPU's 2-D kernels add up all products of an output one after the other, and the longer the sum, the more it
is off. So wide convolutions are several, over some input channels each; that costs no time, since wide activations are
small.

It rounds otherwise than the plain network, by some 1e-7; `docs/notes/rounding.md` says what that does to gradients.
"""

import copy
from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from gbvis.networks.layers.fold_norms import fold_norm
from gbvis.networks.layers.same_padding import count_zeros
from gbvis.networks.layers.shapes_alone import ShapesAlone
from gbvis.networks.r2plus1d.architecture import Architecture, Variant
from gbvis.networks.r2plus1d.module import NormedConvolution, R2Plus1D

_WIDE, _PART = 200, 64
"""From how many input channels on a float32 convolution is several on a CPU, and how many each of them takes. 144 is
the widest where activations are large."""


class FusedConvolution(nn.Module):
    """A `NormedConvolution` as one 2-D convolution with a shift, or as several whose sum it is."""

    shift: Tensor | None

    def __init__(self, plain: NormedConvolution, is_exact: bool, buffers: Mapping[str, Tensor]) -> None:
        """Take the sizes from the plain convolution, and the numbers as they are.

        Args:
            plain: The convolution; its numbers are not looked at.
            is_exact: Sum a wide one up in parts.
            buffers: As `fold_convolution` returns them.
        """
        super().__init__()
        convolution = plain.convolution
        time, rows, columns = convolution.kernel_size
        assert time == 1 or rows == columns == 1
        self._is_temporal = time > 1
        self._time_step = convolution.stride[0]
        self._step = (convolution.stride[0], 1) if self._is_temporal else convolution.stride[1:]
        self._size = (time, 1) if self._is_temporal else (rows, columns)
        self._is_symmetric = plain.padding == "symmetric"
        self._part = _size_of_parts(convolution.in_channels, is_exact)
        self._names = [f"weight_{number}" for number in range(-(-convolution.in_channels // self._part))]
        for name in self._names:
            self.register_buffer(name, buffers[name])
        self.register_buffer("shift", buffers.get("shift"))

    def forward(self, activation: Tensor) -> Tensor:
        """Return (N, outputs, T', H', W') for (N, inputs, T, H, W), both channels last in memory."""
        if self._is_temporal:
            rows, columns = activation.shape[3:]
            return torch.unflatten(self._convolve(activation.flatten(3)), 3, (rows, columns))
        clips = activation.shape[0]
        if self._time_step > 1:
            activation = _EveryNthFrame.apply(activation, self._time_step)  # type: ignore[no-untyped-call]
        frames = activation.transpose(1, 2).flatten(0, 1)
        return torch.unflatten(self._convolve(frames), 0, (clips, -1)).transpose(1, 2)

    def _convolve(self, image: Tensor) -> Tensor:
        padding, rest = self._pad(image.shape[2:])
        if any(rest):
            image = functional.pad(image, rest)
        weights = [self.get_buffer(name) for name in self._names]
        parts = torch.split(image, self._part, 1) if len(weights) > 1 else (image,)
        convolved: Tensor | None = None
        for part, weight in zip(parts, weights, strict=True):
            dense = part if len(weights) == 1 else part.contiguous(memory_format=torch.channels_last)
            shift = self.shift if convolved is None else None
            summand = functional.conv2d(dense, weight, shift, self._step, padding)
            convolved = summand if convolved is None else convolved.add_(summand)
        assert convolved is not None
        return convolved.contiguous(memory_format=torch.channels_last)  # it is, but where one channel leaves it open

    def _pad(self, sizes: torch.Size) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
        """Return how much the convolution pads by itself, and what has to be added before, as torch wants it.

        `same` padding gives ceil(size / step) outputs, the odd zero behind, as in `NormedConvolution`.
        """
        (rows, row_rest), (columns, column_rest) = (
            (kernel // 2, 0) if self._is_symmetric else _pad_like_tensorflow(size, kernel, step)
            for size, kernel, step in zip(sizes, self._size, self._step, strict=True)
        )
        return (rows, columns), (0, column_rest, 0, row_rest)


class _EveryNthFrame(torch.autograd.Function):
    """Slicing along time, whose gradient is channels last too; that of torch's own slicing is not."""

    @staticmethod
    def forward(context: torch.autograd.function.FunctionCtx, activation: Tensor, step: int) -> Tensor:
        context.shape, context.step = activation.shape, step  # type: ignore[attr-defined]
        return activation.data[:, :, ::step]

    @staticmethod
    def backward(context: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None]:
        shape, step = context.shape, context.step  # type: ignore[attr-defined]
        passed = torch.zeros_like(gradients[0].new_empty(shape), memory_format=torch.channels_last_3d)
        passed[:, :, ::step] = gradients[0]
        return passed, None


def _pad_like_tensorflow(size: int, kernel: int, step: int) -> tuple[int, int]:
    """Return the zeros on both sides, and how many more come behind: 0 or 1."""
    before, behind = count_zeros(size, kernel, step)
    return before, behind - before


def _size_of_parts(inputs: int, is_exact: bool) -> int:
    return _PART if is_exact and inputs >= _WIDE else inputs


def fold_convolution(plain: NormedConvolution, dtype: torch.dtype, is_exact: bool) -> dict[str, Tensor]:
    """Return the buffers of a `FusedConvolution`: weights, channels last in memory, and the shift where there is one.

    Args:
        plain: The convolution.
        dtype: What it is computed in.
        is_exact: Sum a wide one up in parts.
    """
    weight, shift = _fuse_norm(plain)
    weight = weight[..., 0] if plain.convolution.kernel_size[0] > 1 else weight[:, :, 0]
    parts = torch.split(weight.to(dtype), _size_of_parts(weight.shape[1], is_exact), 1)
    buffers = {
        f"weight_{number}": part.contiguous(memory_format=torch.channels_last) for number, part in enumerate(parts)
    }
    return buffers if shift is None else {**buffers, "shift": shift.to(dtype)}


def _fuse_norm(plain: NormedConvolution) -> tuple[Tensor, Tensor | None]:
    """Return a convolution's weight with its norm in it, and what is added to every output: float64, rounded later."""
    if isinstance(plain.norm, nn.BatchNorm3d):
        return fold_norm(plain.convolution, plain.norm)
    bias = plain.convolution.bias
    return plain.convolution.weight.double(), None if bias is None else bias.double()


def fuse(plain: R2Plus1D, device: torch.device, dtype: torch.dtype) -> R2Plus1D:
    """Return a network of the same endpoints that runs on `device` in `dtype`; `plain` is left as it is.

    Its clips have to be channels last in memory; what follows the convolutions is computed as the classifier's
    weights are, in float32.
    """
    is_exact = device.type == "cpu" and dtype == torch.float32
    with torch.device("meta"), ShapesAlone():
        fused = R2Plus1D(plain.architecture, plain.variant)
    convolutions = _list_convolutions(plain)
    buffers = {name: fold_convolution(part, dtype, is_exact) for name, part in convolutions}
    _assemble(fused, convolutions, is_exact, buffers)
    fused.classifier = copy.deepcopy(plain.classifier)
    return fused.to(device).eval().requires_grad_(False)


def fuse_changed(
    plain: R2Plus1D, fused: R2Plus1D, changed: Collection[str], device: torch.device, dtype: torch.dtype
) -> R2Plus1D:
    """Return what `fuse` does; it shares with `fused` what has none of the `changed` tensors of the plain network."""
    is_exact = device.type == "cpu" and dtype == torch.float32
    with torch.device("meta"), ShapesAlone():
        made = R2Plus1D(plain.architecture, plain.variant)
    convolutions = _list_convolutions(plain)
    buffers = {
        name: fold_convolution(part, dtype, is_exact)
        if _is_among(name, changed)
        else dict(fused.get_submodule(name).named_buffers())
        for name, part in convolutions
    }
    _assemble(made, convolutions, is_exact, buffers)
    made.classifier = copy.deepcopy(plain.classifier) if _is_among("classifier", changed) else fused.classifier
    return made.to(device).eval().requires_grad_(False)


def _is_among(part: str, names: Collection[str]) -> bool:
    """Return whether one of the tensors is a part's."""
    return any(name.startswith(f"{part}.") for name in names)


def restore(architecture: Architecture, variant: Variant, tensors: Mapping[str, Tensor]) -> R2Plus1D:
    """Return what `fuse` made for the CPU.

    Args:
        architecture: Of the network.
        variant: Of the network.
        tensors: Its `state_dict()`, used as they are.
    """
    own: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        parent, _, child = name.rpartition(".")
        own.setdefault(parent, {})[child] = tensor
    with torch.device("meta"), ShapesAlone():
        fused = R2Plus1D(architecture, variant)
    _assemble(fused, _list_convolutions(fused), tensors["stem.spatial.weight_0"].dtype == torch.float32, own)
    fused.classifier.load_state_dict(own["classifier"], assign=True)
    return fused.eval().requires_grad_(False)


def _list_convolutions(network: R2Plus1D) -> list[tuple[str, NormedConvolution]]:
    return [(name, part) for name, part in network.named_modules() if isinstance(part, NormedConvolution)]


def _assemble(
    network: R2Plus1D,
    convolutions: Sequence[tuple[str, NormedConvolution]],
    is_exact: bool,
    buffers: Mapping[str, Mapping[str, Tensor]],
) -> None:
    """Put fused convolutions with these buffers in the place of plain ones, and let the network's ReLUs overwrite."""
    for name, part in convolutions:
        parent, _, child = name.rpartition(".")
        setattr(network.get_submodule(parent), child, FusedConvolution(part, is_exact, buffers[name]))
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = True
