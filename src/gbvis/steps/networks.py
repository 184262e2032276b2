"""The networks of a call: what they are, from the store's infos where it can, and their weights when needed."""

import copy
import re
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gbvis.attribution.recipe import NUMBERS_VERSION
from gbvis.errors import GbvisError, UsageError
from gbvis.networks.info import WeightsInfo
from gbvis.networks.input_format import InputFormats
from gbvis.networks.kind import list_formats
from gbvis.networks.labels import read_labels
from gbvis.networks.own.spec import OwnNetwork
from gbvis.networks.torch_ahead import begin_import
from gbvis.provenance import DIGEST_LENGTH, Stamp, digest_of, hash_file, stamp_file
from gbvis.registry import check_name
from gbvis.steps.own_networks import GivenNetwork, check_own, describe_own, gives_probabilities, open_own
from gbvis.steps.weights_files import describe_states, no_file, reading
from gbvis.steps.worker.opening import Opening
from gbvis.steps.worker.remote import RemoteRunner, Worker, WorkerLost, read_infos
from gbvis.store import Store
from gbvis.store.keys import weights_key

if TYPE_CHECKING:
    from gbvis.attribution.runner import LocalRunner, Runner
    from gbvis.networks.network import Network

MODALITIES = ("rgb", "flow")
PRECISIONS = ("float32", "tf32", "bfloat16")


@dataclass(frozen=True)
class WeightsRequest:
    """Which weights to use, and how to compute with them.

    Attributes:
        paths: Checkpoint files; together at most one network a stream.
        modality: The only stream wanted, or None for every stream that has weights.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: `float32`, `tf32` or `bfloat16`.
        labels: A file with class names, in place of those that gbvis knows.
        checkpoint_format: The checkpoints' format, where names and shapes do not tell it, or tell it wrong.
        names: What the user calls the files, by path: a label for lists and pictures, and no part of any recipe.
        state: Which of several states in a file is meant, by its name there.
        inputs: What is said of the networks' inputs.
        allows_unguided: Methods with a rule for ReLUs go back through activations that it does not reach too.
        network: A network of the user's own, which no file describes; `paths` holds its weights, if it needs any.
    """

    paths: tuple[Path, ...]
    modality: str | None = None
    device: str = "auto"
    precision: str = "float32"
    labels: Path | None = None
    checkpoint_format: str | None = None
    names: Mapping[Path, str] = field(default_factory=dict)
    state: str | None = None
    inputs: InputFormats = field(default_factory=InputFormats)
    allows_unguided: bool = False
    network: "OwnNetwork | GivenNetwork | None" = None

    def __post_init__(self) -> None:
        if self.checkpoint_format and self.checkpoint_format not in list_formats():
            from gbvis.networks.load import check_format

            check_format(self.checkpoint_format)
        check_name("precision", PRECISIONS, self.precision)
        check_name("modality", MODALITIES, self.modality or "rgb")
        if self.network:
            check_own(self.paths, self.checkpoint_format, self.state)
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", self.device):
            raise UsageError(f"unknown device {self.device!r}", "choose auto, cpu, cuda, cuda:N or mps")

    @property
    def reading(self) -> str | None:
        """All that decides how a file is read, as a part of a key; None where nothing is said."""
        state = None if self.state is None else f"state-{digest_of({'state': self.state})}"
        return "-".join(filter(None, (self.checkpoint_format, state))) or None


