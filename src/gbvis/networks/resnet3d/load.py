"""3-D residual networks from named tensors, strictly."""

from collections.abc import Iterator, Mapping
from typing import Any

from gbvis.networks.resnet3d import FORMATS
from gbvis.networks.resnet3d.module import ResNet3d, Variant
from gbvis.networks.resnet3d.small_shapes import list_small
from gbvis.networks.shaped.format import Shapes
from gbvis.networks.shaped.kind import ShapedKind


class ResNet3dKind(ShapedKind):
    """R3D, MCx, rMCx, R(2+1)D with bottlenecks and CSN, of any depth and width."""

    name = "resnet3d"
    formats = FORMATS.names
    registry = FORMATS
    called = "3-D ResNet"
    probes = tuple(f"layer{stage}.0.conv1.0.weight" for stage in (1, 2, 3, 4))
    first = "stem.0.weight"
    head = "fc"

    def design(self, shapes: Shapes, details: Mapping[str, Any]) -> ResNet3d:
        """Return a network without weights whose parameters have these shapes.

        Raises:
            LookupError: A weight is missing, or does not fit what comes before it; the argument is its name.
            TypeError, ValueError: The details make no sense.
        """
        return ResNet3d(shapes, Variant.from_details(details))

    def small_modules(self) -> Iterator[tuple[str, ResNet3d]]:
        """Yield small networks, each with the name of a checkpoint format that its shapes fit."""
        for name, shapes in list_small():
            yield name, self.design(shapes, FORMATS.load(name).details)


KIND = ResNet3dKind()
