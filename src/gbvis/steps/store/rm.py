"""`gbvis store rm`: runs that are no longer wanted, and the clips and flow that nothing uses any more with them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gbvis.errors import NothingFound, OutputError, UsageError
from gbvis.networks.kept import list_networks
from gbvis.progress import Progress
from gbvis.steps.selection import Selection, select_checks
from gbvis.steps.store.ls import hint_for, select_all
from gbvis.store import Store, StoredRun
from gbvis.store.inventory import (
    ROOT,
    Entry,
    find_damage,
    list_entries,
    list_estimates,
    list_unused_records,
    list_used_with,
    measure,
)
from gbvis.store.keys import CHECK, FOREIGN, LEVEL, RUN
from gbvis.store.store import forget_consolidated

UNFINISHED, NETWORK = "unfinished", "network"


@dataclass(frozen=True)
class RemoveRequest:
    """What to remove.

    Attributes:
        store: From where.
        videos: Names or paths.
        selection: Which runs; what tests found of them goes too, and that alone where tests are named.
        is_all: Every run, and the weights' records; where there is no run, what was left without one.
        is_unfinished: What killed processes left behind, what was found so far for runs that are not done, and records
            of weights that no run uses, instead.
        is_damaged: Every damaged group instead: a run, clips, flow or a weights record.
        are_networks: The prepared networks in the user's cache folder instead; the store is not looked at.
    """

    store: str | Path
    videos: tuple[str, ...] = ()
    selection: Selection = field(default_factory=Selection)
    is_all: bool = False
    is_unfinished: bool = False
    is_damaged: bool = False
    are_networks: bool = False

    def __post_init__(self) -> None:
        is_narrowed = bool(self.videos) or self.selection != Selection()
        meant = [is_narrowed, self.is_all, self.is_unfinished, self.is_damaged, self.are_networks]
        if sum(meant) != 1:
            raise UsageError(
                "several kinds of removal are asked for at once" if any(meant) else "nothing says what to remove",
                "name videos or filters, or give one of --all, --unfinished, --damaged and --networks; --dry-run shows "
                "what it is",
            )


@dataclass(frozen=True)
class RemovedGroup:
    """A group that is removed, or would be."""

    entry: Entry
    is_removed: bool

    def to_json(self) -> dict[str, Any]:
        """Return the group as a line of `--json`."""
        return {
            "group": self.entry.key,
            "kind": self.entry.kind,
            "bytes": self.entry.size,
            "removed": self.is_removed,
        }


class NetworkRemoval:
    """The removal of all prepared networks.

    Attributes:
        entries: Each file; its key is its path.
    """

    def __init__(self) -> None:
        """Find out what there is."""
        self.entries = [Entry(NETWORK, str(one.path), one.size) for one in list_networks()]

    def run(self, is_dry: bool, progress: Progress | None = None) -> Iterator[RemovedGroup]:
        """Yield each once it is gone, or, where the run is dry, would be.

        Raises:
            OutputError: One cannot be removed.
        """
        for entry in self.entries:
            if not is_dry:
                try:
                    Path(entry.key).unlink(missing_ok=True)
                except OSError as error:
                    problem = f"cannot remove {entry.key}: {error.strerror or error}"
                    raise OutputError(problem, "check the permissions of its folder") from error
            yield RemovedGroup(entry, not is_dry)


def plan_removal(request: RemoveRequest) -> "Removal | NetworkRemoval":
    """Return what a request comes to.

    Raises:
        GbvisError: As `Removal`.
    """
    return NetworkRemoval() if request.are_networks else Removal(request)


class Removal:
    """What a request comes to: seen first, then carried out.

    Attributes:
        entries: What is to go, runs first: so nothing that is left ever lacks its clips.
    """

    def __init__(self, request: RemoveRequest) -> None:
        """Find out what the request means.

        Raises:
            UsageError: The store cannot be used.
            NothingFound: Nothing matches, or nothing of one of the videos: then nothing of the others goes either.
        """
        self._store = Store.open(request.store)
        self._request = request
        self._runs: list[StoredRun] = []
        self._missing: list[str] = []
        self.entries = self._list()
        if self._missing or not (self.entries or request.is_all or request.is_unfinished or request.is_damaged):
            which = f" of {', '.join(self._missing)}" if self._missing else ""
            raise NothingFound(
                f"nothing to remove{which}: no such run in {self._store.location}",
                hint_for(self._store, self._missing, request.selection.labels),
            )

    def _list(self) -> list[Entry]:
        if self._request.is_unfinished:
            return [*self._list_unfinished(), *list_estimates(self._store), *self._list_unused_records()]
        if self._request.is_damaged:
            return [entry for entry in self._list_groups() if find_damage(self._store, entry)]
        asked = self._request
        if not asked.selection.tests:
            self._runs, self._missing = select_all(self._store, asked.videos, asked.selection)
        if asked.is_all and not self._runs:
            return self._list_groups()
        runs = [Entry(RUN, run.key, run.size) for run in self._runs]
        records = list_unused_records(self._store, ()) if asked.is_all else []
        return [*runs, *self._list_checks(), *list_used_with(self._store, self._runs), *records]

    def _list_checks(self) -> list[Entry]:
        """Return what tests found of the runs; a video of which there is nothing else is not missing then."""
        self._request.selection.check()
        found: dict[str, int] = {}
        for video in self._request.videos or (None,):
            checks = select_checks(self._store, video, self._request.selection)
            found |= {check.key: check.size for check in checks}
            if checks and video in self._missing:
                self._missing.remove(video)
            elif video and not checks and self._request.selection.tests:
                self._missing.append(video)
        return [Entry(CHECK, key, size) for key, size in found.items()]

    def _list_unfinished(self) -> list[Entry]:
        return [measure(self._store, UNFINISHED, key) for key in self._store.storage.list_unfinished()]

    def _list_unused_records(self) -> list[Entry]:
        """Return the records of weights that no run uses; none where a run is damaged, and may use any."""
        found = list_unused_records(self._store, self._store.runs())
        return [] if self._store.damaged else found

    def _list_groups(self) -> list[Entry]:
        return [entry for entry in list_entries(self._store) if entry.kind not in (ROOT, LEVEL, FOREIGN)]

    def run(self, is_dry: bool, progress: Progress | None = None) -> Iterator[RemovedGroup]:
        """Yield each group once it is gone, or, where the run is dry, would be.

        Raises:
            GbvisError: The store cannot be written.
        """
        progress = progress or Progress()
        progress.expect(len(self.entries), self._store.location)
        if self.entries and not is_dry:
            forget_consolidated(self._store.storage)
        for entry in self.entries if is_dry else self._list_wanted():
            if not is_dry:
                with self._store.storage.explaining_refusal():
                    storage = self._store.storage
                    (storage.discard if entry.kind == UNFINISHED else storage.remove)(entry.key)
            yield RemovedGroup(entry, not is_dry)
            progress.advance(self._store.location)

    def _list_wanted(self) -> Iterator[Entry]:
        """Yield the entries; after the runs, what they used is left out where another process has a use for it now."""
        yield from (entry for entry in self.entries if entry.kind == RUN or not self._runs)
        if self._runs:
            unused = {entry.key for entry in list_used_with(self._store, self._runs)}
            if self._request.is_all:
                unused |= {entry.key for entry in list_unused_records(self._store, self._store.runs())}
            unused |= {entry.key for entry in self.entries if entry.kind == CHECK}
            yield from (entry for entry in self.entries if entry.kind != RUN and entry.key in unused)
