"""Values in 16 bit: fine near zero and coarse far from it, so that every scale that can be chosen has its colours.

Number n stands for `unit * sinh((n - 32768) / steps)`: up to the smallest limit of the colours numbers are evenly
spaced, beyond it each is the same share larger than the one before.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gbvis.figures.outputs.report.limits import ClipLimits, Ends
from gbvis.figures.outputs.report.thresholds import Thresholds
from gbvis.figures.scale import Values

_MIDDLE = 32768
_MOST_STEPS = 8000.0
_LARGEST_SPAN = 1e6
"""How many times the unit the largest value is at most."""

_TRIES = 12
_FEWER = 0.997
"""What steps are multiplied with where a value cannot have its colour with so many."""


@dataclass(frozen=True)
class PackedValues:
    """Values in 16 bit.

    Attributes:
        numbers: uint16, the values' shape.
        unit: See above.
        steps: See above.
    """

    numbers: NDArray[np.uint16]
    unit: float
    steps: float

    def compress(self, level: int) -> bytes:
        """Return them as the page unpacks them: all high bytes and then all low bytes, in zlib's format."""
        pairs = self.numbers.reshape(-1).astype(">u2").view(np.uint8).reshape(-1, 2)
        return zlib.compress(np.ascontiguousarray(pairs.T).tobytes(), level)

    def unpack(self) -> Values:
        """Return the values as the page has them: float32."""
        return _unpack(self.numbers, self.unit, self.steps).astype(np.float32)


def pack_values(values: Values, limits: ClipLimits, of_all: Ends | None) -> PackedValues:
    """Return a clip's values in 16 bit.

    Args:
        values: float32 (row, time, y, x).
        limits: Those of the clip.
        of_all: The limits of all runs, float64 (percentile, 3); None where they cannot be chosen.
    """
    unit, most_steps = _find_unit(values, limits)
    thresholds = [Thresholds.of(ends) for ends in _list_ends(limits, of_all)]
    for steps in (most_steps * _FEWER**tried for tried in range(_TRIES)):
        numbers = _pack(values, unit, steps)
        if all([_mend(numbers[:, step], values[:, step], unit, steps, one) for step, one in enumerate(thresholds)]):
            break
    return PackedValues(numbers, unit, steps)


def _find_unit(values: Values, limits: ClipLimits) -> tuple[float, float]:
    """Return the unit and the steps for these values."""
    largest = float(np.abs(values).max())
    ends = np.concatenate([limits.clip.reshape(-1), limits.frame.reshape(-1)])
    smallest = float(ends.min(where=ends > 0, initial=largest))
    unit = max(smallest, largest / _LARGEST_SPAN) or 1.0
    unit = float(f"{unit:.9g}")
    return unit, float(f"{min((_MIDDLE - 1) / float(np.arcsinh(largest / unit) or 1), _MOST_STEPS) * (1 - 1e-9):.9g}")


def _list_ends(limits: ClipLimits, of_all: Ends | None) -> list[NDArray[np.float32]]:
    """Return for each frame all limits that the gradient's colours can have there: float32 (any,)."""
    shared = [limits.clip[:, 0], *([] if of_all is None else [of_all[:, 0]])]
    frames = np.moveaxis(limits.frame[..., 0], 1, 0)
    return [np.unique(np.concatenate([*shared, frame])).astype(np.float32) for frame in frames]


def _pack(values: Values, unit: float, steps: float) -> NDArray[np.uint16]:
    scaled = np.arcsinh(values.astype(np.float64) / unit)
    scaled *= steps
    scaled += _MIDDLE
    return np.rint(scaled, out=scaled).astype(np.uint16)


def _unpack(numbers: NDArray[np.uint16], unit: float, steps: float) -> NDArray[np.float64]:
    return np.asarray(unit * np.sinh((numbers.astype(np.float64) - _MIDDLE) / steps))


def _mend(numbers: NDArray[np.uint16], values: Values, unit: float, steps: float, thresholds: Thresholds) -> bool:
    """Move numbers of one frame to a neighbour where that gives them their colours; return whether all have theirs.

    Args:
        numbers: uint16 (row, y, x), which are changed in place.
        values: float32 (row, y, x).
        unit: Theirs.
        steps: Theirs.
        thresholds: Between which colours a value must stay.
    """
    places = np.nonzero(values > thresholds.lowest)
    if not len(places[0]):
        return True
    wanted, found = thresholds.place(values[places]), numbers[places]
    wrong = np.nonzero(~thresholds.holds(wanted, _unpack(found, unit, steps)))[0]
    for move in _MOVES:
        if not len(wrong):
            break
        moved = (found[wrong].astype(np.int64) + move).clip(0, 65535).astype(np.uint16)
        is_right = thresholds.holds(wanted[wrong], _unpack(moved, unit, steps))
        found[wrong[is_right]] = moved[is_right]
        wrong = wrong[~is_right]
    numbers[places] = found
    return not len(wrong)


_MOVES: Sequence[int] = (1, -1)
