"""InceptionKind: what I3D and S3D share as kinds of network."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from torch import nn

from gbvis.networks.shaped.format import Shapes
from gbvis.networks.shaped.inception import InceptionNetwork
from gbvis.networks.shaped.kind import ShapedKind
from gbvis.networks.weights.own_head import POINTWISE

_THINNESS = 16


class InceptionKind(ShapedKind):
    """A kind whose networks are Inception-v1 in time and space, of any width.

    Attributes:
        small: For each small network its checkpoint format, the channels of its clip and its number of classes.
    """

    head_axes = POINTWISE
    small: ClassVar[tuple[tuple[str, int, int], ...]]

    @abstractmethod
    def design(self, shapes: Shapes, details: Mapping[str, Any]) -> InceptionNetwork:
        """Return the network whose weights have these shapes.

        Raises:
            LookupError: A convolution's weight is missing; the argument is its name.
        """

    @abstractmethod
    def thin_shapes(self, thinness: int, inputs: int, classes: int) -> Shapes:
        """Return the shapes that decide a network's sizes, of one so many times as thin as the published one.

        Args:
            thinness: 1 for the published one; what divides 16.
            inputs: Channels of the clip.
            classes: Of the classifier.
        """

    def small_modules(self) -> Iterator[tuple[str, InceptionNetwork]]:
        """Yield networks a sixteenth as wide."""
        for form, inputs, classes in self.small:
            module = self.design(self.thin_shapes(_THINNESS, inputs, classes), {})
            randomise(module)
            yield form, module


def randomise(module: nn.Module) -> None:
    """Give a small network weights and norms with which its activations neither vanish nor explode."""
    for part in module.modules():
        if isinstance(part, nn.Conv3d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
        elif isinstance(part, nn.BatchNorm3d):
            assert part.running_mean is not None and part.running_var is not None
            nn.init.normal_(part.weight, 1, 0.1)
            nn.init.normal_(part.bias, 0, 0.1)
            nn.init.normal_(part.running_mean, 0, 0.1)
            nn.init.uniform_(part.running_var, 0.5, 1.5)
