"""Writing reports: runs are measured first, which gives the scale of all, and then packed one by one into a file."""

from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np

from gbvis.errors import GbvisError, UsageError
from gbvis.figures.outputs.report.facts import name_clips
from gbvis.figures.outputs.report.limits import Ends
from gbvis.figures.outputs.report.packed_run import PackedRun
from gbvis.figures.outputs.report.page import make_page_data
from gbvis.figures.outputs.report.report_file import ReportFile, describe_runs
from gbvis.figures.outputs.report.shown import RunMeasure, measure_run
from gbvis.figures.outputs.report.turns import work_in_turns
from gbvis.figures.run_view import RunView
from gbvis.figures.scale import Values
from gbvis.figures.style import Style

Fail = Callable[[RunView, GbvisError], None]
"""Takes a run that cannot be shown, and why."""


class ReportTooLarge(UsageError):
    """A report is larger than was allowed.

    Attributes:
        fitted: How many runs fitted.
        run_count: How many there are.
    """

    def __init__(self, problem: str, hint: str, fitted: int = 0, run_count: int = 0) -> None:
        super().__init__(problem, hint)
        self.fitted, self.run_count = fitted, run_count


_MOST_KEPT = 32_000_000
"""Bytes of values that are kept from the time when they are measured to that when they are packed."""


@dataclass(frozen=True)
class _PackedClip:
    """A clip's blobs by the names that its run has for them; those that an earlier run gave are left out.

    Attributes:
        run: Its run.
        number: Which of its clips it is.
        blobs: Their bytes.
        problem: Why there are no source frames; None where an earlier run has looked.
    """

    run: PackedRun
    number: int
    blobs: dict[str, bytes]
    problem: str | None


class Report:
    """Runs that were measured, to be written."""

    def __init__(
        self, views: Sequence[RunView], style: Style, fail: Fail | None = None, tell: Callable[[], None] | None = None
    ) -> None:
        """Measure runs.

        Args:
            views: The runs, which may be none.
            style: How they look.
            fail: Takes a run that is missing or damaged, which is left out then; None where it ends the report.
            tell: Called twice a run: when it is measured, and when it is written; None where nobody waits for it.

        Raises:
            GbvisError: A run is missing or damaged.
        """
        self._tell = tell or (lambda: None)
        self.style = replace(style, limits=None, colors="maps")
        self._rows: defaultdict[str, dict[int, Values]] = defaultdict(dict)
        self._room = _MOST_KEPT
        self.views: list[RunView] = []
        self._measures: dict[str, RunMeasure] = {}
        with closing(work_in_turns(partial(self._try_measure, view) for view in views)) as measures:
            for view, measure in zip(views, measures, strict=True):
                if isinstance(measure, RunMeasure):
                    self.views.append(view)
                    self._measures[view.key] = measure
                elif fail is None:
                    raise measure
                else:
                    fail(view, measure)
                self._tell()
        ends = [measure.limits for measure in self._measures.values()]
        self._problems: dict[str, str] = {}
        self.limits: Ends | None = reduce(np.maximum, ends) if ends else None

    def _try_measure(self, view: RunView) -> RunMeasure | GbvisError:
        try:
            return measure_run(view, self.style, partial(self._keep, view.key))
        except GbvisError as error:
            return error

    def _keep(self, key: str, number: int, rows: Values) -> None:
        """Keep a clip's values, which spares reading them again, while there is room."""
        if rows.nbytes <= self._room:
            self._room -= rows.nbytes
            self._rows[key][number] = rows

    @property
    def title(self) -> str:
        """Of a page with all runs."""
        return describe_runs([view.video for view in self.views])

    def count(self, size: int) -> dict[str, int]:
        """Return how many runs and videos there are, beside a size in bytes."""
        return {"runs": len(self.views), "videos": len({view.video for view in self.views}), "bytes": size}

    def make_data(self, title: str) -> dict[str, Any]:
        """Return the data of a page, less its runs."""
        return make_page_data(self.style, title, is_served=False, limits=self.limits)

    def add_runs(self, file: ReportFile, views: Sequence[RunView]) -> Generator[RunView]:
        """Write runs to a file, and yield each once it is there. Runs of the same clips share their frames.

        Raises:
            GbvisError: A run is missing or damaged.
        """
        blobs: dict[str, str] = {}
        with closing(work_in_turns(self._plan(file, views))) as clips:
            for clip in clips:
                self._add_clip(file, clip, blobs)
                if clip.number == clip.run.view.clip_count - 1:
                    file.add_run(clip.run.run, blobs)
                    self._tell()
                    yield clip.run.view
                    blobs = {}

    def _plan(self, file: ReportFile, views: Sequence[RunView]) -> Iterator[Callable[[], _PackedClip]]:
        """Yield what packs each clip of each run; the first run of some clips encodes their frames."""
        seen: set[str] = set()
        for view in views:
            run = PackedRun(
                view,
                self.style,
                measure=self._measures[view.key],
                of_all=self.limits,
                rows=self._rows.pop(view.key, None),
            )
            for number in range(view.clip_count):
                wanted = []
                for kind, first in (("frame", f"{number}.frame.0.0"), ("overlay", f"{number}.overlay.0")):
                    meaning = _name_picture(view, first)
                    if meaning not in seen and not file.has_name(meaning):
                        wanted.append(kind)
                    seen.add(meaning)
                yield partial(_pack_clip, run, number, wanted)

    def _add_clip(self, file: ReportFile, clip: _PackedClip, blobs: dict[str, str]) -> None:
        """Write a clip's blobs, and put the ids of all that it has into `blobs`."""
        run, number = clip.run, clip.number
        clips = name_clips(run.view)
        self._problems[clips] = self._problems.get(clips, "") or clip.problem or ""
        run.refuse_overlay(self._problems[clips])
        (values,) = run.list_blobs(number, "values")
        blobs[values] = file.add_blob(clip.blobs[values])
        for kind in ("frame", "overlay"):
            for name in run.list_blobs(number, kind):
                blobs[name] = file.name_blob(_name_picture(run.view, name), clip.blobs.get(name))


