"""The computation of those runs of one stream that the store does not have."""

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from gbvis.attribution.method import Method
from gbvis.attribution.recipe import Recipe, StreamRecipe
from gbvis.errors import GbvisError, StoreError
from gbvis.networks.endpoint import Endpoint, Responses, Target, TargetRequest
from gbvis.networks.info import WeightsInfo
from gbvis.progress import Progress
from gbvis.store import RunWriter, Store, StoredClips, StoredRun
from gbvis.version import __version__
from gbvis.videos.video import Video

if TYPE_CHECKING:
    from gbvis.attribution.attribution import Pending
    from gbvis.attribution.runner import Arriving, Runner, RunningGraph

_KEPT_AHEAD = 2
"""Attributions, of one clip or of one batch, that may wait for being written."""

TOP_SCORES = 5
"""How many class scores are kept with a run."""

Question = tuple[Method, TargetRequest]
"""What is asked: how, and of what."""

Answer = tuple[Method, Target]
"""What a run is of."""


@dataclass(frozen=True)
class Task:
    """One stream of one video, and where its runs go.

    Attributes:
        video: The stream.
        info: The network.
        recipe: What all runs of it share.
        store: Where runs are kept.
        progress: An object that is told how far the work is.
        is_forced: Compute again what is there.
    """

    video: Video
    info: WeightsInfo
    recipe: StreamRecipe
    store: Store
    progress: Progress
    is_forced: bool

    def recipe_of(self, answer: Answer, frames: list[list[int]]) -> Recipe:
        """Return the recipe of a run over the clips with these frames."""
        method, target = answer
        return self.recipe.of_run(method.recipe(), target, frames)

    def say(self, line: str) -> None:
        """Tell a detail of this stream."""
        self.progress.say(f"{self.video.name} {self.video.modality}: {line}")


