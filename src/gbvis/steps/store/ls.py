"""`gbvis store ls`: the runs of a store."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gbvis.errors import GbvisError
from gbvis.progress import Failure
from gbvis.steps.selection import Selection, select_runs
from gbvis.store import Store, StoredRun
from gbvis.store.inventory import RUN, measure


@dataclass(frozen=True)
class ListRequest:
    """Which runs to list.

    Attributes:
        store: Where they are.
        videos: Names or paths; none means every video in the store.
        selection: What narrows them down.
    """

    store: str | Path
    videos: tuple[str, ...] = ()
    selection: Selection = field(default_factory=Selection)


@dataclass(frozen=True)
class ListedRun:
    """A run of a store, with its size in bytes and its age in seconds (None where it does not say when it was made)."""

    run: StoredRun
    store: str
    size: int
    age: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the run as a line of `--json`."""
        made = self.run.attributes.get("made", {})
        return {
            "group": self.run.key,
            "video": self.run.video,
            "modality": self.run.modality,
            "endpoint": self.run.endpoint.name,
            "target": self.run.target,
            "label": self.run.attributes["label"],
            "value": self.run.values,
            "bytes": self.size,
            "made": made,
            "recipe": self.run.recipe,
            "store": self.store,
        }


def run(request: ListRequest) -> Iterator[ListedRun | Failure]:
    """Yield the runs asked for, and a failure for each that is damaged.

    Raises:
        GbvisError: The store cannot be used (exit code 2), or nothing matches (1).
    """
    store = Store.open(request.store)
    count = 0
    for found in select_all(store, request.videos, request.selection):
        count += 1
        size = measure(store, RUN, found.key).size
        yield ListedRun(found, store.location, size, _age_of(found))
    for key in sorted(store.damaged):
        yield Failure(key, f"{key} is damaged", "explain it again, or take it away with `gbvis store rm --damaged`")
    is_narrowed = bool(request.videos) or request.selection != Selection()
    if is_narrowed and not count and not store.damaged:
        raise GbvisError(f"no such run in {store.location}", "leave out a filter, or see the whole: `gbvis store ls`")


def select_all(store: Store, videos: tuple[str, ...], selection: Selection) -> list[StoredRun]:
    """Return the runs of these videos, or of all where none is named, that the selection admits."""
    selection.check()
    found = {run.key: run for video in videos or (None,) for run in select_runs(store, video, selection)}
    return list(found.values())


def _age_of(run: StoredRun) -> float | None:
    try:
        made = datetime.fromisoformat(run.attributes["made"]["at"])
        return (datetime.now(UTC) - made).total_seconds()
    except (KeyError, TypeError, ValueError):
        return None
