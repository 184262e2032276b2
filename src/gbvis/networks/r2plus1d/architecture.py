"""Architecture: the sizes that make one R(2+1)D different from another, and what follows from them alone."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Literal

from gbvis.networks.endpoint import AP, FC, SOFTMAX, Endpoint
from gbvis.networks.grid import Cells

STEM = Endpoint("Conv3d_1", ("conv1", "stem"))
STAGES = tuple(Endpoint(f"Conv3d_{number}_x", (f"conv{number}_x", f"layer{number - 1}")) for number in (2, 3, 4, 5))

ENDPOINTS = (STEM, *STAGES, AP, FC, SOFTMAX)
"""All endpoints, by the old script's names, the paper's and torchvision's, in the order of the forward pass."""

ShapeOf = Callable[[str], tuple[int, ...] | None]
"""Gives the shape of the parameter of `R2Plus1D` with that name, or None where there is none."""

Padding = Literal["same", "symmetric"]
"""`same` pads as TensorFlow does, from the input's size, the odd one behind; `symmetric` by half the kernel."""

BLOCKS_OF_DEPTH = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}


@dataclass(frozen=True)
class Variant:
    """What the networks of one origin share, and shapes alone do not tell.

    Attributes:
        padding: How convolutions pad.
        norm_epsilon: What batch norms add to the variance.
        has_biases: True where convolutions have biases, though norms follow them.
        has_bare_stem: True where no norm and no ReLU follow the stem's temporal convolution.
        has_factorized_shortcuts: True where a shortcut is a (2+1)D convolution of 1x1x1, with a ReLU inside.
    """

    padding: Padding
    norm_epsilon: float
    has_biases: bool = False
    has_bare_stem: bool = False
    has_factorized_shortcuts: bool = False

    def __post_init__(self) -> None:
        """Check the values: a weights file may have brought them.

        Raises:
            ValueError: They are no variant.
        """
        if self.padding not in ("same", "symmetric") or not 0 < self.norm_epsilon < 1:
            raise ValueError("expected padding same or symmetric, and an epsilon between 0 and 1")


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
class Block:
    """The sizes of a residual block.

    Attributes:
        first: Its first (2+1)D convolution.
        second: Its second.
        shortcut: Its shortcut, where that is a (2+1)D convolution; else None.
    """

    first: Factors
    second: Factors
    shortcut: Factors | None = None


@dataclass(frozen=True)
class Architecture:
    """The sizes of a network.

    Attributes:
        stem: The first (2+1)D convolution; 7x7 in space.
        stages: Per stage its blocks.
        classes: Outputs of the classifier.
    """

    stem: Factors
    stages: tuple[tuple[Block, ...], ...]
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
                    Block(Factors.like_3d(inputs if block == 0 else width, width), Factors.like_3d(width, width))
                    for block in range(blocks)
                )
            )
            inputs = width
        return cls(Factors(input_channels, 45, 64), tuple(stages), classes)

    @classmethod
    def from_shapes(cls, shape_of: ShapeOf, variant: Variant) -> "Architecture":
        """Return the architecture whose parameters have these shapes.

        Raises:
            LookupError: A weight that decides the architecture is missing, has a wrong number of axes, or does not
                take what the layer before it gives; the argument is its name.
        """
        stem = _factors(shape_of, "stem")
        stages: list[tuple[Block, ...]] = []
        inputs = stem.outputs
        for stage in range(len(STAGES)):
            blocks = []
            for number in range(_block_count(shape_of, stage)):
                blocks.append(_block(shape_of, variant, stage, number, inputs))
                inputs = blocks[-1].second.outputs
            stages.append(tuple(blocks))
        return cls(stem, tuple(stages), _shape(shape_of, "classifier.weight", axes=2)[0])


def _block_count(shape_of: ShapeOf, stage: int) -> int:
    """Return the number of blocks in a stage, at least one; a block is there if any of its convolutions is."""
    units = [f"{unit}.{part}.convolution.weight" for unit in ("first", "second") for part in ("spatial", "temporal")]
    return next(
        block for block in count(1) if all(shape_of(f"stages.{stage}.{block}.{unit}") is None for unit in units)
    )


def _block(shape_of: ShapeOf, variant: Variant, stage: int, block: int, inputs: int) -> Block:
    name = f"stages.{stage}.{block}"
    first, second = (_factors(shape_of, f"{name}.{unit}") for unit in ("first", "second"))
    for unit, factors, expected in (("first", first, inputs), ("second", second, first.outputs)):
        if factors.inputs != expected:
            raise LookupError(f"{name}.{unit}.spatial.convolution.weight")
    has_shortcut = (stage > 0 and block == 0) or first.inputs != second.outputs
    is_factorized = has_shortcut and variant.has_factorized_shortcuts
    return Block(first, second, _factors(shape_of, f"{name}.shortcut") if is_factorized else None)


def _factors(shape_of: ShapeOf, name: str) -> Factors:
    spatial = _shape(shape_of, f"{name}.spatial.convolution.weight", axes=5)
    temporal = _shape(shape_of, f"{name}.temporal.convolution.weight", axes=5)
    return Factors(spatial[1], spatial[0], temporal[0])


def _shape(shape_of: ShapeOf, name: str, axes: int) -> tuple[int, ...]:
    shape = shape_of(name)
    if shape is None or len(shape) != axes or 0 in shape:
        raise LookupError(name)
    return shape


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


def describe_cells(padding: Padding) -> dict[str, Cells]:
    """Return how cells lie at every conv endpoint, by its name.

    Symmetric padding centres every convolution's first output on its first input. `same` padding puts the odd zero
    behind: then a cell of the main path lies further on than that of the shortcut, and weights decide which counts.
    """
    start = (0.0, 0.0, 0.0) if padding == "symmetric" else None
    steps = {endpoint.name: (2.0**stage, 2.0 ** (stage + 1)) for stage, endpoint in enumerate(STAGES)}
    return {
        name: Cells((time, pixels, pixels), start) for name, (time, pixels) in [(STEM.name, (1.0, 2.0)), *steps.items()]
    }


def count_targets(architecture: Architecture) -> dict[str, int]:
    """Return per endpoint name the number of targets: filters, features or classes."""
    widths = [blocks[-1].second.outputs for blocks in architecture.stages]
    counts = {STEM: architecture.stem.outputs, **dict(zip(STAGES, widths, strict=True))}
    counts |= {AP: widths[-1], FC: architecture.classes, SOFTMAX: architecture.classes}
    return {endpoint.name: counts[endpoint] for endpoint in ENDPOINTS}
