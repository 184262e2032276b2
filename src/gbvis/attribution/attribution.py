"""Attribution: what a method finds for one target of one clip."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.relu_count import ReluCount
from gbvis.errors import NumbersError
from gbvis.networks.endpoint import Target
from gbvis.networks.grid import GRID_AXES, Grid
from gbvis.videos.clip import find_no_number

if TYPE_CHECKING:
    from gbvis.networks.transfer import HostCopy

Values = NDArray[np.float32]
"""float32: an attribution with the axes of its method."""

PIXEL_AXES = ("channel", "time", "y", "x")
"""Axes of an attribution in line with the clip's pixels; of flow, channel 0 is u and 1 is v."""


def are_pixel_axes(axes: tuple[str, ...]) -> bool:
    """Return whether these are some of `PIXEL_AXES`, in that order."""
    return axes == tuple(axis for axis in PIXEL_AXES if axis in axes)


@dataclass(frozen=True)
class Attribution:
    """What a method finds for one target of one clip.

    Attributes:
        target: What is attributed.
        value: The target's value for this clip.
        values: float32, signed or positive as the method's `kind` says.
        axes: The names of its axes: those of `PIXEL_AXES` that it has, in that order.
        grid: Where its cells lie, where it is not in line with the clip's pixels but with a layer's activation.
        details: Numbers that say how good it is, by name.
        relus: What a rule for ReLUs reached; None of a method without one, and where nobody knows.
    """

    target: Target
    value: float
    values: Values
    axes: tuple[str, ...] = PIXEL_AXES
    grid: Grid | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    relus: ReluCount | None = None

    def __post_init__(self) -> None:
        """Check the axes: a method of another package may have given them.

        Raises:
            ValueError: They are no such axes, or more or fewer than the values have.
        """
        if not are_pixel_axes(self.axes) or len(self.axes) != self.values.ndim:
            raise ValueError(f"axes {self.axes} of {self.values.ndim}: expected some of {PIXEL_AXES}, in that order")
        if self.grid and self.axes != GRID_AXES:
            raise ValueError(f"a grid with the axes {self.axes}: expected {GRID_AXES}")

    def check_numbers(self, clip: int) -> None:
        """Check that it contains neither NaN nor infinity.

        Args:
            clip: Which clip it is of, for the error.

        Raises:
            GbvisError: There is NaN or infinity, and where it is first.
        """
        what = f"{self.target.endpoint} {self.target.index}"
        hint = "the numbers overflow: check the weights, or try --precision float32"
        if not np.isfinite(self.value):
            raise NumbersError(f"the value of {what} is {self.value} in clip {clip}", hint)
        if not np.isfinite(self.values).all():
            place = find_no_number(self.values)
            where = ", ".join(f"{axis} {at}" for axis, at in zip(self.axes, place, strict=True))
            raise NumbersError(f"the gradient of {what} is {self.values[place]} in clip {clip} at {where}", hint)


class Pending(Protocol):
    """What a method found for one target of several clips."""

    @property
    def target(self) -> Target:
        """The target."""

    def result(self) -> Iterator[Attribution]:
        """Wait for all of it, and yield it clip by clip."""


@dataclass(frozen=True)
class PendingAttribution:
    """What a method finds for one target of several clips; a GPU may still be computing it.

    Attributes:
        target: What is attributed.
        value: float32 (clip,), the target's.
        values: float32 (clip, *axes).
        axes: The names of one clip's axes.
        grid: Where its cells lie; see `Attribution`.
        relus: As in `Attribution`.
    """

    target: Target
    value: "HostCopy"
    values: "HostCopy"
    axes: tuple[str, ...] = PIXEL_AXES
    grid: Grid | None = None
    relus: ReluCount | None = None

    def result(self) -> Iterator[Attribution]:
        """Wait for all of it, and yield it clip by clip."""
        for value, values in zip(self.value.array(), self.values.array(), strict=True):
            yield Attribution(self.target, float(value), values, self.axes, self.grid, relus=self.relus)


@dataclass(frozen=True)
class FoundAttributions:
    """What a method found for one target of several clips; all of it is there.

    Attributes:
        target: What is attributed.
        attributions: Clip by clip.
    """

    target: Target
    attributions: Sequence[Attribution]

    def result(self) -> Iterator[Attribution]:
        """Yield it clip by clip."""
        yield from self.attributions
