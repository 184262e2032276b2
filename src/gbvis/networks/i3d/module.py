"""Inception-I3D (Carreira & Zisserman 2017, "Quo Vadis, Action Recognition?") and nothing else.

The names are those of github.com/piergiaj/pytorch-i3d, and so are the paddings: those of TensorFlow's SAME, computed
from the input's size, in convolutions and in pooling, which sees zeros there.
"""

from collections import OrderedDict
from collections.abc import Iterator

from torch import Tensor, nn

from gbvis.networks.layers.same_padding import SameConvolution, pad_like_tensorflow
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

_POINT, _CUBE, _ONE = (1, 1, 1), (3, 3, 3), (1, 1, 1)

_UNITS = (".b0", ".b1a", ".b1b", ".b2a", ".b2b", ".b3b")


class SamePooling(nn.Module):
    """A maximum over windows that pads with zeros, as TensorFlow's SAME pads."""

    def __init__(self, kernel: Triple, stride: Triple) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.pool = nn.MaxPool3d(kernel, stride)

    def forward(self, activation: Tensor) -> Tensor:
        """Return (N, C, ceil(T / stride), ...) for (N, C, T, H, W)."""
        pooled: Tensor = self.pool(pad_like_tensorflow(activation, self.kernel, self.stride))
        return pooled


class Unit(nn.Sequential):
    """A convolution, its batch norm and a ReLU."""

    def __init__(self, shapes: Shapes, name: str, inputs: int, kernel: Triple, stride: Triple = _ONE) -> None:
        """Read the outputs from the shape of its weight.

        Raises:
            LookupError: There is none; the argument is its name.
        """
        self.outputs = outputs = read_outputs(shapes, f"{name}.conv3d.weight")
        parts = {
            "conv3d": SameConvolution(inputs, outputs, kernel, stride),
            "bn": nn.BatchNorm3d(outputs, eps=1e-3),
            "relu": nn.ReLU(),
        }
        super().__init__(OrderedDict(parts))


class InceptionBlock(Block):
    """A block: 1x1x1; twice 1x1x1 and 3x3x3; pooling and 1x1x1."""

    def __init__(self, shapes: Shapes, name: str, inputs: int) -> None:
        """Read the outputs from the shapes of its weights.

        Raises:
            LookupError: One is missing; the argument is its name.
        """
        super().__init__()
        self.b0 = Unit(shapes, f"{name}.b0", inputs, _POINT)
        self.b1a = Unit(shapes, f"{name}.b1a", inputs, _POINT)
        self.b1b = Unit(shapes, f"{name}.b1b", self.b1a.outputs, _CUBE)
        self.b2a = Unit(shapes, f"{name}.b2a", inputs, _POINT)
        self.b2b = Unit(shapes, f"{name}.b2b", self.b2a.outputs, _CUBE)
        self.b3a = SamePooling(_CUBE, _ONE)
        self.b3b = Unit(shapes, f"{name}.b3b", inputs, _POINT)
        self.outputs = sum(unit.outputs for unit in (self.b0, self.b1b, self.b2b, self.b3b))

    def branches(self, activation: Tensor) -> Iterator[Tensor]:
        """Yield what the branches make of an activation, in the order of their channels."""
        yield self.b0(activation)
        yield self.b1b(self.b1a(activation))
        yield self.b2b(self.b2a(activation))
        yield self.b3b(self.b3a(activation))


class I3D(InceptionNetwork):
    """Inception-I3D; every layer's sizes are read from shapes."""

    title = "I3D"

    def __init__(self, shapes: Shapes) -> None:
        """Make the layers that have weights of these shapes.

        Raises:
            LookupError: A convolution's weight is missing; the argument is its name.
        """
        super().__init__()
        channels = read_inputs(shapes, f"{LAYERS[0].name}.conv3d.weight")
        for layer in LAYERS:
            made = _make_layer(shapes, layer, channels)
            self.add_module(layer.name, made)
            channels = channels if isinstance(made, SamePooling) else made.outputs
        classes = read_outputs(shapes, "logits.conv3d.weight")
        self.logits = nn.Sequential(OrderedDict(conv3d=nn.Conv3d(channels, classes, 1)))

    def layers(self) -> Iterator[nn.Module]:
        """Yield the layers in the order of the forward pass."""
        return (self.get_submodule(layer.name) for layer in LAYERS)

    def find_head(self) -> nn.Conv3d:
        """Return the classifier."""
        head = self.logits.conv3d
        assert isinstance(head, nn.Conv3d)
        return head


def thin_shapes(thinness: int, inputs: int, classes: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes that decide a network's sizes, of one so many times as thin as the published one.

    Args:
        thinness: 1 for the published one; what divides 16.
        inputs: Channels of the clip.
        classes: Of the classifier.
    """
    units = {name: ("",) if len(widths) == 1 else _UNITS for name, widths in WIDTHS.items()}
    shapes = {
        f"{name}{unit}.conv3d.weight": (width // thinness, inputs, 1, 1, 1)
        for name, widths in WIDTHS.items()
        for unit, width in zip(units[name], widths, strict=True)
    }
    return {**shapes, "logits.conv3d.weight": (classes, inputs, 1, 1, 1)}


def _make_layer(shapes: Shapes, layer: Layer, inputs: int) -> Unit | InceptionBlock | SamePooling:
    if layer.what == "pooling":
        return SamePooling(layer.kernel, layer.stride)
    if layer.what == "block":
        return InceptionBlock(shapes, layer.name, inputs)
    return Unit(shapes, layer.name, inputs, layer.kernel, layer.stride)
