"""`gbvis predict`: the classes that each stream sees in a video, and both streams fused."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gbvis.errors import GbvisError, NumbersError, UsageError
from gbvis.networks.endpoint import Endpoint
from gbvis.networks.info import WeightsInfo
from gbvis.progress import Failure, Progress
from gbvis.steps.engines.engine import Engine, Work
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.steps.streams import FlowRequest, find_stream, tell_notices
from gbvis.steps.video_names import NamedEntry, name_all
from gbvis.store import Store
from gbvis.videos.clip import cut_clip
from gbvis.videos.clip_request import ClipRequest
from gbvis.videos.gather import gather_videos
from gbvis.videos.locate import check_dataset
from gbvis.videos.name_list import VideoEntry
from gbvis.videos.shard import Shard
from gbvis.videos.video import Video

if TYPE_CHECKING:
    from gbvis.attribution.runner import Runner

Scores = NDArray[np.float32]
"""float32 (classes,), probabilities."""


@dataclass(frozen=True)
class PredictRequest:
    """What to predict.

    Attributes:
        videos: Which videos.
        weights: With which networks.
        dataset: Where bare names lie.
        clips: Over which clips; the scores of a video are the mean softmax over them.
        top: How many classes a prediction lists.
        flow: How flow is computed.
        store: Where motion is kept that had to be estimated; nothing else is. What it knows of the weights is used.
        shard: Which part of the videos; None for all.
        engine: Where the videos are worked on; None for this process.
    """

    videos: tuple[VideoEntry, ...]
    weights: WeightsRequest
    dataset: Path | None = None
    clips: ClipRequest = field(default_factory=lambda: ClipRequest(count=10))
    top: int = 5
    flow: FlowRequest = field(default_factory=FlowRequest)
    store: str | Path = "gbvis.zarr"
    shard: Shard | None = None
    engine: Engine | None = None


@dataclass(frozen=True)
class Prediction:
    """The best classes of one stream in a video, or of both streams fused.

    Attributes:
        video: The video's name.
        modality: `rgb`, `flow` or `fused`.
        clips: The scores are the mean over this many clips.
        top: `{"index", "label", "score"}` of the highest scores, best first.
        location: The video as it was asked for.
        name: What tells it apart from others of its name in the call, such as `a/clip`; empty where there are none.
    """

    video: str
    modality: str
    clips: int
    top: list[dict[str, Any]]
    location: str = ""
    name: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the prediction as a line of `--json`."""
        return {
            "video": self.video,
            "location": self.location,
            "modality": self.modality,
            "clips": self.clips,
            "top": self.top,
        }


def run(request: PredictRequest, progress: Progress | None = None) -> Iterator[Prediction | Failure]:
    """Return an iterator over a prediction per video and stream, one for both fused, and failures of single videos.

    Raises:
        UsageError: The request itself is wrong.
    """
    progress = progress or Progress()
    check_dataset(request.dataset)
    request = replace(request, videos=gather_videos(request.videos, request.dataset, progress, request.shard))
    networks = Networks(request.weights, _find_records(request.store), progress.say)
    request.flow.check(networks.infos.values())
    for note in networks.notes():
        progress.warn(note)
    if "flow" in networks.infos:
        Store.find(request.store)  # what is no store is noticed before the first hour of work
    return _predict(request, networks, progress)


def _predict(request: PredictRequest, networks: Networks, progress: Progress) -> Iterator[Prediction | Failure]:
    progress.expect_videos(len(request.videos) * len(networks.infos))
    videos = name_all(request.videos)
    if request.engine is None:
        results = PredictSession(request, networks, progress).run(videos)
        yield from (result for _, result in results if result is not None)
    else:
        weights = networks.request_for_workers()
        work = PredictWork(replace(request, videos=(), engine=None, weights=weights), len(networks.infos), "")
        yield from request.engine.run(work, videos, progress)


@dataclass(frozen=True)
class PredictWork(Work[Prediction]):
    """The request of a call that has been checked, as other processes are given it.

    Attributes:
        request: Its videos do not count.
        stream_count: How many networks there are.
        folder: Empty: predictions are kept nowhere.
    """

    request: PredictRequest
    stream_count: int
    folder: str

    def open(self, device: str, progress: Progress) -> "PredictSession":
        """Open the networks."""
        request = replace(self.request, weights=replace(self.request.weights, device=device))
        networks = Networks(request.weights, _find_records(request.store), progress.say)
        return PredictSession(request, networks, progress)

    def detach(self, result: Prediction) -> Prediction:
        """Return it: all of it is plain data."""
        return result


