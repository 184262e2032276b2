"""The work of `explain` on one stream of one video."""

import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gbvis import __version__, registry
from gbvis.attribution import NUMBERS_VERSION, Attribution, Recipe
from gbvis.clip import ClipPixels, cut_clip, fingerprint_for
from gbvis.endpoint import SOFTMAX, Endpoint, Responses, Target, TargetRequest
from gbvis.errors import GbvisError
from gbvis.fingerprint import digest_of
from gbvis.steps.explain.request import ExplainedRun, ExplainRequest
from gbvis.steps.finding_videos import VideoEntry
from gbvis.steps.opening_weights import Networks
from gbvis.steps.watching import StoppableWatcher
from gbvis.store import RunWriter, Store, StoredClips, StoredRun
from gbvis.video import Video

if TYPE_CHECKING:
    from gbvis.network import Network

Requests = Mapping[str, TargetRequest]
"""Targets asked for, by the digest of everything that decides which run answers them."""

_KEPT_AHEAD = 2
"""Gradients that may wait for being written."""

TOP_SCORES = 5
"""How many class scores are kept with a run."""


class Stream:
    """One stream of one video: looks up what the store has and computes the rest."""

    def __init__(
        self,
        request: ExplainRequest,
        entry: VideoEntry,
        video: Video,
        networks: Networks,
        store: Store,
        watcher: StoppableWatcher,
    ) -> None:
        self.request, self.video, self.store, self.watcher = request, video, store, watcher
        self.card = networks.cards[video.modality]
        self._networks = networks
        self._clip_request = request.clips.completed(self.card.clip_format)
        self._wanted = {self._digest(target): target for target in request.targets_for(entry, self.card)}
        self._cached: list[StoredRun] = []
        self._missing: dict[str, TargetRequest] = {}
        self._clips: StoredClips | None = None
        self._seconds = 0.0

    def prepare(self) -> None:
        """Look up what the store has, and cut the clips that the rest needs; no network is needed for it."""
        started = time.perf_counter()
        cached = {} if self.request.is_forced else self._look_up()
        self._cached = [cached[digest] for digest in self._wanted if digest in cached]
        self._missing = {digest: target for digest, target in self._wanted.items() if digest not in cached}
        if self._missing:
            self._cut_clips()
        self._seconds = time.perf_counter() - started

    def explain(self) -> Iterator[ExplainedRun]:
        """Yield the runs wanted, once `prepare` is done: those in the store at once, the others when computed."""
        for run in {run.key: run for run in self._cached}.values():
            yield ExplainedRun(run, self.store.path, self.card, True, self._seconds)
        if self._missing:
            yield from self._compute()

    def recipe(self, target: Target, frames: list[list[int]]) -> Recipe:
        """Return the recipe of the run for `target` over the clips with these frames."""
        return Recipe(**self._settings(), clips=frames, endpoint=target.endpoint.name, target=target.index)

    def _settings(self) -> dict[str, Any]:
        """Return the part of a recipe that all runs of this stream share."""
        preprocessing = self.card.clip_format.to_json()
        del preprocessing["frames"]  # a default: which frames were taken stands in the clips
        return {
            "video": fingerprint_for(self.video, self.card.clip_format),
            "modality": self.video.modality,
            "preprocessing": preprocessing,
            "weights": self.card.sha256,
            "family": self.card.family,
            "method": self.request.method,
            "precision": self.request.weights.precision,
            **({"flow": self.video.flow_recipe} if self.video.flow_recipe else {}),
        }

    def _digest(self, target: TargetRequest) -> str:
        """Return the digest of a request; nothing has to be decoded or computed for it."""
        asked = {"endpoint": target.endpoint.name, "index": target.index, "rank": target.rank}
        clips = asdict(self._clip_request)
        return digest_of({**self._settings(), **asked, "clips": clips, "numbers_version": NUMBERS_VERSION})

    def _look_up(self) -> dict[str, StoredRun]:
        """Return the stored runs that answer requests, by the requests' digests."""
        found: dict[str, StoredRun] = {}
        for endpoint in {target.endpoint for target in self._wanted.values()}:
            found |= self.store.find_answers(self.video.name, self.video.modality, endpoint, self._wanted)
        return found

    def _cut_clips(self) -> None:
        """Bring the clips into the store, unless all that is missing turns out to be there under another request."""
        started = time.perf_counter()
        clip_format = self.card.clip_format
        known = self.store.find_shape(self.video.name, self.video.modality, fingerprint_for(self.video, clip_format))
        frames = self._clip_request.choose_frames(known or self.video.shape)
        if not self.request.is_forced:
            self._cached += self._answer_by_index(self._missing, frames)
        if self._missing:
            cut = self._cut(frames)
            self._clips = self.store.write_clips(self.video, clip_format, frames, cut, self.request.is_forced)
            self.say(f"clips cut: {len(frames)}, in {time.perf_counter() - started:.2f} s")

    def _cut(self, frames: list[list[int]]) -> Iterator[ClipPixels]:
        """Yield the clips with these frames; nothing is read before the first is asked for."""
        self.video.prepare({number for numbers in frames for number in numbers})
        for numbers in frames:
            self.watcher.check()
            yield cut_clip(self.video, numbers, self.card.clip_format)

    def _answer_by_index(self, missing: dict[str, TargetRequest], frames: list[list[int]]) -> list[StoredRun]:
        """Take out of `missing` what the store has under another request, and return it; needs no network."""
        found = []
        for digest, request in list(missing.items()):
            if request.index is not None:
                recipe = self.recipe(Target(request.endpoint, request.index), frames)
                run = self.store.find_run(self.video.name, recipe)
                if run is not None:
                    run.add_requests([digest])
                    del missing[digest]
                    found.append(run)
        return found

    def _compute(self) -> Iterator[ExplainedRun]:
        """Yield the runs that answer the missing requests, once all of them are in the store."""
        started = time.perf_counter()
        network = self._networks.load(self.video.modality)
        assert self._clips is not None
        with network.computing():
            batch = Batch(self, self._missing, self._clips, network)
            batch.compute()
        seconds = (self._seconds + time.perf_counter() - started) / len(batch.runs)
        for run, is_cached in batch.runs:
            yield ExplainedRun(run, self.store.path, self.card, is_cached, seconds)

    def say(self, line: str) -> None:
        """Tell a detail of this stream."""
        self.watcher.say(f"{self.video.name} {self.video.modality}: {line}")


