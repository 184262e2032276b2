"""A network that computes in the worker; where the worker is lost, what is not done goes on in this process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from numpy.typing import NDArray

from gbvis.attribution.attribution import FoundAttributions, Pending
from gbvis.networks.batches import Batches, telling_memory
from gbvis.networks.info import WeightsInfo
from gbvis.steps.worker.opening import Opened, Opening

if TYPE_CHECKING:
    from gbvis.attribution.method import Method
    from gbvis.attribution.runner import Arriving, LocalRunner, RunningGraph
    from gbvis.networks.endpoint import Endpoint, Target
    from gbvis.networks.grid import Place
    from gbvis.networks.network import ShapeWatcher
    from gbvis.videos.clip import ClipPixels, Inputs


class WorkerLost(Exception):
    """The worker has ended, or there is none."""


class Worker:
    """The way to the worker, where this process has one."""

    address: str | None = None
    """The path of the worker's socket; None where networks run in this process."""

    def __init__(self) -> None:
        from multiprocessing.connection import Client

        try:
            self._connection = Client(self.address, "AF_UNIX") if self.address else None
        except OSError:
            self._connection = None

    def ask(self, name: str, *arguments: Any) -> Any:
        """Return what a `Session` answers.

        Raises:
            WorkerLost: It is gone.
            Exception: What the session raised.
        """
        if self._connection is None:
            raise WorkerLost
        try:
            self._connection.send((name, arguments))
            is_answer, answer = self._connection.recv()
        except (EOFError, OSError) as error:
            self._connection = None
            raise WorkerLost from error
        if is_answer:
            return answer
        raise answer


def read_infos(opening: Opening) -> list[WeightsInfo]:
    """Return what is known of the networks in a weights file, which the worker reads.

    Raises:
        WorkerLost: There is none.
        UsageError: The file cannot be read.
    """
    infos: list[WeightsInfo] = Worker().ask("read", opening)
    return infos


@dataclass(frozen=True)
class Arrived:
    """Numbers that are there."""

    values: NDArray[Any]

    def array(self) -> NDArray[Any]:
        """Return them."""
        return self.values


class RemoteRunner:
    """A network that computes in the worker.

    Attributes:
        info: What is known of it.
        as_read: The same, as its file has it.
    """

    def __init__(
        self, opening: Opening, info: WeightsInfo, load_here: Callable[[], LocalRunner], allows_unguided: bool
    ) -> None:
        """Make the network ready.

        Args:
            opening: Its file, and where and how it computes.
            info: What the call says of it.
            load_here: Loads it in this process; called where the worker is lost.
            allows_unguided: As in `Network`.

        Raises:
            WorkerLost: There is no worker.
            GbvisError: The worker cannot load it.
        """
        self.info, self._load_here = info, load_here
        self._worker = Worker()
        self._opened: Opened = self._worker.ask("open", opening, info, allows_unguided)
        self.as_read = self._opened.info
        self._local: LocalRunner | None = None
        self._scope = ExitStack()

    def ask(self, name: str, *arguments: Any) -> Any:
        """Return what the worker answers; see `Worker.ask`."""
        return self._worker.ask(name, *arguments)

    def here(self) -> LocalRunner:
        """Return the network in this process."""
        if self._local is None:
            self._local = self._load_here()
            self._scope.enter_context(self._local.precision_scope())
        return self._local

    def batches(self, clip_count: int, say: Callable[[str], None]) -> Batches:
        """Return which clips to compute together."""
        return Batches(clip_count, _RemoteMemory(self) if self._opened.has_gpu else None, say)

    def graph(self, clips: Sequence[ClipPixels] | Inputs) -> RunningGraph:
        """Return the forward pass of some clips, kept for backward passes."""
        return _RemoteGraph(self, clips)

    def predict(
        self, clips: Sequence[ClipPixels] | Inputs, endpoints: Collection[Endpoint], watch: ShapeWatcher | None = None
    ) -> Mapping[Endpoint, Arriving]:
        """Return the responses of clips: per endpoint float32 (clip, targets)."""
        try:
            return _tell(self.ask("predict", clips, endpoints), watch)
        except WorkerLost:
            return self.here().predict(clips, endpoints, watch)

    @contextmanager
    def precision_scope(self) -> Iterator[None]:
        """Say in words that memory ran out; the worker sets the precision where it computes."""
        with self._scope, telling_memory(self._opened.device):
            if self._local:
                self._scope.enter_context(self._local.precision_scope())
            yield

    def environment(self) -> dict[str, object]:
        """Return what does not decide the numbers and is worth recording beside them."""
        return self._opened.environment

    def starts(self) -> Mapping[str, Place]:
        """Return where first cells were measured to be since the network was loaded."""
        try:
            return {**self.ask("starts")}
        except WorkerLost:
            return self._local.starts() if self._local else {}


class _RemoteGraph:
    """A forward pass in the worker; or, where that is lost, the same again in this process."""

    def __init__(self, runner: RemoteRunner, clips: Sequence[ClipPixels] | Inputs) -> None:
        self._runner, self._clips = runner, clips
        self._endpoints: Collection[Endpoint] = ()
        self._layers: Collection[str] = ()
        self._local: RunningGraph | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._local:
            self._local.__exit__(*error)

    def forward(
        self, endpoints: Collection[Endpoint], watch: ShapeWatcher | None = None, layers: Collection[str] = ()
    ) -> Mapping[Endpoint, Arriving]:
        """Return the responses at endpoints: float32 (clip, targets)."""
        self._endpoints, self._layers = endpoints, layers
        try:
            return _tell(self._runner.ask("forward", self._clips, endpoints, layers), watch)
        except WorkerLost:
            self._local = self._runner.here().graph(self._clips)
            return self._local.forward(endpoints, watch, layers)

    def attribute(self, method: Method, targets: Sequence[Target], is_last: bool = True) -> Iterator[Pending]:
        """Yield what a method finds for each target."""
        for number, target in enumerate(targets, start=1):
            yield self._attribute(method, target, is_last and number == len(targets))

    def _attribute(self, method: Method, target: Target, is_last: bool) -> Pending:
        if self._local is None:
            try:
                return FoundAttributions(target, self._runner.ask("attribute", method, target, is_last))
            except WorkerLost:
                self._local = self._runner.here().graph(self._clips)
                self._local.forward(self._endpoints, layers=self._layers)
        (pending,) = self._local.attribute(method, [target], is_last)
        return pending


class _RemoteMemory:
    """The memory of the worker's GPU; see `CudaMemory`. Where the worker is lost, clips go one by one."""

    def __init__(self, runner: RemoteRunner) -> None:
        self._runner = runner

    def _ask(self, what: str) -> int:
        try:
            return int(self._runner.ask("memory", what))
        except WorkerLost:
            return 0

    def begin(self) -> None:
        """Start to watch how much is taken."""
        self._ask("begin")

    def taken(self) -> int:
        """Return the bytes that were taken at most since `begin`, beyond what was taken then."""
        return self._ask("taken")

    def free(self) -> int:
        """Return the bytes that can be taken now."""
        return self._ask("free")

    def release(self) -> None:
        """Give back what nobody uses."""
        self._ask("release")


def _tell(
    answer: tuple[Mapping[Endpoint, NDArray[Any]], list[tuple[Endpoint, tuple[int, ...]]]], watch: ShapeWatcher | None
) -> Mapping[Endpoint, Arriving]:
    responses, shapes = answer
    for endpoint, shape in shapes if watch else ():
        assert watch
        watch(endpoint, shape)
    return {endpoint: Arrived(values) for endpoint, values in responses.items()}
