"""`gbvis predict`: the classes that each stream sees in a video, and both streams fused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.errors import GbvisError
from gbvis.networks.endpoint import SOFTMAX, Endpoint
from gbvis.networks.info import WeightsInfo
from gbvis.progress import Failure, Watcher
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.steps.streams import FlowRequest, find_stream
from gbvis.store import Store
from gbvis.videos.clip import cut_clip
from gbvis.videos.clip_request import ClipRequest
from gbvis.videos.locate import VideoEntry, check_dataset

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
        top: How many classes to give.
        flow: How the flow stream is to be had.
        store: Where motion is kept that had to be estimated; nothing else is.
    """

    videos: tuple[VideoEntry, ...]
    weights: WeightsRequest
    dataset: Path | None = None
    clips: ClipRequest = field(default_factory=lambda: ClipRequest(count=10))
    top: int = 5
    flow: FlowRequest = field(default_factory=FlowRequest)
    store: str | Path = "gbvis.zarr"


@dataclass(frozen=True)
class Prediction:
    """What one stream, or both `fused`, see in a video.

    Attributes:
        video: The video's name.
        modality: `rgb`, `flow` or `fused`.
        clips: How many clips the scores are the mean of.
        top: `{"index", "label", "score"}` of the highest scores, best first.
    """

    video: str
    modality: str
    clips: int
    top: list[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return the prediction as a line of `--json`."""
        return {"video": self.video, "modality": self.modality, "clips": self.clips, "top": self.top}


def run(request: PredictRequest, watcher: Watcher | None = None) -> Iterator[Prediction | Failure]:
    """Yield a prediction per video and stream, one for both fused, and a failure for what cannot be done.

    Raises:
        GbvisError: The request itself is wrong (exit code 2).
    """
    watcher = watcher or Watcher()
    check_dataset(request.dataset)
    networks = Networks(request.weights)
    request.flow.check(networks.cards.values())
    if "flow" in networks.cards:
        Store.find(request.store)  # what is no store is noticed before the first hour of work
    watcher.expect_videos(len(request.videos) * len(networks.cards))
    for entry in request.videos:
        streams: dict[str, _Stream] = {}
        for modality in networks.cards:
            try:
                streams[modality] = _predict_stream(request, entry.location, modality, networks, watcher)
                yield streams[modality].prediction
            except GbvisError as error:
                yield Failure.of(entry.location, error)
            watcher.finish_video()
        if len(streams) > 1:
            yield from _fuse(streams["rgb"], streams["flow"], networks.cards, request.top, watcher)


@dataclass(frozen=True)
class _Stream:
    """What fusing needs to know of a stream."""

    prediction: Prediction
    scores: Scores
    frame_count: int


def _predict_stream(
    request: PredictRequest, location: str, modality: str, networks: Networks, watcher: Watcher
) -> _Stream:
    card = networks.cards[modality]
    video = find_stream(location, card, request.dataset, request.flow, partial(_open_store, request.store), watcher)
    frames = request.clips.completed(card.clip_format).choose_frames(video.shape)
    video.prepare({number for numbers in frames for number in numbers})
    watcher.expect(len(frames), video.name)
    network = networks.load(modality)

    def watch(endpoint: Endpoint, shape: tuple[int, ...]) -> None:
        watcher.say(f"{video.name} {modality}: {endpoint.name:<10} {list(shape)}")

    total = np.zeros(card.class_count)
    with network.computing():
        for batch in network.batches(len(frames)):
            clips = [cut_clip(video, frames[number], card.clip_format) for number in batch]
            responses = network.measure(clips, {SOFTMAX}, None if batch.start else watch)
            total += responses[SOFTMAX].array().sum(axis=0)
            for _ in batch:
                watcher.advance(video.name)
    scores = (total / len(frames)).astype(np.float32)
    if not np.isfinite(scores).all():
        raise GbvisError(
            f"the scores of {video.name} hold NaN or infinity",
            "the numbers overflow: check the weights, or try --precision float32",
        )
    prediction = Prediction(video.name, modality, len(frames), card.top(scores, request.top))
    return _Stream(prediction, scores, video.shape.frame_count)


def _open_store(location: str | Path) -> Store:
    """Return the store, made if there is none; one that cannot be written may hold all that is needed."""
    return Store.find(location) or Store.open_or_create(location)


def _fuse(
    rgb: _Stream, flow: _Stream, cards: Mapping[str, WeightsInfo], top: int, watcher: Watcher
) -> Iterator[Prediction]:
    """Yield the mean of the streams' scores, weighted as their file says, where they are about the same classes."""
    name, clips = rgb.prediction.video, max(rgb.prediction.clips, flow.prediction.clips)
    if rgb.scores.shape != flow.scores.shape:
        watcher.warn(f"{name}: not fused: {rgb.scores.size} classes in one stream, {flow.scores.size} in the other")
        return
    if flow.frame_count + 1 != rgb.frame_count:
        watcher.warn(
            f"{name}: {rgb.frame_count} RGB frames and {flow.frame_count} flow frames, where one fewer is expected: "
            "the streams do not see the same moments"
        )
    weights = [cards["rgb"].fusion_weight, cards["flow"].fusion_weight]
    scores = np.average([rgb.scores, flow.scores], axis=0, weights=weights).astype(np.float32)
    yield Prediction(name, "fused", clips, cards["rgb"].top(scores, top))
