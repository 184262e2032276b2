"""`gbvis render`: pictures from the store; no weights, and no video but for the overlay."""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from gbvis import registry
from gbvis.errors import GbvisError
from gbvis.figures import Limits, RunView, Style
from gbvis.figures.panel import limits_of
from gbvis.progress import Failure, Watcher
from gbvis.steps.exhibiting import make_run_view
from gbvis.steps.publishing import publish
from gbvis.steps.render.joining import Joined, PictureNames, join_runs
from gbvis.steps.render.request import RenderedPicture, RenderedTable, RenderRequest
from gbvis.steps.render.table import write_table
from gbvis.steps.run_views import find_source
from gbvis.steps.selection import select_runs
from gbvis.store import Store, StoredRun
from gbvis.store.keys import video_key
from gbvis.videos.locate import check_dataset
from gbvis.videos.video import video_name

HINT = "overwrite it with --force, or choose another place with -o"

__all__ = ["RenderRequest", "RenderedPicture", "RenderedTable", "run", "tabulate"]


def run(request: RenderRequest, watcher: Watcher | None = None) -> Iterator[RenderedPicture | Failure]:
    """Yield every picture as soon as it is written, and a failure for every video that has none.

    Raises:
        GbvisError: The request itself is wrong, the store cannot be used (exit code 2), or nothing matches (1).
    """
    watcher = watcher or Watcher()
    formats = request.choose_formats()
    check_dataset(request.dataset)
    store = Store.open(request.store)
    runs: list[StoredRun] = []
    yield from _select_all(request, store, runs)
    joins = registry.layout(request.layout).JOINS if request.layout else None
    pictures, alone = join_runs(runs, joins)
    for lonely in alone:
        yield _without_partner(lonely)
    if request.output_file and len(pictures) > 1:
        raise GbvisError(
            f"{len(runs)} runs match and {request.output_file} is one file",
            "give a folder with -o, or narrow down with the video's path, -m, -e, -l, -f, -n, --clips or -w",
            exit_code=2,
        )
    names = PictureNames(store, pictures, request.layout, joins)
    yield from _Renderer(request, store, names, watcher).render_all(pictures, formats)


def tabulate(request: RenderRequest) -> Iterator[RenderedTable | Failure]:
    """Yield the table of how much of the gradient lies in each frame once it is written, and failures as `run`.

    Raises:
        GbvisError: As `run`.
    """
    store = Store.open(request.store)
    runs: list[StoredRun] = []
    yield from _select_all(request, store, runs)
    path = request.output_file
    assert path is not None
    if not runs:  # said already; what may lie there is left alone
        return
    exhibits = [
        ((stored.video, stored.modality, stored.endpoint.name, stored.target, stored.key), make_run_view(store, stored))
        for stored in runs
    ]
    rows: list[int] = []
    is_unchanged = publish(
        path, lambda unfinished: rows.append(write_table(unfinished, exhibits)), request.is_forced, HINT
    )
    yield RenderedTable(path, rows[0], is_unchanged)


def _select_all(request: RenderRequest, store: Store, runs: list[StoredRun]) -> Iterator[Failure]:
    """Put the runs asked for into `runs`, and yield a failure for each video that has none, and each damaged run."""
    request.check()
    for video in request.videos or (None,):
        try:
            runs += _select(store, video, request)
        except GbvisError as error:
            prefix = f"{video_key(video_name(video))}/" if video is not None else ""
            if any(key.startswith(prefix) for key in store.damaged):
                continue  # there is one, and what is wrong with it is said below
            if video is None:
                raise
            yield Failure.of(video, error)
    for key in sorted(store.damaged):
        yield Failure(
            key, f"{key} in {request.store} is damaged", "run the same `gbvis explain` again: it makes it anew"
        )


