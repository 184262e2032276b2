"""Reports and pages: what is printed of them, and how a browser is asked to show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from gbvis.cli.console import Console
from gbvis.cli.format import count_of, print_all, print_run, show_bytes
from gbvis.errors import UsageError
from gbvis.progress import Failure
from gbvis.shell import join_words

if TYPE_CHECKING:
    from gbvis.steps.explain import ExplainedRun, ExplainRequest
    from gbvis.steps.report import WrittenReport
    from gbvis.steps.view import Viewer
    from gbvis.store import StoredRun


def print_reports(console: Console, results: Iterable[WrittenReport | Failure], opens: bool) -> int:
    """Print what a report lacks, and the report; show it if that is asked for. Return the exit code."""
    reports: list[Path] = []
    code = print_all(console, _remember(results, reports), print_report)
    for path in reports if opens else ():
        _open(console, path.absolute().as_uri())
    return code


def _remember(results: Iterable[WrittenReport | Failure], paths: list[Path]) -> Iterator[WrittenReport | Failure]:
    for one in results:
        if not isinstance(one, Failure):
            paths.append(one.path)
        yield one


def print_report(console: Console, written: WrittenReport) -> None:
    """Print one line for a report."""
    about = written.about
    pages = count_of(about["pages"], "page") if "pages" in about else ""
    how = "unchanged" if written.is_unchanged else f"{written.seconds:.1f} s"
    facts = (str(written.path), count_of(about["runs"], "run"), pages, show_bytes(about["bytes"]), how)
    console.print("  ".join(filter(None, facts)))


def print_and_report(console: Console, request: ExplainRequest, path: Path, failed_to: Path | None = None) -> int:
    """Explain and print every run, then write those of the call into a report. Return the exit code.

    Raises:
        UsageError: The report has no place there, is too large, or the call is wrong.
    """
    from gbvis.cli.picture_options import with_call
    from gbvis.figures.outputs.report.writing import ReportTooLarge
    from gbvis.figures.style import Style
    from gbvis.steps import explain, report
    from gbvis.steps.shown_runs import ShownRuns
    from gbvis.store import Store

    place = report.ReportPlace(path, replaces_report=True)
    if place.path.exists() and not place.may_replace:  # before anything is computed
        raise UsageError(f"{path} is there already, and is no report", "choose another name with --report")
    runs: list[StoredRun] = []

    def keep(results: Iterable[ExplainedRun | Failure]) -> Iterator[ExplainedRun | Failure]:
        for one in results:
            if not isinstance(one, Failure):
                runs.append(one.run)
            yield one

    code = print_all(console, keep(explain.run(request, console)), print_run, "run", failed_to=failed_to)
    shown, style = ShownRuns(Store.open(request.store), dataset=request.dataset), with_call(Style(), request.store)
    try:
        return code | print_reports(console, report.write_runs(runs, shown, place, style, console), opens=False)
    except ReportTooLarge as error:
        command = join_words(["gbvis", "report", "--pages", "-o", str(path), "--store", str(request.store)])
        raise UsageError(error.problem, f"the runs are in the store; several files hold them: {command}") from error


def run_viewer(console: Console, viewer: Viewer, opens: bool) -> int:
    """Print where the page is, show it if that is asked for, and serve it until Ctrl-C. Return the exit code."""
    for failure in viewer.failures:
        console.fail(failure)
    if console.is_json:
        console.print_json(viewer)
    else:
        console.print(viewer.url)
        console.note(f"this shows the runs of {viewer.store} until Ctrl-C is pressed", "view")
    if opens:  # beside: a browser in a terminal ends when it is closed, and wants answers until then
        Thread(target=_open, args=(console, viewer.url), daemon=True).start()
    viewer.run()
    return 0


def _open(console: Console, address: str) -> None:
    """Have the browser show a page; a failure is a warning."""
    import webbrowser  # here: it takes some milliseconds

    try:
        is_shown = webbrowser.open(address)
    except (OSError, webbrowser.Error):
        is_shown = False
    if not is_shown:
        console.warn(f"no browser could be started: open {address}")
