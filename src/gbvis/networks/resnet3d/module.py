"""3-D residual networks, built from the shapes of their weights; names and strides are torchvision's `VideoResNet`.

R3D, MCx, rMCx and R(2+1)D: Tran et al. 2018, "A Closer Look at Spatiotemporal Convolutions for Action Recognition".
CSN: Tran et al. 2019, "Video Classification with Channel-Separated Convolutional Networks".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from torch import Tensor, nn

from gbvis.networks.endpoint import AP, FC, SOFTMAX, Endpoint
from gbvis.networks.grid import Cells
from gbvis.networks.r2plus1d.architecture import STAGES, STEM
from gbvis.networks.shaped.format import Shapes
from gbvis.networks.shaped.module import ShapedModule

Triple = tuple[int, int, int]

_ONE: Triple = (1, 1, 1)
_STEM_STEP: Triple = (1, 2, 2)


@dataclass(frozen=True)
class Variant:
    """What the networks of one origin share, and shapes alone do not tell.

    Attributes:
        norm_epsilon: What batch norms add to the variance.
        middle_epsilon: The same of the norms inside (2+1)D convolutions.
        has_pool: True where a max pooling over 3x3 pixels follows the stem.
        frame_steps: By how much each stage thins out time, where its kernels have a depth.
        pixel_steps: By how much each stage thins out rows and columns.
    """

    norm_epsilon: float
    middle_epsilon: float
    has_pool: bool
    frame_steps: tuple[int, int, int, int]
    pixel_steps: tuple[int, int, int, int]

    def __post_init__(self) -> None:
        """Check the values: a weights file may have brought them.

        Raises:
            ValueError: They are no variant.
        """
        steps = (*self.frame_steps, *self.pixel_steps)
        are_small = all(0 < epsilon < 1 for epsilon in (self.norm_epsilon, self.middle_epsilon))
        if not are_small or len(steps) != 8 or not {*steps} <= {1, 2} or self.has_pool not in (False, True):
            raise ValueError("expected epsilons between 0 and 1, and four steps of 1 or 2 each")

    @classmethod
    def from_details(cls, details: Mapping[str, Any]) -> "Variant":
        """Return what plain data says.

        Raises:
            TypeError, ValueError: It makes no sense.
        """
        steps = {name: tuple(details.get(name, ())) for name in ("frame_steps", "pixel_steps")}
        return cls(**{**details, **steps})


class ResNet3d(ShapedModule):
    """A 3-D residual network of any depth."""

    def __init__(self, shapes: Shapes, variant: Variant) -> None:
        """Build the network whose weights have these shapes.

        Raises:
            LookupError: A weight is missing, or does not fit what comes before it; the argument is its name.
        """
        super().__init__()
        reader = _Reader(shapes, variant)
        self.stem = reader.stem()
        self.layer1, self.layer2, self.layer3, self.layer4 = (reader.stage(number) for number in range(4))
        self.fc = reader.classifier()
        self.title = _title(shapes, self)

    @property
    def stages(self) -> tuple[nn.Module, ...]:
        """The four stages."""
        return self.layer1, self.layer2, self.layer3, self.layer4

    def endpoints(self, clips: Tensor) -> Iterator[tuple[Endpoint, Tensor]]:
        """Yield every endpoint and its activation, each computed when it is asked for.

        Args:
            clips: float32 (N, channels, T, H, W), normalised.

        Yields:
            (N, filters, T', H', W') at the convolutions, that of the stem before its pooling; (N, features) at `AP`,
            (N, classes) at `FC` and `SOFTMAX`.
        """
        activation = clips
        pools = [layer for layer in self.stem if isinstance(layer, nn.MaxPool3d)]
        for layer in self.stem:
            activation = activation if layer in pools else layer(activation)
        yield STEM, activation
        for pool in pools:
            activation = pool(activation)
        for endpoint, stage in zip(STAGES, self.stages, strict=True):
            activation = stage(activation)
            yield endpoint, activation
        activation = activation.to(self.fc.weight.dtype).mean((2, 3, 4))
        yield AP, activation
        activation = self.fc(activation)
        yield FC, activation
        yield SOFTMAX, activation.softmax(1)

    def cells(self) -> Mapping[str, Cells]:
        """Return how cells lie: symmetric padding centres every first output on the first input."""
        fields = self._trace()
        return {endpoint.name: Cells(step, (0.0, 0.0, 0.0)) for endpoint, (_, step) in fields.items()}

    def receptive_fields(self) -> dict[Endpoint, tuple[int, int]]:
        """Return the frames and pixels that one activation sees at every endpoint with time and space."""
        return {endpoint: (int(field[0]), int(field[1])) for endpoint, (field, _) in self._trace().items()}

    def _trace(self) -> dict[Endpoint, tuple[tuple[float, ...], tuple[float, float, float]]]:
        """Return per endpoint the field of one activation and the step between two, along time, y and x."""
        found = {}
        field, step = [1.0] * 3, [1.0] * 3
        parts = [
            (STEM, list(self.stem)),
            *((endpoint, [stage]) for endpoint, stage in zip(STAGES, self.stages, strict=True)),
        ]
        for endpoint, modules in parts:
            layers = [layer for module in modules for layer in _list_layers(module)]
            pools = [layer for layer in layers if isinstance(layer, nn.MaxPool3d)]
            for layer in (one for one in layers if one not in pools):
                _widen(field, step, layer)
            found[endpoint] = (tuple(field), (step[0], step[1], step[2]))
            for pool in pools:
                _widen(field, step, pool)
        return found


def _list_layers(module: nn.Module) -> list[nn.Module]:
    """Return the convolutions and poolings of the main path, in order."""
    found = [(name, part) for name, part in module.named_modules() if "downsample" not in name]
    return [part for _, part in found if isinstance(part, nn.Conv3d | nn.MaxPool3d)]


def _widen(field: list[float], step: list[float], layer: nn.Module) -> None:
    """Take one more layer into account."""
    kernel, stride = _sizes_of(layer)
    for axis in range(3):
        field[axis] += (kernel[axis] - 1) * step[axis]
        step[axis] *= stride[axis]


def _sizes_of(layer: nn.Module) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return a layer's kernel and stride."""
    assert isinstance(layer, nn.Conv3d | nn.MaxPool3d)
    kernel, stride = layer.kernel_size, layer.stride
    assert isinstance(kernel, tuple) and isinstance(stride, tuple)
    return kernel, stride


class ResidualBlock(nn.Module):
    """Two or three convolutions beside a shortcut, which is a convolution of 1x1x1 where sizes change."""

    def __init__(self, convolutions: list[nn.Module], downsample: nn.Module | None) -> None:
        super().__init__()
        for number, convolution in enumerate(convolutions, start=1):
            self.add_module(f"conv{number}", convolution)
        self.relu: nn.Module = nn.ReLU()
        self.downsample = downsample
        self._names = [f"conv{number}" for number in range(1, len(convolutions) + 1)]

    def forward(self, activation: Tensor) -> Tensor:
        """Return (N, outputs, T', H', W') for (N, inputs, T, H, W)."""
        residual = activation
        for name in self._names:
            residual = self.get_submodule(name)(residual)
        shortcut = activation if self.downsample is None else self.downsample(activation)
        block: Tensor = self.relu(residual + shortcut)
        return block


@dataclass
class _Reader:
    """Builds one layer after the other.

    Attributes:
        shapes: Of all weights.
        variant: Of the network.
        channels: What the last layer gave.
    """

    shapes: Shapes
    variant: Variant
    channels: int = 0

    def stem(self) -> nn.Sequential:
        """Return the stem: a convolution of 7x7 pixels, or a (2+1)D one, and its pooling."""
        self.channels = self._shape("stem.0.weight", 5)[1]
        layers: list[nn.Module] = [self._convolution("stem.0", _STEM_STEP, rows=7)]
        if "stem.3.weight" in self.shapes:
            layers += [self._norm(self.variant.middle_epsilon), nn.ReLU(), self._convolution("stem.3", _ONE, rows=1)]
        layers += [self._norm(self.variant.norm_epsilon), nn.ReLU()]
        if self.variant.has_pool:
            layers.append(nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)))
        return nn.Sequential(*layers)

    def stage(self, number: int) -> nn.Sequential:
        """Return a stage, counted from 0: blocks up to the first that has no weights."""
        blocks: list[nn.Module] = []
        for index in count():
            name = f"layer{number + 1}.{index}"
            if index and not any(shape.startswith(f"{name}.") for shape in self.shapes):
                return nn.Sequential(*blocks)
            blocks.append(self._block(name, number if index == 0 else None))
        raise AssertionError

    def classifier(self) -> nn.Linear:
        """Return the last layer."""
        classes, features = self._shape("fc.weight", 2)
        if features != self.channels:
            raise LookupError("fc.weight")
        return nn.Linear(features, classes)

    def _block(self, name: str, stage: int | None) -> ResidualBlock:
        """Return a block; the first of a stage thins out."""
        inputs = self.channels
        is_bottleneck = f"{name}.conv3.0.weight" in self.shapes
        thinning = f"{name}.conv{2 if is_bottleneck else 1}"
        frames, pixels = (1, 1) if stage is None else (self.variant.frame_steps[stage], self.variant.pixel_steps[stage])
        depths = [
            shape[2] for key, shape in self.shapes.items() if key.startswith(f"{thinning}.0.") and len(shape) == 5
        ]
        step = (frames if max(depths, default=1) > 1 else 1, pixels, pixels)
        convolutions: list[nn.Module] = []
        for number in range(1, 4 if is_bottleneck else 3):
            own = f"{name}.conv{number}"
            part = self._unit(own, step if own == thinning else _ONE, rows=1 if is_bottleneck and number != 2 else 3)
            is_last = number == (3 if is_bottleneck else 2)
            layers = [part, self._norm(self.variant.norm_epsilon), *([] if is_last else [nn.ReLU()])]
            convolutions.append(nn.Sequential(*layers))
        outputs = self.channels
        downsample = None
        if step != _ONE or inputs != outputs:
            self.channels = inputs
            shortcut = self._unit(f"{name}.downsample", step, rows=1)
            if self.channels != outputs:
                raise LookupError(f"{name}.downsample.0.weight")
            downsample = nn.Sequential(shortcut, self._norm(self.variant.norm_epsilon))
        return ResidualBlock(convolutions, downsample)

    def _unit(self, name: str, step: Triple, rows: int) -> nn.Module:
        """Return a convolution; or two with a norm between them, factorised or channel-separated."""
        if f"{name}.0.0.weight" not in self.shapes:
            if rows == 1 and self._shape(f"{name}.0.weight", 5)[2] > 1:
                raise LookupError(f"{name}.0.weight")  # other networks of the same names: inflated ones
            return self._convolution(f"{name}.0", step, rows)
        if f"{name}.0.3.weight" in self.shapes:  # (2+1)D; a shortcut's kernels do not tell which is along time
            kernel = self._shape(f"{name}.0.0.weight", 5)[2:]
            is_time_first = kernel[0] > 1
            first, second = (1, *step[1:]), (step[0], 1, 1)
            sizes = (1, rows) if is_time_first else (rows, 1)
            steps = (second, first) if is_time_first else (first, second)
            opening = self._convolution(f"{name}.0.0", steps[0], sizes[0])
            norm = self._norm(self.variant.middle_epsilon)
            return nn.Sequential(opening, norm, nn.ReLU(), self._convolution(f"{name}.0.3", steps[1], sizes[1]))
        opening = self._convolution(f"{name}.0.0", _ONE, rows=1)  # ip-CSN: no ReLU between the two
        norm = self._norm(self.variant.norm_epsilon)
        return nn.Sequential(opening, norm, self._convolution(f"{name}.0.2", step, rows))

    def _convolution(self, name: str, step: Triple, rows: int) -> nn.Conv3d:
        """Return a convolution of so many rows and columns; of a single input channel each it is depthwise."""
        outputs, inputs, depth, height, width = self._shape(f"{name}.weight", 5)
        groups = self.channels if inputs == 1 and outputs == self.channels else 1
        if inputs * groups != self.channels or depth not in (1, 3) or (height, width) != (rows, rows):
            raise LookupError(f"{name}.weight")
        if depth == 1:
            step = (step[0] if rows == 1 else 1, *step[1:])
        self.channels = outputs
        kernel = (depth, height, width)
        padding = (depth // 2, rows // 2, rows // 2)
        return nn.Conv3d(
            self.channels if groups > 1 else inputs, outputs, kernel, step, padding, groups=groups, bias=False
        )

    def _norm(self, epsilon: float) -> nn.BatchNorm3d:
        return nn.BatchNorm3d(self.channels, eps=epsilon)

    def _shape(self, name: str, axes: int) -> tuple[int, ...]:
        shape = self.shapes.get(name)
        if shape is None or len(shape) != axes or 0 in shape:
            raise LookupError(name)
        return shape


def _title(shapes: Shapes, network: ResNet3d) -> str:
    """Return what people call the network: layers are counted as in the papers, shortcuts aside."""
    blocks = [block for stage in network.stages for block in stage.children()]
    depth = 2 + sum(len([name for name, _ in block.named_children() if name.startswith("conv")]) for block in blocks)
    convolutions = [
        [layer for layer in _list_layers(stage) if isinstance(layer, nn.Conv3d)] for stage in network.stages
    ]
    if any("conv2.0.2.weight" in name for name in shapes):
        return f"ip-CSN-{depth}"
    if any(layer.groups > 1 for stage in convolutions for layer in stage):
        return f"ir-CSN-{depth}"
    if any(name.endswith("conv2.0.3.weight") for name in shapes):
        return f"R(2+1)D-{depth}"
    groups = [[layer for layer in network.stem if isinstance(layer, nn.Conv3d)], *convolutions]
    deep = "".join("3" if any(layer.kernel_size[0] > 1 for layer in group) else "2" for group in groups)
    return f"{_name_of_depths(deep)}-{depth}"


def _name_of_depths(deep: str) -> str:
    """Return the paper's name of a network whose stem and stages have kernels of 3 or 2 dimensions."""
    first_2d, first_3d = deep.find("2") + 1, deep.find("3") + 1
    if not first_2d:
        return "R3D"
    if not first_3d:
        return "f-R2D"
    if "23" not in deep:
        return f"MC{first_2d}"
    return f"rMC{first_3d}" if "32" not in deep else "mixed R3D"
