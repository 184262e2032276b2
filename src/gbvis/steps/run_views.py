"""Stored runs as layouts and outputs take them, and the frames that their clips were cut from."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from gbvis.attribution.checks import CHECKS
from gbvis.attribution.methods import METHODS
from gbvis.errors import GbvisError, StoreError, UsageError, VideoError
from gbvis.figures.check_view import CheckView
from gbvis.figures.color import color_wheel
from gbvis.figures.picture import Pixels
from gbvis.figures.relevance import TemporalRelevance
from gbvis.figures.run_view import Box, ClipView, RunView, SourceFrames, spread_over_frames
from gbvis.networks.endpoint import Endpoint
from gbvis.networks.labels import Labels, class_name
from gbvis.steps.video_names import source_of
from gbvis.store import Store, StoredCheck, StoredRun
from gbvis.videos.locate import find_video, look_for
from gbvis.videos.two_stream import find_dataset
from gbvis.videos.video import SAMPLE_PREFIX, Video, reading_of, video_name


def make_run_view(
    store: Store,
    run: StoredRun,
    find_source: Callable[[], SourceFrames],
    labels: Labels | None = None,
    name: str | None = None,
    relevance: TemporalRelevance | None = None,
    explain_command: Callable[[], str] = str,
    tests: Sequence[str] = (),
) -> RunView:
    """Return a run as layouts take it; clips are read as they are needed.

    Args:
        store: Where the run is.
        run: The run.
        find_source: Returns the frames at their own size.
        labels: Class names in place of those that the store knows.
        name: What the video is called; None for its own name.
        relevance: What to show of the values; None for all.
        explain_command: Returns the call of `gbvis explain` that makes the run; empty where it cannot be told.
        tests: Names of the tests to show what they found; none means all.
    """
    labels = labels or store.weights.labels_of(run.recipe)
    return RunView(
        video=name or run.video,
        recipe=run.recipe,
        endpoint=run.endpoint,
        position=run.position,
        key=run.key,
        clips_digest=run.clips,
        class_name=class_name(labels, run.target) if run.endpoint.is_class else None,
        prediction=run.predicted(labels),
        clips=partial(_read_clips, store, run, relevance),
        read_rate=lambda: store.clips_of(run).rate,
        find_source=find_source,
        source=source_of(store, run),
        weights_name=store.weights.name_of(run.recipe),
        remark=_describe_values(run),
        read_seconds=partial(_read_seconds, store, run),
        saturation=run.describe_saturation(_find_endpoints(store, run)) if run.is_saturated else "",
        kind=run.kind,
        quantity=_find_quantity(run),
        is_one_channel=_is_one_channel(run),
        relevance=relevance,
        values=tuple(run.value),
        read_clip=partial(_read_clip, store, run, relevance),
        scores=run.top_classes(labels),
        find_place=partial(_find_place, store, run),
        truth=run.truth and run.truth.completed(labels),
        explain_command=explain_command,
        checks=partial(_read_checks, store, run, tests),
    )


def _find_place(store: Store, run: StoredRun, clip: int) -> tuple[tuple[int, int], Box]:
    """Return the height and width of the largest frame that a clip was cut from, and where the clip lies in it."""
    clips = store.clips_of(run)
    sizes = clips.sizes_of(clip)
    size = max(height for height, _ in sizes), max(width for _, width in sizes)
    return size, clips.box_of(size)


def _read_checks(store: Store, run: StoredRun, tests: Sequence[str]) -> list[CheckView]:
    """Return what tests found of a run, in the order of the tests; of some tests, where any are named."""
    found = [check for check in store.checks(run.video, run.modality) if check.recipe == run.recipe]
    found = [check for check in found if not tests or check.test_name in tests]
    places = {name: place for place, name in enumerate(CHECKS.names)}
    found.sort(key=lambda check: (places.get(check.test_name, len(places)), check.described_test))
    return [_view_check(check) for check in found]


def _view_check(check: StoredCheck) -> CheckView:
    """Return what a test found, as layouts show it."""
    stages = check.details.get("stages")
    names = [str(name) for name in stages] if isinstance(stages, list) else []
    return CheckView(_name_test(check), check.value, check.baselines, check.verdict, check.drawn, names)


def _name_test(check: StoredCheck) -> str:
    """Return a test with the settings that are not as by default, and where its masks are from."""
    kind = check.masks.get("kind")
    return f"{check.short_test}   masks: {kind}" if kind else check.short_test


def _describe_values(run: StoredRun) -> str:
    """Return what is to be known of a run's values: grid or completeness; and, where not all was guided, how much."""
    guided = run.relus.summary if run.relus and run.relus.unguided else ""
    return "; ".join(filter(None, [_describe_grid(run) or run.describe_completeness(), guided]))


def _describe_grid(run: StoredRun) -> str:
    """Return a grid's layer and its own size in words: what is drawn is interpolated between so few cells."""
    cells = "x".join(map(str, run.arrays["gradient"].shape[1:]))
    return f"{run.grid.endpoint}, {cells} cells" if run.grid else ""


