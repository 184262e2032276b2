"""The networks of a call: what they are, from the store's cards where it can, and their weights when needed."""

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gbvis import registry
from gbvis.errors import GbvisError
from gbvis.networks.info import WeightsInfo
from gbvis.networks.labels import read_labels
from gbvis.provenance import Stamp, hash_file, stamp_file
from gbvis.store import Store

if TYPE_CHECKING:
    from gbvis.networks.network import Network
    from gbvis.networks.weights.torch_file import NamedTensors

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
        family: The checkpoints' family, where names and shapes do not tell it, or tell it wrong.
    """

    paths: tuple[Path, ...]
    modality: str | None = None
    device: str = "auto"
    precision: str = "float32"
    labels: Path | None = None
    family: str | None = None

    def __post_init__(self) -> None:
        registry.check_name("family", registry.CHECKPOINTS, self.family or "old-script")
        registry.check_name("precision", PRECISIONS, self.precision)
        registry.check_name("modality", MODALITIES, self.modality or "rgb")
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", self.device):
            raise GbvisError(f"unknown device {self.device!r}", "choose auto, cpu, cuda, cuda:N or mps", exit_code=2)


class Networks:
    """One network a stream; loaded, and torch with it, only when `load` is called for the first time.

    Attributes:
        cards: What is known of each stream's network.
    """

    def __init__(self, request: WeightsRequest, store: Store | None = None) -> None:
        """Find out what the files hold.

        Args:
            request: Which files.
            store: Where cards are looked up, if anywhere; `keep_cards` keeps new ones.

        Raises:
            GbvisError: No file is given, one cannot be read, two are for one stream, or none is for the stream
                wanted (exit code 2).
        """
        if not request.paths:
            raise GbvisError("no weights given", "give a checkpoint with -w, or set GBVIS_WEIGHTS", exit_code=2)
        self._request = request
        self._loaded: dict[str, Network] = {}
        self._new_cards: list[list[WeightsInfo]] = []
        self._hashes: dict[Path, tuple[Stamp, str]] = {}
        self._newly_hashed: list[Path] = []
        cards: dict[str, WeightsInfo] = {}
        for path in request.paths:
            for card in self._read_cards(path, store):
                if card.modality in cards:
                    raise GbvisError(
                        f"two networks for {card.modality}: {cards[card.modality].path} and {path}",
                        "give one checkpoint a stream",
                        exit_code=2,
                    )
                cards[card.modality] = self._labelled(replace(card, path=str(path.resolve())))
        wanted = [request.modality] if request.modality else sorted(cards, reverse=True)  # RGB first
        self.cards = {modality: cards[modality] for modality in wanted if modality in cards}
        if not self.cards:
            held = ", ".join(f"{Path(card.path).name} is for {card.modality}" for card in cards.values())
            raise GbvisError(
                f"no weights for {request.modality}: {held}",
                f"give a checkpoint of a {request.modality} network with -w, or leave out -m",
                exit_code=2,
            )

    def _labelled(self, card: WeightsInfo) -> WeightsInfo:
        if self._request.labels is None:
            return card
        labels = read_labels(self._request.labels)
        if len(labels) != card.class_count:
            raise GbvisError(
                f"{self._request.labels} names {len(labels)} classes, {card.path} has {card.class_count}",
                "give a file with one name for each class",
                exit_code=2,
            )
        return replace(card, labels=labels)

    def keep_cards(self, store: Store) -> None:
        """Keep in the store what it did not know of the files, if the store lets us; if not, nothing is lost."""
        with suppress(GbvisError):
            for cards in self._new_cards:
                store.cards.write(cards, self._request.family)
        for path in self._newly_hashed:
            store.cards.keep_hash(path, *self._hashes[path], self._request.family)
        self._new_cards, self._newly_hashed = [], []

    def load(self, modality: str, is_used: bool = True) -> "Network":
        """Return the stream's network, ready to compute if it is to be used."""
        from gbvis.networks.network import find_device

        if modality not in self._loaded:
            path = Path(self.cards[modality].path)
            self._load_file(path)
            self._check_loaded(path, self._loaded.get(modality), self.cards[modality])
        network = self._loaded[modality]
        network.card = self.cards[modality]  # with the class names that were asked for
        return network.use(find_device(self._request.device), self._request.precision) if is_used else network

    def _check_loaded(self, path: Path, network: "Network | None", planned: WeightsInfo) -> None:
        """Check that a network is what the call was planned for, by the card that the store had of it."""
        if network is None or network.card.sha256 != planned.sha256:
            raise GbvisError(f"{path} has changed since this call began", "repeat the call", exit_code=2)
        if replace(network.card, path=planned.path, labels=planned.labels) != planned:
            raise GbvisError(
                f"what the store says of {path} is not what the file holds",
                f"remove the folder weights/{planned.sha256} from the store, and repeat the call",
                exit_code=2,
            )

    def _read_cards(self, path: Path, store: Store | None) -> list[WeightsInfo]:
        if not path.is_file():
            found = "is a folder" if path.is_dir() else "is no file" if path.exists() else "does not exist"
            raise GbvisError(f"weights file {path} {found}", "check the path", exit_code=2)
        try:
            sha256 = self._hash(path, store)
        except OSError as error:
            raise GbvisError(f"cannot read {path}: {error.strerror}", "check its permissions", exit_code=2) from error
        cards = store.cards.read(sha256, self._request.family) if store else []
        if not cards:
            cards = [network.card for network in self._load_file(path, sha256)]
            self._new_cards.append(cards)
        return cards

    def _hash(self, path: Path, store: Store | None = None) -> str:
        """Return a file's hash: the one that this call or the store remembers, while the file's stamp stands."""
        path, stamp = path.resolve(), stamp_file(path)
        if stamp and path in self._hashes and self._hashes[path][0] == stamp:
            return self._hashes[path][1]
        known = store.cards.find_hash(path, stamp) if store and stamp else None
        sha256 = known or hash_file(path)
        if stamp and stamp == stamp_file(path):
            self._hashes[path] = stamp, sha256
            self._newly_hashed += [] if known else [path]
        return sha256

    def _load_file(self, path: Path, sha256: str | None = None) -> "list[Network]":
        from gbvis.networks.r2plus1d.load import build_network

        sha256 = sha256 or self._hash(path)
        asked = registry.family(self._request.family) if self._request.family else None
        networks = [
            build_network(state_dict, registry.families(), sha256, asked) for state_dict in _read_state_dicts(path)
        ]
        for network in networks:
            self._loaded.setdefault(network.card.modality, network)
        return networks


def _read_state_dicts(path: Path) -> "list[NamedTensors]":
    """Return what a file holds, whatever kind of file its first bytes say it is."""
    from gbvis.networks.weights.caffe2_pickle import make_state_dict, read_blobs
    from gbvis.networks.weights.safetensors_file import is_safetensors, read_safetensors
    from gbvis.networks.weights.torch_file import read_state_dicts

    if is_safetensors(path):
        return read_safetensors(path)
    blobs = read_blobs(path)
    caffe2 = registry.family("vmz-caffe2")
    if blobs is not None:
        return [make_state_dict(path, blobs, caffe2)]
    stem = caffe2.names["stem.spatial.convolution"] + caffe2.suffixes["convolution.weight"]
    return [
        make_state_dict(path, found.tensors, caffe2) if stem in found.tensors else found
        for found in read_state_dicts(path)
    ]
