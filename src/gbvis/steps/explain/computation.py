"""The gradients of one stream that the store lacks, computed together and put there."""

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from gbvis import __version__, registry
from gbvis.attribution.attribution import PendingAttributions
from gbvis.errors import GbvisError
from gbvis.networks.endpoint import SOFTMAX, Endpoint, Responses, Target, TargetRequest
from gbvis.store import RunWriter, StoredClips, StoredRun

if TYPE_CHECKING:
    from gbvis.networks.network import Network
    from gbvis.networks.transfer import HostCopy
    from gbvis.steps.explain.video_job import VideoJob

Requests = Mapping[str, TargetRequest]
"""Targets asked for, by the digest of everything that decides which run answers them."""

_KEPT_AHEAD = 2
"""Gradients, of one clip or of one batch, that may wait for being written."""

TOP_SCORES = 5
"""How many class scores are kept with a run."""


class Computation:
    """All targets of one stream that the store lacks, computed together: one forward pass of each clip.

    Where a target is picked by its rank among several clips, the clips' mean responses are needed before the first
    gradient: then there is one more forward pass of each clip, which costs less than keeping every clip's activations.

    Attributes:
        runs: Each run and whether it was in the store already, under another request; filled by `compute`.
        failures: Why there is no run of a target; filled by `compute`.
    """

    def __init__(self, stream: "VideoJob", requests: Requests, clips: StoredClips, network: "Network") -> None:
        self._stream, self._requests, self._clips, self._network = stream, requests, clips, network
        self._endpoints = {SOFTMAX, *(target.endpoint for target in requests.values())}  # every run carries scores
        self._answers: dict[Target, list[str]] = {}
        self._stored: dict[Target, StoredRun] = {}
        self._writers: dict[Target, RunWriter] = {}
        self._scores: list[HostCopy] = []
        self.runs: list[tuple[StoredRun, bool]] = []
        self.failures: dict[Target, GbvisError] = {}
        self._seconds_of_keeping = 0.0

    def compute(self) -> None:
        """Compute and store the gradients of all clips."""
        clip_count = len(self._clips.frames)
        if clip_count > 1 and any(target.rank is not None for target in self._requests.values()):
            self._resolve(self._mean_responses())
        with ExitStack() as unfinished, ThreadPoolExecutor(1) as keeping:
            kept: deque[Future[None]] = deque()
            for pending in self._attribute(unfinished):
                kept.append(keeping.submit(self._keep, pending))
                if len(kept) > _KEPT_AHEAD:
                    kept.popleft().result()
            waited = time.perf_counter()
            for one in kept:
                one.result()
            self._describe()
        seconds = time.perf_counter() - waited
        beside = f"compressed and written beside: {self._seconds_of_keeping:.2f} s"
        self._stream.say(f"{beside}; waited for the disk: {seconds:.2f} s")
        self._collect()

    def _attribute(self, unfinished: ExitStack) -> Iterator[PendingAttributions]:
        """Yield the gradients of all clips; the runs they belong to are opened when the first clip is seen.

        On a GPU only this first one is waited for: all others are asked for while the ones before are computed.
        """
        attribute = registry.method(self._stream.request.method).attribute

        def choose(responses: Mapping[Endpoint, "HostCopy"]) -> list[Target]:
            self._scores.append(responses[SOFTMAX])
            if not self._answers:
                self._resolve(_mean([responses]))
            if not self._writers:
                self._open_writers(unfinished)
                count = len(self._clips.frames) * len(self._writers)
                self._stream.watcher.expect(count, self._stream.video.name)
            return list(self._writers)

        for numbers in self._network.batches(len(self._clips.frames)):
            started = time.perf_counter()
            clips = [self._clips.pixels(number) for number in numbers]
            yield from attribute(self._network, clips, self._endpoints, choose, None if numbers.start else self._watch)
            seconds = time.perf_counter() - started
            which = f"clip {numbers.start + 1}" if len(numbers) == 1 else f"clips {numbers.start + 1}-{numbers.stop}"
            self._stream.say(f"{which}: gradients: {len(self._writers)}, in {seconds:.2f} s")
            if not self._writers:
                break  # all of it was in the store, asked for in other words

    def _keep(self, pending: PendingAttributions) -> None:
        """Write gradients, which takes a core for as long as they are compressed, while the next are computed.

        One that holds what is no number costs its own run; the others go on.
        """
        writer = self._writers[pending.target]
        arrived = pending.arrive()
        started = time.perf_counter()
        for attribution in arrived:
            try:
                if attribution.target not in self.failures:
                    writer.write(attribution)
            except GbvisError as error:
                writer.give_up()
                self.failures[attribution.target] = error
            self._stream.watcher.advance(self._stream.video.name)
        self._seconds_of_keeping += time.perf_counter() - started

    def _mean_responses(self) -> Responses:
        ranked = {target.ranked_at for target in self._requests.values() if target.rank is not None}
        batches = self._network.batches(len(self._clips.frames))
        return _mean([self._network.measure([self._clips.pixels(one) for one in batch], ranked) for batch in batches])

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
        scores = _mean([{SOFTMAX: scores} for scores in self._scores])[SOFTMAX]
        top = self._stream.card.top(scores, TOP_SCORES) if np.isfinite(scores).all() else []
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
            if target in self.failures:
                continue
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


def _mean(responses: Sequence[Mapping[Endpoint, "HostCopy"]]) -> Responses:
    """Return the mean of responses, each (clip, targets), over all clips."""
    return {
        endpoint: np.concatenate([one[endpoint].array() for one in responses]).mean(axis=0) for endpoint in responses[0]
    }