def _find_quantity(run: StoredRun) -> str:
    """Return what a run's values are called: of a method that nobody has here, or that is positive, relevance."""
    if run.kind == "positive":
        return "relevance"
    try:
        return METHODS.load(run.recipe.method["name"]).quantity
    except UsageError:
        return "relevance"


def _is_one_channel(run: StoredRun) -> bool:
    """Return whether one value stands for all channels; a grid in half frames has u and v in turns."""
    sizes = dict(zip(run.axes, run.arrays["gradient"].shape[1:], strict=True))
    has_both = run.grid is not None and run.grid.places_per_frame > 1
    return sizes.get("channel", 1) == 1 and not has_both


def _find_endpoints(store: Store, run: StoredRun) -> list[Endpoint]:
    """Return the endpoints of the network that a run was computed with; none where they are not known."""
    infos = (
        info for info in store.weights.all() if (info.identity, info.modality) == (run.recipe.weights, run.modality)
    )
    return next((list(info.endpoints) for info in infos), [])


def _read_clips(store: Store, run: StoredRun, relevance: TemporalRelevance | None) -> Iterator[ClipView]:
    return (_read_clip(store, run, relevance, index) for index in range(len(run.recipe.clips)))


def _read_clip(store: Store, run: StoredRun, relevance: TemporalRelevance | None, index: int) -> ClipView:
    clips, frames, found = store.clips_of(run), run.recipe.clips[index], run.gradient(index)
    shown = relevance.select(found, run.axes) if relevance else found
    if run.grid:
        values = run.grid.spread(shown, (len(frames), clips.side, clips.side))
    else:
        values = spread_over_frames(shown, run.axes, len(frames))
    return ClipView(frames, clips.pixels(index), values, run.value[index])


def _read_seconds(store: Store, run: StoredRun) -> dict[int, float]:
    clips = store.clips_of(run)
    return dict(zip(chain(*clips.frames), chain(*clips.seconds), strict=True)) if clips.seconds else {}


_WHEEL_BOUND = 10.0
"""Pixels of the source at which the colours of flow are full, where no RGB frames can be had."""


def find_source_frames(
    store: Store, stored: StoredRun, dataset: Path | None, given: Sequence[str] = ()
) -> SourceFrames:
    """Return the frames of a run's video; for flow those of its RGB stream, where they can be had.

    Args:
        store: Where the run is.
        stored: The run.
        dataset: A two-stream data set to look into where the place that the store remembers is gone.
        given: Videos as they were asked for; paths among them are looked at too.

    Raises:
        GbvisError: The video is gone, or has changed since it was explained.
    """
    clips = store.clips_of(stored)
    places = [clips.location]
    if not os.path.exists(clips.location):  # noqa: PTH110
        moved = (path for path in given if os.path.exists(path) and video_name(path) == stored.video)  # noqa: PTH110
        places = [*moved] or places
    for location in places:  # several where videos of one name were given
        video = _open(stored, location, dataset)
        if clips.fingerprint in (reading_of(video.fingerprint), reading_of(video.motion_fingerprint)):
            break
    else:
        raise VideoError(
            f"{video.location} has changed since it was explained, or another release of gbvis reads it otherwise: the "
            "overlay would lie on other frames",
            "explain it again, or choose another --layout",
        )
    sizes = list(chain(*map(clips.sizes_of, range(len(clips.frames)))))
    height, width = max(height for height, _ in sizes), max(width for _, width in sizes)
    rgb = video if video.modality == "rgb" else _find_rgb(stored, location, dataset, video)

    def read(number: int) -> Pixels:
        return np.asarray(rgb.read(number)) if rgb else color_wheel(video.read_motion(number), _WHEEL_BOUND)

    return SourceFrames(width, height, clips.box_of((height, width)), read)


def _open(stored: StoredRun, location: str, dataset: Path | None) -> Video:
    try:
        return find_video(*_place(stored, location, dataset, _modality_of(stored)))
    except GbvisError as error:
        raise StoreError(
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
        if look_for(location, "flow", None):  # it lies with the frames
            return location, modality, None
        return stored.video, modality, dataset or find_dataset_around(Path(location))
    is_there = os.path.exists(location)  # False where nothing can be there: a store may say anything  # noqa: PTH110
    return (location, modality, None) if is_there else (stored.video, modality, dataset)


def _modality_of(stored: StoredRun) -> str:
    """Return which stream lies where the store remembers: of estimated flow it is the RGB stream."""
    return "rgb" if stored.recipe.flow_algorithm else stored.modality


def find_dataset_around(u: Path) -> Path | None:
    """Return the data set that holds a video's folder of u: DATASET/[NAME_tvl1_flow/][tvl1_flow/]u/VIDEO."""
    with suppress(OSError):  # what cannot be looked into holds none
        around = [parent for parent in u.parents[1:4] if parent.is_dir()]
        return next((parent for parent in reversed(around) if find_dataset(parent).u == u.parent), None)
    return None
