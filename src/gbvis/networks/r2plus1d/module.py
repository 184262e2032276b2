"""The R(2+1)D architecture (Tran et al. 2018, "A Closer Look at Spatiotemporal Convolutions") and nothing else."""

from collections.abc import Iterator

from torch import Tensor, nn

from gbvis.networks.endpoint import AP, FC, SOFTMAX, Endpoint
from gbvis.networks.layers.same_padding import pad_like_tensorflow
from gbvis.networks.r2plus1d.architecture import (
    STAGES,
    STEM,
    Architecture,
    Block,
    Factors,
    Variant,
)

Triple = tuple[int, int, int]


class NormedConvolution(nn.Module):
    """A 3-D convolution and its batch norm, if it has one."""

    def __init__(
        self, inputs: int, outputs: int, kernel: Triple, stride: Triple, variant: Variant, has_norm: bool = True
    ) -> None:
        super().__init__()
        self.padding = variant.padding
        time, rows, columns = (size // 2 if variant.padding == "symmetric" else 0 for size in kernel)
        self.convolution = nn.Conv3d(inputs, outputs, kernel, stride, (time, rows, columns), bias=variant.has_biases)
        self.norm = nn.BatchNorm3d(outputs, eps=variant.norm_epsilon) if has_norm else nn.Identity()

    def forward(self, activation: Tensor) -> Tensor:
        """Return float32 (N, outputs, T', H', W') for float32 (N, inputs, T, H, W)."""
        if self.padding == "same":
            # Padding apart from the convolution, also where both sides get the same, is what the old script does: it
            # makes oneDNN take the kernels that give its very bits.
            activation = pad_like_tensorflow(activation, self.convolution.kernel_size, self.convolution.stride)
        normed: Tensor = self.norm(self.convolution(activation))
        return normed


class FactorizedConvolution(nn.Module):
    """A (2+1)D convolution: in space, norm, ReLU, in time, norm. The ReLU after it is the caller's."""

    def __init__(
        self, factors: Factors, kernel: Triple, stride: Triple, variant: Variant, has_last_norm: bool = True
    ) -> None:
        super().__init__()
        self.spatial = NormedConvolution(factors.inputs, factors.middle, (1, *kernel[1:]), (1, *stride[1:]), variant)
        self.relu: nn.Module = nn.ReLU()
        self.temporal = NormedConvolution(
            factors.middle, factors.outputs, (kernel[0], 1, 1), (stride[0], 1, 1), variant, has_last_norm
        )

    def forward(self, activation: Tensor) -> Tensor:
        """Return float32 (N, outputs, T', H', W') for float32 (N, inputs, T, H, W)."""
        convolved: Tensor = self.temporal(self.relu(self.spatial(activation)))
        return convolved


class ResidualBlock(nn.Module):
    """Two (2+1)D convolutions beside a shortcut, which is a convolution of 1x1x1 where sizes change."""

    def __init__(self, block: Block, step: int, variant: Variant) -> None:
        super().__init__()
        stride = (step, step, step)
        inputs, outputs = block.first.inputs, block.second.outputs
        self.first = FactorizedConvolution(block.first, (3, 3, 3), stride, variant)
        self.first_relu: nn.Module = nn.ReLU()
        self.second = FactorizedConvolution(block.second, (3, 3, 3), (1, 1, 1), variant)
        self.shortcut: nn.Module | None = None
        if block.shortcut is not None:
            self.shortcut = FactorizedConvolution(block.shortcut, (1, 1, 1), stride, variant)
        elif step != 1 or inputs != outputs:
            self.shortcut = NormedConvolution(inputs, outputs, (1, 1, 1), stride, variant)
        self.relu: nn.Module = nn.ReLU()

    def forward(self, activation: Tensor) -> Tensor:
        """Return float32 (N, outputs, T', H', W') for float32 (N, inputs, T, H, W)."""
        residual = self.second(self.first_relu(self.first(activation)))
        shortcut = activation if self.shortcut is None else self.shortcut(activation)
        block: Tensor = self.relu(residual + shortcut)
        return block


class R2Plus1D(nn.Module):
    """R(2+1)D; every stage but the first halves time, rows and columns, the stem rows and columns."""

    def __init__(self, architecture: Architecture, variant: Variant) -> None:
        super().__init__()
        has_norm = not variant.has_bare_stem
        self.architecture, self.variant = architecture, variant
        self.stem = FactorizedConvolution(architecture.stem, (3, 7, 7), (1, 2, 2), variant, has_norm)
        self.stem_relu: nn.Module = nn.Identity() if variant.has_bare_stem else nn.ReLU()
        self.stages = nn.ModuleList(
            nn.Sequential(
                *(
                    ResidualBlock(block, 2 if stage > 0 and number == 0 else 1, variant)
                    for number, block in enumerate(blocks)
                )
            )
            for stage, blocks in enumerate(architecture.stages)
        )
        self.classifier = nn.Linear(architecture.stages[-1][-1].second.outputs, architecture.classes)

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
        activation = activation.to(self.classifier.weight.dtype).mean((2, 3, 4))
        yield AP, activation
        activation = self.classifier(activation)
        yield FC, activation
        yield SOFTMAX, activation.softmax(1)

    def forward(self, clips: Tensor) -> Tensor:
        """Return the logits: float32 (N, classes) for clips float32 (N, channels, T, H, W)."""
        return next(activation for endpoint, activation in self.endpoints(clips) if endpoint is FC)
