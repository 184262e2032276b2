"""Deconvnet (Zeiler & Fergus 2014, "Visualizing and Understanding Convolutional Networks", part 2.1).

On the way back a ReLU does to the gradient what it does to activations on the way there: only what is positive passes,
whatever the activation was. Checked against Captum's `Deconvolution`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gbvis.attribution.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from gbvis.attribution.attribution import Pending
    from gbvis.attribution.graph import Graph
    from gbvis.networks.endpoint import Target


@dataclass(frozen=True)
class Deconvnet(Method):
    """The deconvnet's signal: signed, in line with the clip's pixels."""

    name = "deconvnet"
    version = 1
    kind = "signed"

    def attribute(self, graph: Graph, target: Target) -> Pending:
        """Return the signal of one target."""
        return graph.gradient(target, relu_rule=pass_where_positive)


def pass_where_positive(gradient: Tensor, rectified: Tensor) -> Tensor:
    """Return the gradient where it is positive, else 0, in place."""
    return gradient.clamp_(min=0)