class PredictSession:
    """The networks of a call, open; which videos of it come here is not known before."""

    def __init__(self, request: PredictRequest, networks: Networks, progress: Progress) -> None:
        """Name the parts; the request's own videos do not count."""
        self._request, self._networks, self._progress = request, networks, progress

    def run(self, videos: Iterable[NamedEntry | None]) -> Iterator[tuple[NamedEntry, Prediction | Failure | None]]:
        """Yield each video with each of its results, and with None once it is done; see `engines.engine.Session`.

        Raises:
            GbvisError: What all other videos would meet too.
        """
        self._networks.begin_import()
        for video in videos:
            if video is not None:
                for result in self._predict(*video):
                    yield video, result
                yield video, None

    def _predict(self, entry: VideoEntry, name: str) -> Iterator[Prediction | Failure]:
        request, networks, progress = self._request, self._networks, self._progress
        streams: dict[str, _Stream] = {}
        for modality in networks.infos:
            try:
                streams[modality] = _predict_stream(request, entry, name, modality, networks, progress)
                yield streams[modality].prediction
            except GbvisError as error:
                yield Failure.of(entry.location, error, entry.label)
            progress.finish_video()
        if len(streams) > 1:
            yield from _fuse(streams["rgb"], streams["flow"], networks.infos, request.top, progress)


@dataclass(frozen=True)
class _Stream:
    """What fusing needs to know of a stream."""

    prediction: Prediction
    scores: Scores
    frame_count: int


def _predict_stream(
    request: PredictRequest, entry: VideoEntry, name: str, modality: str, networks: Networks, progress: Progress
) -> _Stream:
    info = networks.infos[modality]
    scores_at = info.scores
    if scores_at is None:
        raise UsageError(f"the network {info.path} gives no class probabilities", "explain it instead")
    video = find_stream(entry, info, request.dataset, request.flow, partial(_open_store, request.store), progress)
    frames = request.clips.completed(info.clip_format).choose_frames(video.shape)
    tell_notices(video, progress)
    video.prepare({number for numbers in frames for number in numbers})
    progress.expect(len(frames), video.name)
    scores = _mean_scores(video, frames, networks.runner(modality), scores_at, progress)
    top = info.top(scores, request.top)
    prediction = Prediction(video.name, modality, len(frames), top, entry.location, name)
    return _Stream(prediction, scores, video.shape.frame_count)


def _mean_scores(
    video: Video, frames: list[list[int]], network: "Runner", scores_at: Endpoint, progress: Progress
) -> Scores:
    """Return the mean of the class probabilities over clips of these frames: float32 (classes,)."""

    def watch(endpoint: Endpoint, shape: tuple[int, ...]) -> None:
        progress.say(f"{video.name} {network.info.modality}: {endpoint.name:<10} {list(shape)}")

    total = np.zeros(network.info.class_count)
    with network.precision_scope():
        batches = network.batches(len(frames), progress.say)
        for batch in batches:
            with batches.attempt():
                clips = [cut_clip(video, frames[number], network.info.clip_format) for number in batch]
                responses = network.predict(clips, {scores_at}, None if batch.start else watch)
                total += responses[scores_at].array().sum(axis=0)
                for _ in batch:
                    progress.advance(video.name)
    scores: Scores = (total / len(frames)).astype(np.float32)
    if not np.isfinite(scores).all():
        raise NumbersError(
            f"the scores of {video.name} hold NaN or infinity",
            "the numbers overflow: check the weights, or try --precision float32",
        )
    return scores


def _find_records(location: str | Path) -> Store | None:
    """Return the store, which may know the weights; what cannot be read as one knows nothing."""
    with suppress(GbvisError):
        return Store.find(location)
    return None


def _open_store(location: str | Path) -> Store:
    """Return the store, made if there is none; one that cannot be written may hold all that is needed."""
    return Store.find(location) or Store.open_or_create(location)


def _fuse(
    rgb: _Stream, flow: _Stream, infos: Mapping[str, WeightsInfo], top: int, progress: Progress
) -> Iterator[Prediction]:
    """Yield the mean of the streams' scores, weighted as their file says, where they are about the same classes."""
    name, clips = rgb.prediction.name or rgb.prediction.video, max(rgb.prediction.clips, flow.prediction.clips)
    if rgb.scores.shape != flow.scores.shape:
        progress.warn(f"{name}: not fused: {rgb.scores.size} classes in one stream, {flow.scores.size} in the other")
        return
    if flow.frame_count + 1 != rgb.frame_count:
        progress.warn(
            f"{name}: {rgb.frame_count} RGB frames and {flow.frame_count} flow frames, where one fewer is expected: "
            "the streams do not see the same moments"
        )
    weights = [infos["rgb"].fusion_weight, infos["flow"].fusion_weight]
    scores = np.average([rgb.scores, flow.scores], axis=0, weights=weights).astype(np.float32)
    yield replace(rgb.prediction, modality="fused", clips=clips, top=infos["rgb"].top(scores, top))
