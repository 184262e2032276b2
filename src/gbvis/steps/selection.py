"""Which runs of a store a call is about."""

import os
from dataclasses import dataclass
from pathlib import Path

from gbvis import registry
from gbvis.errors import GbvisError
from gbvis.networks.endpoint import Endpoint
from gbvis.networks.labels import label_key
from gbvis.provenance import hash_file
from gbvis.steps.networks import MODALITIES, PRECISIONS
from gbvis.store import Store, StoredRun
from gbvis.videos.video import SAMPLE_PREFIX, video_name


@dataclass(frozen=True)
class Selection:
    """What narrows the runs down; what is empty or None narrows nothing.

    Attributes:
        modality: `rgb` or `flow`.
        endpoints: Endpoints.
        labels: Classes, by index or name, of runs at `FC` and `SOFTMAX`.
        filters: Filters or features of runs at the other endpoints.
        frames: Frames per clip.
        clips: Number of clips.
        method: The method's name.
        precision: The precision's name.
        weights: Weights files.
        flow_algorithm: How the motion of flow runs was estimated.
    """

    modality: str | None = None
    endpoints: tuple[Endpoint, ...] = ()
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
            GbvisError: There is no such stream, precision, method or flow algorithm (exit code 2).
        """
        registry.check_name("modality", MODALITIES, self.modality or "rgb")
        registry.check_name("precision", PRECISIONS, self.precision or "float32")
        registry.check_name("flow algorithm", registry.FLOWS, self.flow_algorithm or "tvl1")
        if self.method:
            registry.check_name("method", registry.METHODS, self.method)


def select_runs(store: Store, video: str | None, selection: Selection) -> list[StoredRun]:
    """Return the runs of `video`, a name or a path, or of all videos where it is None, that the selection admits.

    Where a path is given and two videos of that name are in the store, those that came from the path are meant.

    Raises:
        GbvisError: The selection names weights that cannot be read (exit code 2).
    """
    hashes = {_hash_weights(path) for path in selection.weights}
    runs = [
        run
        for run in store.runs(video_name(video) if video is not None else None, selection.modality)
        if _admits(selection, run, hashes) and _has_target(selection, run)
    ]
    if video and (video.startswith(SAMPLE_PREFIX) or os.path.exists(video)):  # noqa: PTH110
        location = video if video.startswith(SAMPLE_PREFIX) else str(Path(video).absolute())
        streams = {run.modality for run in runs if run.attributes["location"] == location}
        return [run for run in runs if run.attributes["location"] == location or run.modality not in streams]
    return runs


def _admits(selection: Selection, run: StoredRun, weights: set[str]) -> bool:
    recipe = run.recipe
    return (
        (not selection.endpoints or run.endpoint in selection.endpoints)
        and selection.frames in (None, len(recipe["clips"][0]))
        and selection.clips in (None, run.clip_count)
        and selection.method in (None, recipe["method"])
        and selection.precision in (None, recipe["precision"])
        and selection.flow_algorithm in (None, recipe.get("flow", {}).get("algorithm"))
        and (not weights or recipe["weights"] in weights)
    )


def _has_target(selection: Selection, run: StoredRun) -> bool:
    """Return whether the run's class or filter is among those named; naming classes alone leaves filters out."""
    if not selection.labels and not selection.filters:
        return True
    label = run.attributes["label"]
    if label is None:
        return run.target in selection.filters
    names = {str(run.target), *([label_key(label["name"])] if label["name"] else [])}
    return any(label_key(wanted) in names for wanted in selection.labels)


def _hash_weights(path: Path) -> str:
    try:
        return hash_file(path)
    except OSError as error:
        raise GbvisError(
            f"cannot read the weights file {path}: {error.strerror}", "check the path after -w", exit_code=2
        ) from error
