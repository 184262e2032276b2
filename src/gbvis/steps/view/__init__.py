"""`gbvis view`: the runs of a store in a browser of this machine, each read when it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gbvis.errors import NothingFound, UsageError
from gbvis.figures.outputs.report.facts import summarize
from gbvis.figures.outputs.report.page import build_served_page
from gbvis.figures.style import Style
from gbvis.progress import Failure
from gbvis.steps.selection import Selection, make_filter
from gbvis.steps.shown_runs import ShownRuns
from gbvis.steps.view.packed_runs import PackedRuns
from gbvis.steps.view.run_index import RunIndex
from gbvis.steps.view.server import PageServer, Route
from gbvis.store import Store, StoredRun
from gbvis.videos.locate import check_dataset

_JSON = "application/json"


@dataclass(frozen=True)
class ViewRequest:
    """What to show.

    Attributes:
        store: Where the runs are.
        videos: Names or paths; empty for all videos.
        selection: Which runs.
        port: Where to answer; 0 for any port that is free.
        style: How runs look at first.
        dataset: Where frames are looked for whose place is gone.
        labels: A file with class names, in place of those that the store knows.
    """

    store: str | Path
    videos: tuple[str, ...] = ()
    selection: Selection = field(default_factory=Selection)
    port: int = 0
    style: Style = field(default_factory=Style)
    dataset: Path | None = None
    labels: Path | None = None


class Viewer:
    """A server that is ready, and waits to be run.

    Attributes:
        url: The page's address, which whoever reads the runs has to know.
        store: Where they are.
        failures: Videos that were asked for and have no runs.
    """

    def __init__(self, server: PageServer, store: str, failures: list[Failure]) -> None:
        self._server = server
        self.url, self.store, self.failures = server.url, store, failures

    def to_json(self) -> dict[str, Any]:
        """Return where it is as a line of `--json`."""
        return {"url": self.url, "store": self.store}

    def run(self) -> None:
        """Answer requests until Ctrl-C is pressed, or `stop` is called from another thread."""
        try:
            self._server.serve_forever()
        except KeyboardInterrupt:  # how it is meant to end
            pass
        finally:
            self._server.server_close()

    def stop(self) -> None:
        """End `run`, which another thread is in."""
        self._server.shutdown()


def open_viewer(request: ViewRequest) -> Viewer:
    """Return a server of the runs asked for, which has its port already.

    Raises:
        UsageError: The request itself is wrong, the store cannot be used, or the port is taken.
        NothingFound: There is no store, or none of the videos named has such a run.
    """
    check_dataset(request.dataset)
    request.selection.check()
    store = Store.open(request.store)
    about = store, request.videos, request.selection, request.dataset, request.labels, request.style.relevance
    failures = _check_videos(ShownRuns(*about))
    index = RunIndex(ShownRuns(*about), summarize)
    page, policy = build_served_page("gbvis", request.style)
    routes = _make_routes(page, index, PackedRuns(ShownRuns(*about), index, request.style))
    return Viewer(PageServer(routes, policy, request.port), store.location, failures)


def _check_videos(shown: ShownRuns) -> list[Failure]:
    """Return why videos that were named have no runs; of a whole store, runs may still come.

    Raises:
        GbvisError: None of them has any, or a name in the selection is none.
    """
    make_filter(shown.store, shown.selection, shown.labels)
    runs: list[StoredRun] = []
    failures = list(shown.select(runs, "show")) if shown.videos else []
    if failures and not runs:
        raise NothingFound(failures[0].problem, failures[0].hint)
    return failures


def _make_routes(page: str, index: RunIndex, packed: PackedRuns) -> dict[str, Route]:
    """Return what answers requests, by the last part of their addresses."""

    def list_runs(after: str) -> bytes:
        if not (after.isascii() and after.isdigit() and len(after) < 10):
            raise UsageError(f"{after!r} is no number of runs", "reload the page")
        return index.list_runs(int(after))

    return {
        "": lambda query: ("text/html; charset=utf-8", page.encode()),
        "runs": lambda query: (_JSON, list_runs(_only(query, "after"))),
        "run": lambda query: (_JSON, packed.tell(_only(query, "key"))),
        "blob": lambda query: ("application/octet-stream", packed.read_blob(_only(query, "id"))),
        "summaries": lambda query: (_JSON, packed.illustrate(query.get("key", []))),
    }


def _only(query: Mapping[str, list[str]], name: str) -> str:
    """Return the one value that a query has to have.

    Raises:
        UsageError: It has none, or several.
    """
    values = query.get(name, [])
    if len(values) != 1:
        raise UsageError(f"the request needs one {name}", "reload the page")
    return values[0]
