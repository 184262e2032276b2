"""Deletion and insertion (Petsiuk, Das & Saenko 2018, "RISE: Randomized Input Sampling for Explanation", part 4.1).

Regions of the clip are replaced one after the other, those that an attribution calls most relevant first, and the
class's score is followed. `deletion` goes from the clip to a baseline, `insertion` from a baseline to the clip. What
RISE reports is the area under the score over the share that was replaced, here `morf` (most relevant first). It was
checked against the authors' program (github.com/eclique/RISE, `evaluation.py`), whose blur and area these are.

The area of deletion is small for any order where the class is easily lost, as by an input unlike all that the network
was trained on (Hooker et al. 2019, "A Benchmark for Interpretability Methods in Deep Neural Networks"). So the value
of `deletion` is the area between two curves: that with the least relevant first less that with the most relevant first
(LeRF and MoRF: Samek et al. 2017, "Evaluating the Visualization of What a Deep Neural Network Has Learned"; their
difference is the symmetric relevance gain of Blücher et al. 2024, "Decoupling Pixel Flipping and Occlusion Strategy for
Consistent XAI Benchmarks"). Both meet the same strange inputs on average, and an order at random gives 0.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.attribution import Values
from gbvis.attribution.baselines import blur, make_baseline, settle_baseline
from gbvis.attribution.checks.check import Check, Finding, Relevance, Subject
from gbvis.attribution.checks.regions import (
    Ranks,
    Region,
    count_replaced,
    cut_regions,
    rank_regions,
    reverse_ranks,
)
from gbvis.attribution.checks.uninformed import make_uninformed
from gbvis.attribution.methods.occlusion import read_size
from gbvis.videos.clip import Inputs

if TYPE_CHECKING:
    from gbvis.attribution.checks.laboratory import Laboratory
    from gbvis.attribution.iterative import Clip
    from gbvis.networks.info import WeightsInfo

Replacement = Literal["mean", "rest", "black", "blur", "rise-blur"]
"""What regions are replaced by, or what replaces them: a baseline of `baselines`, or `rise-blur`, the clip blurred in
space as in RISE's program."""

_WIDTH, _DEVIATION = 11, 5.0
"""Of RISE's blur: side of its kernel, and standard deviation of its Gaussian, pixels of the clip."""

_TOGETHER = 16
"""Inputs that are made at once: a GPU takes no more in a batch."""

Scores = NDArray[np.float64]
"""float64 (order, steps + 1, classes): class probabilities while regions are replaced in some orders."""


