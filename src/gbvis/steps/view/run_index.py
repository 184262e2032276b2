"""The runs that `gbvis view` shows, in the order in which they are found; a store gets more of them, and loses some."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Any

from gbvis.errors import GbvisError
from gbvis.figures.run_view import RunView
from gbvis.steps.selection import make_filter, select_runs
from gbvis.steps.shown_runs import ShownRuns
from gbvis.steps.video_names import name_sources, source_of
from gbvis.store import StoredRun
from gbvis.store.keys import FLOW

MOST = 2000
"""Runs in one answer."""

_PATIENCE = 0.25
"""Seconds that one answer looks for more runs."""

_PAUSE = 2.0
"""Seconds between two looks through the store; where one takes long, ten times as long as that."""

_DUTY = 10


class RunIndex:
    """What the index says of each run, as JSON, and which runs there are: no others may be read."""

    def __init__(self, shown: ShownRuns, summarize: Callable[[RunView], dict[str, Any]]) -> None:
        """Name the parts.

        Args:
            shown: Which runs of which store.
            summarize: Returns what the index says of a run, `Summary` of the page's `types.js`.
        """
        self._shown, self._summarize = shown, summarize
        self._summaries: list[bytes] = []
        self._places: dict[str, int] = {}
        self._seen: set[str] = set()  # runs that are not meant are among them
        self._there: set[str] = set()  # what the look that goes on has met
        self._search: Iterator[None] | None = None
        self._again, self._begun = 0.0, 0.0
        self._lock = Lock()

    def find_name(self, key: str) -> str | None:
        """Return what the video of a run is called; None where no such run was listed."""
        place = self._places.get(key)
        return None if place is None else str(json.loads(self._summaries[place])["video"])

    def list_runs(self, after: int) -> bytes:
        """Return the runs from place `after` on as the page takes them, JSON, and whether these are all for now.

        A run that is gone has a place once more, where `isGone` says so.

        Raises:
            GbvisError: The store cannot be read, or a name in the selection is none.
        """
        with self._lock:
            self._look(after + MOST)
            found = self._summaries[after : after + MOST]
            following = after + len(found)
            is_complete = self._search is None and following >= len(self._summaries)
        about = f'], "next": {following}, "isComplete": {json.dumps(is_complete)}}}'
        return b'{"runs": [' + b", ".join(found) + about.encode()

    def _look(self, wanted: int) -> None:
        """Look for more runs until there are so many, or it takes too long, or there are none."""
        started = time.monotonic()
        if self._search is None:
            if started < self._again:
                return
            self._search, self._begun = self._find_new(), started
        try:
            for _ in self._search:
                if len(self._summaries) >= wanted or time.monotonic() - started > _PATIENCE:
                    return
        except BaseException:
            self._search = None
            raise
        now = time.monotonic()
        self._search, self._again = None, now + max(_PAUSE, _DUTY * (now - self._begun))

    def _find_new(self) -> Iterator[None]:
        """Go once through the store, add what is new, and say what is gone; yields after each step."""
        store = self._shown.store
        self._there.clear()
        for runs, new in self._read_videos():
            names = name_sources(store, runs)
            for run in new:
                self._add(run, names.get(source_of(store, run), run.video))
                yield
            yield
        for key in self._places.keys() - self._there:
            del self._places[key]
            self._seen.discard(key)
            self._summaries.append(json.dumps({"key": key, "isGone": True}).encode())

    def _read_videos(self) -> Iterator[tuple[Sequence[StoredRun], Sequence[StoredRun]]]:
        """Yield all runs of each video that has new ones, and those of them that are new and meant."""
        shown, store = self._shown, self._shown.store
        for video in shown.videos:
            found = select_runs(store, video, shown.selection, shown.labels, spares_rgb=True)
            self._there.update(run.key for run in found)
            for name in dict.fromkeys(run.video for run in found):
                new = [run for run in found if run.video == name and run.key not in self._places]
                yield (list(store.runs(name)) if new else []), new
        if not shown.videos:
            is_meant = make_filter(store, shown.selection, shown.labels)
            for video in store.videos():
                keys = [key for stream in ("rgb", FLOW) for key in store.list_runs(f"{video}/{stream}")]
                self._there.update(keys)
                if not self._seen.issuperset(keys):
                    runs = self._read_runs(keys)
                    yield runs, [run for run in runs if run.key not in self._seen and is_meant(run)]
                    self._seen.update(run.key for run in runs)

    def _read_runs(self, keys: Sequence[str]) -> list[StoredRun]:
        """Return the runs with these keys, in the list's order; whether all of one is there shows when it opens."""
        found = (StoredRun.read(self._shown.store.storage, key) for key in keys)
        return sorted((run for run in found if run), key=lambda run: (run.modality != "rgb", run.position))

    def _add(self, run: StoredRun, name: str) -> None:
        try:
            summary = self._summarize(self._shown.view(run, name))
        except GbvisError:  # a part of it went while it was read
            return
        self._places[run.key] = len(self._summaries)
        self._summaries.append(json.dumps(summary).encode())
