"""Grad-CAM (Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization").

Every filter of a layer is weighed by the mean of the target's gradient at it; where the weighted sum of filters is
positive, the layer speaks for the target. Checked against Captum's `LayerGradCam`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gbvis.attribution.layer_method import LayerMethod
from gbvis.networks.grid import GRID_AXES

if TYPE_CHECKING:
    from torch import Tensor

    from gbvis.attribution.attribution import Pending
    from gbvis.attribution.graph import Graph
    from gbvis.networks.endpoint import Target


@dataclass(frozen=True)
class GradCam(LayerMethod):
    """The weighted sum of a layer's filters: positive, in line with the layer's cells."""

    name = "grad-cam"
    version = 1
    kind = "positive"
    quantity = "relevance"

    def attribute(self, graph: Graph, target: Target) -> Pending:
        """Return the sum for one target: (time, y, x)."""
        layer = self._layer()
        cells = weigh_filters(*graph.layer(target, layer))
        return graph.pending(target, cells, GRID_AXES, graph.grid(layer))


def weigh_filters(activation: Tensor, gradient: Tensor) -> Tensor:
    """Return relu(Σ_k mean(∂S/∂A_k) A_k): (clip, time, y, x).

    Equations 1 and 2 of the paper; the mean is over time too.

    Args:
        activation: A, (clip, filter, time, y, x).
        gradient: ∂S/∂A, of the same shape.
    """
    return (gradient.mean((2, 3, 4), keepdim=True) * activation).sum(1).relu()
