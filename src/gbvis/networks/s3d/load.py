"""S3D as a kind of network."""

from collections.abc import Iterator, Mapping
from typing import Any

from gbvis.networks.inception import randomise
from gbvis.networks.own_head import POINTWISE
from gbvis.networks.s3d import FORMATS
from gbvis.networks.s3d.module import S3D, thin_shapes
from gbvis.networks.shaped_format import Shapes
from gbvis.networks.shaped_kind import ShapedKind


class S3DKind(ShapedKind):
    """S3D of any width, in the checkpoint formats of `formats.py`."""

    name = "s3d"
    registry = FORMATS
    formats = FORMATS.names
    called = "S3D"
    probes = ("features.0.0.0.weight", "features.5.branch0.0.weight")
    first = "features.0.0.0.weight"
    head = "classifier.1"
    head_axes = POINTWISE

    def design(self, shapes: Shapes, details: Mapping[str, Any]) -> S3D:
        """Return the network whose weights have these shapes.

        Raises:
            LookupError: A convolution's weight is missing; the argument is its name.
        """
        return S3D(shapes)

    def small_modules(self) -> Iterator[tuple[str, S3D]]:
        """Yield networks a sixteenth as wide in both formats."""
        for form, classes in (("torchvision-s3d", 5), ("kylemin-s3d", 3)):
            module = S3D(thin_shapes(16, 3, classes))
            randomise(module)
            yield form, module


KIND = S3DKind()
