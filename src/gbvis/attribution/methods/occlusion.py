"""Occlusion (Zeiler & Fergus 2014, "Visualizing and Understanding Convolutional Networks", part 4.2).

A box is moved over the clip; what it covers is replaced by a baseline, and the target's value falls by so much. Which
boxes there are at the edges, and how those that overlap are put together, is as in Captum's `Occlusion`, against which
this is checked.

With `follow=flow` the box moves with what it covers, as in Uchiyama et al. 2022, "Adaptive occlusion sensitivity
analysis for visually explaining video recognition networks" (arXiv 2207.12859), by the rule of the authors' program
(github.com/uchiyama33/AOSA, `_gen_masks`). The box has a point in its middle, which the flow at that pixel takes to the
next frame. What lies beyond the frame's edges is cut off, and a box whose point leaves the frame ends.

It differs from theirs in this. The point keeps its fraction of a pixel, which theirs rounds away in each frame. All
boxes of the grid are tried, also where another one passes by, and each alone: they can cover what moves alike together
(spatial co-occurrence). A pixel's value is the mean over the boxes that cover it: they add changes of the score to what
stays visible, and stretch the sum to a range.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from gbvis.attribution.attribution import Attribution, Values
from gbvis.attribution.baselines import Baseline, make_baseline, settle_baseline
from gbvis.attribution.estimate import Estimate
from gbvis.attribution.iterative import Clip, IterativeMethod

if TYPE_CHECKING:
    from gbvis.networks.endpoint import Endpoint, Target
    from gbvis.networks.info import WeightsInfo
    from gbvis.videos.motion import Motion

AXES = ("time", "y", "x")
"""Of what is found, and of boxes."""

Box = tuple[slice, ...]
"""Frames, rows and columns."""


@dataclass(frozen=True)
class Occlusion(IterativeMethod):
    """The target's value less its value with a box at the baseline, in units of the target, for each pixel.

    A pixel's value is the mean over the boxes that cover it. A box covers all channels, of flow u and v of its frames;
    so there is one channel. There are forward passes alone, one for each box.

    Boxes start at the first frame, row and column, a stride apart, until one reaches the end, where it is cut off. A
    box larger than the clip is cut to the clip's size. A box that follows the flow is there in its first frame, and
    its middle is that of what it covers there. Pixels that no such box covers get 0.

    Attributes:
        box: Size of the box: frames x rows x columns.
        stride: How far boxes are apart, likewise; along no axis more than the box is long.
        baseline: What the box shows, see `baselines`; None for `mean` of RGB, `rest` of flow.
        follow: `flow` moves the box with the flow from frame to frame.
    """

    name = "occlusion"
    version = 1
    kind = "signed"
    quantity = "relevance"

    box: str = "4x28x28"
    stride: str = "2x14x14"
    baseline: Baseline | None = None
    follow: Literal["none", "flow"] = "none"

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: A size is none, or boxes would leave pixels out.
        """
        pairs = zip(read_size("box", self.box), read_size("stride", self.stride), strict=True)
        if any(stride > box for box, stride in pairs):
            raise ValueError(f"stride={self.stride} is larger than box={self.box}: pixels between boxes are left out")

    @property
    def needs_motion(self) -> bool:
        """True where boxes follow the flow."""
        return self.follow == "flow"

    def settled(self, info: WeightsInfo, endpoint: Endpoint, frames: int) -> Self:
        """Return it with the baseline for the network's modality.

        Raises:
            UsageError: The baseline makes no sense for it.
        """
        return replace(self, baseline=settle_baseline(self.baseline, info.modality))

    def begin(self, clip: Clip, target: Target, value: float) -> Estimate:
        """Return an estimate without a box."""
        return Estimate(target, value, np.zeros(clip.values.shape[1:]))

    def count_passes(self, clip: Clip, estimate: Estimate) -> int:
        """Return the number of boxes."""
        return len(self._boxes(clip))

    def make_input(self, clip: Clip, number: int) -> Values:
        """Return the normalised clip with one box at the baseline."""
        baseline, occluded = make_baseline(self.baseline, clip), clip.values.copy()
        for covered in self._places(clip, self._boxes(clip)[number]):
            occluded[:, *covered] = baseline[:, *covered]
        return occluded

    def differentiated(self, number: int) -> None:
        """Return None: the target's value is enough."""

    def add(self, estimate: Estimate, clip: Clip, value: float, gradient: Values | None) -> None:
        """Add to all pixels of a box by how much the target's value fell."""
        for covered in self._places(clip, self._boxes(clip)[estimate.passes]):
            estimate.sums[covered] += estimate.value - value

    def finish(self, estimate: Estimate, clip: Clip) -> Attribution:
        """Return the mean over the boxes that cover each pixel."""
        covering = np.zeros_like(estimate.sums)
        for covered in (place for box in self._boxes(clip) for place in self._places(clip, box)):
            covering[covered] += 1
        mean = estimate.sums / np.maximum(covering, 1)
        return Attribution(estimate.target, estimate.value, mean.astype(np.float32), AXES)

    def _places(self, clip: Clip, box: Box) -> Iterable[Box]:
        """Return all that a box covers, in parts."""
        return _follow(clip.motion, box) if self.needs_motion else [box]

    def _boxes(self, clip: Clip) -> list[Box]:
        """Return which frames, rows and columns each box covers; of one that moves, rows and columns at first."""
        ranges = []
        sizes = zip(clip.values.shape[1:], read_size("box", self.box), read_size("stride", self.stride), strict=True)
        for length, box, stride in sizes:
            count = 1 + max(0, -(-(length - box) // stride))
            ranges.append([slice(place, min(place + box, length)) for place in range(0, count * stride, stride)])
        return list(itertools.product(*ranges))


def _follow(motion: Motion, box: Box) -> Iterator[Box]:
    """Yield what a box that moves covers, frame by frame.

    Args:
        motion: float32 (T, y, x, 2), pixels, until the next frame.
        box: Its frames, and its rows and columns in the first of them.
    """
    frames, *sides = box
    lengths = motion.shape[1:3]
    start = np.array([(side.start + side.stop) // 2 for side in sides])
    point = start.astype(np.float64)
    for frame in range(frames.start, frames.stop):
        pixel = np.rint(point).astype(np.int64)
        shifted = (_shift(*side) for side in zip(sides, pixel - start, lengths, strict=True))
        yield slice(frame, frame + 1), *shifted
        point += motion[frame, *pixel, ::-1]
        if (point < 0).any() or (point > np.array(lengths) - 1).any():
            return


def _shift(side: slice, by: np.int64, length: int) -> slice:
    """Return a range of pixels that is moved, less what lies outside a frame of this length."""
    return slice(max(side.start + int(by), 0), min(side.stop + int(by), length))


def read_size(setting: str, typed: str) -> tuple[int, ...]:
    """Return frames, rows and columns of a size.

    Raises:
        ValueError: It is none.
    """
    if not re.fullmatch("[1-9][0-9]{0,4}(x[1-9][0-9]{0,4}){2}", typed):
        raise ValueError(f"{setting}={typed}: expected frames x rows x columns, each at least 1, as in 4x28x28")
    return tuple(int(number) for number in typed.split("x"))
