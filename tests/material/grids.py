"""A method whose values are a grid of relevance without a sign, as another package would bring it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gbvis.attribution.method import Method

if TYPE_CHECKING:
    from gbvis.attribution.attribution import PendingAttribution
    from gbvis.attribution.graph import Graph
    from gbvis.networks.endpoint import Target


@dataclass(frozen=True)
class Grid(Method):
    """|gradient|, the mean over channels and over cells."""

    name = "strength-grid"
    version = 1
    kind = "positive"
    quantity = "relevance"

    steps: int = 4

    def attribute(self, graph: Graph, target: Target) -> PendingAttribution:
        """Return a grid for each of the graph's clips: float32 (clip, time, y, x)."""
        from torch.nn.functional import adaptive_avg_pool3d

        strength = graph.backward(target, is_last=True).abs().mean(1, keepdim=True)
        return graph.pending(target, adaptive_avg_pool3d(strength, (self.steps, 6, 6))[:, 0], ("time", "y", "x"))
