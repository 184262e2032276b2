"""The R(2+1)D architecture (Tran et al. 2018, "A Closer Look at Spatiotemporal Convolutions") and nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Literal

import torch
from torch import Tensor, nn

from gbvis.endpoint import AP, FC, SOFTMAX, STAGES, STEM, Endpoint

Padding = Literal["same", "symmetric"]
"""`same` pads as TensorFlow does, from the input's size, the odd one behind; `symmetric` by half the kernel."""

ShapeOf = Callable[[str], tuple[int, ...] | None]
"""Gives the shape of the parameter of `R2Plus1D` with that name, or None where there is none."""

BLOCKS_OF_DEPTH = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}


@dataclass(frozen=True)
class Factors:
    """The channels of one (2+1)D convolution: into the spatial part, between the two parts, out of the temporal."""

    inputs: int
    middle: int
    outputs: int

    @classmethod
    def like_3d(cls, inputs: int, outputs: int) -> "Factors":
        """Return the factors with as many weights as the 3x3x3 convolution they stand for (the paper, part 3.5)."""
        return cls(inputs, 27 * inputs * outputs // (9 * inputs + 3 * outputs), outputs)


@dataclass(frozen=True)
class Architecture:
    """All that decides a network's parameters.

    Attributes:
        stem: The first (2+1)D convolution; 7x7 in space.
        stages: Per stage and block, its two (2+1)D convolutions.
        classes: Outputs of the classifier.
    """

    stem: Factors
    stages: tuple[tuple[tuple[Factors, Factors], ...], ...]
    classes: int

    @property
    def depth(self) -> int:
        """Layers as the paper counts them: stem, two convolutions a block, classifier."""
        return 2 + 2 * sum(len(stage) for stage in self.stages)

    @classmethod
    def of_depth(cls, depth: int, input_channels: int, classes: int) -> "Architecture":
        """Return the paper's network of 18 or 34 layers, middle channels per convolution as in the authors' code."""
        stages, inputs = [], 64
        for stage, blocks in enumerate(BLOCKS_OF_DEPTH[depth]):
            width = 64 * 2**stage
            stages.append(
                tuple(
                    (Factors.like_3d(inputs if block == 0 else width, width), Factors.like_3d(width, width))
                    for block in range(blocks)
                )
            )
            inputs = width
        return cls(Factors(input_channels, 45, 64), tuple(stages), classes)

    @classmethod
    def from_shapes(cls, shape_of: ShapeOf) -> "Architecture":
        """Return the architecture whose parameters have these shapes.

        Raises:
            LookupError: A weight that decides the architecture is missing or has a wrong number of axes; the
                argument is its name.
        """
        stages = tuple(
            tuple(
                (
                    _factors(shape_of, f"stages.{stage}.{block}.first"),
                    _factors(shape_of, f"stages.{stage}.{block}.second"),
                )
                for block in range(_block_count(shape_of, stage))
            )
            for stage in range(len(STAGES))
        )
        return cls(_factors(shape_of, "stem"), stages, _shape(shape_of, "classifier.weight", axes=2)[0])


def _block_count(shape_of: ShapeOf, stage: int) -> int:
    """Return the number of blocks in a stage, at least one; a block is there if any of its convolutions is."""
    units = [f"{unit}.{part}.convolution.weight" for unit in ("first", "second") for part in ("spatial", "temporal")]
    return next(
        block for block in count(1) if all(shape_of(f"stages.{stage}.{block}.{unit}") is None for unit in units)
    )


def _factors(shape_of: ShapeOf, name: str) -> Factors:
    spatial = _shape(shape_of, f"{name}.spatial.convolution.weight", axes=5)
    temporal = _shape(shape_of, f"{name}.temporal.convolution.weight", axes=5)
    return Factors(spatial[1], spatial[0], temporal[0])


def _shape(shape_of: ShapeOf, name: str, axes: int) -> tuple[int, ...]:
    shape = shape_of(name)
    if shape is None or len(shape) != axes:
        raise LookupError(name)
    return shape


Triple = tuple[int, int, int]


class NormedConvolution(nn.Module):
    """A 3-D convolution and its batch norm."""

    def __init__(
        self, inputs: int, outputs: int, kernel: Triple, stride: Triple, padding: Padding, norm_epsilon: float
    ) -> None:
        super().__init__()
        self.padding = padding
        time, rows, columns = (size // 2 if padding == "symmetric" else 0 for size in kernel)
        self.convolution = nn.Conv3d(inputs, outputs, kernel, stride, (time, rows, columns), bias=False)
        self.norm = nn.BatchNorm3d(outputs, eps=norm_epsilon)

    def forward(self, activation: Tensor) -> Tensor:
        """Return float32 (N, outputs, T', H', W') for float32 (N, inputs, T, H, W)."""
        normed: Tensor = self.norm(self.convolution(self._pad_like_tensorflow(activation)))
        return normed

    def _pad_like_tensorflow(self, activation: Tensor) -> Tensor:
        """Return the activation padded so that ceil(size / stride) outputs come of it, the odd zero behind.

        Padding apart from the convolution, also where both sides get the same, is what the old script does: it makes
        oneDNN take the kernels that give its very bits.
        """
        if self.padding == "symmetric":  # the convolution pads by itself
            return activation
        pads: list[int] = []
        sizes = zip(activation.shape[2:], self.convolution.kernel_size, self.convolution.stride, strict=True)
        for size, kernel, stride in sizes:
            total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
            pads = [total // 2, total - total // 2, *pads]  # torch wants the last axis first
        return nn.functional.pad(activation, pads) if any(pads) else activation


class FactorizedConvolution(nn.Module):
    """A (2+1)D convolution: in space, norm, ReLU, in time, norm. The ReLU after it is the caller's."""

    def __init__(
        self,
        factors: Factors,
        kernel: int,
        spatial_stride: int,
        temporal_stride: int,
        padding: Padding,
        norm_epsilon: float,
    ) -> None:
        super().__init__()
        rest = (padding, norm_epsilon)
        self.spatial = NormedConvolution(
            factors.inputs, factors.middle, (1, kernel, kernel), (1, spatial_stride, spatial_stride), *rest
        )
        self.relu: nn.Module = nn.ReLU()
        self.temporal = NormedConvolution(factors.middle, factors.outputs, (3, 1, 1), (temporal_stride, 1, 1), *rest)

    def forward(self, activation: Tensor) -> Tensor:
        """Return float32 (N, outputs, T', H', W') for float32 (N, inputs, T, H, W)."""
        convolved: Tensor = self.temporal(self.relu(self.spatial(activation)))
        return convolved


class ResidualBlock(nn.Module):
    """Two (2+1)D convolutions beside a shortcut; the shortcut is a 1x1x1 convolution where sizes change."""

    def __init__(self, first: Factors, second: Factors, stride: int, padding: Padding, norm_epsilon: float) -> None:
        super().__init__()
        rest = (padding, norm_epsilon)
        self.first = FactorizedConvolution(first, 3, stride, stride, *rest)
        self.first_relu: nn.Module = nn.ReLU()
        self.second = FactorizedConvolution(second, 3, 1, 1, *rest)
        self.shortcut = (
            NormedConvolution(first.inputs, second.outputs, (1, 1, 1), (stride, stride, stride), *rest)
            if stride != 1 or first.inputs != second.outputs
            else None
        )
        self.relu: nn.Module = nn.ReLU()

    def forward(self, activation: Tensor) -> Tensor:
        """Return float32 (N, outputs, T', H', W') for float32 (N, inputs, T, H, W)."""
        residual = self.second(self.first_relu(self.first(activation)))
        shortcut = activation if self.shortcut is None else self.shortcut(activation)
        block: Tensor = self.relu(residual + shortcut)
        return block


class R2Plus1D(nn.Module):
    """R(2+1)D; every stage but the first halves time, rows and columns, the stem rows and columns."""

    def __init__(self, architecture: Architecture, padding: Padding, norm_epsilon: float) -> None:
        super().__init__()
        rest = (padding, norm_epsilon)
        self.architecture = architecture
        self.stem = FactorizedConvolution(architecture.stem, 7, 2, 1, *rest)
        self.stem_relu: nn.Module = nn.ReLU()
        self.stages = nn.ModuleList(
            nn.Sequential(
                *(
                    ResidualBlock(first, second, 2 if stage > 0 and block == 0 else 1, *rest)
                    for block, (first, second) in enumerate(blocks)
                )
            )
            for stage, blocks in enumerate(architecture.stages)
        )
        self.classifier = nn.Linear(architecture.stages[-1][-1][1].outputs, architecture.classes)

    def endpoints(self, clips: Tensor) -> Iterator[tuple[Endpoint, Tensor]]:
        """Yield every endpoint and its activation, each computed when it is asked for.

        Args:
            clips: float32 (N, channels, T, H, W), normalised.

        Yields:
            float32 (N, filters, T', H', W') at the convolutions, (N, features) at `AP`, (N, classes) at `FC` and
            `SOFTMAX`.
        """
        activation: Tensor = self.stem_relu(self.stem(clips))
        yield STEM, activation
        for endpoint, stage in zip(STAGES, self.stages, strict=True):
            activation = stage(activation)
            yield endpoint, activation
        activation = activation.mean((2, 3, 4))
        yield AP, activation
        activation = self.classifier(activation)
        yield FC, activation
        yield SOFTMAX, activation.softmax(1)

    def forward(self, clips: Tensor) -> Tensor:
        """Return the logits: float32 (N, classes) for clips float32 (N, channels, T, H, W)."""
        return next(activation for endpoint, activation in self.endpoints(clips) if endpoint is FC)


def count_parameters(architecture: Architecture) -> int:
    """Return the number of weights, norms included and their running statistics not."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in R2Plus1D(architecture, "same", 0.0).parameters())


def trace_shapes(
    architecture: Architecture, padding: Padding, clip_shape: tuple[int, ...]
) -> dict[Endpoint, tuple[int, ...]]:
    """Return every endpoint's shape for one clip of `clip_shape` (channels, T, H, W); nothing is computed."""
    with torch.device("meta"):
        network = R2Plus1D(architecture, padding, 0.0).eval()
        clips = torch.empty((1, *clip_shape))
    return {endpoint: tuple(activation.shape[1:]) for endpoint, activation in network.endpoints(clips)}


def receptive_fields(architecture: Architecture) -> dict[Endpoint, tuple[int, int]]:
    """Return the receptive field of one activation, in frames and in pixels, at every conv endpoint.

    The field may be larger than the clip. Behind the convolutions everything sees all of it.
    """
    fields = {STEM: (3, 7)}
    frames, pixels, frame_step, pixel_step = 3, 7, 1, 2
    for stage, (endpoint, blocks) in enumerate(zip(STAGES, architecture.stages, strict=True)):
        for convolution in range(2 * len(blocks)):
            frames += 2 * frame_step
            pixels += 2 * pixel_step
            if stage > 0 and convolution == 0:
                frame_step *= 2
                pixel_step *= 2
        fields[endpoint] = (frames, pixels)
    return fields
