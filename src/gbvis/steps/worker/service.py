"""What the worker does: one thread computes, in turns, for as many calls as are connected."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from socket import socket
from typing import TYPE_CHECKING, Any

from gbvis.errors import DeviceError, GbvisError, UsageError
from gbvis.networks.info import WeightsInfo
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.steps.worker.opening import Opened, Opening

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gbvis.attribution.attribution import Attribution
    from gbvis.attribution.graph import Graph
    from gbvis.attribution.method import Method
    from gbvis.networks.batches import CudaMemory
    from gbvis.networks.endpoint import Endpoint, Target
    from gbvis.networks.grid import Place
    from gbvis.networks.network import Network
    from gbvis.videos.clip import ClipPixels, Inputs

    Responses = Mapping[Endpoint, NDArray[Any]]
    Shapes = list[tuple[Endpoint, tuple[int, ...]]]

_MOST_FILES = 4
"""Weights files that stay loaded: those used last."""

_IDLE_ON_GPU = 60.0
"""Seconds without work after which a worker ends that has memory of a GPU; the next call starts another."""


class LoadedWeights:
    """The networks that stay loaded."""

    def __init__(self) -> None:
        self._loaded: dict[Opening, Networks] = {}

    def open(self, opening: Opening) -> Networks:
        """Return the networks of a weights file.

        Raises:
            UsageError: It cannot be read, or is not what the call takes it to be.
        """
        networks = self._loaded.pop(opening, None) or _read(opening)
        self._loaded[opening] = networks
        for oldest in list(self._loaded)[:-_MOST_FILES]:
            del self._loaded[oldest]
        return networks


def _read(opening: Opening) -> Networks:
    request = WeightsRequest(
        (opening.path,),
        device=opening.device,
        precision=opening.precision,
        checkpoint_format=opening.checkpoint_format,
        state=opening.state,
    )
    networks = Networks(request)
    if any(info.sha256 != opening.sha256 for info in networks.infos.values()):
        raise UsageError(f"{opening.path} has changed since this call began", "repeat the call")
    return networks


class Session:
    """What one stream of one call has here: a network, and at most one graph."""

    def __init__(self, weights: LoadedWeights) -> None:
        self._weights = weights
        self._network: Network | None = None
        self._graph: Graph | None = None
        self._memory: CudaMemory | None = None

    def read(self, opening: Opening) -> list[WeightsInfo]:
        """Return what is known of the networks in a weights file."""
        return list(self._weights.open(opening).infos.values())

    def open(self, opening: Opening, info: WeightsInfo, allows_unguided: bool) -> Opened:
        """Make a network ready.

        Args:
            opening: Its file, and where and how it computes.
            info: What the call says of it: its modality, its input.
            allows_unguided: As in `Network`.
        """
        from gbvis.networks.batches import CudaMemory

        network = self._weights.open(opening).load(info.modality)
        assert network.fused  # made now, for all sessions
        self._network, as_read = copy.copy(network), network.info
        self._network.info, self._network.allows_unguided = info, allows_unguided
        has_gpu = network.device.type == "cuda"
        self._memory = CudaMemory(network.device) if has_gpu else None
        return Opened(as_read, network.environment(), str(network.device), has_gpu)

    def forward(
        self, clips: Sequence[ClipPixels] | Inputs, endpoints: Collection[Endpoint], layers: Collection[str]
    ) -> tuple[Responses, Shapes]:
        """Begin a graph, and return the responses, float32 (clip, targets), and the shapes on the way."""
        from gbvis.attribution.graph import Graph

        assert self._network
        shapes: Shapes = []
        self.close()
        with self._network.precision_scope():
            self._graph = Graph(self._network, clips)
            responses = self._graph.forward(endpoints, lambda *shape: shapes.append(shape), layers)
            return {endpoint: values.array() for endpoint, values in responses.items()}, shapes

    def attribute(self, method: Method, target: Target, is_last: bool) -> list[Attribution]:
        """Return what a method finds for one target of the graph's clips."""
        assert self._network and self._graph
        with self._network.precision_scope():
            (pending,) = self._graph.attribute(method, [target], is_last)
            return list(pending.result())

    def predict(
        self, clips: Sequence[ClipPixels] | Inputs, endpoints: Collection[Endpoint]
    ) -> tuple[Responses, Shapes]:
        """Return the responses of clips, float32 (clip, targets), and the shapes on the way."""
        assert self._network
        shapes: Shapes = []
        with self._network.precision_scope():
            responses = self._network.predict(clips, endpoints, lambda *shape: shapes.append(shape))
            return {endpoint: values.array() for endpoint, values in responses.items()}, shapes

    def memory(self, what: str) -> int:
        """Do one of the things that a `CudaMemory` can do."""
        return getattr(self._memory, what)() or 0

    def starts(self) -> Mapping[str, Place]:
        """Return where first cells were measured to be since the network was loaded."""
        assert self._network
        return self._network.starts

    def close(self) -> None:
        """Give the graph's memory back."""
        self._graph = None


def serve(listener: socket) -> None:
    """Compute for every call that connects; never returns. The thread that calls this is the one that computes."""
    from gbvis.networks.network import uses_gpu  # torch is loaded before the first call asks for it

    tasks: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()
    threading.Thread(target=_accept, args=(listener, tasks), daemon=True).start()
    while True:
        try:
            task, future = tasks.get(timeout=_IDLE_ON_GPU if uses_gpu() else None)
        except Empty:
            os._exit(0)
        try:
            future.set_result(task())
        except Exception as error:
            future.set_exception(error)
        del task, future  # they hold arrays


def _accept(listener: socket, tasks: SimpleQueue[tuple[Callable[[], Any], Future[Any]]]) -> None:
    weights = LoadedWeights()
    try:
        while True:
            connection = Connection(listener.accept()[0].detach())
            threading.Thread(target=_serve_call, args=(connection, Session(weights), tasks), daemon=True).start()
    finally:  # no more descriptors or threads: the front starts another worker
        os._exit(1)


def _serve_call(
    connection: Connection, session: Session, tasks: SimpleQueue[tuple[Callable[[], Any], Future[Any]]]
) -> None:
    """Answer one call until it has enough; it may be slow to listen, and none waits for it but itself."""
    while True:
        try:
            name, arguments = connection.recv()
        except (EOFError, OSError):
            name, arguments = "close", ()
        future: Future[Any] = Future()
        tasks.put((lambda name=name, arguments=arguments: getattr(session, name)(*arguments), future))  # type: ignore[misc]
        try:
            answer = True, future.result()
        except BaseException as error:
            answer = False, _plain(error)
        try:
            connection.send(answer)
        except OSError:
            return


def _plain(error: BaseException) -> Exception:
    """Return an error that another process can be sent, and that it needs no torch to read."""
    if isinstance(error, DeviceError) and error.__cause__:
        return MemoryError(str(error.__cause__))  # it may try again with fewer clips
    if isinstance(error, GbvisError):
        return error
    import traceback

    return RuntimeError("".join(traceback.format_exception(error)).rstrip())
