"""The computation of those runs of one stream that the store does not have, by methods of one pass."""

import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

from gbvis.errors import GbvisError
from gbvis.networks.endpoint import Endpoint, Responses
from gbvis.steps.explain.answers import Answers, Found, mean_of
from gbvis.steps.explain.task import Answer, Question, Task
from gbvis.store import StoredClips

if TYPE_CHECKING:
    from gbvis.attribution.attribution import Pending
    from gbvis.attribution.runner import Arriving, Runner, RunningGraph

_KEPT_AHEAD = 2
"""Attributions, of one clip or of one batch, that may wait for being written."""


class Computation:
    """All runs of one stream that the store lacks, computed together: one forward pass of each clip.

    Where a target is picked by its rank among several clips, the clips' mean responses are needed before the first
    attribution: then there is one more forward pass of each clip, which costs less than keeping every clip's
    activations.
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
        self._answers = Answers(task, questions, clips, network)
        self._attributed: dict[Answer, int] = {}  # up to which clip
        self._responses: list[Mapping[Endpoint, Arriving]] = []
        self._seconds_of_writing = 0.0

    @property
    def failures(self) -> list[GbvisError]:
        """Why there is no run for an answer."""
        return list(self._answers.failures.values())

    def run(self) -> Iterator[list[Found]]:
        """Compute and store what is asked for, of all clips, and yield the runs, and which were there already."""
        is_ranked = any(request.rank is not None for _, request in self._questions.values())
        if is_ranked and len(self._clips.frames) > 1:
            self._answers.resolve(self._mean_responses())
        with ExitStack() as unfinished, ThreadPoolExecutor(1) as writing:
            written: deque[Future[None]] = deque()
            for answer, pending in self._attribute(unfinished):
                written.append(writing.submit(self._write, answer, pending))
                if len(written) > _KEPT_AHEAD:
                    written.popleft().result()
            waited = time.perf_counter()
            for one in written:
                one.result()
            self._answers.describe(mean_of(self._responses) if self._scored_at else {})
        seconds = time.perf_counter() - waited
        beside = f"compressed and written beside: {self._seconds_of_writing:.2f} s"
        self._task.say(f"{beside}; waited for the disk: {seconds:.2f} s")
        self._keep_starts()
        yield self._answers.collect(self._answers.all)

    def _attribute(self, unfinished: ExitStack) -> Iterator[tuple[Answer, "Pending"]]:
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
                self._task.say(f"{which}: gradients: {len(self._answers.writers)}, in {seconds:.2f} s")
            if not self._answers.writers:
                break  # all of it was in the store, asked for in other words

    def _attribute_batch(self, graph: "RunningGraph", numbers: range) -> Iterator[tuple[Answer, "Pending"]]:
        """Yield the attributions of a batch, less those that were yielded before its memory ran out."""
        left = [answer for answer in self._answers.writers if self._attributed.get(answer, 0) <= numbers.start]
        left.sort(key=lambda answer: (self._task.info.endpoints.index(answer[1].endpoint), answer[1].index))
        for place, (method, target) in enumerate(left, start=1):  # methods share what they find for one target
            for pending in graph.attribute(method, [target], place == len(left)):
                self._attributed[method, target] = numbers.stop
                yield (method, target), pending

    def _begin(self, responses: Mapping[Endpoint, "Arriving"], unfinished: ExitStack) -> None:
        """Decide what the runs are of, given the first clip's responses, and open those that the store lacks."""
        answers = self._answers
        if not answers.all:
            answers.resolve(mean_of([responses]))
        answers.open(answers.all, unfinished)
        self._task.progress.expect(len(self._clips.frames) * len(answers.writers), self._task.video.name)

    def _write(self, answer: Answer, pending: "Pending") -> None:
        """Write attributions, which takes a core for as long as they are compressed, while the next are computed."""
        results = pending.result()
        started = time.perf_counter()
        for attribution in results:
            self._answers.write(answer, attribution)
            self._task.progress.advance(self._task.video.name)
        self._seconds_of_writing += time.perf_counter() - started

    def _mean_responses(self) -> Responses:
        ranked = {request.ranked_at for _, request in self._questions.values() if request.rank is not None}
        batches = self._network.batches(len(self._clips.frames), self._task.say)
        responses = []
        for batch in batches:
            with batches.attempt():
                responses.append(self._network.predict([self._clips.pixels(one) for one in batch], ranked))
        return mean_of(responses)

    def _keep_starts(self) -> None:
        """Keep in the store what was measured of the network, so that no other process measures it."""
        starts, info = self._network.starts(), self._task.info
        if starts.items() - info.starts.items():
            self._task.store.weights.keep_starts(info, starts)

    def _watch(self, endpoint: Endpoint, shape: tuple[int, ...]) -> None:
        self._task.say(f"{endpoint.name:<10} {list(shape)}")
