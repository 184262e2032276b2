"""The gradient (Simonyan et al. 2014, "Deep Inside Convolutional Networks", part 3), and input times gradient.

Input times gradient: Shrikumar et al. 2016, "Not Just a Black Box", part 4. Both are checked against Captum's
`Saliency` and `InputXGradient`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gbvis.attribution.method import Method

if TYPE_CHECKING:
    from gbvis.attribution.attribution import Pending
    from gbvis.attribution.graph import Graph
    from gbvis.networks.endpoint import Target


@dataclass(frozen=True)
class Gradient(Method):
    """The gradient: d target / d normalised input, signed, in line with the clip's pixels."""

    name = "gradient"
    version = 1
    kind = "signed"

    def attribute(self, graph: Graph, target: Target) -> Pending:
        """Return the gradient of one target."""
        return graph.gradient(target)


@dataclass(frozen=True)
class InputXGradient(Method):
    """The normalised input times the gradient: signed, in units of the target, in line with the clip's pixels."""

    name = "input-x-gradient"
    version = 1
    kind = "signed"
    quantity = "relevance"

    def attribute(self, graph: Graph, target: Target) -> Pending:
        """Return the product for one target."""
        return graph.pending(target, graph.inputs * graph.backward(target))
