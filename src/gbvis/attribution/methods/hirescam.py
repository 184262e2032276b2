"""HiResCAM (Draelos & Carin 2020, "Use HiResCAM instead of Grad-CAM for faithful explanations of ... networks").

Every cell of every filter is weighed by the target's own gradient there, and not by the filter's mean. Checked against
a slow second version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gbvis.attribution.layer_method import LayerMethod
from gbvis.networks.grid import GRID_AXES

if TYPE_CHECKING:
    from gbvis.attribution.attribution import Pending
    from gbvis.attribution.graph import Graph
    from gbvis.networks.endpoint import Target


@dataclass(frozen=True)
class HiResCam(LayerMethod):
    """The sum over filters of gradient times activation, where it is positive, in line with the layer's cells."""

    name = "hirescam"
    version = 1
    kind = "positive"
    quantity = "relevance"

    def attribute(self, graph: Graph, target: Target) -> Pending:
        """Return the sum for one target: (time, y, x)."""
        layer = self._layer()
        activation, gradient = graph.layer(target, layer)
        return graph.pending(target, (gradient * activation).sum(1).relu(), GRID_AXES, graph.grid(layer))
