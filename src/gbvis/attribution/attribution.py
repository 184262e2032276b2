"""Attribution: one gradient, and the recipe that says where it comes from."""

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gbvis.errors import GbvisError
from gbvis.networks.endpoint import Target
from gbvis.provenance import digest_of
from gbvis.videos.clip import find_no_number

if TYPE_CHECKING:
    from gbvis.networks.transfer import HostCopy

NUMBERS_VERSION = 2
"""Raised whenever our own arithmetic changes results, so that no older gradient is taken for a new one."""

Gradient = NDArray[np.float32]
"""float32 (channel, time, y, x), d target / d normalised input; flow: channel 0 is u, 1 is v."""

GRADIENT_AXES = ("channel", "time", "y", "x")


@dataclass(frozen=True)
class Attribution:
    """What a method finds for one target of one clip.

    Attributes:
        target: What the gradient is taken of.
        value: The target's value for this clip.
        gradient: float32 (channel, time, y, x), signed, in line with the clip's pixels.
    """

    target: Target
    value: float
    gradient: Gradient

    def check_numbers(self, clip: int) -> None:
        """Check that all of it are numbers.

        Args:
            clip: Which clip it is of, for the error.

        Raises:
            GbvisError: There is NaN or infinity, and where it is first.
        """
        what = f"{self.target.endpoint} {self.target.index}"
        hint = "the numbers overflow: check the weights, or try --precision float32"
        if not np.isfinite(self.value):
            raise GbvisError(f"the value of {what} is {self.value} in clip {clip}", hint)
        if not np.isfinite(self.gradient).all():
            place = find_no_number(self.gradient)
            where = ", ".join(f"{axis} {at}" for axis, at in zip(GRADIENT_AXES, place, strict=True))
            raise GbvisError(f"the gradient of {what} is {self.gradient[place]} in clip {clip} at {where}", hint)


@dataclass(frozen=True)
class PendingAttributions:
    """What a method finds for one target of several clips, perhaps still being computed.

    Attributes:
        target: What the gradients are taken of.
        values: float32 (clip,), the target's.
        gradients: float32 (clip, channel, time, y, x), signed, in line with the clips' pixels.
    """

    target: Target
    values: "HostCopy"
    gradients: "HostCopy"

    def arrive(self) -> list[Attribution]:
        """Wait for all of it, and return it clip by clip."""
        both = zip(self.values.array(), self.gradients.array(), strict=True)
        return [Attribution(self.target, float(value), gradient) for value, gradient in both]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the numbers of a run, and nothing else: this is what its digest covers.

    Attributes:
        video: The video's fingerprint.
        modality: `rgb` or `flow`.
        clips: Per clip its frame numbers.
        preprocessing: The network's clip format as plain data, less its default number of frames.
        weights: The weights file's SHA-256.
        family: The checkpoint family it was read as: it decides padding and epsilon.
        endpoint: The endpoint's name.
        target: The index of the filter, feature or class.
        method: The method's name.
        precision: `float32`, `tf32` or `bfloat16`.
        numbers_version: `NUMBERS_VERSION` when the run was made.
        flow: How the motion came about, where more was done than reading it: `Video.flow_recipe`.
    """

    video: str
    modality: str
    clips: list[list[int]]
    preprocessing: dict[str, Any]
    weights: str
    family: str
    endpoint: str
    target: int
    method: str
    precision: str
    numbers_version: int = NUMBERS_VERSION
    flow: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """A short digest of the recipe."""
        return digest_of(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as plain data; without `flow` where nothing was done."""
        recipe = asdict(self)
        return recipe if self.flow else {name: value for name, value in recipe.items() if name != "flow"}
