"""I3D as a kind of network."""

from collections.abc import Iterator, Mapping
from typing import Any

from gbvis.networks.i3d import FORMATS
from gbvis.networks.i3d.module import I3D, thin_shapes
from gbvis.networks.inception import randomise
from gbvis.networks.own_head import POINTWISE
from gbvis.networks.shaped_format import Shapes
from gbvis.networks.shaped_kind import ShapedKind


class I3DKind(ShapedKind):
    """Inception-I3D of any width, in the checkpoint formats of `formats.py`."""

    name = "i3d"
    registry = FORMATS
    formats = FORMATS.names
    called = "I3D"
    probes = ("Conv3d_1a_7x7.conv3d.weight", "Mixed_3b.b0.conv3d.weight")
    first = "Conv3d_1a_7x7.conv3d.weight"
    head = "logits.conv3d"
    head_axes = POINTWISE

    def design(self, shapes: Shapes, details: Mapping[str, Any]) -> I3D:
        """Return the network whose weights have these shapes.

        Raises:
            LookupError: A convolution's weight is missing; the argument is its name.
        """
        return I3D(shapes)

    def small_modules(self) -> Iterator[tuple[str, I3D]]:
        """Yield networks a sixteenth as wide: both formats, both streams."""
        for form, inputs, classes in (("pytorch-i3d", 3, 5), ("pytorch-i3d", 2, 3), ("kinetics-i3d-pytorch", 3, 4)):
            module = I3D(thin_shapes(16, inputs, classes))
            randomise(module)
            yield form, module


KIND = I3DKind()
