"""Guided back-propagation (Springenberg et al. 2015, "Striving for Simplicity: The All Convolutional Net", part 3.4).

At every ReLU the gradient passes only where both the activation and the gradient itself are positive. Checked against
the original programs and Captum's `GuidedBackprop` in `golden/`.
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
class GuidedBackprop(Method):
    """The guided gradient: d target / d normalised input, signed, in line with the clip's pixels."""

    name = "guided-backprop"
    version = 1
    kind = "signed"

    def attribute(self, graph: Graph, target: Target) -> Pending:
        """Return the guided gradient of one target."""
        return graph.gradient(target, relu_rule=pass_where_both_are_positive)


def pass_where_both_are_positive(gradient: Tensor, rectified: Tensor) -> Tensor:
    """Return the gradient where it and the ReLU's output are positive, else 0: the paper's rule, in place."""
    from gbvis.attribution.relu import pass_where_active

    return pass_where_active(gradient.clamp_(min=0), rectified)
