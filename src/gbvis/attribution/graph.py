"""Graph: one forward pass, and any number of backward passes through it, each with its own rule at the ReLUs."""

from collections.abc import Collection, Iterator, Sequence
from types import TracebackType
from typing import Protocol, Self

import torch
from torch import Tensor

from gbvis.attribution.attribution import PIXEL_AXES, Pending, PendingAttribution
from gbvis.attribution.relu import CurrentRule, GuidedRelus, ReluRule, guiding, pass_where_active
from gbvis.attribution.relu_count import ReluCount
from gbvis.networks.endpoint import Endpoint, Target
from gbvis.networks.grid import Grid
from gbvis.networks.network import Network, ShapeWatcher
from gbvis.networks.softmax import gradient_scale
from gbvis.networks.transfer import HostCopy
from gbvis.videos.clip import ClipPixels, Inputs


class Attributing(Protocol):
    """What a graph needs of a method."""

    def attribute(self, graph: "Graph", target: Target) -> Pending:
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
    of their own. What was found for one target is kept until another one is asked for: methods share it.

    Attributes:
        network: The network.
        clips: Each (T, H, W, C), all of one shape; or other inputs.
        batch: The clips as the network takes them.
    """

    def __init__(self, network: Network, clips: Sequence[ClipPixels] | Inputs) -> None:
        self.network, self.clips = network, clips
        self.batch = network.preprocess(clips).requires_grad_()
        self._responses: dict[Endpoint, Tensor] = {}
        self._layers: dict[str, Tensor] = {}
        self._rule = CurrentRule()
        self._relus: GuidedRelus | None = None
        self._counts: dict[Endpoint, ReluCount] = {}
        self._has_rule = False
        self._is_last = False
        self._found: tuple[Target | None, dict[ReluRule, Tensor]] = None, {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._responses, self._layers, self._found = {}, {}, (None, {})  # and with them the activations
        if self._relus:
            self._relus.forget()

    @property
    def inputs(self) -> Tensor:
        """The normalised clips in line with their pixels: float32 (clip, channel, time, y, x)."""
        return self.network.align_gradients(self.batch.detach())

    def forward(
        self, endpoints: Collection[Endpoint], watch: ShapeWatcher | None = None, layers: Collection[str] = ()
    ) -> dict[Endpoint, HostCopy]:
        """Return the responses at `endpoints`, float32 (clip, targets), on their way to arrays.

        Args:
            endpoints: Where targets lie, or what is needed to choose them.
            watch: Told the shapes on the way.
            layers: Names of endpoints whose activations methods look at.
        """

        def visit(endpoint: Endpoint, activation: Tensor) -> None:
            if watch:
                watch(endpoint, tuple(activation.shape))
            if endpoint.name in layers:
                self._layers[endpoint.name] = activation

        with guiding(self.network.fused, self._rule, self.network.kind.relus_overwrite) as self._relus:
            self._responses = self.network.forward(self.batch, endpoints, visit, layers)
        return {endpoint: HostCopy(values) for endpoint, values in self._responses.items()}

    def attribute(self, method: Attributing, targets: Sequence[Target], is_last: bool = True) -> Iterator[Pending]:
        """Yield what a method finds for each target.

        Args:
            method: The method.
            targets: Their endpoints were part of the forward pass.
            is_last: Nothing else will go back through this pass: its memory is freed on the way.
        """
        for number, target in enumerate(targets, start=1):
            self._is_last, self._has_rule = is_last and number == len(targets), False
            yield method.attribute(self, target)

    def gradient(self, target: Target, relu_rule: ReluRule = pass_where_active) -> PendingAttribution:
        """Return d target / d normalised input, signed, in line with the clips' pixels; a rule decides at the ReLUs."""
        return self.pending(target, self.backward(target, relu_rule))

    def backward(self, target: Target, relu_rule: ReluRule = pass_where_active, is_last: bool = True) -> Tensor:
        """Return the same as a tensor on the network's device: float32 (clip, channel, time, y, x).

        It belongs to all methods of the target: none may change it.

        Args:
            target: What is differentiated.
            relu_rule: Decides at the ReLUs.
            is_last: The method does not go back again for this target: the memory of the pass may be freed on the way.

        Raises:
            UsageError: The network has activations that a rule for ReLUs does not reach, and `Network.allows_unguided`
                is not set.
        """
        if self._found[0] != target:
            self._found = target, {}
        found = self._found[1]
        if relu_rule is not pass_where_active:
            self._check_rule(target.endpoint)
        if relu_rule not in found:
            found[relu_rule] = self.network.align_gradients(self._differentiate(target, self.batch, relu_rule, is_last))
        return found[relu_rule]

    def _check_rule(self, endpoint: Endpoint) -> None:
        """Check that a rule for ReLUs reaches every activation before an endpoint, and note that there is one."""
        self._has_rule = True
        count = self.count_relus(endpoint)
        if not self.network.allows_unguided:
            count.check(endpoint.name)

    def count_relus(self, endpoint: Endpoint) -> ReluCount:
        """Return at how many ReLUs of this pass, up to an endpoint, a rule decides, and what it does not reach."""
        if endpoint not in self._counts:
            assert self._relus, "forward() comes first"
            self._counts[endpoint] = self._relus.count(self._responses[endpoint])
        return self._counts[endpoint]

    def layer(self, target: Target, name: str, is_last: bool = True) -> tuple[Tensor, Tensor]:
        """Return a layer's activation A and d target / dA: float32 (clip, filter, time, y, x) each.

        Args:
            target: What is differentiated; its endpoint is not before the layer.
            name: The layer's, an endpoint with time and space that `forward` was told of.
            is_last: As `backward`.
        """
        activation = self._layers[name]
        gradient = self._differentiate(target, activation, pass_where_active, is_last)
        return activation.detach().float(), gradient.float()

    def _differentiate(self, target: Target, by: Tensor, relu_rule: ReluRule, is_last: bool) -> Tensor:
        responses = self._responses[target.endpoint]
        value = responses[:, target.index]
        scale = gradient_scale(responses, target.index) if target.endpoint.is_score else torch.ones_like(value)
        self._rule.current = relu_rule
        retains = not (self._is_last and is_last)
        # No clip has a part in another's value, so the gradient of all of them holds every clip's own.
        scaled = (value * scale).sum()  # the same bits; given `scale` itself, `grad` would import SymPy, 0.2 s and more
        (gradient,) = torch.autograd.grad(scaled, by, retain_graph=retains)
        return gradient / scale[:, None, None, None, None] if target.endpoint.is_score else gradient

    def grid(self, name: str) -> Grid:
        """Return where the cells of a layer's activation lie in the graph's clips.

        Args:
            name: The layer's, an endpoint with time and space.
        """
        return self.network.grid(name, self.batch.shape[2] // self.network.info.places_per_frame)

    def value_of(self, target: Target) -> Tensor:
        """Return a target's value for each clip: (clip,)."""
        return self._responses[target.endpoint][:, target.index].detach()

    def pending(
        self, target: Target, values: Tensor, axes: tuple[str, ...] = PIXEL_AXES, grid: Grid | None = None
    ) -> PendingAttribution:
        """Return what a method found for a target, on its way to arrays.

        Args:
            target: What is attributed.
            values: (clip, *axes), on any device.
            axes: Those of `PIXEL_AXES` that one clip's values have, in that order.
            grid: Where its cells lie, where these are a layer's and not the clip's pixels.
        """
        relus = self.count_relus(target.endpoint) if self._has_rule else None
        return PendingAttribution(target, HostCopy(self.value_of(target)), HostCopy(values.float()), axes, grid, relus)
