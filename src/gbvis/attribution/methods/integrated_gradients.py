"""Integrated gradients (Sundararajan, Taly & Yan 2017, "Axiomatic Attribution for Deep Networks", equation 1).

(x - x') times the mean of the gradient along the straight line from the baseline x' to the clip x. The mean is taken
at Gauss-Legendre nodes, as Captum's `IntegratedGradients` does it with `method="gausslegendre"`, against which this is
checked. All values together should sum to F(x) - F(x'), the target's value for the clip less that for the baseline
(completeness, proposition 1); the gap that is left says how good the nodes are.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.attribution import Attribution, Values
from gbvis.attribution.baselines import Baseline, make_baseline, settle_baseline
from gbvis.attribution.estimate import Estimate
from gbvis.attribution.iterative import Clip, IterativeMethod
from gbvis.attribution.methods.gradient import Gradient

if TYPE_CHECKING:
    from gbvis.attribution.method import Method
    from gbvis.networks.endpoint import Endpoint, Target
    from gbvis.networks.info import WeightsInfo

LEVELS = (20, 40, 80, 160, 320)
"""Numbers of nodes that `steps=auto` tries, one after the other."""

SMALL_GAP = 0.01
"""Completeness gap at which `steps=auto` is content, as a fraction of F(x) - F(x')."""

_SMALL_DIFFERENCE = 0.01
"""Fraction of F(x) below which F(x) - F(x') is too small to divide the gap by it."""


@dataclass(frozen=True)
class IntegratedGradients(IterativeMethod):
    """Integrated gradients: signed, in units of the target, in line with the clip's pixels.

    Pass 0 gives the baseline's value; the other passes are nodes. With `steps=auto` those of all levels follow each
    other, and each level starts its sum from 0: nodes of one level are none of the next.

    Details of what is found: `nodes`, how many; `completeness_gap`, |sum - (F(x) - F(x'))|; and `gap_is_relative`, True
    where the gap is a fraction of |F(x) - F(x')|, False where that is below 1 % of |F(x)| and the gap is in units of F.

    Attributes:
        steps: How many nodes; `auto` for 20, doubled until the gap is at most 1 % of |F(x) - F(x')|, or 320 are used.
        baseline: The clip's baseline, see `baselines`; None for `mean` of RGB, `rest` of flow.
    """

    name = "integrated-gradients"
    version = 1
    kind = "signed"
    quantity = "relevance"
    needs_float32 = True

    steps: Literal["auto"] | int = "auto"
    baseline: Baseline | None = None

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: There is no node.
        """
        if self.steps != "auto" and self.steps < 1:
            raise ValueError("steps must be at least 1, or auto")

    def settled(self, info: WeightsInfo, endpoint: Endpoint, frames: int) -> Self:
        """Return it with the baseline for the network's modality.

        Raises:
            UsageError: The baseline makes no sense for it.
        """
        return replace(self, baseline=settle_baseline(self.baseline, info.modality))

    def begin(self, clip: Clip, target: Target, value: float) -> Estimate:
        """Return an estimate without a node."""
        return Estimate(target, value, np.zeros(clip.values.shape))

    def count_passes(self, clip: Clip, estimate: Estimate) -> int:
        """Return how many passes end the level that an estimate is at; where its gap is too large, the next level."""
        ends = self._ends
        level = bisect_left(ends, estimate.passes)
        if estimate.passes == ends[level] < ends[-1]:
            gap, difference = self._measure_gap(estimate)
            level += gap > SMALL_GAP * difference
        return ends[level]

    def make_input(self, clip: Clip, number: int) -> Values:
        """Return the baseline for pass 0, else the point of a node on the line from the baseline to the clip."""
        baseline = make_baseline(self.baseline, clip)
        if number == 0:
            return baseline
        nodes, place = self._locate(number)
        fraction = _find_nodes(nodes)[0][place]
        between: Values = (baseline + fraction * (clip.values.astype(np.float64) - baseline)).astype(np.float32)
        return between

    def differentiated(self, number: int) -> Method | None:
        """Return the gradient; None for pass 0."""
        return Gradient() if number else None

    def add(self, estimate: Estimate, clip: Clip, value: float, gradient: Values | None) -> None:
        """Take the baseline's value, or add a node's weighted gradient; the last of a level is multiplied out."""
        if gradient is None:
            estimate.numbers["baseline_value"] = value
            return
        nodes, place = self._locate(estimate.passes)
        if place == 0:
            estimate.sums[:] = 0
        estimate.sums += _find_nodes(nodes)[1][place] * gradient.astype(np.float64)
        if place == nodes - 1:
            estimate.sums *= clip.values.astype(np.float64) - make_baseline(self.baseline, clip)
            estimate.numbers.update(nodes=float(nodes), sum=float(estimate.sums.sum()))

    def finish(self, estimate: Estimate, clip: Clip) -> Attribution:
        """Return the values, and how large the completeness gap is."""
        gap, difference = self._measure_gap(estimate)
        is_relative = difference > 0 and difference >= _SMALL_DIFFERENCE * abs(estimate.value)
        details = {
            "nodes": int(estimate.numbers["nodes"]),
            "completeness_gap": gap / difference if is_relative else gap,
            "gap_is_relative": bool(is_relative),
        }
        return Attribution(estimate.target, estimate.value, estimate.sums.astype(np.float32), details=details)

    @property
    def _levels(self) -> tuple[int, ...]:
        """Numbers of nodes to be tried."""
        return LEVELS if self.steps == "auto" else (self.steps,)

    @property
    def _ends(self) -> list[int]:
        """How many passes have been made at the end of each level."""
        return [1 + int(total) for total in np.cumsum(self._levels)]

    def _locate(self, number: int) -> tuple[int, int]:
        """Return the level of a pass, as its number of nodes, and which of these it is, from 0."""
        nodes, end = next(pair for pair in zip(self._levels, self._ends, strict=True) if number < pair[1])
        return nodes, number - (end - nodes)

    @staticmethod
    def _measure_gap(estimate: Estimate) -> tuple[float, float]:
        """Return |sum - (F(x) - F(x'))| and |F(x) - F(x')|."""
        difference = estimate.value - estimate.numbers["baseline_value"]
        return abs(estimate.numbers["sum"] - difference), abs(difference)


@cache
def _find_nodes(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the Gauss-Legendre nodes of 0-1, and their weights, which sum to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (1 + nodes) / 2, weights / 2
