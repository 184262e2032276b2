"""Which runs of a store a call is about."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from gbvis.attribution.checks import CHECKS
from gbvis.attribution.methods import read_settings
from gbvis.attribution.recipe import Recipe
from gbvis.errors import GbvisError, UsageError
from gbvis.flow import ALGORITHMS
from gbvis.networks.endpoint import Endpoint, find_endpoints, is_all
from gbvis.networks.labels import Labels, class_name, label_key
from gbvis.registry import check_name
from gbvis.steps.networks import MODALITIES, PRECISIONS, identify_weights
from gbvis.steps.video_names import find_name, name_sources, source_of
from gbvis.store import Store, StoredCheck, StoredRun
from gbvis.store.keys import video_key
from gbvis.videos.gather import gather_videos
from gbvis.videos.locate import find_video
from gbvis.videos.name_list import VideoEntry
from gbvis.videos.source import Source, match_streams
from gbvis.videos.video import SAMPLE_PREFIX, VIDEO_SUFFIXES, reading_of

Chosen = TypeVar("Chosen", StoredRun, StoredCheck)


@dataclass(frozen=True)
class Selection:
    """Which runs of a store are meant. What is empty or None does not restrict anything.

    Attributes:
        modality: `rgb` or `flow`.
        endpoints: Names of endpoints.
        labels: Classes, by index or name, of runs at `FC` and `SOFTMAX`.
        filters: Filters or features of runs at the other endpoints.
        frames: Frames per clip.
        clips: Number of clips.
        methods: Methods, by name, or with those of their settings that count, as `--method` of `explain` takes them.
        precision: The precision's name.
        weights: Weights files.
        flow_algorithm: The algorithm that computed the flow.
        runs: What the digests of runs begin with, 4 letters or more; of checks, their own or those of their runs.
        tests: Names of tests: then what they found is meant, and no run.
    """

    modality: str | None = None
    endpoints: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    filters: tuple[int, ...] = ()
    frames: int | None = None
    clips: int | None = None
    methods: tuple[str, ...] = ()
    precision: str | None = None
    weights: tuple[Path, ...] = ()
    flow_algorithm: str | None = None
    runs: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()

    def check(self) -> None:
        """Check the names.

        Raises:
            UsageError: There is no such stream, precision, method, setting or flow algorithm, or a digest is none.
        """
        for begin in self.runs:
            if not re.fullmatch("[0-9a-fA-F]{4,16}", begin):
                problem = f"--run {begin!r} is not the beginning of a run's digest"
                raise UsageError(
                    problem, "give 4 to 16 letters of it, such as 146e1fdf; `gbvis store ls --json` has it"
                )
        check_name("modality", MODALITIES, self.modality or "rgb")
        check_name("precision", PRECISIONS, self.precision or "float32")
        ALGORITHMS.check(self.flow_algorithm or "tvl1")
        for method in self.methods:
            read_settings(method)
        for test in self.tests:
            CHECKS.check(test)


def select_runs(
    store: Store,
    video: str | None,
    selection: Selection,
    labels: Labels | None = None,
    spares_rgb: bool = False,
) -> list[StoredRun]:
    """Return the runs of `video`, a name or a path, or of all videos where it is None, that the selection admits.

    Where a path is given and several videos of that name are in the store, what came from the path is meant, and the
    flow that belongs to it. So it is with a name that tells them apart, such as `a/clip`.

    Args:
        store: Where they are.
        video: A name or a path.
        selection: Which runs.
        labels: Class names in place of those that the store knows.
        spares_rgb: Leave RGB runs alone where a flow algorithm is named, if there is any flow of it.

    Raises:
        UsageError: The selection names weights that cannot be read, or an endpoint of no network in the store.
    """
    wanted = replace(selection, flow_algorithm=None) if spares_rgb else selection
    is_meant = make_filter(store, wanted, labels)
    named = find_name(store, video) if video is not None else None
    runs = [run for run in store.runs(named, selection.modality) if is_meant(run)]
    if video and not runs and os.path.isdir(video):  # noqa: PTH112
        inside = _list_videos_in(video)
        return [run for one in inside for run in select_runs(store, one, selection, labels, spares_rgb)]
    if video is not None:
        runs = _narrow_down(store, video, runs)
    if spares_rgb and selection.flow_algorithm:
        by = selection.flow_algorithm
        runs = [one for one in runs if one.recipe.motion_algorithm == by or _needs_no_motion(one)]
        return runs if any(run.recipe.motion_algorithm == by for run in runs) else []
    return runs


def select_checks(store: Store, video: str | None, selection: Selection) -> list[StoredCheck]:
    """Return what tests found of the runs that a selection admits; those runs need not be there any more.

    Args:
        store: Where they are.
        video: A name or a path, as `select_runs` takes it; None for all videos.
        selection: Of which runs; `runs` are digests of checks here.

    Raises:
        UsageError: As `select_runs`.
    """
    is_meant = make_filter(store, selection)
    named = find_name(store, video) if video is not None else None
    of_stream = (one for one in store.checks(named, selection.modality) if _is_of_test(selection, one))
    checks = [check for check in of_stream if is_meant(check)]
    if video and not checks and os.path.isdir(video):  # noqa: PTH112
        return [check for one in _list_videos_in(video) for check in select_checks(store, one, selection)]
    return _narrow_down(store, video, checks) if video is not None else checks


def _is_of_test(selection: Selection, check: StoredCheck) -> bool:
    return not selection.tests or check.test_name in selection.tests


def sort_as_named(
    store: Store, runs: Sequence[StoredRun], selection: Selection, labels: Labels | None = None
) -> list[StoredRun]:
    """Return the runs of each stream of a video in the order in which the selection names what tells them apart."""
    paths = selection.weights if len(selection.weights) > 1 else ()  # to look into a file takes its time
    weights = [_find_weights(store, path) for path in paths]
    streams = list(dict.fromkeys((run.video, run.modality) for run in runs))
    endpoints = store.endpoints() if selection.methods else []

    def place(run: StoredRun) -> tuple[int, ...]:
        known, recipe = labels or store.labels_of(run), run.recipe
        named = (
            [is_all(name) or run.endpoint.goes_by(name) for name in selection.endpoints],
            [_has_target(replace(selection, labels=(label,), filters=()), run, known) for label in selection.labels],
            [run.target == index for index in selection.filters],
            [_is_by_any(recipe, [method], endpoints) for method in selection.methods],
            [recipe.weights in found for found in weights],
            [run.digest.startswith(begin.lower()) for begin in selection.runs],
        )
        return streams.index((run.video, run.modality)), *(one.index(True) if True in one else 0 for one in named)

    return sorted(runs, key=place)


def _needs_no_motion(run: StoredRun) -> bool:
    return run.modality == "rgb" and not run.recipe.motion


def make_filter(
    store: Store, selection: Selection, labels: Labels | None = None
) -> Callable[[StoredRun | StoredCheck], bool]:
    """Return what tells whether the selection admits a run, or a check of one; weights are looked for once.

    Raises:
        UsageError: As `select_runs`.
    """
    weights = {one for path in selection.weights for one in _find_weights(store, path)}
    known = store.endpoints()
    for name in selection.endpoints if known else ():
        find_endpoints([name], known)

    def is_meant(run: StoredRun | StoredCheck) -> bool:
        is_admitted = _admits(selection, run, weights) and _is_by_any(run.recipe, selection.methods, known)
        return is_admitted and _has_target(selection, run, labels or store.labels_of(run))

    return is_meant


def _narrow_down(store: Store, video: str, runs: list[Chosen]) -> list[Chosen]:
    """Return those of some runs of one name that are of the video meant: by a path, or by what tells namesakes apart.

    A path to another video of that name means none of them; a bare name means all.
    """
    if not runs:
        return runs
    told = name_sources(store, [*store.runs(runs[0].video), *runs])
    meant = {told[source_of(store, run)] for run in runs if _is_at(run.location, video)}
    typed = video.replace(os.sep, "/")
    if not meant and typed in told.values() and typed != runs[0].video:
        meant = {typed}
    if not meant and _is_path(video):
        meant = {told[source] for source in _find_same(runs[0].video, video, list(told))}
        if not meant:
            return []
    return [run for run in runs if told[source_of(store, run)] in meant] if meant else runs


def _is_path(video: str) -> bool:
    """Return whether this is a path to something, and not a name that something else happens to have too."""
    path = Path(video)
    return os.path.exists(video) and (path.name != video or path.suffix.lower() in VIDEO_SUFFIXES)  # noqa: PTH110


def _find_same(name: str, path: str, sources: Sequence[Source]) -> list[Source]:
    """Return those sources that are the video at a path, though it has moved, or are its flow; all if nobody knows."""
    try:
        video = find_video(path, "rgb", None)
        content = reading_of(video.fingerprint)
    except GbvisError:
        return list(sources)
    here = Source(video_key(name), "rgb", content, video.location, count_frames=lambda: video.shape.frame_count)
    partner = match_streams([*sources, here]).partner
    return [source for source in sources if content in (source.fingerprint, partner.get(source, source).fingerprint)]


def _is_at(location: str, video: str) -> bool:
    if video.startswith(SAMPLE_PREFIX) or not os.path.exists(video):  # noqa: PTH110
        return location == video
    try:
        return location == str(Path(video).absolute()) or os.path.samefile(location, video)  # noqa: PTH121
    except (OSError, ValueError):  # one is gone, or can be nowhere
        return False


def _list_videos_in(folder: str) -> list[str]:
    """Return the videos in a folder of videos; none where it is something else."""
    try:
        found = gather_videos([VideoEntry(folder, is_listed=True)], None)
    except GbvisError:
        return []
    return [entry.location for entry in found if entry.location != folder]


def _is_by_any(recipe: Recipe, methods: Sequence[str], endpoints: Sequence[Endpoint]) -> bool:
    """Return whether a run is by one of some methods, and with those of its settings that are given; none admits all.

    A layer goes by any of the names of its endpoint.
    """
    name, settings = recipe.method["name"], recipe.method["settings"]
    named = (read_settings(method)[1] for method in methods if method.partition(":")[0] == name)
    alike = (all(_means(value, settings.get(one), endpoints) for one, value in given.items()) for given in named)
    return not methods or any(alike)


def _means(asked: object, had: object, endpoints: Sequence[Endpoint]) -> bool:
    is_named = isinstance(asked, str) and any(one.name == had and one.goes_by(asked) for one in endpoints)
    return asked == had or is_named


def _admits(selection: Selection, run: StoredRun | StoredCheck, weights: set[str]) -> bool:
    recipe, names = run.recipe, selection.endpoints
    return (
        (not names or any(is_all(name) or run.endpoint.goes_by(name) for name in names))
        and selection.frames in (None, len(recipe.clips[0]))
        and selection.clips in (None, len(recipe.clips))
        and selection.precision in (None, recipe.precision)
        and selection.flow_algorithm in (None, recipe.motion_algorithm)
        and (not weights or recipe.weights in weights)
        and (not selection.runs or any(_goes_by(run, begin) for begin in selection.runs))
    )


def _goes_by(run: StoredRun | StoredCheck, begin: str) -> bool:
    return any(digest.startswith(begin.lower()) for digest in {run.digest, run.recipe.digest})


def _has_target(selection: Selection, run: StoredRun | StoredCheck, labels: Labels | None) -> bool:
    """Return whether the run's class or filter is among those named; naming classes alone leaves filters out."""
    if not selection.labels and not selection.filters:
        return True
    if not run.endpoint.is_class:
        return run.target in selection.filters
    name = class_name(labels, run.target)
    names = {str(run.target), *([label_key(name)] if name else [])}
    return any(label_key(wanted) in names for wanted in selection.labels)


def _find_weights(store: Store, path: Path) -> set[str]:
    """Return the identities in a weights file; where there is none, of all that go by that name in the store."""
    is_there = os.path.exists(path)  # noqa: PTH110
    return (set() if is_there else store.weights.find_named(str(path))) or identify_weights(path, store)