@dataclass(frozen=True)
class Replacing(Check):
    """What deletion and insertion have in common.

    Attributes:
        region: What is replaced at once: `frame`, `tube` or `pixel`, see `regions`.
        tube: Size of a tube: frames x rows x columns.
        steps: In how many steps all regions are replaced; where there are fewer regions, one in each.
        baseline: What is the other end, see `Replacement`; None for the default of the test and the modality.
    """

    version = 1
    needs_class = True
    better = "higher"
    is_two_sided: ClassVar[bool]

    region: Region = "tube"
    tube: str = "4x8x8"
    steps: int = 32
    baseline: Replacement | None = None

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: A tube has no size, or there are too few steps.
        """
        read_size("tube", self.tube)
        if not 2 <= self.steps <= 10_000:
            raise ValueError(f"steps={self.steps}: expected 2 to 10000")

    def settled(self, info: WeightsInfo, frames: int) -> Self:
        """Return it with the baseline for the network's modality.

        Raises:
            UsageError: The baseline makes no sense for it.
        """
        name = self.baseline or self.default_baseline(info.modality)
        return replace(self, baseline=name if name == "rise-blur" else settle_baseline(name, info.modality))

    @abstractmethod
    def default_baseline(self, modality: str) -> Replacement:
        """Return the baseline where none is asked for."""

    @abstractmethod
    def ends(self, clip: Clip, baseline: Values) -> tuple[Values, Values]:
        """Return what the network sees before the first step and after the last: float32 (channel, time, y, x)."""

    @abstractmethod
    def value_of(self, areas: dict[str, float]) -> float:
        """Return the test's number, given the areas under the curves `morf` and, where there are two, `lerf`."""

    def measure(self, subjects: Sequence[Subject], laboratory: Laboratory) -> Iterator[Finding]:
        """Yield what is found for each subject; the baselines' inputs are computed once for all."""
        course = Course(self, laboratory)
        uninformed = {name: course.follow(one) for name, one in make_uninformed(laboratory).items()}
        for subject in subjects:
            yield self._sum_up(course, course.follow(subject.relevance), uninformed, subject.target.index)

    def _sum_up(self, course: Course, scores: Scores, uninformed: dict[str, Scores], index: int) -> Finding:
        """Return the areas for one class."""
        curves: dict[str, NDArray[np.float64]] = {"x": course.shares}
        for suffix, followed in {"": scores, **{f"@{name}": one for name, one in uninformed.items()}}.items():
            curves |= {name + suffix: one for name, one in zip(self._orders, followed[..., index], strict=True)}
        areas = {name: find_area(course.shares, one) for name, one in curves.items() if name != "x"}
        values = {
            name: self.value_of({order: areas[f"{order}@{name}"] for order in self._orders}) for name in uninformed
        }
        first, last = (float(scores[0, place, index]) for place in (0, -1))
        details = {"start": first, "end": last, **{name: areas[name] for name in self._orders}}
        details |= {"regions": course.count, "steps": len(course.shares) - 1}
        return Finding(self.value_of(areas), values, details=details, curves=curves)

    @property
    def _orders(self) -> tuple[str, ...]:
        return ("morf", "lerf") if self.is_two_sided else ("morf",)


@dataclass(frozen=True)
class Deletion(Replacing):
    """How much more of the class's score is left where the least relevant is deleted first than the most relevant.

    The mean of the score over the share of regions that are deleted, LeRF - MoRF: 0 for an order at random, at most 1,
    below 0 where what counts is called irrelevant. The default baseline is `mean` of RGB, and of flow `rest`, which is
    as flow often is.
    """

    name = "deletion"
    is_two_sided = True

    def default_baseline(self, modality: str) -> Replacement:
        """Return `mean` for RGB, `rest` for flow."""
        return settle_baseline(None, modality)

    def ends(self, clip: Clip, baseline: Values) -> tuple[Values, Values]:
        """Return the clip, and the baseline."""
        return clip.values, baseline

    def value_of(self, areas: dict[str, float]) -> float:
        """Return the area between the curves."""
        return areas["lerf"] - areas["morf"]

    def describe(self, finding: Finding) -> str:
        """Return in one sentence how much the order counts."""
        more = "more" if finding.value >= 0 else "less"
        return (
            f"deleting the least relevant first leaves {abs(finding.value):.3f} {more} of the class's score, of "
            f"{finding.details['start']:.3f}, than the most relevant first; {compare(finding)}"
        )


@dataclass(frozen=True)
class Insertion(Replacing):
    """The mean of the class's score over the share of regions that are inserted, the most relevant first: 0 to 1.

    The default baseline is `rise-blur` of RGB, and of flow `rest`.
    """

    name = "insertion"
    is_two_sided = False

    def default_baseline(self, modality: str) -> Replacement:
        """Return `rise-blur` for RGB, `rest` for flow."""
        return "rise-blur" if modality == "rgb" else "rest"

    def ends(self, clip: Clip, baseline: Values) -> tuple[Values, Values]:
        """Return the baseline, and the clip."""
        return baseline, clip.values

    def value_of(self, areas: dict[str, float]) -> float:
        """Return the area under the curve."""
        return areas["morf"]

    def describe(self, finding: Finding) -> str:
        """Return in one sentence how soon the score comes back."""
        return (
            f"inserting the most relevant first gives a mean score of {finding.value:.3f}, on the way from "
            f"{finding.details['start']:.3f} to {finding.details['end']:.3f}; {compare(finding)}"
        )


