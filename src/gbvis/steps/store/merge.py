"""`gbvis store merge`: stores are joined by copying what one has and another does not."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from gbvis.errors import GbvisError, UsageError
from gbvis.progress import Failure, Progress
from gbvis.store import Store
from gbvis.store.clips import StoredClips
from gbvis.store.copy import LOST, Copied, copy_flow, copy_group
from gbvis.store.estimates import StoredEstimate
from gbvis.store.inventory import Entry, find_damage, list_below
from gbvis.store.keys import CLIPS, ESTIMATES, FLOW, FOREIGN, RUN, WEIGHTS
from gbvis.store.run import StoredRun, key_of_run
from gbvis.store.storage import Storage
from gbvis.store.store import open_storage

_ORDER = (CLIPS, RUN, FLOW, ESTIMATES)
"""Clips come first, so that no run ever lacks them; estimates last, since a run that is done needs none."""

_THREADS = 8
"""Videos that are copied at once: a disk and a server are waited for, not the processor."""

_AHEAD = 64
"""Videos whose results are in memory at a time."""


_FEW = 3
"""Names in a warning."""

_SOURCE, _OUTPUT = "among the stores to join", "with -o"
"""How the user names stores here."""


@dataclass(frozen=True)
class MergeRequest:
    """Which stores to join.

    Attributes:
        sources: Where they are; nothing of them is changed.
        output: The store that is to hold all of it; it may be there, and be one of the sources.
        is_dry: Say what would be copied, and copy nothing.
    """

    sources: tuple[str | Path, ...]
    output: str | Path
    is_dry: bool = False

    def __post_init__(self) -> None:
        if not self.sources:
            raise UsageError("no stores to join", "name at least one, and the store to make of them with -o")


@dataclass(frozen=True)
class MergedGroup:
    """A group of a source.

    Attributes:
        entry: The group.
        source: The store that it comes from.
        copied: What became of it.
        is_dry: Whether nothing was written.
    """

    entry: Entry
    source: str
    copied: Copied
    is_dry: bool

    @property
    def is_cached(self) -> bool:
        """Whether there was a group of its key already."""
        return not self.copied.is_new

    def to_json(self) -> dict[str, Any]:
        """Return the group as a line of `--json`."""
        return {
            "group": self.entry.key,
            "kind": self.entry.kind,
            "bytes": self.entry.size,
            "source": self.source,
            "cached": self.is_cached,
            "differs": self.copied.differs,
            "copied": self.copied.is_new and not self.is_dry,
        }


def run(request: MergeRequest, progress: Progress | None = None) -> Iterator[MergedGroup | Failure]:
    """Return an iterator over the groups of all sources, each yielded once it is in the output.

    Yields:
        A group, or a `Failure` for one that is damaged: it is not copied, and the others are.

    Raises:
        GbvisError: A source is no store, or the output cannot be one or be written.
    """
    sources = [Store.open(one, _SOURCE) for one in request.sources]
    if request.is_dry:
        target = Store.find(request.output, _OUTPUT) or Store(open_storage(request.output, _OUTPUT))
    else:
        target = Store.open_or_create(request.output, _OUTPUT)
    return _Merge(sources, target, request.is_dry, progress or Progress()).run()


class _Merge:
    """The joining of stores."""

    def __init__(self, sources: Sequence[Store], target: Store, is_dry: bool, progress: Progress) -> None:
        others = {_place_of(source.storage): source for source in sources}
        others.pop(_place_of(target.storage), None)
        self._sources, self._target = list(others.values()), target
        self._is_dry, self._progress = is_dry, progress
        self._foreign: list[str] = []

    def run(self) -> Iterator[MergedGroup | Failure]:
        """Yield what becomes of each group: of the weights' records first, then video by video."""
        yield from self._merge_all(
            (source, Entry(WEIGHTS, key, 0)) for source in self._sources for key in source.keys(WEIGHTS)
        )
        holders: dict[str, list[Store]] = {}
        for source in self._sources:
            for video in source.videos():
                holders.setdefault(video, []).append(source)
        videos = sorted(holders.items())
        self._progress.expect_videos(len(videos))
        pool = ThreadPoolExecutor(_THREADS)
        try:
            for first in range(0, len(videos), _AHEAD):
                yield from chain.from_iterable(pool.map(self._merge_video, videos[first : first + _AHEAD]))
        finally:
            pool.shutdown(cancel_futures=True)
        if self._foreign:
            are = (
                "group that gbvis has not made is" if len(self._foreign) == 1 else "groups that gbvis has not made are"
            )
            self._progress.warn(f"{len(self._foreign)} {are} not copied: {', '.join(self._foreign[:_FEW])}")

    def _merge_video(self, held: tuple[str, list[Store]]) -> list[MergedGroup | Failure]:
        """Copy all groups of a video, from one source after the other."""
        video, holders = held
        found = [(source, entry) for source in holders for entry in list_below(source, [video])]
        self._foreign += [entry.key for _, entry in found if entry.kind == FOREIGN]
        wanted = [(source, entry) for source, entry in found if entry.kind in _ORDER]
        merged = self._merge_all(sorted(wanted, key=lambda one: (holders.index(one[0]), _ORDER.index(one[1].kind))))
        if not self._is_dry:
            self._remove_done_estimates(video)
        self._progress.finish_video()
        return merged

    def _merge_all(self, groups: Iterable[tuple[Store, Entry]]) -> list[MergedGroup | Failure]:
        """Copy groups in order; where nothing is written, what an earlier source has counts as being there."""
        merged: list[MergedGroup | Failure] = []
        promised: set[str] = set()
        for source, entry in groups:
            if entry.key in promised:
                merged.append(MergedGroup(entry, source.location, Copied(), self._is_dry))
                continue
            results = list(self._merge_entry(source, entry))
            merged += results
            if self._is_dry:
                promised |= {one.entry.key for one in results if isinstance(one, MergedGroup)}
        return merged

    def _merge_entry(self, source: Store, entry: Entry) -> Iterator[MergedGroup | Failure]:
        """Yield what becomes of a group; nothing where it is gone meanwhile, or is not needed any more."""
        try:
            copied = self._copy(source, entry)
            if copied and copied.damage and not find_damage(source, entry):  # just replaced, or removed
                parent, _, name = entry.key.rpartition("/")
                copied = self._copy(source, entry) if name in source.storage.list_folders(parent) else None
        except GbvisError as error:
            yield Failure.of(entry.key, error)
            return
        if copied and copied.damage:
            hint = "explain it again there and repeat the call; what is sound is copied"
            yield Failure(entry.key, f"{entry.key} in {source.location} is damaged: {copied.damage}", hint)
        if copied and (copied.is_new or not copied.damage):
            yield MergedGroup(entry, source.location, copied, self._is_dry)

    def _copy(self, source: Store, entry: Entry) -> Copied | None:
        """Copy a group; None where it is not needed."""
        origin, target = source.storage, self._target.storage
        if entry.kind == WEIGHTS:
            if not source.weights.is_sound(entry.key):
                return Copied(damage=LOST)
            return Copied(is_new=self._target.weights.add(entry.key, source.weights, self._is_dry))
        if entry.kind == CLIPS:
            return copy_group(StoredClips, origin, entry.key, target, self._is_dry)
        if entry.kind == FLOW:
            return copy_flow(origin, entry.key, target, self._is_dry)
        return self._copy_run(origin, entry.key) if entry.kind == RUN else self._copy_estimate(origin, entry.key)

    def _copy_run(self, origin: Storage, key: str) -> Copied:
        """Copy a run whose clips are there; one that is there already then answers what this one answers too."""
        target = self._target.storage
        found = StoredRun.read(origin, key)
        if found and not self._is_dry and not StoredClips.find(target, found.clips_key, is_thorough=False):
            return Copied(damage=f"its clips {found.clips_key} are missing or damaged")
        copied = copy_group(StoredRun, origin, key, target, self._is_dry)
        there = None if copied.is_new or self._is_dry or not found else StoredRun.read(target, key)
        if found and there and {*found.requests} - {*there.requests}:
            there.add_requests(found.requests)
        return copied

    def _copy_estimate(self, origin: Storage, key: str) -> Copied | None:
        """Copy what was found so far for a run that is not done, unless as many passes are there."""
        target = self._target.storage
        found = StoredEstimate.read(origin, key)
        if found is None:
            return Copied(damage=LOST)
        if StoredRun.read(target, key_of_run(found.video, found.recipe)):
            return None
        there = StoredEstimate.find(target, key)
        if there and (self._is_dry or there.passes >= found.passes):
            return Copied(is_new=there.passes < found.passes)
        if there:
            with target.explaining_refusal():
                target.remove(key)
        return copy_group(StoredEstimate, origin, key, target, self._is_dry)

    def _remove_done_estimates(self, video: str) -> None:
        """Remove what the output had found so far for runs that it has got now."""
        storage = self._target.storage
        for key in chain(*(self._target.keys(f"{video}/{stream}/{ESTIMATES}") for stream in ("rgb", FLOW))):
            kept = StoredEstimate.read(storage, key)
            if kept and StoredRun.read(storage, key_of_run(kept.video, kept.recipe)):
                with storage.explaining_refusal():
                    storage.remove(key)


def _place_of(storage: Storage) -> str:
    """Return where a store is: the same for two names of one place, as far as that can be told."""
    place = storage.locate("")
    return os.path.realpath(place) if os.path.isdir(place) else place  # noqa: PTH112
