"""Graph: one forward pass, and any number of backward passes through it, each with its own rule at the ReLUs."""

from collections.abc import Collection, Iterator, Sequence
from types import TracebackType
from typing import Protocol, Self

import torch
from torch import Tensor

from gbvis.attribution.attribution import PIXEL_AXES, PendingAttribution
from gbvis.attribution.relu import CurrentRule, ReluRule, pass_where_active, replaced_relus
from gbvis.networks.endpoint import Endpoint, Target
from gbvis.networks.network import Network, ShapeWatcher
from gbvis.networks.softmax import gradient_scale
from gbvis.networks.transfer import HostCopy
from gbvis.videos.clip import ClipPixels


class Attributing(Protocol):
    """What a graph needs of a method."""

    def attribute(self, graph: "Graph", target: Target) -> PendingAttribution:
        """Return what is found for one target of the graph's clips."""


class Graph:
    """The forward pass of some clips, kept for backward passes.

    ```
    with Graph(network, clips) as graph:
        responses = graph.forward(endpoints)
        for pending in graph.attribute(method, targets):
            ...
    ```
    The network is left as it was found, also after an error. Methods that need other inputs than the clips open graphs
    of their own.

    Attributes:
        network: The network.
        clips: Each (T, H, W, C), all of one shape.
        batch: The clips as the network takes them.
    """

    def __init__(self, network: Network, clips: Sequence[ClipPixels]) -> None:
        self.network, self.clips = network, clips
        self.batch = network.preprocess(clips).requires_grad_()
        self._responses: dict[Endpoint, Tensor] = {}
        self._rule = CurrentRule()
        self._is_last = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._responses = {}  # and with them the activations

    def forward(self, endpoints: Collection[Endpoint], watch: ShapeWatcher | None = None) -> dict[Endpoint, HostCopy]:
        """Return the responses at `endpoints`, float32 (clip, targets), on their way to arrays.

        Args:
            endpoints: Where targets lie, or what is needed to choose them.
            watch: Told the shapes on the way.
        """
        with replaced_relus(self.network.fused, self._rule, self.network.kind.relus_overwrite):
            self._responses = self.network.forward(self.batch, endpoints, watch)
        return {endpoint: HostCopy(values) for endpoint, values in self._responses.items()}

    def attribute(
        self, method: Attributing, targets: Sequence[Target], is_last: bool = True
    ) -> Iterator[PendingAttribution]:
        """Yield what a method finds for each target.

        Args:
            method: The method.
            targets: Their endpoints were part of the forward pass.
            is_last: Nothing else will go back through this pass: its memory is freed on the way.
        """
        for number, target in enumerate(targets, start=1):
            self._is_last = is_last and number == len(targets)
            yield method.attribute(self, target)

    def gradient(self, target: Target, relu_rule: ReluRule = pass_where_active) -> PendingAttribution:
        """Return d target / d normalised input, signed, in line with the clips' pixels; a rule decides at the ReLUs."""
        return self.pending(target, self.backward(target, relu_rule))

    def backward(self, target: Target, relu_rule: ReluRule = pass_where_active, is_last: bool = True) -> Tensor:
        """Return the same as a tensor on the network's device: float32 (clip, channel, time, y, x).

        Args:
            target: What is differentiated.
            relu_rule: Decides at the ReLUs.
            is_last: The method does not go back again for this target: the memory of the pass may be freed on the way.
        """
        responses = self._responses[target.endpoint]
        value = responses[:, target.index]
        scale = gradient_scale(responses, target.index) if target.endpoint.is_score else torch.ones_like(value)
        self._rule.current = relu_rule
        retains = not (self._is_last and is_last)
        # No clip has a part in another's value, so the gradient of all of them holds every clip's own.
        scaled = (value * scale).sum()  # the same bits; given `scale` itself, `grad` would import SymPy, 0.2 s and more
        (gradient,) = torch.autograd.grad(scaled, self.batch, retain_graph=retains)
        aligned = self.network.align_gradients(gradient)
        return aligned / scale[:, None, None, None, None] if target.endpoint.is_score else aligned

    def pending(self, target: Target, values: Tensor, axes: tuple[str, ...] = PIXEL_AXES) -> PendingAttribution:
        """Return what a method found for a target, on its way to arrays.

        Args:
            target: What is attributed.
            values: (clip, *axes), on any device.
            axes: Those of `PIXEL_AXES` that one clip's values have, in that order.
        """
        value = self._responses[target.endpoint][:, target.index]
        return PendingAttribution(target, HostCopy(value), HostCopy(values.float()), axes)
