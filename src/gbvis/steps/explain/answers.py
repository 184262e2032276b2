"""The answers to what is asked of one stream: those that the store has, and those that are written into it."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from gbvis.errors import GbvisError, StoreError
from gbvis.networks.endpoint import Endpoint, Responses
from gbvis.steps.explain.task import Answer, Question, Task
from gbvis.store import RunWriter, StoredClips, StoredRun
from gbvis.version import __version__

if TYPE_CHECKING:
    from gbvis.attribution.attribution import Attribution
    from gbvis.attribution.runner import Arriving, Runner

Found = tuple[StoredRun, bool]
"""A run, and whether it was in the store already, asked for in other words."""

TOP_SCORES = 5
"""How many class scores are kept with a run."""


class Answers:
    """The answers to questions, once it is known which targets are meant; an answer is one run.

    Attributes:
        writers: Of the answers that the store lacks, those that are open.
        failures: Why there is no run for an answer.
    """

    def __init__(self, task: Task, questions: Mapping[str, Question], clips: StoredClips, network: "Runner") -> None:
        """Name the parts; see `Computation`."""
        self._task, self._questions, self._clips, self._network = task, questions, clips, network
        self._digests: dict[Answer, list[str]] = {}
        self._stored: dict[Answer, StoredRun] = {}
        self.writers: dict[Answer, RunWriter] = {}
        self.failures: dict[Answer, GbvisError] = {}
        self._told: set[str] = set()

    @property
    def all(self) -> list[Answer]:
        """Every answer, once `resolve` has been called."""
        return list(self._digests)

    def resolve(self, responses: Responses) -> None:
        """Decide which targets are meant, given the network's responses, the mean over the clips."""
        for digest, (method, request) in self._questions.items():
            self._digests.setdefault((method, request.resolve(responses)), []).append(digest)

    def open(self, answers: Iterable[Answer], unfinished: ExitStack) -> None:
        """Open those that the store lacks; they are in the store when the context ends without error."""
        task, self.writers = self._task, {}
        for answer in answers:
            recipe = task.recipe_of(answer, self._clips.frames)
            stored = None if task.is_forced else task.store.find_run(task.video.name, recipe)
            if stored:
                self._stored[answer] = stored
                continue
            method, target = answer
            writer = task.store.write_run(task.video, recipe, target.endpoint, task.info, self._clips, task.is_forced)
            self.writers[answer] = unfinished.enter_context(writer)
            self.writers[answer].describe(kind=method.kind, requests=self._digests[answer])
            if task.truth:
                self.writers[answer].describe(truth=task.truth.to_json())

    def write(self, answer: Answer, attribution: "Attribution") -> None:
        """Write the next clip's attribution.

        One that holds what is no number costs its own run; the others go on.
        """
        writer = self.writers[answer]
        self._tell_relus(attribution)
        try:
            if answer not in self.failures:
                writer.write(attribution)
        except GbvisError as error:
            writer.give_up()
            self.failures[answer] = error

    def _tell_relus(self, attribution: "Attribution") -> None:
        """Say once for each endpoint what a rule for ReLUs reached, and aloud where that is not all."""
        if attribution.relus is None:
            return
        line = f"{attribution.relus.describe()} ({attribution.target.endpoint})"
        if line not in self._told:
            self._told.add(line)
            if attribution.relus.unguided:
                self._task.progress.note(line, line)
            else:
                self._task.say(line)

    def describe(self, scores: Responses) -> None:
        """Record with every open run what is only known at the end: the scores, and what it was made with.

        Args:
            scores: The class scores, the mean over the clips, by their endpoint; empty where the network has none.
        """
        made = {
            "gbvis": __version__,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "weights": self._task.info.path,
            **self._network.environment(),
        }
        top = self._rank(scores)
        for writer in self.writers.values():
            writer.describe(scores=top, made=made)

    def _rank(self, scores: Responses) -> list[dict[str, Any]]:
        values = next(iter(scores.values()), None)
        if values is None or not np.isfinite(values).all():
            return []
        return [{"index": one["index"], "score": one["score"]} for one in self._task.info.top(values, TOP_SCORES)]

    def collect(self, answers: Iterable[Answer]) -> list[Found]:
        """Return the runs of answers, and whether each was in the store already, asked for in other words."""
        return [self._collect(answer) for answer in answers if answer not in self.failures]

    def _collect(self, answer: Answer) -> Found:
        stored = self._stored.get(answer)
        if stored:
            stored.keep_truth(self._task.truth)
            stored.add_requests(self._digests[answer])
        recipe = self._task.recipe_of(answer, self._clips.frames)
        run = self._task.store.find_run(self._task.video.name, recipe, is_thorough=False)  # just written, or read
        if run is None:
            raise StoreError(
                f"{self._task.video.name} {recipe.endpoint} {recipe.target} is gone from the store again",
                "something else takes runs away while this call writes them: repeat it",
            )
        return run, stored is not None


def mean_of(responses: Sequence[Mapping[Endpoint, "Arriving"]]) -> Responses:
    """Return the mean of responses, each (clip, targets), over all clips."""
    return {
        endpoint: np.concatenate([one[endpoint].array() for one in responses]).mean(axis=0) for endpoint in responses[0]
    }
