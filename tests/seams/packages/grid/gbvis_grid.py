"""A method that another package adds: how strong the gradient is in the cells of a coarse grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gbvis.attribution.method import Method

if TYPE_CHECKING:
    from gbvis.attribution.attribution import PendingAttribution
    from gbvis.attribution.graph import Graph
    from gbvis.networks.endpoint import Target


@dataclass(frozen=True)
class Grid(Method):
    """|d target / d input|, the mean over the channels, averaged over 2 x size x size cells.

    Attributes:
        size: Rows, and columns, of the grid.
        rule: `plain` gradients, or the mean of `both` plain and guided ones.
    """

    name = "grid"
    version = 1
    kind = "positive"

    size: int = 6
    rule: Literal["plain", "both"] = "plain"

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: There is no such grid.
        """
        if not 1 <= self.size <= 32:
            raise ValueError("size must be from 1 to 32")

    def attribute(self, graph: Graph, target: Target) -> PendingAttribution:
        """Return a grid for each of the graph's clips: float32 (clip, time, y, x)."""
        from torch.nn.functional import adaptive_avg_pool3d

        from gbvis.attribution.methods.guided_backprop import pass_where_both_are_positive

        strength = graph.backward(target, is_last=self.rule == "plain").abs()
        if self.rule == "both":
            strength = (strength + graph.backward(target, pass_where_both_are_positive).abs()) / 2
        cells = adaptive_avg_pool3d(strength.mean(1, keepdim=True), (2, self.size, self.size))
        return graph.pending(target, cells[:, 0], ("time", "y", "x"))
