"""The frames that a stored run's clips were cut from, at their own size."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gbvis.errors import GbvisError
from gbvis.figures import Pixels
from gbvis.figures.color import color_wheel
from gbvis.figures.run_view import SourceFrames
from gbvis.store import Store, StoredRun
from gbvis.videos.locate import find_video
from gbvis.videos.two_stream import find_dataset
from gbvis.videos.video import SAMPLE_PREFIX, Video, video_name

_WHEEL_BOUND = 10.0
"""Pixels of the source at which the colours of flow are full, where no RGB frames can be had."""


def find_source(store: Store, stored: StoredRun, dataset: Path | None, given: Sequence[str] = ()) -> SourceFrames:
    """Return the frames of a run's video; for flow those of its RGB stream, where they can be had.

    Args:
        store: Where the run is.
        stored: The run.
        dataset: A two-stream data set to look into where the place that the store remembers is gone.
        given: Videos as they were asked for; paths among them are looked at too.

    Raises:
        GbvisError: The video is gone, or has changed since it was explained.
    """
    attributes = store.clips_of(stored).attributes
    location = str(attributes["location"])
    if not Path(location).exists():
        moved = (path for path in given if os.path.exists(path) and video_name(path) == stored.video)  # noqa: PTH110
        location = next(moved, location)
    video = _open(stored, location, dataset)
    if attributes["fingerprint"] not in (video.fingerprint, video.motion_fingerprint):
        raise GbvisError(
            f"{video.location} has changed since it was explained: the overlay would lie on other frames",
            "explain it again, or choose another --layout",
        )
    left, top, right, bottom = attributes["source_box"]
    shape = video.shape
    rgb = video if video.modality == "rgb" else _find_rgb(stored, location, dataset, video)

    def read(number: int) -> Pixels:
        return np.asarray(rgb.read(number)) if rgb else color_wheel(video.read_motion(number), _WHEEL_BOUND)

    return SourceFrames(shape.width, shape.height, (left, top, right, bottom), read)


def _open(stored: StoredRun, location: str, dataset: Path | None) -> Video:
    try:
        return find_video(*_place(stored, location, dataset, _modality_of(stored)))
    except GbvisError as error:
        raise GbvisError(
            f"the overlay needs the frames of {stored.video}, and they are gone from {location}",
            "give the video's new path, say with -d which data set holds it, or choose another --layout",
        ) from error


def _find_rgb(stored: StoredRun, location: str, dataset: Path | None, flow: Video) -> Video | None:
    """Return the RGB stream of a flow run's video, or None where there is none of the same size and length."""
    try:
        rgb = find_video(*_place(stored, location, dataset, "rgb"))
        shape = rgb.shape
    except GbvisError:
        return None
    like = (flow.shape.frame_count + 1, flow.shape.width, flow.shape.height)
    return rgb if (shape.frame_count, shape.width, shape.height) == like else None


def _place(stored: StoredRun, location: str, dataset: Path | None, modality: str) -> tuple[str, str, Path | None]:
    """Return what to look for: the place that the store remembers, else the name in the data set."""
    if location.startswith(SAMPLE_PREFIX):
        return location, modality, None
    if _modality_of(stored) == "flow":
        return stored.video, modality, dataset or _dataset_around(Path(location))
    return (location, modality, None) if Path(location).exists() else (stored.video, modality, dataset)


def _modality_of(stored: StoredRun) -> str:
    """Return which stream lies where the store remembers: of estimated flow it is the RGB stream."""
    return "rgb" if "algorithm" in stored.recipe.get("flow", {}) else stored.modality


def _dataset_around(u: Path) -> Path | None:
    """Return the data set that holds a video's folder of u: DATASET/[NAME_tvl1_flow/][tvl1_flow/]u/VIDEO."""
    around = [parent for parent in u.parents[1:4] if parent.is_dir()]
    return next((parent for parent in reversed(around) if find_dataset(parent).u == u.parent), None)
