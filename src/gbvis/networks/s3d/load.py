"""S3D as a kind of network."""

from collections.abc import Mapping
from typing import Any

from gbvis.networks.s3d import FORMATS
from gbvis.networks.s3d.module import S3D, thin_shapes
from gbvis.networks.shaped.format import Shapes
from gbvis.networks.shaped.inception_kind import InceptionKind


class S3DKind(InceptionKind):
    """S3D of any width, in the checkpoint formats of `formats.py`."""

    name = "s3d"
    registry = FORMATS
    formats = FORMATS.names
    called = "S3D"
    probes = ("features.0.0.0.weight", "features.5.branch0.0.weight")
    first = "features.0.0.0.weight"
    head = "classifier.1"
    small = (("torchvision-s3d", 3, 5), ("kylemin-s3d", 3, 3))

    def design(self, shapes: Shapes, details: Mapping[str, Any]) -> S3D:
        """As `InceptionKind`."""
        return S3D(shapes)

    def thin_shapes(self, thinness: int, inputs: int, classes: int) -> Shapes:
        """As `InceptionKind`."""
        return thin_shapes(thinness, inputs, classes)


KIND = S3DKind()