class Computation:
    """All runs of one stream that the store lacks, computed together: one forward pass of each clip.

    Where a target is picked by its rank among several clips, the clips' mean responses are needed before the first
    attribution: then there is one more forward pass of each clip, which costs less than keeping every clip's
    activations.

    Attributes:
        runs: Each run and whether it was in the store already, under another request; filled by `run`.
        failures: Why there is no run for an answer; filled by `run`.
    """

    def __init__(self, task: Task, questions: Mapping[str, Question], clips: StoredClips, network: "Runner") -> None:
        """Name the parts.

        Args:
            task: The stream.
            questions: What is asked, by the digest of everything that decides which run answers it.
            clips: The stream's clips.
            network: Ready to compute.
        """
        self._task, self._questions, self._clips, self._network = task, questions, clips, network
        self._scored_at = {task.info.scores} if task.info.scores else set()  # every run carries scores
        self._endpoints = {*self._scored_at, *(request.endpoint for _, request in questions.values())}
        self._layers = {layer for method, _ in questions.values() for layer in method.layers}
        self._answers: dict[Answer, list[str]] = {}
        self._stored: dict[Answer, StoredRun] = {}
        self._writers: dict[Answer, RunWriter] = {}
        self._attributed: dict[Answer, int] = {}  # up to which clip
        self._responses: list[Mapping[Endpoint, Arriving]] = []
        self.runs: list[tuple[StoredRun, bool]] = []
        self.failures: dict[Answer, GbvisError] = {}
        self._seconds_of_writing = 0.0

    def run(self) -> None:
        """Compute and store what is asked for, of all clips."""
        is_ranked = any(request.rank is not None for _, request in self._questions.values())
        if is_ranked and len(self._clips.frames) > 1:
            self._resolve(self._mean_responses())
        with ExitStack() as unfinished, ThreadPoolExecutor(1) as writing:
            written: deque[Future[None]] = deque()
            for method, pending in self._attribute(unfinished):
                written.append(writing.submit(self._write, method, pending))
                if len(written) > _KEPT_AHEAD:
                    written.popleft().result()
            waited = time.perf_counter()
            for one in written:
                one.result()
            self._describe()
        seconds = time.perf_counter() - waited
        beside = f"compressed and written beside: {self._seconds_of_writing:.2f} s"
        self._task.say(f"{beside}; waited for the disk: {seconds:.2f} s")
        self._keep_starts()
        self._collect()

    def _attribute(self, unfinished: ExitStack) -> Iterator[tuple[Method, "Pending"]]:
        """Yield the attributions of all clips; the runs they belong to are opened when the first clip is seen.

        On a GPU only this first one is waited for: all others are asked for while the ones before are computed.
        """
        batches = self._network.batches(len(self._clips.frames), self._task.say)
        for numbers in batches:
            started = time.perf_counter()
            clips = [self._clips.pixels(number) for number in numbers]
            with batches.attempt(), self._network.graph(clips) as graph:
                responses = graph.forward(self._endpoints, None if numbers.start else self._watch, self._layers)
                if not numbers.start:
                    self._begin(responses, unfinished)
                yield from self._attribute_batch(graph, numbers)
                self._responses.append({endpoint: responses[endpoint] for endpoint in self._scored_at})
                seconds = time.perf_counter() - started
                which = f"clip {numbers.start + 1}"
                which = which if len(numbers) == 1 else f"clips {numbers.start + 1}-{numbers.stop}"
                self._task.say(f"{which}: gradients: {len(self._writers)}, in {seconds:.2f} s")
            if not self._writers:
                break  # all of it was in the store, asked for in other words

    def _attribute_batch(self, graph: "RunningGraph", numbers: range) -> Iterator[tuple[Method, "Pending"]]:
        """Yield the attributions of a batch, less those that were yielded before its memory ran out."""
        left = [answer for answer in self._writers if self._attributed.get(answer, 0) <= numbers.start]
        left.sort(key=lambda answer: (self._task.info.endpoints.index(answer[1].endpoint), answer[1].index))
        for place, (method, target) in enumerate(left, start=1):  # methods share what they find for one target
            for pending in graph.attribute(method, [target], place == len(left)):
                self._attributed[method, target] = numbers.stop
                yield method, pending

    def _begin(self, responses: Mapping[Endpoint, "Arriving"], unfinished: ExitStack) -> None:
        """Decide what the runs are of, given the first clip's responses, and open those that the store lacks."""
        if not self._answers:
            self._resolve(_mean([responses]))
        self._open_writers(unfinished)
        self._task.progress.expect(len(self._clips.frames) * len(self._writers), self._task.video.name)

    def _write(self, method: Method, pending: "Pending") -> None:
        """Write attributions, which takes a core for as long as they are compressed, while the next are computed.

        One that holds what is no number costs its own run; the others go on.
        """
        answer = method, pending.target
        writer = self._writers[answer]
        results = pending.result()
        started = time.perf_counter()
        for attribution in results:
            try:
                if answer not in self.failures:
                    writer.write(attribution)
            except GbvisError as error:
                writer.give_up()
                self.failures[answer] = error
            self._task.progress.advance(self._task.video.name)
        self._seconds_of_writing += time.perf_counter() - started

    def _mean_responses(self) -> Responses:
        ranked = {request.ranked_at for _, request in self._questions.values() if request.rank is not None}
        batches = self._network.batches(len(self._clips.frames), self._task.say)
        responses = []
        for batch in batches:
            with batches.attempt():
                responses.append(self._network.predict([self._clips.pixels(one) for one in batch], ranked))
        return _mean(responses)

    def _resolve(self, responses: Responses) -> None:
        for digest, (method, request) in self._questions.items():
            self._answers.setdefault((method, request.resolve(responses)), []).append(digest)

    def _open_writers(self, unfinished: ExitStack) -> None:
        task = self._task
        for answer, digests in self._answers.items():
            recipe = task.recipe_of(answer, self._clips.frames)
            stored = None if task.is_forced else task.store.find_run(task.video.name, recipe)
            if stored:
                self._stored[answer] = stored
                continue
            method, target = answer
            writer = task.store.write_run(task.video, recipe, target.endpoint, task.info, self._clips, task.is_forced)
            self._writers[answer] = unfinished.enter_context(writer)
            self._writers[answer].describe(kind=method.kind, requests=digests)

    def _describe(self) -> None:
        """Record with every run what is only known at the end: the scores, and what it was made with."""
        made = {
            "gbvis": __version__,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "weights": self._task.info.path,
            **self._network.environment(),
        }
        scores = self._top_scores()
        for writer in self._writers.values():
            writer.describe(scores=scores, made=made)

    def _keep_starts(self) -> None:
        """Keep in the store what was measured of the network, so that no other process measures it."""
        starts, info = self._network.starts(), self._task.info
        if starts.items() - info.starts.items():
            self._task.store.weights.keep_starts(info, starts)

    def _top_scores(self) -> list[dict[str, Any]]:
        if not self._scored_at:
            return []
        (scores,) = _mean(self._responses).values()
        top = self._task.info.top(scores, TOP_SCORES) if np.isfinite(scores).all() else []
        return [{"index": one["index"], "score": one["score"]} for one in top]

    def _collect(self) -> None:
        for answer, digests in self._answers.items():
            if answer in self.failures:
                continue
            stored = self._stored.get(answer)
            if stored:
                stored.add_requests(digests)
            recipe = self._task.recipe_of(answer, self._clips.frames)
            run = self._task.store.find_run(self._task.video.name, recipe)
            if run is None:
                raise StoreError(
                    f"{self._task.video.name} {recipe.endpoint} {recipe.target} is gone from the store again",
                    "something else takes runs away while this call writes them: repeat it",
                )
            self.runs.append((run, stored is not None))

    def _watch(self, endpoint: Endpoint, shape: tuple[int, ...]) -> None:
        self._task.say(f"{endpoint.name:<10} {list(shape)}")


def _mean(responses: Sequence[Mapping[Endpoint, "Arriving"]]) -> Responses:
    """Return the mean of responses, each (clip, targets), over all clips."""
    return {
        endpoint: np.concatenate([one[endpoint].array() for one in responses]).mean(axis=0) for endpoint in responses[0]
    }
