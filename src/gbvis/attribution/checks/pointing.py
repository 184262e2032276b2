"""Pointing: does the most relevant pixel lie on the object?

The pointing game of Zhang et al. 2018, "Top-Down Neural Attention by Excitation Backprop": a hit is a maximum on the
object, or within 15 pixels of it; over many videos the share of hits counts. There a picture has about
224 pixels a side, and a clip has one maximum as a picture has one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.checks.check import Check, Finding, Relevance, Subject
from gbvis.attribution.checks.uninformed import make_uninformed

if TYPE_CHECKING:
    from gbvis.attribution.checks.laboratory import Laboratory, Mask

SIDE = 224
"""The side of a clip, pixels, for which the margin is given."""

_AT_ONCE = 256
"""Maxima of one frame whose distances are computed at once."""


@dataclass(frozen=True)
class Pointed:
    """Where a relevance has its maximum.

    Attributes:
        place: Frame, row and column of the maximum that is nearest to the mask; None where all values are equal.
        distance: Pixels from there to the mask in its frame, 0 on the mask; infinite in a frame without a mask.
        distances: The same for the maximum of each frame: float64 (time,).
    """

    place: tuple[int, int, int] | None
    distance: float
    distances: NDArray[np.float64]


@dataclass(frozen=True)
class Pointing(Check):
    """1 where the most relevant pixel of the clip lies on the mask, or within a margin of it, else 0.

    Where several pixels share the maximum, one of them on the mask is enough. Where all pixels are equally relevant
    there is no maximum, and no hit.

    Attributes:
        margin: How far beside the mask a hit may be, in pixels of a clip with 224 pixels a side; a smaller clip has
            a smaller margin.
    """

    name = "pointing"
    version = 1
    needs_mask = True
    better = "higher"

    margin: float = 15.0

    def __post_init__(self) -> None:
        """Check the margin.

        Raises:
            ValueError: It is negative, or wider than the clip.
        """
        if not 0 <= self.margin <= SIDE:
            raise ValueError(f"margin={self.margin:g}: expected 0 to {SIDE} pixels")

    def measure(self, subjects: Sequence[Subject], laboratory: Laboratory) -> Iterator[Finding]:
        """Yield for each subject whether it points at the mask."""
        mask = laboratory.require_mask()
        margin = self.margin * mask.shape[-1] / SIDE
        beside = {name: point(one, mask) for name, one in make_uninformed(laboratory, self.name).items()}
        for subject in subjects:
            yield _sum_up(point(subject.relevance, mask), beside, mask, margin)

    def describe(self, finding: Finding) -> str:
        """Return in one sentence where the maximum is; of several clips how many hit."""
        about = finding.details
        frames = f"the maximum of {about['hit_frames']:g} of {about['masked_frames']:g} frames hits it"
        if 0 < finding.value < 1:
            return f"the most relevant pixel lies on the mask in {finding.value:.0%} of the clips; {frames}"
        if not about["place"]:
            return "all pixels are equally relevant, so that there is no maximum: 0"
        place = "frame {frame}, row {row}, column {column}".format(**about["place"])
        gap = about["distance"]
        beside = "in a frame without a mask" if gap is None else f"{gap:.1f} pixels beside the mask"
        where = "on the mask" if gap == 0 else beside
        return f"the most relevant pixel lies {where}, a {'hit' if finding.value else 'miss'}: {place}; {frames}"


def point(relevance: Relevance, mask: Mask) -> Pointed:
    """Return where the maximum of a relevance is, and how far from the mask.

    Args:
        relevance: float32 (time, y, x).
        mask: bool (time, y, x).
    """
    distances = np.array([_measure_distance(*pair)[0] for pair in zip(relevance, mask, strict=True)])
    highest = relevance.max()
    if relevance.min() == highest:
        return Pointed(None, math.inf, distances)
    found = []
    for number in np.flatnonzero((relevance == highest).any((1, 2))):
        distance, row, column = _measure_distance(relevance[number], mask[number])
        found.append((distance, (int(number), row, column)))
    distance, place = min(found)
    return Pointed(place, distance, distances)


def _measure_distance(relevance: NDArray[np.float32], mask: NDArray[np.bool_]) -> tuple[float, int, int]:
    """Return the distance from a frame's maximum to the mask, and its row and column; of several the nearest."""
    places = np.argwhere(relevance == relevance.max())
    goal = np.argwhere(mask)
    if len(places) == relevance.size or not len(goal):  # no maximum, or nothing to hit
        return math.inf, int(places[0][0]), int(places[0][1])
    if (on_mask := mask[tuple(places.T)]).any():
        row, column = places[on_mask.argmax()]
        return 0.0, int(row), int(column)
    nearest = [
        ((places[start : start + _AT_ONCE, None] - goal[None]) ** 2).sum(-1).min(1)
        for start in range(0, len(places), _AT_ONCE)
    ]
    squares = np.concatenate(nearest)
    row, column = places[squares.argmin()]
    return math.sqrt(squares.min()), int(row), int(column)


def _sum_up(pointed: Pointed, beside: Mapping[str, Pointed], mask: Mask, margin: float) -> Finding:
    """Return what is found; curves say how far each frame's maximum is from the mask, at most a frame's diagonal."""
    farthest = math.hypot(*mask.shape[1:])
    details = {
        "margin": margin,
        "place": dict(zip(("frame", "row", "column"), pointed.place, strict=True)) if pointed.place else None,
        "distance": pointed.distance if math.isfinite(pointed.distance) else None,
        "hit_frames": int((pointed.distances <= margin).sum()),
        "masked_frames": int(mask.any((1, 2)).sum()),
        "mask_share": float(mask.mean()),
    }
    named = {"distance": pointed, **{f"distance@{name}": one for name, one in beside.items()}}
    curves = {name: np.minimum(one.distances, farthest) for name, one in named.items()}
    baselines = {name: float(one.distance <= margin) for name, one in beside.items()}
    return Finding(float(pointed.distance <= margin), baselines, details=details, curves=curves)