class Batch:
    """All targets of one stream that the store lacks, computed together: one forward pass a clip.

    Where a target is picked by its rank among several clips, the clips' mean responses are needed before the first
    gradient: then there is one more forward pass a clip, which costs less than keeping every clip's activations.

    Attributes:
        runs: Each run and whether it was in the store already, under another request; filled by `compute`.
    """

    def __init__(self, stream: Stream, requests: Requests, clips: StoredClips, network: "Network") -> None:
        self._stream, self._requests, self._clips, self._network = stream, requests, clips, network
        self._endpoints = {SOFTMAX, *(target.endpoint for target in requests.values())}  # every run carries scores
        self._answers: dict[Target, list[str]] = {}
        self._stored: dict[Target, StoredRun] = {}
        self._writers: dict[Target, RunWriter] = {}
        self._scores: list[NDArray[np.float32]] = []
        self.runs: list[tuple[StoredRun, bool]] = []

    def compute(self) -> None:
        """Compute and store the gradients of all clips."""
        attribute = registry.method(self._stream.request.method).attribute
        clip_count = len(self._clips.frames)
        if clip_count > 1 and any(target.rank is not None for target in self._requests.values()):
            self._resolve(self._mean_responses())
        with ExitStack() as unfinished, ThreadPoolExecutor(1) as keeping:
            kept: deque[Future[None]] = deque()

            def choose(responses: Responses) -> list[Target]:
                self._scores.append(responses[SOFTMAX])
                if not self._answers:
                    self._resolve(responses)
                if not self._writers:
                    self._open_writers(unfinished)
                    self._stream.watcher.expect(clip_count * len(self._writers), self._stream.video.name)
                return list(self._writers)

            for clip in range(clip_count):
                started = time.perf_counter()
                pixels = self._clips.pixels(clip)
                for attribution in attribute(
                    self._network, pixels, self._endpoints, choose, self._watch if clip == 0 else None
                ):
                    kept.append(keeping.submit(self._keep, attribution))
                    if len(kept) > _KEPT_AHEAD:
                        kept.popleft().result()
                seconds = time.perf_counter() - started
                self._stream.say(f"clip {clip + 1}: gradients: {len(self._writers)}, in {seconds:.2f} s")
                if not self._writers:
                    break  # all of it was in the store, asked for in other words
            for one in kept:
                one.result()
            self._describe()
        self._collect()

    def _keep(self, attribution: Attribution) -> None:
        """Write a gradient, which takes a core for as long as it is compressed, while the next is computed."""
        self._writers[attribution.target].write(attribution)
        self._stream.watcher.advance(self._stream.video.name)

    def _mean_responses(self) -> Responses:
        ranked = {target.ranked_at for target in self._requests.values() if target.rank is not None}
        clips = range(len(self._clips.frames))
        measured = [self._network.measure(self._clips.pixels(clip), ranked) for clip in clips]
        return {endpoint: np.mean([one[endpoint] for one in measured], axis=0) for endpoint in ranked}

    def _resolve(self, responses: Responses) -> None:
        for digest, request in self._requests.items():
            self._answers.setdefault(request.resolve(responses), []).append(digest)

    def _open_writers(self, unfinished: ExitStack) -> None:
        stream = self._stream
        for target, digests in self._answers.items():
            recipe = stream.recipe(target, self._clips.frames)
            stored = None if stream.request.is_forced else stream.store.find_run(stream.video.name, recipe)
            if stored:
                self._stored[target] = stored
                continue
            writing = stream.store.writing(stream.video.name, recipe, stream.card.clip_format, stream.request.is_forced)
            writer = self._writers[target] = unfinished.enter_context(writing)
            writer.attributes = {
                "location": stream.video.location,
                "clips": self._clips.digest,
                "label": stream.card.label_of(target.index) if target.endpoint.is_class else None,
                "requests": digests,
            }

    def _describe(self) -> None:
        """Record with every run what is only known at the end: the scores, and the circumstances."""
        top = self._stream.card.top(np.mean(self._scores, axis=0), TOP_SCORES) if self._scores else []
        made = {
            "gbvis": __version__,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "weights": self._stream.card.path,
            **self._network.circumstances(),
        }
        for writer in self._writers.values():
            writer.attributes |= {"scores": top, "made": made}

    def _collect(self) -> None:
        for target, digests in self._answers.items():
            stored = self._stored.get(target)
            if stored:
                stored.add_requests(digests)
            run = self._stream.store.find_run(self._stream.video.name, self._stream.recipe(target, self._clips.frames))
            if run is None:
                raise GbvisError(
                    f"{self._stream.video.name} {target.endpoint} {target.index} is gone from the store again",
                    "something else takes runs away while this call writes them: repeat it",
                )
            self.runs.append((run, stored is not None))

    def _watch(self, endpoint: Endpoint, shape: tuple[int, ...]) -> None:
        self._stream.say(f"{endpoint.name:<10} {list(shape)}")
