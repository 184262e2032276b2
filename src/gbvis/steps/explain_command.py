"""The call of `gbvis explain` that makes a stored run, as far as the store tells it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from gbvis.attribution.methods import METHODS
from gbvis.attribution.recipe import Recipe
from gbvis.errors import GbvisError
from gbvis.flow.camera_motion import REMEDIES
from gbvis.networks.info import WeightsInfo
from gbvis.networks.sample import SAMPLE_WEIGHTS, find_weights
from gbvis.shell import as_argument, join_words
from gbvis.steps.run_views import find_dataset_around
from gbvis.store import Store, StoredClips, StoredRun
from gbvis.videos.clip_request import ClipRequest
from gbvis.videos.locate import look_for
from gbvis.videos.video import SAMPLE_PREFIX, VideoShape

_REMEDIES = dict(zip(REMEDIES, ("--flow-mean-subtract", "--meansub"), strict=True))
_DEFAULT_STORE = "gbvis.zarr"


def describe_explain(store: Store, run: StoredRun) -> str:
    """Return the call that makes a run, which a shell takes as it is; empty where the store does not tell it all.

    It does not where the video was an array, where frames were chosen otherwise than options do now, and where more was
    said of the weights than their file.
    """
    try:
        parts = _find_parts(store, run)
    except (GbvisError, OSError):
        return ""
    return "" if None in parts else join_words(["gbvis", "explain", *(word for part in parts for word in part or ())])


def _find_parts(store: Store, run: StoredRun) -> list[list[str] | None]:
    """Return the words of the call in parts; None for one that cannot be told."""
    recipe, network = run.recipe, _find_network(store, run)
    if network is None:
        return [None]
    reading, info = network
    pick = "-l" if run.endpoint.is_class else "-f"
    method = [] if recipe.asked_method == METHODS.names[0] else ["--method", recipe.asked_method]
    return [
        _name_video(run),
        _name_weights(store, run, reading) if info.kind != "own" else _name_own(info),
        ["-m", run.modality, "-e", run.endpoint.name, pick, str(run.target)],
        _name_clips(store.clips_of(run), recipe, info),
        method,
        _name_flow(recipe),
        [] if recipe.precision == "float32" else ["--precision", recipe.precision],
        _name_store(store.location),
    ]


def _find_network(store: Store, run: StoredRun) -> tuple[str | None, WeightsInfo] | None:
    """Return the checkpoint format that was said, if any, and the network; None where more than that was said of it."""
    recipe = run.recipe
    for reading, info in store.weights.by_reading():
        as_now = {name: value for name, value in info.clip_format.to_json().items() if name != "frames"}
        is_its = (info.identity, info.modality) == (recipe.weights, recipe.modality) and reading in (
            None,
            recipe.family,
        )
        if is_its and info.checkpoint_format == recipe.family and as_now == recipe.preprocessing:
            return reading, info
    return None


def _name_video(run: StoredRun) -> list[str] | None:
    """Return the video, and the data set where it is a name in one."""
    location = run.location
    if location.startswith(SAMPLE_PREFIX):
        return [location]
    if not Path(location).is_absolute():
        return None
    if run.modality == "flow" and not run.recipe.flow_algorithm and not look_for(location, "flow", None):
        dataset = find_dataset_around(Path(location))
        return [as_argument(run.video), "-d", _shorten(str(dataset))] if dataset else None
    return [as_argument(_shorten(location))]


def _shorten(path: str) -> str:
    """Return a path as seen from the current folder, if it lies below it."""
    return path.removeprefix(os.path.join(os.getcwd(), ""))  # noqa: PTH109, PTH118


def _name_weights(store: Store, run: StoredRun, reading: str | None) -> list[str] | None:
    path = run.made.get("weights")
    if not isinstance(path, str) or not path:
        return None
    if path == str(find_weights(Path(SAMPLE_WEIGHTS))):
        return ["-w", SAMPLE_WEIGHTS]
    name, path = store.weights.name_of(run.recipe), _shorten(path)
    read_as = ["--checkpoint-format", reading] if reading else []
    return ["-w", f"{name}={path}" if name else path, *read_as]


def _name_own(info: WeightsInfo) -> list[str] | None:
    """Return the words for a network that a function builds; None for one that was in memory."""
    form = info.clip_format
    size = f"{form.frames}x{form.crop}x{form.crop}"
    return ["--network", _shorten(info.path), "--input", size] if info.details.get("network") else None


def _name_clips(clips: StoredClips, recipe: Recipe, info: WeightsInfo) -> list[str] | None:
    """Return the words that choose these frames of the video."""
    shape = VideoShape(clips.frame_count, clips.rate, clips.source_size[1], clips.source_size[0])
    frames = recipe.clips
    own = info.clip_format.frames
    length = [] if len(frames[0]) == own else ["-n", str(len(frames[0]))]
    for request, words in _list_requests(frames):
        try:
            if request.choose_frames(shape) == frames:
                return [*length, *words]
        except GbvisError:  # no clip can start there
            continue
    return None


def _list_requests(frames: list[list[int]]) -> Iterator[tuple[ClipRequest, list[str]]]:
    """Yield what may have been asked for where these frames were found, the likeliest first."""
    first, count, length = frames[0][0], len(frames), len(frames[0])
    steps = {after - before for before, after in zip(frames[0], frames[0][1:], strict=False) if after > before}
    stride = min(steps, default=1)
    skipped = [] if stride == 1 else ["--stride", str(stride)]
    for start, started in ((None, []), (first, ["--start", str(first)])):
        counted = [] if count == 1 else ["--clips", str(count)]
        yield ClipRequest(length, count, start, None, stride), [*counted, *started, *skipped]
        yield ClipRequest(length, "all", start, None, stride), ["--clips", "all", *started, *skipped]


def _name_flow(recipe: Recipe) -> list[str] | None:
    """Return the options that make motion what it was; None where no options do."""
    flow, motion = recipe.flow, recipe.motion
    if motion and motion.get("algorithm") is None:
        return None  # it came from a data set, which the store does not name
    if motion and recipe.modality == "flow" and recipe.flow_algorithm != motion["algorithm"]:
        return None
    words = ["--flow-algorithm", str(recipe.motion_algorithm)] if recipe.motion_algorithm else []
    words += ["--flow-jpeg"] if "jpeg_quality" in flow or "jpeg_quality" in motion else []
    remedy = flow.get("camera_motion")
    return [*words, _REMEDIES[remedy]] if remedy in _REMEDIES else words


def _name_store(location: str) -> list[str]:
    return [] if location == _DEFAULT_STORE else ["--store", re.sub("//[^/@]*@", "//", location)]  # never a password
