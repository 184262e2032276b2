"""S3D (Xie et al. 2018, "Rethinking Spatiotemporal Feature Learning") and nothing else; the names are torchvision's.

Convolutions and pooling pad by half the kernel on both sides, the last pooling not at all.
"""

from collections.abc import Iterator

from torch import Tensor, nn

from gbvis.networks.shaped.format import Shapes
from gbvis.networks.shaped.inception import (
    LAYERS,
    WIDTHS,
    Block,
    InceptionNetwork,
    Layer,
    Triple,
    read_inputs,
    read_outputs,
)

_SEPARABLE = (".0.0.weight", ".1.0.weight")
_BLOCK = {
    "branch0": ((".0.weight", 0),),
    "branch1": ((".0.0.weight", 1), (".1.0.0.weight", 2), (".1.1.0.weight", 2)),
    "branch2": ((".0.0.weight", 3), (".1.0.0.weight", 4), (".1.1.0.weight", 4)),
    "branch3": ((".1.0.weight", 5),),
}
"""Of every branch its weights, and which of a block's widths each has."""


class Unit(nn.Sequential):
    """A convolution, its batch norm and a ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: Triple = (1, 1, 1), stride: Triple = (1, 1, 1)) -> None:
        time, rows, columns = (size // 2 for size in kernel)
        super().__init__(
            nn.Conv3d(inputs, outputs, kernel, stride, (time, rows, columns), bias=False),
            nn.BatchNorm3d(outputs, eps=1e-3),
            nn.ReLU(),
        )
        self.outputs = outputs


class SeparableConvolution(nn.Sequential):
    """A convolution in space and one in time, each with its norm and ReLU."""

    def __init__(self, shapes: Shapes, name: str, inputs: int, layer: Layer) -> None:
        """Read the outputs from the shapes of its weights.

        Raises:
            LookupError: One is missing; the argument is its name.
        """
        middle, outputs = (read_outputs(shapes, f"{name}{weight}") for weight in _SEPARABLE)
        (time, rows, columns), (time_step, row_step, column_step) = layer.kernel, layer.stride
        super().__init__(
            Unit(inputs, middle, (1, rows, columns), (1, row_step, column_step)),
            Unit(middle, outputs, (time, 1, 1), (time_step, 1, 1)),
        )
        self.outputs = outputs


class SeparableBlock(Block):
    """A block: 1x1x1; twice 1x1x1 and a separable convolution; pooling and 1x1x1."""

    def __init__(self, shapes: Shapes, name: str, inputs: int, layer: Layer) -> None:
        """Read the outputs from the shapes of its weights.

        Raises:
            LookupError: One is missing; the argument is its name.
        """
        super().__init__()

        def make_branch(branch: str) -> nn.Sequential:
            first = Unit(inputs, read_outputs(shapes, f"{name}.{branch}.0.0.weight"))
            return nn.Sequential(first, SeparableConvolution(shapes, f"{name}.{branch}.1", first.outputs, layer))

        self.branch0 = Unit(inputs, read_outputs(shapes, f"{name}.branch0.0.weight"))
        self.branch1, self.branch2 = make_branch("branch1"), make_branch("branch2")
        last = Unit(inputs, read_outputs(shapes, f"{name}.branch3.1.0.weight"))
        self.branch3 = nn.Sequential(nn.MaxPool3d(layer.kernel, 1, 1), last)
        separable = [read_outputs(shapes, f"{name}.{branch}.1.1.0.weight") for branch in ("branch1", "branch2")]
        self.outputs = self.branch0.outputs + sum(separable) + last.outputs

    def branches(self, activation: Tensor) -> Iterator[Tensor]:
        """Yield what the branches make of an activation, in the order of their channels."""
        for branch in (self.branch0, self.branch1, self.branch2, self.branch3):
            yield branch(activation)


class S3D(InceptionNetwork):
    """S3D; every layer's sizes are read from shapes."""

    title = "S3D"

    def __init__(self, shapes: Shapes) -> None:
        """Make the layers that have weights of these shapes.

        Raises:
            LookupError: A convolution's weight is missing; the argument is its name.
        """
        super().__init__()
        channels = read_inputs(shapes, "features.0.0.0.weight")
        made: list[nn.Module] = []
        for number, layer in enumerate(LAYERS):
            made.append(_make_layer(shapes, f"features.{number}", channels, layer))
            channels = getattr(made[-1], "outputs", channels)
        self.features = nn.Sequential(*made)
        classes = read_outputs(shapes, "classifier.1.weight")
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Conv3d(channels, classes, 1))

    def layers(self) -> Iterator[nn.Module]:
        """Yield the layers in the order of the forward pass."""
        return iter(self.features)

    def find_head(self) -> nn.Conv3d:
        """Return the classifier."""
        head = self.classifier[1]
        assert isinstance(head, nn.Conv3d)
        return head


def thin_shapes(thinness: int, inputs: int, classes: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes that decide a network's sizes, of one so many times as thin as the published one.

    Args:
        thinness: 1 for the published one; what divides 16.
        inputs: Channels of the clip.
        classes: Of the classifier.
    """
    shapes: dict[str, tuple[int, ...]] = {"classifier.1.weight": (classes, inputs, 1, 1, 1)}
    for number, layer in enumerate(LAYERS):
        names: list[tuple[str, int]] = []
        if layer.what == "convolution":
            names = [(weight, 0) for weight in (_SEPARABLE if layer.kernel != (1, 1, 1) else (".0.weight",))]
        elif layer.what == "block":
            names = [(f".{branch}{weight}", place) for branch, all_of in _BLOCK.items() for weight, place in all_of]
        for weight, place in names:
            shapes[f"features.{number}{weight}"] = (WIDTHS[layer.name][place] // thinness, inputs, 1, 1, 1)
    return shapes


def _make_layer(shapes: Shapes, name: str, inputs: int, layer: Layer) -> nn.Module:
    if layer.what == "pooling":
        padding = tuple(0 if size == 2 else size // 2 for size in layer.kernel)
        return nn.MaxPool3d(layer.kernel, layer.stride, padding)
    if layer.what == "block":
        return SeparableBlock(shapes, name, inputs, layer)
    if layer.kernel == (1, 1, 1):
        return Unit(inputs, read_outputs(shapes, f"{name}.0.weight"))
    return SeparableConvolution(shapes, name, inputs, layer)