class Networks:
    """One network a stream; loaded, and torch with it, only when `load` is called for the first time.

    Attributes:
        infos: What is known of each stream's network.
    """

    def __init__(
        self, request: WeightsRequest, store: Store | None = None, say: Callable[[str], None] = lambda line: None
    ) -> None:
        """Find out what the files hold.

        Args:
            request: Which files.
            store: Where infos are looked up, if anywhere; `keep_records` keeps new ones.
            say: Told of prepared networks that are damaged.

        Raises:
            UsageError: No file is given, one cannot be read, two are for one stream, or none is for the stream
                wanted.
        """
        if not request.paths and not request.network:
            raise UsageError("no weights given", "give a checkpoint with -w, or set GBVIS_WEIGHTS")
        self._request, self._say, self._reading = request, say, request.reading
        self._loaded: dict[str, Network] = {}  # as their files have them
        self._ready: dict[str, Network] = {}
        self._runners: dict[str, Runner] = {}
        self._others: dict[str, Networks] = {}  # the same in other precisions
        self._new_infos: list[list[WeightsInfo]] = []
        self._hashes: dict[Path, tuple[Stamp, str]] = {}
        self._newly_hashed: list[Path] = []
        self._renamed: list[str] = []
        self._torch: Future[None] | None = None
        infos = self._read_all(store)
        wanted = [request.modality] if request.modality else sorted(infos, reverse=True)  # RGB first
        self._as_read = {modality: infos[modality] for modality in wanted if modality in infos}
        if not self._as_read:
            held = ", ".join(f"{Path(info.path).name} is for {info.modality}" for info in infos.values())
            raise UsageError(
                f"no weights for {request.modality}: {held}",
                f"give a checkpoint of a {request.modality} network with -w, or leave out -m",
            )
        inputs = request.inputs.changed({modality: info.clip_format for modality, info in self._as_read.items()})
        self.infos = {modality: replace(info, clip_format=inputs[modality]) for modality, info in self._as_read.items()}

    def _read_all(self, store: Store | None) -> dict[str, WeightsInfo]:
        """Return what is known of every network in the files, by its stream."""
        if self._request.network:
            return self._open_own(self._request.network, store)
        infos: dict[str, WeightsInfo] = {}
        for path in self._request.paths:
            for info in self._read_infos(path, store):
                if info.modality in infos:
                    raise UsageError(
                        f"two networks for {info.modality}: {infos[info.modality].path} and {path}",
                        "give one checkpoint a stream",
                    )
                infos[info.modality] = self._labelled(replace(info, path=str(path.resolve())))
        return infos

    def _open_own(self, own: "OwnNetwork | GivenNetwork", store: Store | None) -> dict[str, WeightsInfo]:
        """Return what is known of a network that no file describes, by its stream: it is there afterwards."""
        path = next(iter(self._request.paths), None)
        with reading(path) if path else nullcontext():
            if path and not path.is_file():
                raise no_file(path)
            sha256 = self._hash(path, store) if path else ""
            network = open_own(own, self._request.modality, self._request.state, path, sha256)
        info = network.info
        if info.sha256 != info.identity:
            self._reading = f"network-{info.identity[:DIGEST_LENGTH]}"
        known = store.weights.read(info.sha256, self._reading) if store else []
        self._new_infos += [] if known else [[info]]
        starts = next((one.starts for one in known), {})
        found = store.weights.relabel([replace(info, starts=starts)])[0] if store else info
        self._loaded[info.modality] = network
        return {info.modality: self._labelled(found)}

    def _labelled(self, info: WeightsInfo) -> WeightsInfo:
        if self._request.labels is None:
            return info
        labels = read_labels(self._request.labels)
        if len(labels) != info.class_count:
            raise UsageError(
                f"{self._request.labels} names {len(labels)} classes, {info.path} has {info.class_count}",
                "give a file with one name for each class",
            )
        return replace(info, labels=labels)

    def notes(self) -> list[str]:
        """Return what the user should know: which of several states of a file was taken, and which name it had."""
        return [
            *self._renamed,
            *(f"{info.path}: {describe_states(info)}" for info in self.infos.values() if info.states),
            *(describe_own(network) for network in self._loaded.values() if gives_probabilities(network)),
        ]

    def keep_records(self, store: Store) -> None:
        """Keep in the store what it did not know of the files, and the class names given, if the store lets us."""
        with suppress(GbvisError):
            for infos in self._new_infos:
                store.weights.write(infos, self._reading)
        if self._request.labels:
            for info in self.infos.values():
                store.weights.keep_labels(info)
        for path in self._newly_hashed:
            store.weights.keep_hash(path, *self._hashes[path], self._reading)
        for path, name in self._request.names.items():
            infos = [one for one in self.infos.values() if one.path == str(path.resolve())]
            replaced = store.weights.keep_name(infos, name)
            self._renamed += [f"weights {replaced} are now called {name}"] if replaced else []
        store.weights.mend_level()
        self._new_infos, self._newly_hashed = [], []

    def load(self, modality: str, is_used: bool = True) -> "Network":
        """Return the stream's network, ready to compute if it is to be used."""
        from gbvis.networks.network import find_device

        device = find_device(self._request.device) if is_used else None
        if modality not in self._ready:
            found = self._open(modality, device is not None and device.type == "cpu")
            self._ready[modality] = copy.copy(found)  # the plain one serves other precisions too
        network = self._ready[modality]
        network.info = self.infos[modality]  # with the class names and the input that were asked for
        network.allows_unguided = self._request.allows_unguided
        return network.to(device, self._request.precision) if device else network

    def _open(self, modality: str, is_on_cpu: bool) -> "Network":
        """Return a network as an earlier process prepared it, where one did, else from its file; then it is kept."""
        from gbvis.networks.kept import keep_network, make_key
        from gbvis.networks.network import find_device

        planned, precision = self._as_read[modality], self._request.precision
        can_keep = is_on_cpu and precision in ("float32", "bfloat16")
        key = make_key(planned, self._request.reading, precision, NUMBERS_VERSION) if can_keep else None
        kept = self._open_kept(modality, key) if key else None
        if kept:
            return kept
        network = self._load_plain(modality)
        if key:
            keep_network(key, network.to(find_device("cpu"), precision), network.info)
        return network

    def _open_kept(self, modality: str, key: str) -> "Network | None":
        """Return the network as an earlier process prepared it; its file is only read for the plain one."""
        from gbvis.networks.kept import open_network
        from gbvis.networks.kind import KINDS
        from gbvis.networks.network import Network, find_device

        path, planned = Path(self.infos[modality].path), self._as_read[modality]
        with reading(path):
            path.open("rb").close()  # what may not be read is not used either, though all of it is kept
            is_changed = self._hash(path) != planned.sha256
        found = None if is_changed else open_network(key, self._say)
        if found is None:
            return None
        info, fused = found
        self._check_loaded(path, info, planned)
        network = Network(lambda: self._load_plain(modality), info, KINDS.load(info.kind))
        network.to(find_device("cpu"), self._request.precision).take_fused(fused)
        return network

    def _load_plain(self, modality: str) -> "Network":
        """Return a network from its file, which this call may have read already."""
        path, planned = Path(self.infos[modality].path), self._as_read[modality]
        if modality not in self._loaded:
            self._load_file(path)
        found = self._loaded.get(modality)
        self._check_loaded(path, found.info if found else None, planned)
        assert found is not None
        return found

    def request_for_workers(self) -> WeightsRequest:
        """Return the request as other processes are given it: what they build has to be the same network.

        Raises:
            UsageError: A network is in memory here, and cannot be built there.
        """
        own, (info, *_) = self._request.network, self.infos.values()
        if own is None:
            return self._request
        if isinstance(own, GivenNetwork):
            hint = "leave devices and engine out, or use the command line: gbvis explain --network FILE.py:FUNCTION"
            raise UsageError("a network in memory cannot be given to workers", hint)
        return replace(self._request, network=replace(own, identity=info.identity))

    def begin_import(self) -> None:
        """Begin to import torch, where this process computes; to be called when `runner` is sure to be needed."""
        if self._torch is None and Worker.address is None and "torch" not in sys.modules:
            self._torch = begin_import()

    def runner(self, modality: str, precision: str | None = None) -> "Runner":
        """Return the stream's network, ready to compute: in the worker where there is one, else in this process.

        Args:
            modality: Which stream's.
            precision: Of what is computed; None for what was asked for.
        """
        if precision not in (None, self._request.precision):
            assert precision
            return self._in(precision).runner(modality)
        if modality not in self._runners:
            try:
                self._runners[modality] = self._find_remote(modality)
            except WorkerLost:
                self._runners[modality] = self._make_local(modality)
        return self._runners[modality]

    def local(self, modality: str, precision: str) -> "Network":
        """Return the stream's network, ready to compute in this process and precision."""
        if precision != self._request.precision:
            return self._in(precision).local(modality, precision)
        return self._make_local(modality).network

    def _in(self, precision: str) -> "Networks":
        """Return the same networks in another precision; what is read of their files is shared."""
        if precision not in self._others:
            other = self._others[precision] = copy.copy(self)
            other._request = replace(self._request, precision=precision)
            other._ready, other._runners, other._others = {}, {}, {}
        return self._others[precision]

    def _make_local(self, modality: str) -> "LocalRunner":
        from gbvis.attribution.runner import LocalRunner

        if self._torch:
            self._torch.result()  # in the words of the first attempt, where it fails
        return LocalRunner(self.load(modality))

    def _find_remote(self, modality: str) -> RemoteRunner:
        if self._request.network:  # the user's code runs in their own call, and in no process that others share
            raise WorkerLost
        info = self.infos[modality]
        opening = self._opening(Path(info.path), info.sha256)
        allows_unguided = self._request.allows_unguided
        runner = RemoteRunner(opening, info, lambda: self._make_local(modality), allows_unguided)
        self._check_loaded(Path(info.path), runner.as_read, self._as_read[modality])
        return runner

    def _opening(self, path: Path, sha256: str) -> Opening:
        """Return what the worker is asked for."""
        asked = self._request
        return Opening(path.resolve(), sha256, asked.checkpoint_format, asked.state, asked.device, asked.precision)

    def _check_loaded(self, path: Path, found: WeightsInfo | None, planned: WeightsInfo) -> None:
        """Check that a network is what the call was planned for, by the record that the store had of it."""
        if found is None or found.sha256 != planned.sha256:
            raise UsageError(f"{path} has changed since this call began", "repeat the call")
        if replace(found, path=planned.path, labels=planned.labels, starts=planned.starts) != planned:
            key = weights_key(planned.sha256, self._reading)
            raise UsageError(
                f"what the store says of {path} is not what the file holds",
                f"remove the folder {key} from the store, and repeat the call",
            )

    def _read_infos(self, path: Path, store: Store | None) -> list[WeightsInfo]:
        with reading(path):
            if not path.is_file():
                raise no_file(path)
            sha256 = self._hash(path, store)
        infos = store.weights.read(sha256, self._request.reading) if store else []
        if not infos:
            infos = self._read_file(path, sha256)
            self._new_infos.append(infos)
            infos = store.weights.relabel(infos) if store else infos
        return infos

    def _read_file(self, path: Path, sha256: str) -> list[WeightsInfo]:
        """Return what a file holds; the networks are loaded then, here or in the worker."""
        try:
            return read_infos(self._opening(path, sha256))
        except WorkerLost:
            return [network.info for network in self._load_file(path, sha256)]

    def _hash(self, path: Path, store: Store | None = None) -> str:
        """Return a file's hash: the one that this call or the store remembers, while the file's stamp stands."""
        path, stamp = path.resolve(), stamp_file(path)
        if stamp and path in self._hashes and self._hashes[path][0] == stamp:
            return self._hashes[path][1]
        known = store.weights.find_hash(path, stamp) if store and stamp else None
        sha256 = known or hash_file(path)
        if stamp and stamp == stamp_file(path):
            self._hashes[path] = stamp, sha256
            self._newly_hashed += [] if known else [path]
        return sha256

    def _load_file(self, path: Path, sha256: str | None = None) -> "list[Network]":
        from gbvis.networks.load import load_networks

        with reading(path):
            digest = sha256 or self._hash(path)
            networks = load_networks(path, digest, self._request.checkpoint_format, self._request.state)
        for network in networks:
            self._loaded.setdefault(network.info.modality, network)
        return networks


def identify_weights(path: Path, store: Store) -> set[str]:
    """Return the identities of the networks in a weights file, and its hash, by which runs went before.

    Raises:
        UsageError: It cannot be read.
    """
    with reading(path):
        if not path.is_file():
            raise no_file(path, store.weights.names())
        stamp = stamp_file(path)
        sha256 = (stamp and store.weights.find_hash(path.resolve(), stamp)) or hash_file(path)
    known = store.weights.identities_in(sha256)
    if known:
        return known
    return {sha256, *(info.identity for info in Networks(WeightsRequest((path,)), store).infos.values())}
