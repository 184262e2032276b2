"""`gbvis store verify`: every byte of a store against its checksums."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gbvis.progress import Progress
from gbvis.store import Store
from gbvis.store.inventory import Entry, find_damage, list_entries


@dataclass(frozen=True)
class VerifyRequest:
    """Which store to check."""

    store: str | Path


@dataclass(frozen=True)
class CheckedGroup:
    """A group of a store, and what is wrong with it, or None."""

    entry: Entry
    problem: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the group as a line of `--json`."""
        return {
            "group": self.entry.key,
            "kind": self.entry.kind,
            "bytes": self.entry.size,
            "problem": self.problem,
        }


def run(request: VerifyRequest, progress: Progress | None = None) -> Iterator[CheckedGroup]:
    """Yield every group once all of it has been read.

    Raises:
        UsageError: The store cannot be used, or there is none.
    """
    progress = progress or Progress()
    store = Store.open(request.store)
    unfinished = store.storage.list_unfinished()
    if unfinished:
        progress.warn(
            f"killed processes left {len(unfinished)} unfinished: the next `gbvis explain`, or "
            "`gbvis store rm --unfinished`, takes that away"
        )
    entries = list(list_entries(store))
    progress.expect(len(entries), store.location)
    for entry in entries:
        yield CheckedGroup(entry, find_damage(store, entry))
        progress.advance(store.location)
