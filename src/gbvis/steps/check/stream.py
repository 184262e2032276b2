"""The tests of one stream of one video: what the store has, and the rest."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache, cached_property, partial
from itertools import groupby
from typing import TYPE_CHECKING

from gbvis.attribution.alignment import align_with_pixels
from gbvis.attribution.checks.check import Check, Finding, Subject, average_findings
from gbvis.attribution.iterative import Clip
from gbvis.attribution.method import Method
from gbvis.attribution.methods import METHODS
from gbvis.errors import GbvisError, StoreError
from gbvis.networks.endpoint import Target
from gbvis.progress import Failure, Progress
from gbvis.steps.check.request import CheckedRun, CheckRequest
from gbvis.steps.explain import ExplainedRun, ExplainRequest
from gbvis.steps.networks import Networks
from gbvis.steps.streams import find_motion, find_stream, prepare_motion
from gbvis.store import CheckRecipe, Store, StoredClips, StoredRun
from gbvis.store.check import write_check
from gbvis.version import __version__
from gbvis.videos.clip import cut_motion
from gbvis.videos.locate_masks import find_masks
from gbvis.videos.masks import Masks
from gbvis.videos.motion import Motion
from gbvis.videos.name_list import VideoEntry
from gbvis.videos.video import Video

if TYPE_CHECKING:
    from gbvis.attribution.checks.laboratory import Laboratory
    from gbvis.networks.network import Network

Asked = tuple[ExplainedRun, CheckRecipe]
"""A run, and what decides what is found of it."""


class StreamCheck:
    """The tests of one stream of one video, one after the other; each of their results is one group of the store."""

    def __init__(
        self,
        request: CheckRequest,
        explained: ExplainRequest,
        entry: VideoEntry,
        runs: Sequence[ExplainedRun],
        networks: Networks,
        store: Store,
        progress: Progress,
    ) -> None:
        """Name the parts.

        Args:
            request: What is asked.
            explained: What of it is about runs, with every video found.
            entry: The video.
            runs: All runs of the stream.
            networks: Each stream's.
            store: Where results are kept.
            progress: An object that is told how far the work is.
        """
        self._request, self._explained, self._entry = request, explained, entry
        self._runs, self._networks, self._store, self._progress = list(runs), networks, store, progress
        self._info, self._modality = runs[0].info, runs[0].run.modality

    def run(self) -> Iterator[CheckedRun | Failure]:
        """Yield what each test finds of each run that it applies to, test by test, and failures of tests."""
        for asked in self._request.tests:
            test = asked.settled(self._info, len(self._runs[0].run.recipe.clips[0]))
            try:
                runs = [one for one in self._runs if self._applies(test, one.run)]
                yield from self._run_test(test, [(one, self._recipe(test, one.run)) for one in runs])
            except GbvisError as error:
                yield Failure.of(self._entry.location, type(error)(f"{test.name}: {error.problem}", error.hint))

    def _applies(self, test: Check, run: StoredRun) -> bool:
        """Return whether a test can be made of a run; say why not where it cannot."""
        if test.needs_class and not (run.endpoint.is_class and self._info.scores):
            line = f"{test.name} needs a class as its target: it leaves out {run.endpoint}"
            self._progress.note(line, f"{test.name} {run.endpoint}")
            return False
        if test.needs_mask and self._masks is None:
            line = f"{test.name} is left out: nothing says where the object is in {self._entry.location}; --masks can"
            self._progress.note(line, f"{test.name} masks")
            return False
        return True

    def _recipe(self, test: Check, run: StoredRun) -> CheckRecipe:
        masks = self._masks.recipe if test.needs_mask and self._masks else {}
        return CheckRecipe(run.recipe, test.recipe(), self._request.seed, masks)

    def _run_test(self, test: Check, asked: Sequence[Asked]) -> Iterator[CheckedRun]:
        """Yield what a test finds of runs: what the store has at once."""
        missing: list[Asked] = []
        for explained, recipe in asked:
            stored = None if self._request.is_forced else self._store.find_check(explained.run.video, recipe)
            if stored:
                yield CheckedRun(stored, explained, True)
            else:
                missing.append((explained, recipe))
        by_precision = groupby(sorted(missing, key=_precision_of), _precision_of)
        for precision, together in by_precision:
            yield from self._measure(test, list(together), precision)

    def _measure(self, test: Check, asked: Sequence[Asked], precision: str) -> Iterator[CheckedRun]:
        """Yield what a test finds of runs in one precision; each is in the store before the next is looked at."""
        self._progress.expect(len(asked), f"{self._entry.location} {test.name}")
        network = self._networks.local(self._modality, precision)
        clips = asked[0][0].run.read_clips()
        found: list[list[Finding]] = [[] for _ in asked]
        started = time.perf_counter()
        for number in range(len(clips.frames)):
            laboratory = self._make_laboratory(network, clips, number)
            subjects = [_make_subject(explained.run, laboratory, number) for explained, _ in asked]
            for place, finding in enumerate(_measure_in(network, test, subjects, laboratory)):
                found[place].append(finding)
                if number + 1 == len(clips.frames):
                    self._keep(test, *asked[place], found[place], network)
                    seconds = time.perf_counter() - started
                    yield self._read(*asked[place], seconds)
                    started = time.perf_counter()

    def _keep(
        self, test: Check, explained: ExplainedRun, recipe: CheckRecipe, found: list[Finding], network: "Network"
    ) -> None:
        whole = average_findings(found)
        made = {
            "gbvis": __version__,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "weights": self._info.path,
            **network.environment(),
        }
        about = {"verdict": test.describe(whole), "made": made}
        write_check(self._store.storage, explained.run, recipe, found, whole, about, self._request.is_forced)
        self._progress.advance(f"{self._entry.location} {test.name}")

    def _read(self, explained: ExplainedRun, recipe: CheckRecipe, seconds: float) -> CheckedRun:
        stored = self._store.find_check(explained.run.video, recipe)
        if stored is None:
            raise StoreError(
                f"{recipe.key(explained.run.video)} is gone from the store again",
                "something else takes results away while this call writes them: repeat it",
            )
        return CheckedRun(stored, explained, False, seconds)

    def _make_laboratory(self, network: "Network", clips: StoredClips, number: int) -> "Laboratory":
        from gbvis.attribution.checks.laboratory import Laboratory

        frames = clips.frames[number]
        find = partial(self._find_motion, frames)
        clip = Clip(clips.pixels(number), self._info.clip_format, self._modality, frames[0], find)
        cut = cache(lambda: self._masks.cut(frames, self._info.clip_format) if self._masks else None)
        return Laboratory(network, clip, self._request.seed, lambda _: cut(), self._progress.say)

    def _find_motion(self, frames: list[int]) -> Motion:
        """Return the motion of a clip with these frames: for methods that follow it."""
        prepare_motion(self._flow, [frames])
        return cut_motion(self._flow, frames, self._info.clip_format)

    @cached_property
    def _flow(self) -> Video:
        explained = self._explained
        about = self._entry, self._info, explained.dataset, explained.flow
        return find_motion(*about, lambda: self._store, self._progress)

    @cached_property
    def _masks(self) -> Masks | None:
        """Where the object is; None where nothing says it."""
        explained = self._explained
        about = self._entry, self._info, explained.dataset, explained.flow, lambda: self._store
        video = find_stream(*about, Progress())  # what is to be said of it has been said
        return find_masks(self._request.masks, video, lambda: self._flow)


def _precision_of(asked: Asked) -> str:
    return asked[1].run.precision


def _measure_in(
    network: "Network", test: Check, subjects: Sequence[Subject], laboratory: "Laboratory"
) -> Iterator[Finding]:
    """Yield what a test finds, each in the network's precision, which is nobody else's between them."""
    found = test.measure(subjects, laboratory)
    for _ in subjects:
        with network.precision_scope():
            finding = next(found)
        yield finding


def _make_subject(run: StoredRun, laboratory: "Laboratory", number: int) -> Subject:
    """Return one clip's attribution of a run as tests take it."""
    clip = laboratory.clip
    frames, rows, columns = clip.pixels.shape[:3]
    values = align_with_pixels(run.gradient(number), run.axes, run.grid, (frames, rows, columns))
    return Subject(clip, Target(run.endpoint, run.target), _find_method(run), values)


def _find_method(run: StoredRun) -> Method:
    """Return the method of a run with its settings."""
    recipe = run.recipe.method
    return METHODS.load(recipe["name"])(**recipe["settings"])
