"""Runner: a network that computes for a step, in this process or in another one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, Self

from numpy.typing import NDArray

from gbvis.attribution.attribution import Pending

if TYPE_CHECKING:  # what another process computes needs no torch in this one
    from gbvis.attribution.method import Method
    from gbvis.networks.batches import Batches
    from gbvis.networks.endpoint import Endpoint, Target
    from gbvis.networks.grid import Place
    from gbvis.networks.info import WeightsInfo
    from gbvis.networks.network import Network, ShapeWatcher
    from gbvis.videos.clip import ClipPixels, Inputs


class Arriving(Protocol):
    """Numbers that are computed, and may still be on their way."""

    def array(self) -> NDArray[Any]:
        """Return them; waits until they are there."""


class RunningGraph(Protocol):
    """One forward pass of some clips, and the backward passes through it; see `graph.Graph`."""

    def __enter__(self) -> Self:
        """Return it."""

    def __exit__(self, *error: Any) -> None:
        """Give its memory back."""

    def forward(
        self, endpoints: Collection[Endpoint], watch: ShapeWatcher | None = None, layers: Collection[str] = ()
    ) -> Mapping[Endpoint, Arriving]:
        """Return the responses at endpoints: float32 (clip, targets)."""

    def attribute(self, method: Method, targets: Sequence[Target], is_last: bool = True) -> Iterator[Pending]:
        """Yield what a method finds for each target."""


class Runner(Protocol):
    """A network that computes.

    Attributes:
        info: What is known of the network.
    """

    info: WeightsInfo

    def batches(self, clip_count: int, say: Callable[[str], None]) -> Batches:
        """Return which clips to compute together."""

    def graph(self, clips: Sequence[ClipPixels] | Inputs) -> RunningGraph:
        """Return the forward pass of some clips, kept for backward passes."""

    def predict(
        self, clips: Sequence[ClipPixels] | Inputs, endpoints: Collection[Endpoint], watch: ShapeWatcher | None = None
    ) -> Mapping[Endpoint, Arriving]:
        """Return the responses of clips: per endpoint float32 (clip, targets)."""

    def precision_scope(self) -> AbstractContextManager[None]:
        """Set the network's precision as long as the context lasts, and say in words that memory ran out."""

    def environment(self) -> dict[str, object]:
        """Return what does not decide the numbers and is worth recording beside them."""

    def starts(self) -> Mapping[str, Place]:
        """Return where first cells were measured to be since the network was loaded; see `WeightsInfo.starts`."""


class LocalRunner:
    """A network that computes in this process."""

    def __init__(self, network: Network) -> None:
        self.network, self.info = network, network.info
        self.batches, self.predict = network.batches, network.predict
        self.precision_scope, self.environment = network.precision_scope, network.environment

    def graph(self, clips: Sequence[ClipPixels] | Inputs) -> RunningGraph:
        """Return the forward pass of some clips, kept for backward passes."""
        from gbvis.attribution.graph import Graph

        return Graph(self.network, clips)

    def starts(self) -> Mapping[str, Place]:
        """Return where first cells were measured to be since the network was loaded."""
        return self.network.starts
