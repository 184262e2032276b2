"""Shapes of small 3-D residual networks of every sort: tests run on them, and foreign files are compared to them."""

from collections.abc import Iterator

from gbvis.networks.shaped.format import Shapes

_WIDTHS = (4, 6, 8, 10)
_CUBE, _FLAT, _POINT = (3, 3, 3), (1, 3, 3), (1, 1, 1)
Kernel = tuple[int, int, int]


def list_small() -> Iterator[tuple[str, Shapes]]:
    """Yield shapes of weights, each with the name of a checkpoint format: several depths, kernels, classes."""
    yield "torchvision-r3d", _basic((_CUBE,) * 4, (1, 1, 1, 1), classes=5)
    yield "torchvision-r3d", _basic((_CUBE, _FLAT, _FLAT, _FLAT), (2, 1, 1, 2), classes=3)
    yield "torchvision-r3d", _basic((_FLAT, _FLAT, _CUBE, _CUBE), (1, 1, 2, 1), classes=4, stem=1)
    for name in ("vmz-csn", "mmaction2-ircsn"):
        yield name, _bottleneck("ir", (1, 2, 1, 1), classes=5)
    for name in ("vmz-csn", "mmaction2-ipcsn"):
        yield name, _bottleneck("ip", (1, 1, 2, 1), classes=3)
    yield "vmz-r2plus1d-152", _bottleneck("(2+1)D", (1, 1, 2, 1), classes=5)
    yield "pytorchvideo-csn", _bottleneck("ir", (1, 1, 1, 1), classes=5)
    yield "pytorchvideo-r2plus1d", _bottleneck("1D+2", (1, 1, 1, 1), classes=5)
    yield "mmaction2-r2plus1d", _factorized((1, 1, 1, 1), classes=5)


def _basic(kernels: tuple[Kernel, ...], blocks: tuple[int, ...], classes: int, stem: int = 3) -> Shapes:
    """Return those of a network of two convolutions a block."""
    shapes: dict[str, tuple[int, ...]] = {"stem.0.weight": (4, 3, stem, 7, 7)}
    inputs = 4
    for stage, (kernel, count) in enumerate(zip(kernels, blocks, strict=True)):
        for block in range(count):
            name, width = f"layer{stage + 1}.{block}", _WIDTHS[stage]
            shapes[f"{name}.conv1.0.weight"] = (width, inputs, *kernel)
            shapes[f"{name}.conv2.0.weight"] = (width, width, *kernel)
            if stage and not block:
                shapes[f"{name}.downsample.0.weight"] = (width, inputs, *_POINT)
            inputs = width
    return {**shapes, "fc.weight": (classes, inputs)}


def _bottleneck(middle: str, blocks: tuple[int, ...], classes: int) -> Shapes:
    """Return those of a network of three convolutions a block."""
    stem = (1, 7, 7) if middle == "1D+2" else (3, 7, 7)
    shapes: dict[str, tuple[int, ...]] = {"stem.0.weight": (4, 3, *stem)}
    if middle == "(2+1)D":
        shapes = {"stem.0.weight": (5, 3, 1, 7, 7), "stem.3.weight": (4, 5, 3, 1, 1)}
    inputs = 4
    for stage, count in enumerate(blocks):
        for block in range(count):
            name, width = f"layer{stage + 1}.{block}", _WIDTHS[stage]
            shapes[f"{name}.conv1.0.weight"] = (width, inputs, *_POINT)
            shapes |= {f"{name}.conv2.{key}.weight": shape for key, shape in _middle(middle, width).items()}
            shapes[f"{name}.conv3.0.weight"] = (2 * width, width, *_POINT)
            if not block:
                shapes[f"{name}.downsample.0.weight"] = (2 * width, inputs, *_POINT)
            inputs = 2 * width
    return {**shapes, "fc.weight": (classes, inputs)}


def _middle(middle: str, width: int) -> dict[str, tuple[int, ...]]:
    """Return the weights of a bottleneck's convolution in the middle."""
    middles: dict[str, dict[str, tuple[int, ...]]] = {
        "ir": {"0": (width, 1, *_CUBE)},
        "ip": {"0.0": (width, width, *_POINT), "0.2": (width, 1, *_CUBE)},
        "(2+1)D": {"0.0": (7, width, 1, 3, 3), "0.3": (width, 7, 3, 1, 1)},
        "1D+2": {"0.0": (width, width, 3, 1, 1), "0.3": (width, width, 1, 3, 3)},
    }
    return middles[middle]


def _factorized(blocks: tuple[int, ...], classes: int) -> Shapes:
    """Return those of a network whose convolutions are all (2+1)D, shortcuts as well."""
    shapes: dict[str, tuple[int, ...]] = {"stem.0.weight": (5, 3, 1, 7, 7), "stem.3.weight": (4, 5, 3, 1, 1)}
    inputs = 4
    for stage, count in enumerate(blocks):
        for block in range(count):
            name, width = f"layer{stage + 1}.{block}", _WIDTHS[stage]
            for unit, given in (("conv1", inputs), ("conv2", width)):
                shapes[f"{name}.{unit}.0.0.weight"] = (7, given, 1, 3, 3)
                shapes[f"{name}.{unit}.0.3.weight"] = (width, 7, 3, 1, 1)
            if stage and not block:
                shapes[f"{name}.downsample.0.0.weight"] = (3, inputs, *_POINT)
                shapes[f"{name}.downsample.0.3.weight"] = (width, 3, *_POINT)
            inputs = width
    return {**shapes, "fc.weight": (classes, inputs)}