class Course:
    """How one clip is replaced in steps, by whatever order.

    Attributes:
        shares: The share of regions that are replaced after each step: float64 (steps + 1,), from 0 to 1.
        count: How many regions there are.
    """

    def __init__(self, check: Replacing, laboratory: Laboratory) -> None:
        clip = laboratory.clip
        assert check.baseline is not None
        baseline = blur_as_rise(clip.values) if check.baseline == "rise-blur" else make_baseline(check.baseline, clip)
        self._laboratory, self._is_two_sided = laboratory, check.is_two_sided
        self._ends = check.ends(clip, baseline)
        self._labels = cut_regions(clip.values.shape[1:], check.region, read_size("tube", check.tube))
        self.count = int(self._labels.max()) + 1
        self._replaced = count_replaced(self.count, check.steps)
        self.shares: NDArray[np.float64] = self._replaced / self.count

    def follow(self, relevance: Relevance) -> Scores:
        """Return class probabilities, the most relevant replaced first, then, if there are two, the least relevant."""
        ranks = rank_regions(relevance, self._labels, self._laboratory.random("equals"))
        orders = [ranks, reverse_ranks(ranks)] if self._is_two_sided else [ranks]
        between = self._replaced[1:-1]
        inputs = [(order, count) for order in orders for count in between]
        found = [self._predict(inputs[first : first + _TOGETHER]) for first in range(0, len(inputs), _TOGETHER)]
        classes = self._scores_of_ends.shape[-1]
        inner = np.concatenate([np.zeros((0, classes)), *found]).reshape(len(orders), len(between), classes)
        start, end = (np.broadcast_to(one, (len(orders), 1, classes)) for one in self._scores_of_ends)
        return np.concatenate([start, inner, end], axis=1)

    def _predict(self, inputs: Sequence[tuple[Ranks, int]]) -> NDArray[np.float64]:
        """Return class probabilities with so many regions replaced, in an order: float64 (input, classes)."""
        start, end = self._ends
        made = [np.where(ranks < count, end, start) for ranks, count in inputs]
        return self._laboratory.predict(Inputs(np.stack(made)))

    @cached_property
    def _scores_of_ends(self) -> NDArray[np.float64]:
        """Class probabilities before the first step and after the last: float64 (2, classes)."""
        return self._laboratory.predict(Inputs(np.stack(self._ends)))


def find_area(shares: NDArray[np.float64], scores: NDArray[np.float64]) -> float:
    """Return the area under a curve, by trapezoids; the shares go from 0 to 1, so it is also the curve's mean."""
    return float(np.trapezoid(scores, shares))


def blur_as_rise(values: Values) -> Values:
    """Return frames blurred in space as RISE's program does it: float32 (..., y, x), the same axes.

    Its kernel is 11 pixels wide: a Gaussian with a standard deviation of 5 whose tails are folded back at the kernel's
    edges (SciPy's `gaussian_filter` of an impulse). Beyond the frame's edges there are zeros, the mean.

    Args:
        values: Normalised frames (..., y, x).
    """
    impulse = np.eye(1, _WIDTH, _WIDTH // 2, dtype=np.float32)
    (kernel,) = blur(impulse, _DEVIATION)
    rows, columns = (_make_band(kernel, size) for size in values.shape[-2:])
    blurred: Values = (rows @ values @ columns.T).astype(np.float32)
    return blurred


def _make_band(kernel: NDArray[np.float32], size: int) -> NDArray[np.float64]:
    """Return the matrix (blurred pixel, pixel) that blurs a line of `size` pixels with zeros beyond its ends."""
    middle = len(kernel) // 2
    band: NDArray[np.float64] = sum(
        (float(weight) * np.eye(size, k=place - middle) for place, weight in enumerate(kernel)), np.zeros((size, size))
    )
    return band


def compare(finding: Finding) -> str:
    """Return what the order at random comes to, and the best of the baselines."""
    best = max(finding.baselines, key=lambda name: finding.baselines[name])
    others = {"random": finding.baselines["random"], best: finding.baselines[best]}
    numbers = " and ".join(f"{value:.3f} for {name}" for name, value in others.items())
    return f"without the network it is {numbers}" + (", the best of those" if best != "random" else "")
