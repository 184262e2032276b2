"""`gbvis render`: pictures and tables from the store; no weights, and no video but for the overlay."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial, reduce
from operator import or_
from pathlib import Path
from typing import Any

from gbvis.atomic_file import publish
from gbvis.errors import GbvisError, NothingFound, UsageError
from gbvis.figures.layout import Groups, Lonely
from gbvis.figures.layouts import LAYOUTS
from gbvis.figures.output import FileWriter, NamedPage, Output
from gbvis.figures.panel import limits_of
from gbvis.figures.run_view import RunView
from gbvis.figures.scale import Limits
from gbvis.figures.style import Style
from gbvis.networks.labels import read_labels
from gbvis.progress import Failure, Progress
from gbvis.steps.render.request import RenderedFile, RenderRequest
from gbvis.steps.run_views import find_source_frames, make_run_view
from gbvis.steps.selection import select_runs, sort_as_named
from gbvis.steps.video_names import find_name, name_sources, source_of, suggest_labels, suggest_name
from gbvis.store import Store, StoredRun
from gbvis.store.keys import readable_name, video_key
from gbvis.videos.locate import check_dataset
from gbvis.videos.source import Source

_MOST_NAMED = 4
"""Runs whose digests are named in a message."""

HINT = "overwrite it with --force, or choose another place with -o"

Group = list[RunView]
"""The runs of one file, from top to bottom."""

__all__ = ["RenderRequest", "RenderedFile", "run"]


def run(request: RenderRequest, progress: Progress | None = None) -> Iterator[RenderedFile | Failure]:
    """Return an iterator over every file as soon as it is written, and a failure for every video that has none.

    Raises:
        UsageError: The request itself is wrong, or the store cannot be used.
        NothingFound: In the iterator: nothing matches.
    """
    outputs = request.choose_outputs()
    check_dataset(request.dataset)
    request.check()
    return _Rendering(request, Store.open(request.store), outputs, progress or Progress()).run()


class _Rendering:
    """All files of one call."""

    def __init__(self, request: RenderRequest, store: Store, outputs: dict[str, Output], progress: Progress) -> None:
        self._request, self._store, self._outputs, self._progress = request, store, outputs, progress
        self._labels = read_labels(request.labels) if request.labels else None
        self._stored: dict[str, StoredRun] = {}
        self._namesakes: dict[str, list[StoredRun]] = {}
        self._names: dict[str, dict[Source, str]] = {}
        self._counts: dict[str, Counter[str]] = {}

    def run(self) -> Iterator[RenderedFile | Failure]:
        """Yield every file, and failures."""
        runs: list[StoredRun] = []
        yield from self._select_all(runs)
        views = [self._view(one) for one in {one.key: one for one in runs}.values()]
        for outputs, groups in self._group(views):
            yield from self._fail_lonely(groups.alone)
            if any(output.scope == "all" for output in outputs.values()):
                yield from self._write_all(views)
                return
            self._check_one_file(groups.together, len(runs))
            yield from self._write_groups(outputs, groups.together)

    def _group(self, views: Sequence[RunView]) -> Iterable[tuple[dict[str, Output], Groups]]:
        """Return the outputs that show the same runs together, and which these are."""
        alike: dict[object, tuple[dict[str, Output], Groups]] = {}
        for name, output in self._outputs.items():
            groups = output.group(views, self._request.style)
            together = tuple(tuple(view.key for view in group) for group in groups.together)
            alike.setdefault(together, ({}, groups))[0][name] = output
        return alike.values()

    def _fail_lonely(self, alone: Sequence[Lonely]) -> Iterator[Failure]:
        """Yield why runs have no partners: once for the two streams of a video where each lacks the other."""
        layout = self._request.style.layout
        is_of_streams = bool(layout) and LAYOUTS.load(str(layout)).needs_streams
        algorithm = self._request.selection.flow_algorithm
        filtered = f" (with --flow-algorithm {algorithm})" if algorithm else ""
        rgb = {(one.view.video, one.view.endpoint) for one in alone if one.view.modality == "rgb"}
        failures = [
            Failure(one.view.video, f"{one.problem}{filtered}", one.hint)
            for one in alone
            if one.view.modality == "rgb" or not is_of_streams or (one.view.video, one.view.endpoint) not in rgb
        ]
        yield from dict.fromkeys(failures)  # what several runs lack together is said once

    def _select_all(self, runs: list[StoredRun]) -> Iterator[Failure]:
        """Put the runs asked for into `runs`, and yield a failure for each video that has none, each damaged run."""
        for video in self._request.videos or (None,):
            try:
                runs += self._select(video)
            except GbvisError as error:
                prefix = f"{video_key(find_name(self._store, video))}/" if video is not None else ""
                if any(key.startswith(prefix) for key in self._store.damaged):
                    continue  # there is one, and what is wrong with it is said below
                if video is None:
                    raise
                yield Failure.of(video, error)
        for key in sorted(self._store.damaged):
            problem = f"{key} in {self._request.store} is damaged"
            yield Failure(key, problem, "run the same `gbvis explain` again: it computes it once more")

    def _select(self, video: str | None) -> list[StoredRun]:
        runs = select_runs(self._store, video, self._request.selection, self._labels, spares_rgb=True)
        if not runs:
            meant = suggest_name(self._store, video) if video is not None else ""
            meant += suggest_labels(self._store, self._request.selection.labels) if self._labels is None else ""
            if self._request.selection.runs:
                next_step = "choose other runs: `gbvis store ls --json` has their digests"
            else:
                next_step = f"explain it first: {self._request.explain_call(video)}"
            raise NothingFound(
                f"nothing to render{f' of {video}' if video is not None else ''}: no such run in {self._request.store}",
                f"{meant}{'else ' if meant else ''}{next_step}",
            )
        return sort_as_named(self._store, runs, self._request.selection, self._labels)

    def _view(self, stored: StoredRun) -> RunView:
        request = self._request
        find_source = partial(find_source_frames, self._store, stored, request.dataset, request.videos)
        self._stored[stored.key] = stored
        if stored.video not in self._names:
            self._namesakes[stored.video] = list(self._store.runs(stored.video))
            self._names[stored.video] = name_sources(self._store, [*self._namesakes[stored.video], stored])
        name, relevance = self._name_video(stored), request.style.relevance
        tests = request.selection.tests
        return make_run_view(self._store, stored, find_source, self._labels, name, relevance, tests)

    def _name_video(self, stored: StoredRun) -> str | None:
        """Return what a run's video is called; None where another process made the run just now."""
        return self._names[stored.video].get(source_of(self._store, stored))

    def _check_one_file(self, groups: list[Group], run_count: int) -> None:
        if self._request.output_file and len(groups) > 1:
            digests = dict.fromkeys(group[0].digest for group in groups)
            either = f", such as {' or '.join(digests)}" if len(digests) <= _MOST_NAMED else ""
            raise UsageError(
                f"{run_count} runs match and {self._request.output_file} is one file",
                "give a folder with -o, or narrow down with the video's path, -m, -e, -l, -f, -n, --clips, -w, "
                f"--method or --run DIGEST{either}",
            )

    def _write_all(self, views: Group) -> Iterator[RenderedFile]:
        """Yield the one file that holds all runs; without any, which was said already, what may be there stays."""
        style = self._request.style
        if views and style.scale == "all":
            style = replace(style, limits=reduce(or_, (limits_of(view, style) for view in views)))
        for name in self._outputs if views else ():
            yield from self._write_pages(views, None, name, style)

    def _write_groups(self, outputs: dict[str, Output], groups: list[Group]) -> Iterator[RenderedFile | Failure]:
        """Yield every group in every format, and a failure for what cannot be drawn."""
        style = self._request.style
        if style.scale == "all":
            limits = Limits.none()
            for group in list(groups):
                try:
                    for view in group:
                        limits |= limits_of(view, style)
                except GbvisError as error:
                    groups.remove(group)
                    yield Failure.of(group[0].video, error)
            style = replace(style, limits=limits)
        self._progress.expect_videos(len(groups))
        self._counts = {name: Counter(self._plain_name(group, name) for group in groups) for name in outputs}
        for group in groups:
            try:
                importance = [self._measure(view) for view in group]
            except GbvisError as error:
                yield Failure.of(group[0].video, error)
                continue
            for name in outputs:
                try:
                    yield from self._write_pages(group, importance, name, style)
                except GbvisError as error:
                    yield Failure.of(group[0].video, error)
            self._progress.finish_video()

    def _write_pages(
        self, group: Group, importance: list[list[list[float]]] | None, name: str, style: Style
    ) -> Iterator[RenderedFile]:
        output, file = self._outputs[name], self._request.output_file
        pages = output.pages(group, style)
        folder = file.parent if file else self._request.output or Path()
        stem, suffix = (file.stem, file.suffix) if file else (self._name(group, name), output.suffix)
        for number, write in enumerate(pages, start=1):
            page = f".{number}" if len(pages) > 1 else ""
            if isinstance(write, NamedPage):
                page = "" if file and len(pages) == 1 else f".{write.name}"
            yield self._write(group, importance, name, write, folder / f"{stem}{page}{suffix}")

    def _write(
        self, views: Group, importance: list[list[list[float]]] | None, name: str, write: FileWriter, path: Path
    ) -> RenderedFile:
        started = time.perf_counter()
        about: dict[str, Any] = {}

        def write_and_tell(unfinished: Path) -> None:
            about.update(write(unfinished))

        is_unchanged = publish(path, write_and_tell, self._request.is_forced, HINT)
        seconds = time.perf_counter() - started
        return RenderedFile(views, importance, path, name, about, seconds, is_unchanged)

    def _measure(self, view: RunView) -> list[list[float]]:
        """Return how much of the gradient lies in each frame of each clip; warn where there is nothing to see."""
        importance = []
        is_flat, is_zero = True, True
        for clip in view.clips():
            importance.append([float(f"{value:.6g}") for value in clip.importance])
            is_flat &= bool(clip.gradient.max() == clip.gradient.min())
            is_zero &= not clip.gradient.any()
        level = "0" if is_zero else "the same"
        flat = f"the {view.quantity} is {level} everywhere, there is nothing to see" if is_flat else ""
        if flat or view.saturation:
            self._progress.warn(f"{view.key}: {'; '.join(filter(None, [flat, view.saturation]))}")
        return importance

    def _plain_name(self, group: Group, format_name: str) -> str:
        style = self._request.style
        parts = self._outputs[format_name].name_parts(group, style)
        selected = [style.relevance.name_part] if style.relevance else []
        return ".".join((self._file_name(group[0]), *parts, *selected))

    def _file_name(self, view: RunView) -> str:
        """Return the video's name as a part of file names; one that tells namesakes apart, `a/clip`, is `a-clip`."""
        is_own = view.video == self._stored[view.key].video
        return readable_name(view.video if is_own else view.video.replace("/", "-"))

    def _name(self, group: Group, format_name: str) -> str:
        """Return a file's name, less its suffix; with the run's digest where another file would have the same name.

        Strips, and sheets in PNG, need no word for their layout: the suffix tells.
        """
        name, layout = self._plain_name(group, format_name), self._request.style.layout
        is_joined = bool(layout) and LAYOUTS.load(str(layout)).joins
        has_namesake = self._counts[format_name][name] > 1 if is_joined else self._has_namesake(group[0])
        name = f"{name}.{group[0].digest}" if has_namesake else name
        is_plain = layout in (None, "strip") or (layout == "sheet" and format_name == "png")
        return name if is_plain or is_joined else f"{name}.{layout}"

    def _has_namesake(self, view: RunView) -> bool:
        """Return whether the store holds another run that would have the same plain name."""
        video = self._stored[view.key].video
        place = (view.video, view.modality, view.endpoint, view.target)
        alike = [
            one
            for one in self._namesakes[video]
            if place == (self._name_video(one), one.modality, one.endpoint, one.target)
        ]
        is_other_name = view.video != video and self._store.has_video(self._file_name(view))
        return len(alike) > 1 or is_other_name
