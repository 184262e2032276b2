"""What a store knows of weights files, so that a cached call need not read them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from gbvis.attribution.recipe import Recipe
from gbvis.networks.grid import Place
from gbvis.networks.info import MADE_BY, WeightsInfo
from gbvis.networks.labels import Labels
from gbvis.provenance import Stamp
from gbvis.records import read_record
from gbvis.store.group import NONSENSE, read_attributes, write_attributes
from gbvis.store.keys import WEIGHTS, weights_key
from gbvis.store.storage import Storage
from gbvis.store.transaction import transaction


@dataclass(frozen=True)
class _Record:
    """The attributes of a record.

    Attributes:
        networks: `WeightsInfo.to_json` of each stream's network.
        files: Where a file with these weights lies: by path, its stamp.
        labels: By stream, the class names that were last given with `--labels`; they outlast a release.
        name: What the user calls the file, as last given with `-w NAME=FILE`; empty where it has no name.
        starts: By stream, where first cells were measured to be; see `WeightsInfo.starts`.
    """

    networks: dict[str, dict[str, Any]]
    files: dict[str, Stamp] = field(default_factory=dict)
    labels: dict[str, Labels] = field(default_factory=dict)
    name: str = ""
    starts: dict[str, dict[str, Place]] = field(default_factory=dict)


class WeightsRecords:
    """The records of weights files, by the files' hashes: per stream what is known of its network.

    So a cached call gets a network's identity from its file's hash, and loads no weights. A file that may be read in
    several ways has a record for each.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._said: dict[tuple[str, str, str], tuple[str, Labels | None]] = {}

    def read(self, sha256: str, reading: str | None = None) -> list[WeightsInfo]:
        """Return what is known of the networks in the weights file with that hash; nothing where it is not known.

        Args:
            sha256: The file's hash.
            reading: What the user said of the file, where anything: its checkpoint format, which state of it is meant.
        """
        key = weights_key(sha256, reading)
        return _read_infos(key, self._read_record(key))

    def all(self) -> Iterator[WeightsInfo]:
        """Yield what is known of every network."""
        for key, record in self._records():
            yield from _read_infos(key, record)

    def by_reading(self) -> Iterator[tuple[str | None, WeightsInfo]]:
        """Yield what is known of every network, each with what was said of its file, as `read` takes it."""
        for key, record in self._records():
            reading = key.partition("-")[2] or None
            yield from ((reading, info) for info in _read_infos(key, record))

    def is_sound(self, key: str) -> bool:
        """Return whether a record is as it was written; that of another release is sound, and not read."""
        record = self._read_record(key)
        return bool(_read_infos(key, record)) or any(one.get("gbvis") != MADE_BY for one in record.networks.values())

    def relabel(self, infos: list[WeightsInfo]) -> list[WeightsInfo]:
        """Return what is known of one weights file, with the class names that were last given for it."""
        return [_relabel(info, self._list_records(info.sha256), self._list_records(info.identity)) for info in infos]

    def write(self, infos: list[WeightsInfo], reading: str | None = None) -> None:
        """Keep what is known of one weights file, read as the user said, where anything was said.

        Raises:
            GbvisError: The store cannot be written.
        """
        key = weights_key(infos[0].sha256, reading)
        with self._storage.explaining_refusal(), self._storage.locking():
            others = self._list_records(infos[0].sha256)
            labels = {stream: given for one in others for stream, given in one.labels.items()}
            record = _Record({info.modality: info.to_json() for info in infos}, labels=labels, name=_name_in(others))
            there = self._read_record(key)
            if _read_infos(key, there):  # another process was faster, and has begun to add to it
                record = _merge(record, there, is_ours_sound=True)
            self._make(key, record)

    def _make(self, key: str, record: _Record) -> None:
        with transaction(self._storage, key, None) as writer:
            writer.attributes = asdict(record)
        self._said.clear()

    def add(self, key: str, others: "WeightsRecords", is_dry: bool = False) -> bool:
        """Add to the record at a key what other records say there, and return whether any of it is new.

        What is said here already stays. Where it is dry, nothing is written.

        Raises:
            GbvisError: The store cannot be written.
        """
        theirs = others._read_record(key)
        if is_dry or not self._find_new(key, theirs):
            return self._find_new(key, theirs) is not None
        with self._storage.explaining_refusal(), self._storage.locking():
            merged = self._find_new(key, theirs)  # another process may have added to it meanwhile
            if merged and self._read_record(key).networks:
                write_attributes(self._storage, key, asdict(merged))
                self._said.clear()
            elif merged:
                self._make(key, merged)
        return merged is not None

    def _find_new(self, key: str, theirs: _Record) -> _Record | None:
        """Return the record at a key with what another says beside it; None where that is nothing new."""
        ours = self._read_record(key)
        merged = _merge(ours, theirs, is_ours_sound=bool(_read_infos(key, ours)))
        return None if merged == ours else merged

    def find_hash(self, path: Path, stamp: Stamp) -> str | None:
        """Return the hash of the weights file at `path`, if it had this stamp when it was hashed; else None."""
        return next((_hash_in(key) for key, one in self._records() if one.files.get(str(path)) == stamp), None)

    def keep_hash(self, path: Path, stamp: Stamp, sha256: str, reading: str | None = None) -> None:
        """Keep where a weights file lies, and its stamp, beside its record; where the store cannot be written, not."""
        key = weights_key(sha256, reading)
        self._update(key, lambda record: replace(record, files={**record.files, str(path): stamp}))

    def keep_labels(self, info: WeightsInfo) -> None:
        """Keep a network's class names in every record of it; where the store cannot be written, not."""
        labels = {info.modality: info.labels} if info.labels else {}
        for key in dict.fromkeys(key for one in (info.sha256, info.identity) for key, _ in self._records(one)):
            self._update(key, lambda record: replace(record, labels={**record.labels, **labels}))

    def keep_starts(self, info: WeightsInfo, starts: Mapping[str, Place]) -> None:
        """Keep where a network's cells were measured to be in every record of it; where that cannot be written, not."""

        def add(record: _Record) -> _Record:
            known = {**record.starts.get(info.modality, {}), **starts}
            return replace(record, starts={**record.starts, info.modality: known})

        for key, _ in self._records(info.identity):
            self._update(key, add)

    def keep_name(self, infos: Iterable[WeightsInfo], name: str) -> str:
        """Keep what the user calls a file in every record of it; where the store cannot be written, not.

        Returns:
            What it was called before, where that was something else; empty where it had no name.
        """
        replaced = ""
        for sha256 in {info.sha256 for info in infos}:
            records = dict(self._records(sha256))
            before = _name_in(records.values())
            are_renamed = [self._update(key, lambda record: replace(record, name=name)) for key in records]
            replaced = before if any(are_renamed) and before != name else replaced
        return replaced

    def names(self) -> set[str]:
        """Return what the user calls weights files, as far as they have names."""
        return {record.name for _, record in self._records() if record.name}

    def find_named(self, name: str) -> set[str]:
        """Return the identities of the networks whose weights file the user calls by that name."""
        named = ((key, record) for key, record in self._records() if name and record.name == name)
        return {identity for key, record in named for identity in _identities(key, record)}

    def name_of(self, recipe: Recipe) -> str:
        """Return what the user calls the weights that a run was computed with; empty where they have no name."""
        return self._said_of(recipe)[0]

    def labels_of(self, recipe: Recipe) -> Labels | None:
        """Return the class names of the network that a run was computed with; None where nobody knows them.

        Names outlast the release that wrote a record, unlike all else in it.
        """
        return self._said_of(recipe)[1]

    def _said_of(self, recipe: Recipe) -> tuple[str, Labels | None]:
        """Return the name of a run's weights and their class names; looked up once for all runs of a network."""
        network = (recipe.weights, recipe.family, recipe.modality)
        if network not in self._said:
            records = self._list_records(recipe.weights)
            given = (one.labels.get(recipe.modality) for one in records)
            known = (_labels_in(one.networks.get(recipe.modality, {}), recipe.family) for one in records)
            self._said[network] = _name_in(records), next(filter(None, chain(given, known)), None)
        return self._said[network]

    def mend_level(self) -> None:
        """Write the metadata of the group that holds the records, where it is not as it should be and can be."""
        with suppress(OSError):
            self._storage.ensure_levels(weights_key("any"))

    def identities(self, key: str) -> set[str]:
        """Return the identities of the networks in a record; and its file's hash, by which runs went before."""
        return _identities(key, self._read_record(key))

    def identities_in(self, sha256: str) -> set[str]:
        """Return the identities of the networks that a weights file with this hash was ever read as."""
        return {identity for key, record in self._records(sha256) for identity in _identities(key, record)}

    def _records(self, identity: str | None = None) -> Iterator[tuple[str, _Record]]:
        """Yield the records and their keys: all, or those of one network, or of one file by its hash."""
        for name in self._storage.list_folders(WEIGHTS):
            key = f"{WEIGHTS}/{name}"
            record = self._read_record(key)
            if identity is None or identity in _identities(key, record):
                yield key, record

    def _list_records(self, identity: str) -> list[_Record]:
        return [record for _, record in self._records(identity)]

    def _read_record(self, key: str) -> _Record:
        """Return the record at a key; an empty one where there is none, or its form is wrong."""
        try:
            return read_record(read_attributes(self._storage, key) or {"networks": {}}, _Record)
        except NONSENSE:
            return _Record({})

    def _update(self, key: str, change: Callable[[_Record], _Record]) -> bool:
        """Change a record, and return whether that was done: where the store cannot be written, it stays as it is."""
        if not _changes(self._read_record(key), change):  # so most calls need no lock
            return False
        with suppress(OSError), self._storage.locking():
            now = self._read_record(key)
            if _changes(now, change):
                write_attributes(self._storage, key, asdict(change(now)))
                self._said.clear()
            return True
        return False


