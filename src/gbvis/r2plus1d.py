"""The R(2+1)D architecture (Tran et al. 2018, "A Closer Look at Spatiotemporal Convolutions") and nothing else."""

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor, nn

from gbvis.architecture import Architecture, Factors
from gbvis.endpoint import AP, FC, SOFTMAX, STAGES, STEM, Endpoint

Padding = Literal["same", "symmetric"]
"""`same` pads as TensorFlow does, from the input's size, the odd one behind; `symmetric` by half the kernel."""

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
