"""Scale: which gradient the ends of the colours stand for."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]
"""float32, a gradient less its colour channels: (T, H, W), or several of them in front."""


@dataclass(frozen=True)
class Limits:
    """What the ends of the colours mean, each at least 0: one value, or one for each frame.

    Attributes:
        gradient: float64 (1 or T,): the colours of g end at this and at its negative.
        positive: The same for max(0, g).
        negative: The same for max(0, -g).
    """

    gradient: NDArray[np.float64]
    positive: NDArray[np.float64]
    negative: NDArray[np.float64]

    def __or__(self, other: "Limits") -> "Limits":
        return Limits(
            np.maximum(self.gradient, other.gradient),
            np.maximum(self.positive, other.positive),
            np.maximum(self.negative, other.negative),
        )

    @property
    def is_nothing(self) -> bool:
        """True where there is no gradient to be seen."""
        return not self.gradient.any()

    @classmethod
    def none(cls) -> "Limits":
        """Return the limits of nothing at all, to begin joining with."""
        return cls(np.zeros(1), np.zeros(1), np.zeros(1))

    @classmethod
    def of(
        cls, values: Values, percentile: float, is_by_frame: bool = False, is_one_for_both: bool = False
    ) -> "Limits":
        """Return the limits of a gradient: the percentile of all its values, or the largest where that is 0.

        A gradient that is the same everywhere shows nothing: its limits are 0.

        Args:
            values: float32 (..., T, H, W).
            percentile: 0 to 100.
            is_by_frame: One limit for each frame instead of one for all.
            is_one_for_both: Both signs have the limit of |g|, so that they can be compared.
        """
        frames = np.moveaxis(values, -3, 0).reshape(values.shape[-3], -1)
        rows = frames if is_by_frame else frames.reshape(1, -1)
        is_flat = rows.max(1) == rows.min(1)
        if is_one_for_both:
            end = np.where(is_flat, 0, _upper_ends(np.abs(rows), percentile))
            return cls(end, end, end)
        sides = (np.abs, lambda values: np.maximum(values, 0), lambda values: np.maximum(-values, 0))
        return cls(*(np.where(is_flat, 0, _upper_ends(side(rows), percentile)) for side in sides))  # one at a time


def _upper_ends(rows: NDArray[Any], percentile: float) -> NDArray[np.float64]:
    """Return for each row its percentile, or its largest value where the percentile is 0: float64 (rows,)."""
    ends: NDArray[np.float64] = np.percentile(rows, percentile, axis=1).astype(np.float64)
    return np.where(ends > 0, ends, rows.max(1))
