"""Small attribution methods, as another package would bring them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gbvis.attribution.method import Method

if TYPE_CHECKING:
    from gbvis.attribution.attribution import PendingAttribution
    from gbvis.attribution.graph import Graph
    from gbvis.networks.endpoint import Target


@dataclass(frozen=True)
class PlainGradient(Method):
    """The gradient itself (Simonyan et al. 2013)."""

    name = "plain-gradient"
    version = 1
    kind = "signed"

    def attribute(self, graph: Graph, target: Target) -> PendingAttribution:
        """Return the gradient of one target."""
        return graph.gradient(target)


@dataclass(frozen=True)
class Windowed(Method):
    """Has a setting of each type, and two that go together; finds what `PlainGradient` finds."""

    name = "windowed"
    version = 3
    kind = "signed"

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

    def attribute(self, graph: Graph, target: Target) -> PendingAttribution:
        """Return the gradient of one target."""
        return graph.gradient(target)


@dataclass(frozen=True)
class Twice(Method):
    """Goes back twice for each target: the guided gradient, if the plain one can be had too."""

    name = "twice"
    version = 1
    kind = "signed"

    def attribute(self, graph: Graph, target: Target) -> PendingAttribution:
        """Return the guided gradient of one target."""
        from gbvis.attribution.methods.guided_backprop import pass_where_both_are_positive

        graph.backward(target, is_last=False)
        return graph.gradient(target, pass_where_both_are_positive)
