"""Runs as `gbvis view` sends them: packed when they are asked for, and the last ones kept."""

import json
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any

from gbvis.errors import GbvisError, NothingFound
from gbvis.figures.outputs.report.packed_run import PackedRun
from gbvis.figures.outputs.report.shown import illustrate
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style
from gbvis.steps.shown_runs import ShownRuns
from gbvis.steps.view.run_index import RunIndex

_MOST_BYTES = 64 << 20
"""Of all that is packed; the last run stays, whatever its size."""

_MOST_RUNS = 16
"""That are kept: each has a clip's values in memory too."""


class PackedRuns:
    """The runs of an index, by their keys. Several threads may ask at once."""

    def __init__(self, shown: ShownRuns, index: RunIndex, style: Style) -> None:
        """Name the parts.

        Args:
            shown: Makes views of them.
            index: Which runs may be read.
            style: How they look.
        """
        self._shown, self._index, self._style = shown, index, style
        self._kept: OrderedDict[str, PackedRun] = OrderedDict()
        self._lock = Lock()

    def tell(self, key: str) -> bytes:
        """Return all of a run but its numbers, `Run` of the page's `types.js`, as JSON.

        Raises:
            GbvisError: It is not in the index, or gone, or damaged.
        """
        return json.dumps(_name_blobs(self._pack(key).run, key)).encode()

    def read_blob(self, name: str) -> bytes:
        """Return the bytes of a blob that is called `KEY!NAME`.

        Raises:
            GbvisError: As `tell`, or there is no such blob.
        """
        key, _, own = name.rpartition("!")
        packed = self._pack(key)
        blob = packed.read_blob(own)
        self._drop_old()
        return blob

    def illustrate(self, keys: Sequence[str]) -> bytes:
        """Return what the index draws of runs, by their keys, as JSON; what is gone or damaged is left out."""
        drawn = {}
        for key in keys:
            try:
                drawn[key] = illustrate(self._view(key), self._style)
            except GbvisError:  # opened, it says what is wrong
                continue
        return json.dumps(drawn).encode()

    def _pack(self, key: str) -> PackedRun:
        with self._lock:
            packed = self._kept.pop(key, None)
        packed = packed or PackedRun(self._view(key), self._style, is_quick=True)
        with self._lock:
            packed = self._kept.setdefault(key, packed)  # another thread may have been faster
        return packed

    def _view(self, key: str) -> RunView:
        name = self._index.find_name(key)
        if name is None:
            raise NothingFound(f"no such run: {key}", "go back to the list of runs")
        stored = self._shown.store.read_run(key)
        if stored is None:
            raise NothingFound(
                f"{key} in {self._shown.store.location} is damaged, or was removed",
                "run the same `gbvis explain` again: it computes what is missing once more",
            )
        return self._shown.view(stored, name)

    def _drop_old(self) -> None:
        """Forget the runs that were asked for the longest ago, where there are too many."""
        with self._lock:
            sizes = {key: packed.byte_count for key, packed in self._kept.items()}
            for key in list(self._kept)[:-1]:
                if len(self._kept) > _MOST_RUNS or sum(sizes.values()) > _MOST_BYTES:
                    del self._kept[key], sizes[key]


def _name_blobs(part: Any, key: str) -> Any:
    """Return plain data in which each blob is called `KEY!NAME`."""
    if isinstance(part, list):
        return [_name_blobs(one, key) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        name: f"{key}!{value}" if name == "blob" and isinstance(value, str) else _name_blobs(value, key)
        for name, value in part.items()
    }