def _select(store: Store, video: str | None, request: RenderRequest) -> list[StoredRun]:
    runs = select_runs(store, video, request.selection)
    if not runs:
        raise GbvisError(
            f"nothing to render{f' of {video}' if video is not None else ''}: no such run in {request.store}",
            f"explain it first: {request.explain_call(video)}",
        )
    return runs


def _without_partner(lonely: StoredRun) -> Failure:
    other = "flow" if lonely.modality == "rgb" else "rgb"
    return Failure(
        lonely.video,
        f"{lonely.key} has no {other} run to be shown with",
        f"explain the {other} stream of {lonely.video} at {lonely.endpoint} too, with as many frames and clips",
    )


class _Renderer:
    """Renders pictures in one style."""

    def __init__(self, request: RenderRequest, store: Store, names: PictureNames, watcher: Watcher) -> None:
        self._request, self._store, self._names, self._watcher = request, store, names, watcher

    def render_all(self, pictures: list[Joined], formats: list[str]) -> Iterator[RenderedPicture | Failure]:
        """Yield every picture in every format, and a failure for what cannot be drawn."""
        style = self._request.style
        if style.scale == "all":
            limits = Limits.none()
            for runs in list(pictures):
                try:
                    for stored in runs:
                        limits |= limits_of(make_run_view(self._store, stored), style)
                except GbvisError as error:
                    pictures.remove(runs)
                    yield Failure.of(runs[0].video, error)
            style = replace(style, limits=limits)
        self._watcher.expect_videos(len(pictures))
        for runs in pictures:
            try:
                importance = [self._measure(stored) for stored in runs]
            except GbvisError as error:
                yield Failure.of(runs[0].video, error)
                continue
            for name in formats:
                try:
                    yield from self._render(runs, importance, name, style)
                except GbvisError as error:
                    yield Failure.of(runs[0].video, error)
            self._watcher.finish_video()

    def _render(
        self, runs: Joined, importance: list[list[list[float]]], format_name: str, style: Style
    ) -> Iterator[RenderedPicture]:
        """Yield the pages of one picture in one format."""
        started = time.perf_counter()
        renderer = registry.renderer(format_name)
        layout_name = self._request.layout or ("strip" if renderer.CAN_MOVE else "sheet")
        layout = registry.layout(layout_name)
        pages = layout.lay_out([self._exhibit(stored, layout.NEEDS_SOURCE) for stored in runs], style)
        for number, page in enumerate(pages, start=1):
            path = self._path(runs, format_name, number if len(pages) > 1 else None)
            is_unchanged = publish(path, partial(renderer.write, page), self._request.is_forced, HINT)
            size, seconds = (page.frame_count, page.width, page.height), time.perf_counter() - started
            yield RenderedPicture(runs, importance, path, format_name, layout_name, *size, seconds, is_unchanged)
            started = time.perf_counter()

    def _exhibit(self, stored: StoredRun, needs_source: bool) -> RunView:
        if not needs_source:
            return make_run_view(self._store, stored)
        source = find_source(self._store, stored, self._request.dataset, self._request.videos)
        return make_run_view(self._store, stored, source)

    def _measure(self, stored: StoredRun) -> list[list[float]]:
        """Return how much of the gradient lies in each frame of each clip; warn where there is nothing to see."""
        importance = []
        is_flat = True
        for clip in make_run_view(self._store, stored).clips():
            importance.append([float(f"{value:.6g}") for value in clip.importance])
            is_flat &= bool(clip.gradient.max() == clip.gradient.min())
        if is_flat:
            self._watcher.warn(f"{stored.key}: the gradient is the same everywhere, there is nothing to see")
        return importance

    def _path(self, runs: Joined, format_name: str, page: int | None) -> Path:
        file = self._request.output_file
        if file is None:
            name = self._names.of(runs, format_name)
            folder = self._request.output or Path()
            return folder / (f"{name}.{page}.{format_name}" if page else f"{name}.{format_name}")
        return file.with_name(f"{file.stem}.{page}{file.suffix}") if page else file
