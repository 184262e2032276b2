"""Small attribution methods, as another package would bring them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from gbvis.attribution.attribution import Attribution, Values
from gbvis.attribution.estimate import Estimate
from gbvis.attribution.iterative import Clip, IterativeMethod
from gbvis.attribution.method import Method
from gbvis.attribution.methods.gradient import Gradient

if TYPE_CHECKING:
    from gbvis.attribution.attribution import Pending
    from gbvis.attribution.graph import Graph
    from gbvis.networks.endpoint import Target


@dataclass(frozen=True)
class PlainGradient(Gradient):
    """The gradient by another name."""

    name = "plain-gradient"


@dataclass(frozen=True)
class Windowed(Gradient):
    """The gradient with a setting of each type, and two that go together."""

    name = "windowed"
    version = 3

    samples: int = 25
    noise: float = 0.15
    title: str = "of everything"
    reduce: Literal["mean", "max"] = "mean"
    is_squared: bool = False
    seed: int | None = None

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: No seed decides a single sample.
        """
        if self.seed is not None and self.samples < 2:
            raise ValueError("a seed needs at least 2 samples")


@dataclass(frozen=True)
class Twice(Method):
    """Goes back twice for each target: the guided gradient, if the plain one can be had too."""

    name = "twice"
    version = 1
    kind = "signed"

    def attribute(self, graph: Graph, target: Target) -> Pending:
        """Return the guided gradient of one target."""
        from gbvis.attribution.methods.guided_backprop import pass_where_both_are_positive

        graph.backward(target, is_last=False)
        return graph.gradient(target, pass_where_both_are_positive)


@dataclass(frozen=True)
class Brighter(IterativeMethod):
    """The sum of the gradients of ever brighter clips; the pass after the last one only asks for the value."""

    name = "brighter"
    version = 1
    kind = "signed"

    steps: int = 6

    def begin(self, clip: Clip, target: Target, value: float) -> Estimate:
        """Return nothing yet."""
        return Estimate(target, value, np.zeros(clip.values.shape))

    def count_passes(self, clip: Clip, estimate: Estimate) -> int:
        """Return the gradients and the value."""
        return self.steps + 1

    def make_input(self, clip: Clip, number: int) -> Values:
        """Return the clip, the brighter the later."""
        return clip.values + np.float32(0.01 * number + 0.001 * clip.first_frame)

    def differentiated(self, number: int) -> Method | None:
        """Return the gradient, but for the last pass."""
        return PlainGradient() if number < self.steps else None

    def add(self, estimate: Estimate, clip: Clip, value: float, gradient: Values | None) -> None:
        """Add the gradient; keep the value."""
        if gradient is None:
            estimate.numbers["brightest"] = value
        else:
            estimate.sums += gradient

    def finish(self, estimate: Estimate, clip: Clip) -> Attribution:
        """Return the sum."""
        values = estimate.sums.astype(np.float32)
        return Attribution(estimate.target, estimate.value, values, details=estimate.numbers)


@dataclass(frozen=True)
class ExactlyBrighter(Brighter):
    """The same, and never in less than float32."""

    name = "exactly-brighter"
    needs_float32 = True