def _name_picture(view: RunView, name: str) -> str:
    """Return what a blob with frames is called in a file, where it goes by the same name for all runs of its clips."""
    return f"{name_clips(view)} {'one channel' if view.is_one_channel and '.frame' in name else ''} {name}"


def _pack_clip(run: PackedRun, number: int, pictures: Sequence[str]) -> _PackedClip:
    """Return a clip's values, and of its frames and source frames those that are asked for."""
    names = [*run.list_blobs(number, "values"), *(run.list_blobs(number, "frame") if "frame" in pictures else [])]
    blobs = {name: run.take_blob(name) for name in names}
    problem = None
    if "overlay" in pictures:
        try:
            blobs |= {name: run.take_blob(name) for name in run.list_blobs(number, "overlay")}
            problem = run.overlay_problem
        except GbvisError as error:
            problem = error.problem
    return _PackedClip(run, number, blobs, problem)


def write_report(
    views: Sequence[RunView],
    style: Style,
    path: Path,
    most_bytes: int | None = None,
    fail: Fail | None = None,
    tell: Callable[[], None] | None = None,
) -> dict[str, int]:
    """Write runs into one file, and return how many runs, videos and bytes it holds.

    Args:
        views: The runs.
        style: How they look.
        path: The file, which does not exist yet.
        most_bytes: How large it may be; None for any size.
        fail: Takes a run that is missing or damaged, which is left out then; None where it ends the report.
        tell: As `Report` takes it.

    Raises:
        ReportTooLarge: It would be larger.
        GbvisError: A run is missing or damaged.
    """
    report = Report(views, style, fail, tell)
    with path.open("wb") as opened:
        file = ReportFile(opened, report.title)
        with closing(report.add_runs(file, report.views)) as added:
            for _ in added:
                if most_bytes is not None and file.size > most_bytes:
                    raise _too_large(most_bytes, file.run_count - 1, len(report.views))
        file.finish(report.make_data(report.title))
        return report.count(opened.tell())


def _too_large(most_bytes: int, fitted: int, run_count: int) -> ReportTooLarge:
    return ReportTooLarge(
        f"the report would have more than {most_bytes / 1e6:g} MB, which {fitted} of {run_count} runs fit into",
        "choose fewer runs, or write it all the same with --force, or as several files with --pages",
        fitted,
        run_count,
    )