def _changes(record: _Record, change: Callable[[_Record], _Record]) -> bool:
    """Return whether there is a record, and a change makes another of it."""
    return bool(record.networks) and change(record) != record


def _merge(ours: _Record, theirs: _Record, is_ours_sound: bool) -> _Record:
    """Return what both records say of one weights file; where they differ, what ours says."""
    return _Record(
        networks=ours.networks if is_ours_sound else theirs.networks,
        files={**theirs.files, **ours.files},
        labels={**theirs.labels, **ours.labels},
        name=ours.name or theirs.name,
        starts={
            stream: {**theirs.starts.get(stream, {}), **ours.starts.get(stream, {})}
            for stream in {**theirs.starts, **ours.starts}
        },
    )


def _hash_in(key: str) -> str:
    """Return the hash of the file whose record has that key."""
    return key.removeprefix(f"{WEIGHTS}/").split("-")[0]


def _identities(key: str, record: _Record) -> set[str]:
    found = {one.get("identity") for one in record.networks.values()}
    return {_hash_in(key), *(one for one in found if isinstance(one, str) and one)}


def _name_in(records: Iterable[_Record]) -> str:
    """Return what the user calls the file that records are of; empty where it has no name."""
    return next((record.name for record in records if record.name), "")


def _read_infos(key: str, record: _Record) -> list[WeightsInfo]:
    """Return what a record knows of its networks; nothing where another release wrote it, or it makes no sense."""
    try:
        infos = [WeightsInfo.from_json(one) for one in record.networks.values()]
        are_its = [(info.modality, info.sha256) for info in infos] == [
            (name, _hash_in(key)) for name in record.networks
        ]
        infos = [replace(info, starts=record.starts.get(info.modality, {})) for info in infos]
        return [_relabel(info, [record]) for info in infos] if are_its and all(map(_is_sound, infos)) else []
    except NONSENSE:  # the file is read again
        return []


def _relabel(info: WeightsInfo, records: Iterable[_Record], others: Iterable[_Record] = ()) -> WeightsInfo:
    """Return what is known of a network, with the class names that were given for it, where they fit its classes.

    Args:
        info: What is known.
        records: Of its file.
        others: Of other files with the same network, whose names hold where the file itself has none.
    """

    def given(some: Iterable[_Record]) -> Labels | None:
        names = (record.labels.get(info.modality, ()) for record in some)
        return next((one for one in names if one and len(one) == info.class_count), None)

    return replace(info, labels=given(records) or info.labels or given(others))


def _labels_in(network: dict[str, Any], checkpoint_format: str) -> Labels | None:
    """Return the class names that a file itself, or its format, gives; None where they are of another format."""
    try:
        return read_record(network["labels"], Labels) if network["checkpoint_format"] == checkpoint_format else None
    except NONSENSE:
        return None


def _is_sound(info: WeightsInfo) -> bool:
    """Return whether the parts of a record go together."""
    names = [endpoint.name for endpoint in info.endpoints]
    has_targets = bool(names) and {*info.targets} == {*names} and min(info.targets.values()) > 0
    return has_targets and info.modality in ("rgb", "flow") and len(info.labels or ()) in (0, info.class_count)
