"""The work of `explain` on one stream of one video."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from gbvis.attribution.attribution import NUMBERS_VERSION, Recipe
from gbvis.errors import GbvisError
from gbvis.networks.endpoint import Target, TargetRequest
from gbvis.progress import Failure, StoppableWatcher
from gbvis.provenance import digest_of
from gbvis.steps.explain.computation import Computation
from gbvis.steps.explain.request import ExplainedRun, ExplainRequest
from gbvis.steps.networks import Networks
from gbvis.store import Store, StoredClips, StoredRun
from gbvis.videos.clip import ClipPixels, cut_clip, fingerprint_for
from gbvis.videos.locate import VideoEntry
from gbvis.videos.video import Video


class VideoJob:
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
        self._networks, self._location = networks, entry.location
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
        if self._cached:
            with suppress(GbvisError):  # what is served from the store needs none of it
                clips = [clip for run in self._cached for clip in run.recipe["clips"]]
                self.video.mend({number for numbers in clips for number in numbers})
        if self._missing:
            self._cut_clips()
        self._seconds = time.perf_counter() - started

    def explain(self) -> Iterator[ExplainedRun | Failure]:
        """Yield the runs wanted, once `prepare` is done: those in the store at once, the others when computed."""
        for run in {run.key: run for run in self._cached}.values():
            yield ExplainedRun(run, self.store.location, self.card, True, self._seconds)
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

    def _compute(self) -> Iterator[ExplainedRun | Failure]:
        """Yield the runs that answer the missing requests, once all of them are in the store, and why one is not."""
        started = time.perf_counter()
        network = self._networks.load(self.video.modality)
        self.say(f"network ready, in {time.perf_counter() - started:.2f} s")
        assert self._clips is not None
        with network.computing():
            batch = Computation(self, self._missing, self._clips, network)
            batch.compute()
        seconds = (self._seconds + time.perf_counter() - started) / max(len(batch.runs), 1)
        for run, is_cached in batch.runs:
            yield ExplainedRun(run, self.store.location, self.card, is_cached, seconds)
        for error in batch.failures.values():
            yield Failure.of(self._location, error)

    def say(self, line: str) -> None:
        """Tell a detail of this stream."""
        self.watcher.say(f"{self.video.name} {self.video.modality}: {line}")
