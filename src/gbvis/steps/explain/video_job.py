"""The work of `explain` on one stream of one video: what the store has, and the rest."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from gbvis.attribution.iterative import IterativeMethod
from gbvis.attribution.recipe import StreamRecipe
from gbvis.errors import GbvisError
from gbvis.networks.endpoint import Target
from gbvis.networks.info import WeightsInfo
from gbvis.progress import Failure, StoppableProgress
from gbvis.steps.explain.answers import Found
from gbvis.steps.explain.computation import Computation
from gbvis.steps.explain.iteration import IteratedComputation
from gbvis.steps.explain.request import ExplainedRun, ExplainRequest, find_truth
from gbvis.steps.explain.task import Question, Task
from gbvis.steps.networks import Networks
from gbvis.steps.streams import prepare_motion, tell_notices
from gbvis.store import Store, StoredClips, StoredRun
from gbvis.store.run import put_percent
from gbvis.videos.clip import ClipPixels, Size, cut_clip, fingerprint_for
from gbvis.videos.name_list import VideoEntry
from gbvis.videos.video import Video

if TYPE_CHECKING:
    from gbvis.attribution.runner import Runner

_LARGE_GAP = 0.05
"""A completeness gap that is warned of."""


@dataclass(frozen=True)
class Outlook:
    """What is to be done for one stream of one video.

    Attributes:
        cached: Runs that the store has.
        missing: Runs that are to be computed.
        clips: Clips that they are computed from.
    """

    cached: int
    missing: int
    clips: int


class VideoJob:
    """One stream of one video: looks up what the store has and computes the rest."""

    def __init__(
        self,
        request: ExplainRequest,
        entry: VideoEntry,
        name: str,
        video: Video,
        motion: Video | None,
        networks: Networks,
        store: Store,
        progress: StoppableProgress,
    ) -> None:
        info = networks.infos[video.modality]
        recipe = make_stream_recipe(video, info, request.weights.precision)
        truth = find_truth(entry, info)
        self._task = Task(video, info, recipe, store, progress, request.is_forced, motion, truth)
        self._networks, self._entry, self._name, self._progress = networks, entry, name, progress
        self._allows_unguided = request.weights.allows_unguided
        self._clip_request = request.clips.completed(info.clip_format)
        self._wanted = {self._digest(question): question for question in request.questions_for(entry, info)}
        self._cached: list[StoredRun] = []
        self._missing: dict[str, Question] = {}
        self._clips: StoredClips | None = None
        self._seconds = 0.0

    def prepare(self) -> None:
        """Look up what the store has, and cut the clips that the rest needs; no network is needed for it."""
        started = time.perf_counter()
        cached = {} if self._task.is_forced else self._look_up()
        self._cached = [cached[digest] for digest in self._wanted if digest in cached]
        self._missing = {digest: question for digest, question in self._wanted.items() if digest not in cached}
        for run in {run.key: run for run in self._cached}.values():
            run.keep_truth(self._task.truth)
        if self._cached:
            with suppress(GbvisError):  # what is served from the store needs none of it
                clips = [clip for run in self._cached for clip in run.recipe.clips]
                self._task.video.mend({number for numbers in clips for number in numbers})
        if self._missing:
            self._cut_clips()
        self._seconds = time.perf_counter() - started

    def explain(self) -> Iterator[ExplainedRun | Failure]:
        """Yield the runs wanted, once `prepare` is done: those in the store at once, the others when computed."""
        for run in {run.key: run for run in self._cached}.values():
            yield self._explained(run, True, self._seconds)
        if self._missing:
            yield from self._compute()

    def _explained(self, run: StoredRun, is_cached: bool, seconds: float, shared: float | None = None) -> ExplainedRun:
        store = self._task.store
        if run.relus and not self._allows_unguided:
            run.relus.check(run.endpoint.name)
        weights_name = store.weights.name_of(run.recipe)
        if (run.completeness_gap or 0.0) > _LARGE_GAP:
            gap = put_percent(run.completeness_gap or 0.0)
            self._progress.warn(f"{run.key}: {gap} of what the values should sum to is missing: take more steps")
        place = self._entry.location, self._name
        return ExplainedRun(run, store.location, self._task.info, is_cached, seconds, shared, weights_name, *place)

    def _digest(self, question: Question) -> str:
        method, target = question
        return self._task.recipe_for(method).digest_of_request(method.recipe(), target, asdict(self._clip_request))

    def _look_up(self) -> dict[str, StoredRun]:
        """Return the stored runs that answer what is asked, by the digests of the questions."""
        found: dict[str, StoredRun] = {}
        video = self._task.video
        for endpoint in {target.endpoint for _, target in self._wanted.values()}:
            found |= self._task.store.find_answers(video.name, video.modality, endpoint.name, self._wanted)
        return found

    def look_ahead(self, counted: set[tuple[str, str]]) -> Outlook:
        """Return how much of what is wanted the store has, and how much is to be computed; nothing is written.

        Args:
            counted: Videos' names with digests of questions that count already, and not again; this one's are added.
        """
        name = self._task.video.name
        wanted = {one: question for one, question in self._wanted.items() if (name, one) not in counted}
        counted |= {(name, one) for one in wanted}
        found = {} if self._task.is_forced or not wanted else self._look_up()
        cached = {one: run for one, run in found.items() if one in wanted}
        missing = {one: question for one, question in wanted.items() if one not in cached}
        frames = self._choose_frames() if missing else []
        by_index = {} if self._task.is_forced else self._find_by_index(missing, frames)
        lacking = len(missing) - len(by_index)
        return Outlook(len(cached) + len(by_index), lacking, len(frames) if lacking else 0)

    def _choose_frames(self) -> list[list[int]]:
        """Return the numbers of the frames of each clip."""
        video = self._task.video
        known = self._task.store.find_shape(video.name, video.modality, self._task.recipe.video)
        return self._clip_request.choose_frames(known or video.shape)

    def _cut_clips(self) -> None:
        """Bring the clips into the store, unless all that is missing turns out to be there under another request."""
        started = time.perf_counter()
        task, clip_format = self._task, self._task.info.clip_format
        frames = self._choose_frames()
        if not task.is_forced:
            self._cached += self._answer_by_index(frames)
        if self._missing:
            self._networks.begin_import()
            if task.motion and any(method.needs_motion for method, _ in self._missing.values()):
                prepare_motion(task.motion, frames)
            sizes: dict[int, Size] = {}
            cut = self._cut(frames, sizes)
            self._clips = task.store.write_clips(task.video, clip_format, frames, cut, task.is_forced, sizes)
            tell_notices(task.video, self._progress)
            task.say(f"clips cut: {len(frames)}, in {time.perf_counter() - started:.2f} s")

    def _cut(self, frames: list[list[int]], sizes: dict[int, Size]) -> Iterator[ClipPixels]:
        """Yield the clips with these frames; nothing is read before the first is asked for."""
        self._task.video.prepare({number for numbers in frames for number in numbers})
        for numbers in frames:
            self._progress.check()
            yield cut_clip(self._task.video, numbers, self._task.info.clip_format, sizes)

    def _answer_by_index(self, frames: list[list[int]]) -> list[StoredRun]:
        """Take out of what is missing what the store has under another request, and return it; needs no network."""
        found = self._find_by_index(self._missing, frames)
        for digest, run in found.items():
            run.keep_truth(self._task.truth)
            run.add_requests([digest])
            del self._missing[digest]
        return [*found.values()]

    def _find_by_index(self, missing: dict[str, Question], frames: list[list[int]]) -> dict[str, StoredRun]:
        """Return what the store has of the missing under another request, by the digests of the questions."""
        found = {}
        for digest, (method, request) in missing.items():
            if request.index is not None:
                recipe = self._task.recipe_of((method, Target(request.endpoint, request.index)), frames)
                run = self._task.store.find_run(self._task.video.name, recipe)
                if run is not None:
                    found[digest] = run
        return found

    def _compute(self) -> Iterator[ExplainedRun | Failure]:
        """Yield the runs that answer the missing questions, those computed together at once, and failures."""
        for precision, is_iterative, questions in self._split():
            started = time.perf_counter()
            network = self._networks.runner(self._task.video.modality, precision)
            self._task.say(f"network ready, in {time.perf_counter() - started:.2f} s")
            assert self._clips is not None
            kind = IteratedComputation if is_iterative else Computation
            computation = kind(self._task, questions, self._clips, network)
            computed = computation.run()
            while (runs := _compute_next(computed, network)) is not None:
                seconds = self._seconds + time.perf_counter() - started
                yield from self._share(runs, seconds)
                started, self._seconds = time.perf_counter(), 0.0
            for error in computation.failures:
                yield Failure.of(self._entry.location, error, self._entry.label)

    def _split(self) -> Iterator[tuple[str, bool, dict[str, Question]]]:
        """Yield the missing questions that are computed together: by precision, methods of one pass first."""
        parts: dict[tuple[bool, str], dict[str, Question]] = {}
        for digest, (method, target) in self._missing.items():
            part = isinstance(method, IterativeMethod), self._task.recipe_for(method).precision
            parts.setdefault(part, {})[digest] = method, target
        for (is_iterative, precision), questions in sorted(parts.items(), key=lambda part: part[0]):
            yield precision, is_iterative, questions

    def _share(self, runs: list[Found], seconds: float) -> Iterator[ExplainedRun]:
        """Yield runs that were computed together, each with its share of the time."""
        share = seconds / max(len(runs), 1)
        shared: float | None = seconds
        for run, is_cached in runs:
            yield self._explained(run, is_cached, share, None if is_cached else shared)
            shared = shared if is_cached else None


def _compute_next(computed: Iterator[list[Found]], network: "Runner") -> list[Found] | None:
    """Return the next runs in the network's precision, which is nobody else's between them; None where that is all."""
    with network.precision_scope():
        return next(computed, None)


def make_stream_recipe(video: Video, info: WeightsInfo, precision: str) -> StreamRecipe:
    """Return what all runs of one stream share."""
    preprocessing = info.clip_format.to_json()
    del preprocessing["frames"]  # a default: which frames were taken stands in the clips
    return StreamRecipe(
        video=fingerprint_for(video, info.clip_format),
        modality=video.modality,
        preprocessing=preprocessing,
        weights=info.identity,
        family=info.checkpoint_format,
        precision=precision,
        flow=video.flow_recipe,
    )
