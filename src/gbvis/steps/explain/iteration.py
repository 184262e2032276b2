"""The computation of those runs of one stream that the store does not have, by methods of many passes."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from gbvis.attribution.estimate import Estimate
from gbvis.attribution.iterative import Clip, IterativeMethod, iterate
from gbvis.errors import GbvisError
from gbvis.networks.endpoint import Responses
from gbvis.steps.explain.answers import Answers, Found, mean_of
from gbvis.steps.explain.task import Answer, Question, Task
from gbvis.store import StoredClips
from gbvis.videos.clip import cut_motion

if TYPE_CHECKING:
    from gbvis.attribution.runner import Runner

_TOGETHER = 16
"""Targets that share the passes of one method: more would take much memory for their sums."""

_SECONDS_KEPT = 10.0
"""After so much work estimates are brought into the store: a call that is killed loses no more."""


_TRIED = 3
"""Passes that show how long all of them will take: the first makes kernels, and takes longer."""

_SECONDS_TOLD = 5.0
"""What takes longer is said beforehand."""


class IteratedComputation:
    """All runs of one stream that the store lacks, by methods of many passes; each is there as soon as it is done.

    What is found is kept in the store on the way, so that a killed call is gone on with where it was.
    """

    def __init__(self, task: Task, questions: Mapping[str, Question], clips: StoredClips, network: "Runner") -> None:
        """Name the parts; see `Computation`."""
        self._task, self._clips, self._network = task, clips, network
        self._scored_at = {task.info.scores} if task.info.scores else set()
        self._endpoints = {*self._scored_at, *(request.endpoint for _, request in questions.values())}
        self._ranked_at = {request.ranked_at for _, request in questions.values()}
        self._answers = Answers(task, questions, clips, network)
        self._values: list[Responses] = []  # of each clip

    @property
    def failures(self) -> list[GbvisError]:
        """Why there is no run for an answer."""
        return list(self._answers.failures.values())

    def run(self) -> Iterator[list[Found]]:
        """Compute and store what is asked for, and yield runs as soon as they are there."""
        endpoints = self._endpoints | self._ranked_at
        numbers = range(len(self._clips.frames))
        responses = [self._network.predict([self._clips.pixels(number)], endpoints) for number in numbers]
        self._values = [mean_of([one]) for one in responses]
        mean = mean_of(responses)
        self._answers.resolve(mean)
        by_method: dict[IterativeMethod, list[Answer]] = {}
        for answer in self._answers.all:
            assert isinstance(answer[0], IterativeMethod)
            by_method.setdefault(answer[0], []).append(answer)
        scores = {endpoint: mean[endpoint] for endpoint in self._scored_at}
        for method, answers in by_method.items():
            for first in range(0, len(answers), _TOGETHER):
                together = answers[first : first + _TOGETHER]
                self._compute(method, together, scores)
                yield self._answers.collect(together)

    def _compute(self, method: IterativeMethod, together: Sequence[Answer], scores: Responses) -> None:
        """Bring the runs of one method into the store."""
        with ExitStack() as unfinished:
            self._answers.open(together, unfinished)
            answers = list(self._answers.writers)
            for number in range(len(self._clips.frames)) if answers else ():
                clip = self._clip(number)
                estimates = self._estimate(method, clip, number, answers)
                for answer, estimate in zip(answers, estimates, strict=True):
                    self._answers.write(answer, method.conclude(estimate, clip))
            self._answers.describe(scores)
        for answer in answers:
            recipe = self._task.recipe_of(answer, self._clips.frames)
            self._task.store.estimates.forget(self._task.video.name, recipe, range(len(self._clips.frames)))

    def _clip(self, number: int) -> Clip:
        info, flow, frames = self._task.info, self._task.motion, self._clips.frames[number]
        find_motion = partial(cut_motion, flow, frames, info.clip_format) if flow else None
        return Clip(self._clips.pixels(number), info.clip_format, info.modality, frames[0], find_motion)

    def _estimate(self, method: IterativeMethod, clip: Clip, number: int, answers: Sequence[Answer]) -> list[Estimate]:
        """Return the estimates of one clip after all passes, begun anew or gone on with."""
        estimates = [self._begin(method, clip, number, answer) for answer in answers]
        started = kept = time.perf_counter()
        is_done = False
        try:
            for _ in self._iterate(method, clip, estimates):
                if time.perf_counter() - kept > _SECONDS_KEPT:
                    self._keep(number, answers, estimates)
                    kept = time.perf_counter()
            is_done = True
        finally:  # also where Ctrl-C was pressed
            if time.perf_counter() - kept > 1 and not (is_done and len(self._clips.frames) == 1):
                self._keep(number, answers, estimates)
        passes = max(one.passes for one in estimates)
        seconds = time.perf_counter() - started
        self._task.say(f"clip {number + 1}: {method}: after {passes} passes, in {seconds:.2f} s")
        return estimates

    def _iterate(self, method: IterativeMethod, clip: Clip, estimates: Sequence[Estimate]) -> Iterator[None]:
        """Go through all passes, and tell how far they are, and, once a pass shows it, how long they will take."""
        progress, name = self._task.progress, self._task.video.name
        expected = done = 0
        quickest, began = math.inf, time.perf_counter()
        for passes in iterate(method, self._network, clip, estimates):
            done += passes
            if done > expected:  # at first, and where a method takes more passes than it could tell
                left = max(method.count_passes(clip, one) - one.passes for one in estimates)
                expected = done + left
                progress.expect(passes + left, name)
            for _ in range(passes):
                progress.advance(name)
            quickest = min(quickest, (time.perf_counter() - began) / passes)
            if done == _TRIED * passes:
                total = max(method.count_passes(clip, one) for one in estimates)
                self._tell_cost(method, total, quickest)
            began = time.perf_counter()
            yield

    def _tell_cost(self, method: IterativeMethod, passes: int, seconds: float) -> None:
        total = passes * seconds
        if total > _SECONDS_TOLD:
            length = f"{total / 60:.0f} minutes" if total > 90 else f"{total:.0f} s"
            line = f"{method.name}: {passes} passes a clip, about {length} each clip"
            self._task.progress.note(line, once=method.name)

    def _begin(self, method: IterativeMethod, clip: Clip, number: int, answer: Answer) -> Estimate:
        task, (_, target) = self._task, answer
        recipe = task.recipe_of(answer, self._clips.frames)
        begun = method.begin(clip, target, float(self._values[number][target.endpoint][target.index]))
        kept = None if task.is_forced else task.store.estimates.find(task.video.name, recipe, number, target)
        if kept is None or kept.sums.shape != begun.sums.shape:
            return begun
        task.say(f"clip {number + 1}: {method} goes on after {kept.passes} passes")
        return kept

    def _keep(self, number: int, answers: Sequence[Answer], estimates: Sequence[Estimate]) -> None:
        for answer, estimate in zip(answers, estimates, strict=True):
            recipe = self._task.recipe_of(answer, self._clips.frames)
            self._task.store.estimates.keep(self._task.video.name, recipe, number, estimate)
