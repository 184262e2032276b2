"""`gbvis render`: pictures from the store alone; no weights, no video."""

import filecmp
import shlex
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gbvis import registry
from gbvis.errors import GbvisError
from gbvis.picture import Limits, Style, limits_of
from gbvis.steps.exhibiting import make_exhibit
from gbvis.steps.opening_weights import MODALITIES, PRECISIONS
from gbvis.steps.selecting_runs import Selection, select_runs
from gbvis.steps.watching import Failure, Watcher
from gbvis.store import Store, StoredRun
from gbvis.store.key import readable_name

SUFFIXES = {f".{name}": name for name in registry.RENDERERS}


@dataclass(frozen=True)
class RenderRequest:
    """What to render.

    Attributes:
        store: Where the runs are.
        videos: Names or paths; empty for all videos.
        selection: What narrows the runs down.
        output: A file, whose suffix is its format, or a folder; None for the current one.
        formats: Formats to write into a folder.
        layout: The layout's name; None for what suits the format.
        style: How the pictures look.
        is_forced: Overwrite other pictures.
    """

    store: Path
    videos: tuple[str, ...] = ()
    selection: Selection = field(default_factory=Selection)
    output: Path | None = None
    formats: tuple[str, ...] = ()
    layout: str | None = None
    style: Style = field(default_factory=Style)
    is_forced: bool = False

    @property
    def output_file(self) -> Path | None:
        """The one file to write, or None where a folder is meant: it is one, or has no suffix and is no file."""
        if self.output is None or self.output.is_dir() or not (self.output.suffix or self.output.is_file()):
            return None
        return self.output


@dataclass(frozen=True)
class RenderedPicture:
    """A picture on disk.

    Attributes:
        run: What it shows.
        path: Where it is.
        format: The format's name.
        frames: Number of frames.
        width: Pixels.
        height: Pixels.
        seconds: What it took.
        is_unchanged: True where the very same picture was there already.
    """

    run: StoredRun
    path: Path
    format: str
    frames: int
    width: int
    height: int
    seconds: float
    is_unchanged: bool

    def to_json(self) -> dict[str, Any]:
        """Return the picture as a line of `--json`."""
        return {
            "video": self.run.video,
            "modality": self.run.modality,
            "endpoint": self.run.endpoint.name,
            "target": self.run.target,
            "path": str(self.path),
            "format": self.format,
            "frames": self.frames,
            "width": self.width,
            "height": self.height,
            "seconds": round(self.seconds, 4),
        }


def run(request: RenderRequest, watcher: Watcher | None = None) -> Iterator[RenderedPicture | Failure]:
    """Yield every picture as soon as it is written, and a failure for every video that has none.

    Raises:
        GbvisError: The request itself is wrong, the store cannot be used (exit code 2), or nothing matches (1).
    """
    watcher = watcher or Watcher()
    _check_selection(request.selection)
    formats = _choose_formats(request)
    store = Store.open(request.store)
    runs: list[StoredRun] = []
    for video in request.videos or (None,):
        try:
            runs += _select(store, video, request)
        except GbvisError as error:
            if video is None and not store.damaged:
                raise
            yield Failure.of(video or "all videos", error)
    for key in sorted(store.damaged):
        yield Failure(
            key, f"{key} in {request.store} is damaged", "run the same `gbvis explain` again: it makes it anew"
        )
    if request.output_file and len(runs) > 1:
        raise GbvisError(
            f"{len(runs)} runs match and {request.output_file} is one file",
            "give a folder with -o, or narrow down with the video's path, -m, -e, -l, -f, -n, --clips or -w",
            exit_code=2,
        )
    yield from _render_all(request, store, runs, formats, watcher)


def _render_all(
    request: RenderRequest, store: Store, runs: list[StoredRun], formats: list[str], watcher: Watcher
) -> Iterator[RenderedPicture | Failure]:
    style = request.style
    if style.scale == "all":
        limits = Limits(0.0, 0.0)
        for stored in list(runs):
            try:
                limits |= limits_of(make_exhibit(store, stored))
            except GbvisError as error:
                runs.remove(stored)
                yield Failure.of(stored.video, error)
        style = replace(style, limits=limits)
    watcher.expect_videos(len(runs))
    names = _PictureNames(store)
    for stored in runs:
        for name in formats:
            try:
                path = request.output_file or (request.output or Path()) / f"{names.of(stored)}.{name}"
                yield _render(request, store, stored, path, name, style)
            except GbvisError as error:
                yield Failure.of(stored.video, error)
        watcher.finish_video()


