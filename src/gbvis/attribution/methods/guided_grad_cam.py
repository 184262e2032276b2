"""Guided Grad-CAM (Selvaraju et al. 2017, part 3.2): guided back-propagation times Grad-CAM.

For the product Grad-CAM's grid is brought to the clip's size: interpolated on the true centres of its cells, or
resized, as other tools do it, which draws it in the wrong place. Resized, it is checked against Captum's
`GuidedGradCam` with `interpolate_mode='trilinear'`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gbvis.attribution.layer_method import LayerMethod
from gbvis.attribution.methods.grad_cam import weigh_filters
from gbvis.attribution.methods.guided_backprop import pass_where_both_are_positive

if TYPE_CHECKING:
    from torch import Tensor

    from gbvis.attribution.attribution import Pending
    from gbvis.attribution.graph import Graph
    from gbvis.networks.endpoint import Target
    from gbvis.networks.grid import Grid


@dataclass(frozen=True)
class GuidedGradCam(LayerMethod):
    """The guided gradient times Grad-CAM: signed, in line with the clip's pixels.

    Attributes:
        resample: How the grid is brought to the clip's size: `registered`, on the centres of its cells; or `resize`.
    """

    resample: Literal["registered", "resize"] = "registered"

    name = "guided-grad-cam"
    version = 1
    kind = "signed"
    quantity = "relevance"

    def attribute(self, graph: Graph, target: Target) -> Pending:
        """Return the product for one target."""
        layer = self._layer()
        cells = weigh_filters(*graph.layer(target, layer, is_last=False))
        guided = graph.backward(target, pass_where_both_are_positive)
        spread = _resize(cells, graph) if self.resample == "resize" else _register(cells, graph.grid(layer), guided)
        return graph.pending(target, guided * spread)


def _resize(cells: Tensor, graph: Graph) -> Tensor:
    """Return cells (clip, time, y, x) resized to the network's input, trilinear: (clip, 1 or channel, time, y, x)."""
    from torch.nn.functional import interpolate

    resized = interpolate(cells[:, None], graph.batch.shape[2:], mode="trilinear")
    return graph.network.align_gradients(resized) if graph.network.info.interleaved else resized


def _register(cells: Tensor, grid: Grid, like: Tensor) -> Tensor:
    """Return cells (clip, time, y, x) interpolated on their centres, as `Grid.spread` does it, on their own device."""
    import torch

    from gbvis.networks.transfer import copy_to_device

    frames, height, width = like.shape[2:]
    weights = grid.interpolation(cells.shape[1:], (frames, height, width))  # type: ignore[arg-type]
    times, rows, columns = (copy_to_device(one, cells.device) for one in weights)
    in_space = torch.einsum("nkij,yi,xj->nkyx", cells, rows, columns)
    everywhere = torch.einsum("nkyx,tk->ntyx", in_space, times)
    return torch.unflatten(everywhere, 1, (frames, grid.places_per_frame)).transpose(1, 2)
