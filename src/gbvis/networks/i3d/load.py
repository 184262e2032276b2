"""I3D as a kind of network."""

from collections.abc import Mapping
from typing import Any

from gbvis.networks.i3d import FORMATS
from gbvis.networks.i3d.module import I3D, thin_shapes
from gbvis.networks.shaped.format import Shapes
from gbvis.networks.shaped.inception_kind import InceptionKind


class I3DKind(InceptionKind):
    """Inception-I3D of any width, in the checkpoint formats of `formats.py`."""

    name = "i3d"
    registry = FORMATS
    formats = FORMATS.names
    called = "I3D"
    probes = ("Conv3d_1a_7x7.conv3d.weight", "Mixed_3b.b0.conv3d.weight")
    first = "Conv3d_1a_7x7.conv3d.weight"
    head = "logits.conv3d"
    small = (("pytorch-i3d", 3, 5), ("pytorch-i3d", 2, 3), ("kinetics-i3d-pytorch", 3, 4))

    def design(self, shapes: Shapes, details: Mapping[str, Any]) -> I3D:
        """As `InceptionKind`."""
        return I3D(shapes)

    def thin_shapes(self, thinness: int, inputs: int, classes: int) -> Shapes:
        """As `InceptionKind`."""
        return thin_shapes(thinness, inputs, classes)


KIND = I3DKind()