def _select(store: Store, video: str | None, request: RenderRequest) -> list[StoredRun]:
    runs = select_runs(store, video, request.selection)
    if not runs:
        raise GbvisError(
            f"nothing to render{f' of {video}' if video is not None else ''}: no such run in {request.store}",
            f"explain it first: {_explain_call(video, request)}",
        )
    return runs


def _explain_call(video: str | None, request: RenderRequest) -> str:
    """Return the command that makes what was looked for."""
    wanted = request.selection
    words = ["gbvis", "explain", video or "VIDEO"]
    words += [word for path in wanted.weights or ("WEIGHTS",) for word in ("-w", str(path))]
    words += ["-m", wanted.modality] if wanted.modality else []
    words += [word for endpoint in wanted.endpoints for word in ("-e", endpoint.name)]
    words += [word for label in wanted.labels for word in ("-l", label)]
    words += [word for index in wanted.filters for word in ("-f", str(index))]
    words += ["-n", str(wanted.frames)] if wanted.frames else []
    words += ["--clips", str(wanted.clips)] if wanted.clips else []
    words += ["--method", wanted.method] if wanted.method else []
    words += ["--precision", wanted.precision] if wanted.precision else []
    return shlex.join([*words, "--store", str(request.store)])


def _check_selection(selection: Selection) -> None:
    registry.check_name("modality", MODALITIES, selection.modality or "rgb")
    registry.check_name("precision", PRECISIONS, selection.precision or "float32")
    if selection.method:
        registry.check_name("method", registry.METHODS, selection.method)


def _choose_formats(request: RenderRequest) -> list[str]:
    """Return the formats to write, checked against the layout asked for."""
    file = request.output_file
    if file and file.suffix.lower() not in SUFFIXES:
        raise GbvisError(
            f"no format has the suffix {file.suffix!r} of {file}",
            f"choose one of {', '.join(SUFFIXES)}",
            exit_code=2,
        )
    if file and request.formats:
        raise GbvisError(
            f"--format is given, and {file} says its format by its suffix", "leave --format out", exit_code=2
        )
    formats = (
        [SUFFIXES[file.suffix.lower()]]
        if file
        else list(dict.fromkeys(request.formats))
        or ["png" if request.layout and not registry.layout(request.layout).IS_MOVING else "gif"]
    )
    for name in formats:
        if request.layout and registry.layout(request.layout).IS_MOVING and not registry.renderer(name).CAN_MOVE:
            raise GbvisError(
                f"the layout {request.layout} moves, and {name} holds a single picture",
                "choose gif, mp4 or webp, or --layout sheet",
                exit_code=2,
            )
    return formats


def _render(
    request: RenderRequest, store: Store, stored: StoredRun, path: Path, name: str, style: Style
) -> RenderedPicture:
    started = time.perf_counter()
    renderer = registry.renderer(name)
    layout = registry.layout(request.layout or ("strip" if renderer.CAN_MOVE else "sheet"))
    picture = layout.lay_out(make_exhibit(store, stored), style)
    partial = path.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        renderer.write(picture, partial)
        is_unchanged = _publish(partial, path, request.is_forced)
    except OSError as error:
        raise GbvisError(
            f"cannot write {path}: {error.strerror or error}", "choose a place you may write to with -o"
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()
    seconds = time.perf_counter() - started
    return RenderedPicture(
        stored, path, name, picture.frame_count, picture.width, picture.height, seconds, is_unchanged
    )


def _publish(partial: Path, path: Path, is_forced: bool) -> bool:
    """Give the picture its name; return whether the very same picture had it already."""
    if path.exists():
        if filecmp.cmp(partial, path, shallow=False):
            return True
        if not is_forced:
            raise GbvisError(f"{path} is there already, and differs", "overwrite it with --force, or choose another -o")
    partial.replace(path)
    return False


class _PictureNames:
    """Names for pictures: `VIDEO.MODALITY.ENDPOINT.TARGET`, and more where another run would have that name."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._namesakes: dict[tuple[str, str, str], Counter[int]] = {}

    def of(self, stored: StoredRun) -> str:
        """Return the name of a run's picture, less its suffix; the digest's first 8 make it the only one."""
        place = (stored.video, stored.modality, stored.endpoint.name)
        if place not in self._namesakes:
            runs = self._store.runs(stored.video, stored.modality, stored.endpoint)
            self._namesakes[place] = Counter(run.target for run in runs)
        name = ".".join((readable_name(stored.video), *place[1:], str(stored.target)))
        return f"{name}.{stored.digest[:8]}" if self._namesakes[place][stored.target] > 1 else name
