"""Thresholds: values at which the gradient's colour changes so much that no rounding may carry a value across."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gbvis.figures.color import DIVERGING, LEVELS, color_map
from gbvis.figures.scale import Values

_MOST = 4
"""Levels by which what a page shows may differ from a picture."""

_ROUNDING = 5e-7
"""The share by which two programs may compute a value differently."""

_NEAR = np.arange(-64, 65, dtype=np.int32)
"""How many float32 away from its rough place a threshold is looked for."""


@dataclass(frozen=True)
class Thresholds:
    """The thresholds in one frame, for all limits that its colours can have.

    Attributes:
        bounds: float32, rising, the smallest value of each colour; at least one.
    """

    bounds: NDArray[np.float32]

    @classmethod
    def of(cls, ends: NDArray[np.float32]) -> "Thresholds":
        """Return those of some limits, float32 (any,); limits of 0 show nothing and have none."""
        found = [_find_bounds(ends[ends > 0], color) for color in _list_steps()]
        return cls(np.sort(np.concatenate([*found, np.array([np.inf], np.float32)])))

    @property
    def lowest(self) -> np.float32:
        """A value that is below all thresholds, and stays there."""
        return np.float32(self.bounds[0] * np.float32(0.999))

    def place(self, values: Values) -> NDArray[np.intp]:
        """Return between which thresholds values lie."""
        return np.searchsorted(self.bounds, values, side="right")

    def holds(self, places: NDArray[np.intp], values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return whether values, positive float64, surely lie at these places."""
        bounds = self.bounds.astype(np.float64)
        low = np.searchsorted(bounds, values * (1 - _ROUNDING), side="right")
        high = np.searchsorted(bounds, values * (1 + _ROUNDING), side="right")
        held: NDArray[np.bool_] = (low == places) & (high == places)
        return held


@cache
def _list_steps() -> tuple[int, ...]:
    """Return the colours of the gradient after which the next one differs by more than is allowed."""
    steps = np.abs(np.diff(color_map(DIVERGING).astype(int), axis=0)).max(1)
    far = np.nonzero(steps > _MOST)[0]
    assert not len(far) or far.min() > LEVELS // 2, "those of negative values have no thresholds here"
    return tuple(int(color) for color in far)


def _find_bounds(ends: NDArray[np.float32], color: int) -> NDArray[np.float32]:
    """Return the smallest value that is shown in a later colour, for each limit: float32 (limit,).

    It is computed as `panel.paint` does, for the neighbours of the place where it should be.
    """
    share = 2 * (color + 0.5) / (LEVELS - 1) - 1
    rough = (ends * np.float32(share)).view(np.int32)
    candidates = (rough[:, None] + _NEAR).view(np.float32)
    shown = np.rint((np.float32(0.5) + np.float32(0.5) * (candidates / ends[:, None])) * (LEVELS - 1))
    first = np.argmax(shown > color, axis=1)
    bounds: NDArray[np.float32] = candidates[np.arange(len(ends)), first]
    return bounds
