"""A report of many files: an index, and a folder of pages beside it, each a whole report of some videos."""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from gbvis.figures.outputs.report.facts import Facts
from gbvis.figures.outputs.report.report_file import ReportFile
from gbvis.figures.outputs.report.writing import Fail, Report
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style

PAGE_BYTES = 50_000_000
"""What a page has at most; a single run may have more."""


def write_pages(
    views: Sequence[RunView],
    style: Style,
    path: Path,
    page_bytes: int = PAGE_BYTES,
    fail: Fail | None = None,
    tell: Callable[[], None] | None = None,
) -> dict[str, int]:
    """Write an index of runs, and pages with them, and return how many runs, videos, bytes and pages there are.

    The pages are `0001.html` and so on in the folder `name_folder(path)`. All runs of a video are on one page where
    they fit.

    Args:
        views: The runs.
        style: How they look.
        path: The index, which does not exist yet; neither does the folder.
        page_bytes: How large a page may be.
        fail: Takes a run that is missing or damaged, which is left out then; None where it ends the report.
        tell: As `Report` takes it.

    Raises:
        GbvisError: A run is missing or damaged.
    """
    report = Report(views, style, fail, tell)
    folder = name_folder(path)
    folder.mkdir(parents=True)
    by_video: defaultdict[str, list[RunView]] = defaultdict(list)
    for view in report.views:
        by_video[view.video].append(view)
    waiting, listed, size, pages = deque(by_video.values()), dict[str, Facts](), 0, 0
    while waiting:
        pages += 1
        place = folder / f"{pages:04}.html"
        with place.open("wb") as opened:
            title = f"{report.title}, page {pages}"
            file = ReportFile(opened, title)
            _fill(report, file, waiting, page_bytes)
            file.finish({**report.make_data(title), "index": f"../{quote(path.name, errors='replace')}"})
            size += opened.tell()
        url = f"{quote(folder.name, errors='replace')}/{place.name}"
        listed |= {one["key"]: {**one, "page": url} for one in file.list_summaries()}
    with path.open("wb") as opened:
        file = ReportFile(opened, report.title)
        file.finish(report.make_data(report.title), [listed[view.key] for view in report.views])
        size += opened.tell()
    return {**report.count(size), "pages": pages}


def name_folder(path: Path) -> Path:
    """Return the folder with the pages of an index."""
    return path.with_name(f"{path.stem}-pages")


def _fill(report: Report, file: ReportFile, waiting: deque[list[RunView]], page_bytes: int) -> None:
    """Put as many videos into a page as fit, and take them from those that wait.

    A video that does not fit begins the next page. One that does not fit into any is divided.
    """
    while waiting:
        group, before_group = waiting.popleft(), file.mark()
        is_first, before_run = file.run_count == 0, file.mark()
        with closing(report.add_runs(file, group)) as added:
            for number, _ in enumerate(added):
                if file.size > page_bytes and not is_first:
                    file.go_back(before_group)
                    waiting.appendleft(group)
                    return
                if file.size > page_bytes:
                    fitted = max(number, 1)
                    if number:
                        file.go_back(before_run)
                    if group[fitted:]:
                        waiting.appendleft(group[fitted:])
                    return
                before_run = file.mark()
