"""The inventory of a store: every group, its kind, its size, and whether it is sound."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gbvis.store.check import StoredCheck
from gbvis.store.clips import StoredClips
from gbvis.store.estimates import StoredEstimate
from gbvis.store.flow import StoredFlow
from gbvis.store.group import StoredGroup
from gbvis.store.keys import CHECK, CLIPS, ESTIMATES, FLOW, FOREIGN, LEVEL, RUN, WEIGHTS, kind_of
from gbvis.store.run import StoredRun
from gbvis.store.store import FORMAT_VERSION, Store, read_version

ROOT = "root"
_GROUPS: dict[str, type[StoredGroup]] = {
    RUN: StoredRun,
    CHECK: StoredCheck,
    CLIPS: StoredClips,
    FLOW: StoredFlow,
    ESTIMATES: StoredEstimate,
}


@dataclass(frozen=True)
class Entry:
    """A group of a store.

    Attributes:
        kind: `root`, `level` (a group that holds groups alone), `run`, `check`, `clips`, `flow`, `estimates`,
            `weights`, or `foreign` for what gbvis has not made.
        key: Its key.
        size: Bytes of all its files; of a level its own.
    """

    kind: str
    key: str
    size: int


def list_entries(store: Store) -> Iterator[Entry]:
    """Yield every group, levels before what they hold."""
    yield Entry(ROOT, "", 0)
    yield from list_below(store, store.storage.list_folders(""))


def list_below(store: Store, keys: Iterable[str]) -> Iterator[Entry]:
    """Yield these groups, and those below them."""
    for key in keys:
        kind = kind_of(key)
        below = store.keys(key) if kind == LEVEL else []
        is_ours = store.storage.is_level(key) or any(kind_of(one) != FOREIGN for one in below)
        if kind == LEVEL and is_ours:
            yield Entry(LEVEL, key, 0)
            yield from list_below(store, below)
        else:
            yield measure(store, FOREIGN if kind == LEVEL else kind, key)


def measure(store: Store, kind: str, key: str) -> Entry:
    """Return a group with its size."""
    return Entry(kind, key, sum(file.size for file in store.storage.list_files(key)))


def find_damage(store: Store, entry: Entry) -> str | None:
    """Return what is wrong with a group, every byte of it read; None where nothing is, or it is gone meanwhile."""
    damage = _examine(store, entry)
    parent, _, name = entry.key.rpartition("/")
    if damage is None or (entry.kind != ROOT and name not in store.storage.list_folders(parent)):
        return None
    return _examine(store, entry)  # another process may have replaced it between two files


def _examine(store: Store, entry: Entry) -> str | None:
    lost = "its metadata is missing or damaged"
    if entry.kind == ROOT:
        return None if read_version(store.storage) == FORMAT_VERSION else lost
    if entry.kind == LEVEL:
        is_gone = next(store.storage.list_files(entry.key), None) is None
        return None if is_gone or store.storage.is_level(entry.key) else lost
    if entry.kind == WEIGHTS:
        return None if store.weights.is_sound(entry.key) else lost
    if entry.kind == FOREIGN:
        return None
    group = _GROUPS[entry.kind].read(store.storage, entry.key)
    return group.find_damage(is_thorough=True) if group else lost


def list_used_with(store: Store, runs: Iterable[StoredRun]) -> list[Entry]:
    """Return the clips and flow that these runs use and no other run does, and estimates of streams without others.

    They are a video's own: nothing of other videos is read.
    """
    by_video = defaultdict[str, list[StoredRun]](list)
    for run in runs:
        by_video[run.key.split("/", 1)[0]].append(run)
    clips, flow, estimates = set[str](), set[str](), set[str]()
    for video, gone in by_video.items():
        keys = {run.key for run in gone}
        kept = [run for run in store.runs_below(video) if run.key not in keys]
        clips |= {run.clips_key for run in gone} - {run.clips_key for run in kept}
        flow |= _flow_of(store, video, gone) - _flow_of(store, video, kept)
        for stream in {run.modality for run in gone} - {run.modality for run in kept}:
            estimates |= {*store.keys(f"{video}/{stream}/{ESTIMATES}")}
    return [measure(store, kind_of(key), key) for key in (*sorted(clips), *sorted(flow), *sorted(estimates))]


def list_estimates(store: Store) -> list[Entry]:
    """Return what methods of many passes have found so far, for runs that are not done."""
    streams = (f"{video}/{stream}/{ESTIMATES}" for video in store.videos() for stream in ("rgb", FLOW))
    return [measure(store, ESTIMATES, key) for stream in streams for key in store.keys(stream)]


def list_unused_records(store: Store, kept: Iterable[StoredRun]) -> list[Entry]:
    """Return the records of weights that none of these runs was computed with."""
    used = {run.recipe.weights for run in kept}
    unused = (key for key in store.keys(WEIGHTS) if not used & store.weights.identities(key))
    return [measure(store, WEIGHTS, key) for key in unused]


def _flow_of(store: Store, video: str, runs: Iterable[StoredRun]) -> set[str]:
    """Return the keys of the motion that these runs of the video with that key were computed from, or followed."""
    users = [run for run in runs if run.recipe.flow_algorithm or run.recipe.motion]
    flows = (StoredFlow.read(store.storage, key) for key in (store.keys(f"{video}/{FLOW}") if users else ()))
    return {flow.key for flow in flows if flow and any(map(flow.is_used_by, users))}
