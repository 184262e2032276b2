"""`gbvis report`: runs of a store in one HTML file, or in several that belong together."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from gbvis.atomic_file import check_place, publish, publish_together
from gbvis.errors import GbvisError, UsageError
from gbvis.figures.outputs.report.output import HTML
from gbvis.figures.outputs.report.pages import write_pages
from gbvis.figures.outputs.report.writing import ReportTooLarge, write_report
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style
from gbvis.progress import Failure, Progress
from gbvis.steps.selection import Selection
from gbvis.steps.shown_runs import ShownRuns
from gbvis.store import Store, StoredRun
from gbvis.videos.locate import check_dataset

MOST_BYTES = 50_000_000
"""Of one file; mails and phones take no larger ones."""

HINT = "overwrite it with --force, or choose another place with -o"


@dataclass(frozen=True)
class ReportPlace:
    """Where a report goes.

    Attributes:
        path: The file, which ends with `.html`.
        is_forced: Overwrite another file, and write more than `MOST_BYTES`.
        has_pages: Write several files: this one lists all runs, and those in a folder beside it hold them.
        replaces_report: Overwrite an earlier report, and nothing else.
    """

    path: Path
    is_forced: bool = False
    has_pages: bool = False
    replaces_report: bool = False

    def __post_init__(self) -> None:
        """Take `~` for the home folder, and refuse what can hold no report.

        Raises:
            UsageError: It is no HTML file, or a folder, a pipe or a device.
        """
        with suppress(RuntimeError):  # no such user: then it is a name like any other
            object.__setattr__(self, "path", self.path.expanduser())
        hint = "name a file that ends with .html, such as -o report.html"
        check_place(self.path, f"-o {self.path}", ("a file", "reports"), hint)
        if self.path.suffix.lower() not in (".html", ".htm") or self.path.is_dir():
            raise UsageError(f"{self.path} is no HTML file", hint)

    @property
    def may_replace(self) -> bool:
        """Return whether what is there may be overwritten."""
        return self.is_forced or (self.replaces_report and _is_report(self.path))


def _is_report(path: Path) -> bool:
    """Return whether a file is a page that gbvis made."""
    try:
        with path.open("rb") as file:
            return b'<meta name="generator" content="gbvis">' in file.read(4096)
    except OSError:
        return False


@dataclass(frozen=True)
class ReportRequest:
    """What to report.

    Attributes:
        store: Where the runs are.
        place: Where the report goes.
        videos: Names or paths; empty for all videos.
        selection: Which runs.
        style: How runs look at first.
        dataset: Where frames are looked for whose place is gone.
        labels: A file with class names, in place of those that the store knows.
    """

    store: str | Path
    place: ReportPlace
    videos: tuple[str, ...] = ()
    selection: Selection = field(default_factory=Selection)
    style: Style = field(default_factory=Style)
    dataset: Path | None = None
    labels: Path | None = None


@dataclass(frozen=True)
class WrittenReport:
    """A report on disk.

    Attributes:
        path: Where it is.
        about: How much it holds: `runs`, `videos`, `bytes` and, where there are several, `pages`.
        seconds: How long it took.
        is_unchanged: True where exactly this report was there already.
    """

    path: Path
    about: dict[str, int]
    seconds: float
    is_unchanged: bool

    def to_json(self) -> dict[str, Any]:
        """Return the report as a line of `--json`."""
        return {"path": str(self.path), **self.about, "seconds": round(self.seconds, 4)}


def run(request: ReportRequest, progress: Progress | None = None) -> Iterator[WrittenReport | Failure]:
    """Return an iterator over what has no place in the report, and then the report.

    Raises:
        UsageError: The request itself is wrong, or the store cannot be used. In the iterator: the report is too large.
        NothingFound: There is no store. In the iterator: nothing matches.
    """
    check_dataset(request.dataset)
    request.selection.check()
    HTML.check(request.style)
    relevance = request.style.relevance
    shown = ShownRuns(
        Store.open(request.store), request.videos, request.selection, request.dataset, request.labels, relevance
    )
    return _report_selected(request, shown, progress or Progress())


def _report_selected(request: ReportRequest, shown: ShownRuns, progress: Progress) -> Iterator[WrittenReport | Failure]:
    runs: list[StoredRun] = []
    yield from shown.select(runs, "report")
    yield from write_runs(runs, shown, request.place, request.style, progress)


def write_runs(
    runs: Iterable[StoredRun], shown: ShownRuns, place: ReportPlace, style: Style, progress: Progress
) -> Iterator[WrittenReport | Failure]:
    """Write runs into a report, each once; yield failures and the report. Without any run, what is there stays.

    Raises:
        UsageError: In the iterator: it is too large.
    """
    views = [shown.view(run) for run in {run.key: run for run in runs}.values()]
    if not views:
        return
    failed: list[Failure] = []
    started = time.perf_counter()
    progress.expect(2 * len(views), "report")
    tell = partial(progress.advance, "report")
    try:
        about, is_unchanged = _publish(views, style, place, lambda view, error: failed.append(_fail(view, error)), tell)
    except _NoRuns:
        yield from failed
        return
    yield from failed
    yield WrittenReport(place.path, about, time.perf_counter() - started, is_unchanged)


class _NoRuns(Exception):
    """No run can be shown."""


def _fail(view: RunView, error: GbvisError) -> Failure:
    return Failure.of(view.video, error)


def _publish(
    views: Sequence[RunView],
    style: Style,
    place: ReportPlace,
    fail: Callable[[RunView, GbvisError], None],
    tell: Callable[[], None],
) -> tuple[dict[str, int], bool]:
    """Write the report, and return how much it holds, and whether exactly this one was there already.

    Raises:
        _NoRuns: It would hold nothing; nothing is written.
        UsageError: It is too large.
    """
    about: dict[str, int] = {}

    def write(path: Path) -> None:
        if place.has_pages:
            about.update(write_pages(views, style, path, fail=fail, tell=tell))
        else:
            about.update(write_report(views, style, path, None if place.is_forced else MOST_BYTES, fail, tell))
        if not about["runs"]:
            raise _NoRuns

    try:
        is_unchanged = (publish_together if place.has_pages else publish)(place.path, write, place.may_replace, HINT)
    except ReportTooLarge as error:
        fitted = f"{error.fitted} of {error.run_count} runs"
        problem = f"{place.path} would have more than {MOST_BYTES / 1e6:g} MB, which {fitted} fit into"
        raise ReportTooLarge(problem, error.hint, error.fitted, error.run_count) from error
    return about, is_unchanged
