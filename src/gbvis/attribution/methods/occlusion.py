"""Occlusion (Zeiler & Fergus 2014, "Visualizing and Understanding Convolutional Networks", part 4.2).

A box is moved over the clip; what it covers is replaced by a baseline, and the target's value falls by so much. Which
boxes there are at the edges, and how those that overlap are put together, is as in Captum's `Occlusion`, against which
this is checked.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from gbvis.attribution.attribution import Attribution, Values
from gbvis.attribution.baselines import Baseline, make_baseline, settle_baseline
from gbvis.attribution.estimate import Estimate
from gbvis.attribution.iterative import Clip, IterativeMethod

if TYPE_CHECKING:
    from gbvis.networks.endpoint import Endpoint, Target
    from gbvis.networks.info import WeightsInfo

AXES = ("time", "y", "x")
"""Of what is found, and of boxes."""


@dataclass(frozen=True)
class Occlusion(IterativeMethod):
    """The target's value less its value with a box at the baseline, in units of the target, for each pixel.

    A pixel's value is the mean over the boxes that cover it. A box covers all channels, of flow u and v of its frames;
    so there is one channel. There are forward passes alone, one for each box.

    Boxes start at the first frame, row and column, a stride apart, until one reaches the end, where it is cut off. A
    box larger than the clip is cut to the clip's size.

    Attributes:
        box: Size of the box: frames x rows x columns.
        stride: How far boxes are apart, likewise; along no axis more than the box is long.
        baseline: What the box shows, see `baselines`; None for `mean` of RGB, `rest` of flow.
    """

    name = "occlusion"
    version = 1
    kind = "signed"
    quantity = "relevance"

    box: str = "4x28x28"
    stride: str = "2x14x14"
    baseline: Baseline | None = None

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: A size is none, or boxes would leave pixels out.
        """
        pairs = zip(_read_size("box", self.box), _read_size("stride", self.stride), strict=True)
        if any(stride > box for box, stride in pairs):
            raise ValueError(f"stride={self.stride} is larger than box={self.box}: pixels between boxes are left out")

    def settled(self, info: WeightsInfo, endpoint: Endpoint, frames: int) -> Self:
        """Return it with the baseline for the network's modality.

        Raises:
            UsageError: The baseline makes no sense for it.
        """
        return replace(self, baseline=settle_baseline(self.baseline, info.modality))

    def begin(self, clip: Clip, target: Target, value: float) -> Estimate:
        """Return an estimate without a box."""
        return Estimate(target, value, np.zeros(clip.values.shape[1:]))

    def count_passes(self, clip: Clip, estimate: Estimate | None = None) -> int:
        """Return the number of boxes."""
        return len(self._boxes(clip))

    def make_input(self, clip: Clip, number: int) -> Values:
        """Return the normalised clip with one box at the baseline."""
        covered = (slice(None), *self._boxes(clip)[number])
        occluded = clip.values.copy()
        occluded[covered] = make_baseline(self.baseline, clip)[covered]
        return occluded

    def differentiated(self, number: int) -> None:
        """Return None: the target's value is enough."""

    def add(self, estimate: Estimate, clip: Clip, value: float, gradient: Values | None) -> None:
        """Add to all pixels of a box by how much the target's value fell."""
        estimate.sums[self._boxes(clip)[estimate.passes]] += estimate.value - value

    def finish(self, estimate: Estimate, clip: Clip) -> Attribution:
        """Return the mean over the boxes that cover each pixel."""
        covering = np.zeros_like(estimate.sums)
        for box in self._boxes(clip):
            covering[box] += 1
        return Attribution(estimate.target, estimate.value, (estimate.sums / covering).astype(np.float32), AXES)

    def _boxes(self, clip: Clip) -> list[tuple[slice, ...]]:
        """Return which frames, rows and columns each box covers."""
        ranges = []
        sizes = zip(clip.values.shape[1:], _read_size("box", self.box), _read_size("stride", self.stride), strict=True)
        for length, box, stride in sizes:
            count = 1 + max(0, -(-(length - box) // stride))
            ranges.append([slice(place, min(place + box, length)) for place in range(0, count * stride, stride)])
        return list(itertools.product(*ranges))


def _read_size(setting: str, typed: str) -> tuple[int, ...]:
    """Return frames, rows and columns of a size.

    Raises:
        ValueError: It is none.
    """
    if not re.fullmatch("[1-9][0-9]{0,4}(x[1-9][0-9]{0,4}){2}", typed):
        raise ValueError(f"{setting}={typed}: expected frames x rows x columns, as in 4x28x28")
    return tuple(int(number) for number in typed.split("x"))
