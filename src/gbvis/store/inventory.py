"""Everything that a store holds: what it is, how large, and whether it is sound."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gbvis.networks.endpoint import ENDPOINTS
from gbvis.store.clips import StoredClips
from gbvis.store.flow import StoredFlow
from gbvis.store.group import StoredGroup
from gbvis.store.keys import CLIPS, FLOW, WEIGHTS
from gbvis.store.metadata import fits, read_group
from gbvis.store.root import is_root_whole
from gbvis.store.run import StoredRun
from gbvis.store.store import Store

ROOT, LEVEL, RUN, CARD, FOREIGN, STRAY = "root", "level", "run", "card", "foreign", "stray"
_KINDS: dict[str, type[StoredGroup]] = {RUN: StoredRun, CLIPS: StoredClips, FLOW: StoredFlow}
_NAMES = {
    RUN: re.compile(r"\d+-[a-z0-9-]+-[0-9a-f]{16}"),
    CLIPS: re.compile(r"[0-9a-f]{16}"),
    FLOW: re.compile(r"[a-z0-9]+-[0-9a-f]{16}"),
}
_STREAMS = ("rgb", FLOW)
_ENDPOINT_NAMES = {endpoint.name for endpoint in ENDPOINTS}


@dataclass(frozen=True)
class Entry:
    """A group of a store.

    Attributes:
        kind: `root`, `level` (a group that holds groups alone), `run`, `clips`, `flow`, `card`, `foreign` for what
            gbvis has not made, or `stray` for a file or a link among groups.
        key: Its key.
        size: Bytes of all its files; of a level its own.
    """

    kind: str
    key: str
    size: int


def list_entries(store: Store) -> Iterator[Entry]:
    """Yield every group, levels before what they hold."""
    yield from _list_level(store, ROOT, "")
    for name in store.place.list_folders(""):
        yield from _list_level(store, LEVEL, name)
        if name == WEIGHTS:
            yield from (measure(store, CARD, key) for key in store.keys(name))
        else:
            for stream in store.keys(name):
                yield from _list_stream(store, stream)


def _list_level(store: Store, kind: str, key: str) -> Iterator[Entry]:
    """Yield a group that holds groups alone, and what else lies in it."""
    yield Entry(kind, key, 0)
    for name in store.place.list_strays(key):
        yield Entry(STRAY, f"{key}/{name}" if key else name, 0)


def _list_stream(store: Store, stream: str) -> Iterator[Entry]:
    modality = stream.rsplit("/", 1)[1]
    if modality not in _STREAMS:
        yield measure(store, FOREIGN, stream)
        return
    yield from _list_level(store, LEVEL, stream)
    for key in store.keys(stream):
        name = key.rsplit("/", 1)[1]
        if name == CLIPS or name in _ENDPOINT_NAMES:
            yield from _list_level(store, LEVEL, key)
            kind = CLIPS if name == CLIPS else RUN
            yield from (_measure_named(store, kind, group) for group in store.keys(key))
        else:
            yield _measure_named(store, FLOW if modality == FLOW else FOREIGN, key)


def _measure_named(store: Store, kind: str, key: str) -> Entry:
    """Return a group with its size; it is foreign where its name is none that gbvis gives."""
    is_ours = kind in _NAMES and _NAMES[kind].fullmatch(key.rsplit("/", 1)[1])
    return measure(store, kind if is_ours else FOREIGN, key)


def measure(store: Store, kind: str, key: str) -> Entry:
    """Return a group with its size."""
    return Entry(kind, key, sum(file.size for file in store.place.list_files(key)))


def find_damage(store: Store, entry: Entry) -> str | None:
    """Return what is wrong with a group, every byte of it read; None where nothing is, or it is gone meanwhile."""
    damage = _examine(store, entry)
    if damage is None or (entry.kind not in (ROOT, STRAY) and _is_gone(store, entry.key)):
        return None
    return _examine(store, entry)  # another process may have replaced it between two files


def _is_gone(store: Store, key: str) -> bool:
    """Return whether there is no such folder any more; one that lost its files is there."""
    parent, _, name = key.rpartition("/")
    return name not in store.place.list_folders(parent)


def _examine(store: Store, entry: Entry) -> str | None:
    if entry.kind == ROOT:
        return None if is_root_whole(store.place) else "its metadata is not as it was written"
    if entry.kind == LEVEL:
        is_sound = store.place.is_level(entry.key) or next(store.place.list_files(entry.key), None) is None
        return None if is_sound else "its metadata is missing or damaged"
    if entry.kind == FOREIGN:
        return None
    if entry.kind == STRAY:
        return "a file or a link where only groups lie: what has its name is not found"
    attributes = read_group(store.place, entry.key)
    if attributes is None:
        return "its metadata is missing or damaged"
    if entry.kind == CARD:
        sha256, _, family = entry.key.removeprefix(f"{WEIGHTS}/").partition("-")
        return None if store.cards.read(sha256, family or None) else "the card makes no sense"
    group = _KINDS[entry.kind](store.place, entry.key, attributes)
    return group.find_damage(is_thorough=True) or _find_lost_clips(store, group)


def _find_lost_clips(store: Store, group: StoredGroup) -> str | None:
    """Return what a run lacks beside itself."""
    if isinstance(group, StoredRun) and read_group(store.place, group.clips_key) is None:
        return f"its clips {group.clips_key} are missing or damaged"
    return None


def list_used_with(store: Store, runs: Iterable[StoredRun]) -> list[Entry]:
    """Return the clips, flow and cards that these runs use and no other run of the store does."""
    gone = {run.key: run for run in runs}
    kept = [run for run in store.runs() if run.key not in gone]
    clips = {run.clips_key for run in gone.values()} - {run.clips_key for run in kept}
    flow = _flow_of(store, gone.values()) - _flow_of(store, kept)
    weights = {run.recipe["weights"] for run in gone.values()} - {run.recipe["weights"] for run in kept}
    cards = [key for key in store.keys(WEIGHTS) if key.removeprefix(f"{WEIGHTS}/").split("-")[0] in weights]
    found = [(CLIPS, key) for key in sorted(clips)] + [(FLOW, key) for key in sorted(flow)]
    return [measure(store, kind, key) for kind, key in [*found, *((CARD, key) for key in cards)]]


def _flow_of(store: Store, runs: Iterable[StoredRun]) -> set[str]:
    """Return the keys of the motion that these runs were computed from."""
    wanted: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        if "algorithm" in run.recipe.get("flow", {}):
            wanted.setdefault(run.key.split("/", 1)[0], []).append(run.recipe)
    found = set()
    for video, recipes in wanted.items():
        for key in store.keys(f"{video}/{FLOW}"):
            attributes = read_group(store.place, key) or {}
            if fits(attributes, StoredFlow.FORM) and any(_is_made_of(recipe, attributes) for recipe in recipes):
                found.add(key)
    return found


def _is_made_of(recipe: dict[str, Any], flow: dict[str, Any]) -> bool:
    used: dict[str, Any] = recipe["flow"]
    is_same = flow["fingerprint"] == recipe["video"]
    return is_same and all(used.get(name) == value for name, value in flow["estimation"].items())
