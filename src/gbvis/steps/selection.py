"""Which runs of a store a call is about."""

import os
from dataclasses import dataclass
from pathlib import Path

from gbvis.attribution.methods import METHODS
from gbvis.errors import UsageError
from gbvis.flow import ALGORITHMS
from gbvis.networks.endpoint import find_endpoints, is_all
from gbvis.networks.labels import Labels, label_key
from gbvis.provenance import hash_file
from gbvis.registry import check_name
from gbvis.steps.networks import MODALITIES, PRECISIONS
from gbvis.steps.run_views import class_name
from gbvis.store import Store, StoredRun
from gbvis.videos.video import SAMPLE_PREFIX, video_name


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
        method: The method's name.
        precision: The precision's name.
        weights: Weights files.
        flow_algorithm: The algorithm that computed the flow.
    """

    modality: str | None = None
    endpoints: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    filters: tuple[int, ...] = ()
    frames: int | None = None
    clips: int | None = None
    method: str | None = None
    precision: str | None = None
    weights: tuple[Path, ...] = ()
    flow_algorithm: str | None = None

    def check(self) -> None:
        """Check the names.

        Raises:
            UsageError: There is no such stream, precision, method or flow algorithm.
        """
        check_name("modality", MODALITIES, self.modality or "rgb")
        check_name("precision", PRECISIONS, self.precision or "float32")
        ALGORITHMS.check(self.flow_algorithm or "tvl1")
        if self.method:
            METHODS.check(self.method)


def select_runs(store: Store, video: str | None, selection: Selection, labels: Labels | None = None) -> list[StoredRun]:
    """Return the runs of `video`, a name or a path, or of all videos where it is None, that the selection admits.

    Where a path is given and two videos of that name are in the store, those that came from the path are meant.

    Args:
        store: Where they are.
        video: A name or a path.
        selection: Which runs.
        labels: Class names in place of those that the store knows.

    Raises:
        UsageError: The selection names weights that cannot be read, or an endpoint of no network in the store.
    """
    hashes = {_hash_weights(path) for path in selection.weights}
    known = store.endpoints()
    for name in selection.endpoints if known else ():
        find_endpoints([name], known)
    runs = [
        run
        for run in store.runs(video_name(video) if video is not None else None, selection.modality)
        if _admits(selection, run, hashes) and _has_target(selection, run, labels or store.labels_of(run))
    ]
    if video and (video.startswith(SAMPLE_PREFIX) or os.path.exists(video)):  # noqa: PTH110
        location = video if video.startswith(SAMPLE_PREFIX) else str(Path(video).absolute())
        streams = {run.modality for run in runs if run.location == location}
        return [run for run in runs if run.location == location or run.modality not in streams]
    return runs


def _admits(selection: Selection, run: StoredRun, weights: set[str]) -> bool:
    recipe, names = run.recipe, selection.endpoints
    return (
        (not names or any(is_all(name) or run.endpoint.goes_by(name) for name in names))
        and selection.frames in (None, len(recipe.clips[0]))
        and selection.clips in (None, len(recipe.clips))
        and selection.method in (None, recipe.method["name"])
        and selection.precision in (None, recipe.precision)
        and selection.flow_algorithm in (None, recipe.flow_algorithm)
        and (not weights or recipe.weights in weights)
    )


def _has_target(selection: Selection, run: StoredRun, labels: Labels | None) -> bool:
    """Return whether the run's class or filter is among those named; naming classes alone leaves filters out."""
    if not selection.labels and not selection.filters:
        return True
    if not run.endpoint.is_class:
        return run.target in selection.filters
    name = class_name(labels, run.target)
    names = {str(run.target), *([label_key(name)] if name else [])}
    return any(label_key(wanted) in names for wanted in selection.labels)


def _hash_weights(path: Path) -> str:
    try:
        return hash_file(path)
    except OSError as error:
        raise UsageError(f"cannot read the weights file {path}: {error.strerror}", "check the path after -w") from error
