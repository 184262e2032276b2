"""Methods of many passes: each pass looks at another input than the clip, such as a noisy one, and adds to a sum."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.attribution import Attribution, FoundAttributions, Pending, Values
from gbvis.attribution.estimate import Estimate
from gbvis.attribution.method import Method
from gbvis.attribution.runner import LocalRunner, Runner
from gbvis.errors import UsageError
from gbvis.videos.clip import ClipFormat, ClipPixels, Inputs, normalise_in_line
from gbvis.videos.motion import Motion

if TYPE_CHECKING:
    from gbvis.attribution.graph import Graph
    from gbvis.networks.endpoint import Target


@dataclass(frozen=True)
class Clip:
    """A clip that is looked at in many passes.

    Attributes:
        pixels: (T, H, W, C).
        clip_format: How they are normalised.
        modality: `rgb` or `flow`.
        first_frame: The number of its first frame; with a seed it decides the noise.
        find_motion: Returns what `motion` is; None where nothing tells.
    """

    pixels: ClipPixels
    clip_format: ClipFormat
    modality: str
    first_frame: int = 0
    find_motion: Callable[[], Motion] | None = field(default=None, repr=False, compare=False)
    _remembered: dict[str, Values] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def values(self) -> Values:
        """The clip normalised, in line with its pixels: float32 (channel, time, y, x)."""
        return normalise_in_line(self.pixels, self.clip_format)

    @cached_property
    def motion(self) -> Motion:
        """How far each place moves until the next frame: float32 (time, y, x, 2), pixels of the clip; at last 0.

        It is there for methods that say so, see `Method.needs_motion`.

        Raises:
            GbvisError: It cannot be read, or nothing tells it.
        """
        if self.find_motion is None:
            raise UsageError(
                "a clip by itself does not tell how things move in it", "call gbvis.explain, which finds out"
            )
        return self.find_motion()

    def remember(self, name: str, make: Callable[[], Values]) -> Values:
        """Return what `make` made of the clip when this name was first asked for, such as a baseline.

        It belongs to all passes: none may change it.
        """
        if name not in self._remembered:
            self._remembered[name] = make()
        return self._remembered[name]


class IterativeMethod(Method):
    """A method of many passes; see `Method` for its settings.

    Pass k looks at an input that follows from the clip, the settings and k alone, so all targets share it, and an
    estimate can be kept after any pass and gone on with by another process.
    """

    @abstractmethod
    def begin(self, clip: Clip, target: Target, value: float) -> Estimate:
        """Return the estimate before the first pass.

        Args:
            clip: The clip.
            target: What is attributed.
            value: The target's value for the clip.
        """

    @abstractmethod
    def count_passes(self, clip: Clip, estimate: Estimate) -> int:
        """Return how many passes an estimate takes, as far as it tells by now."""

    @abstractmethod
    def make_input(self, clip: Clip, number: int) -> Values:
        """Return the normalised input of a pass: float32 (channel, time, y, x); passes are counted from 0."""

    @abstractmethod
    def differentiated(self, number: int) -> Method | None:
        """Return the method whose values a pass adds, of one pass itself; None where the target's value is enough."""

    @abstractmethod
    def add(self, estimate: Estimate, clip: Clip, value: float, gradient: Values | None) -> None:
        """Add the next pass, number `estimate.passes`, which is counted afterwards.

        Args:
            estimate: Changed in place.
            clip: The clip.
            value: The target's value for the pass's input.
            gradient: What `differentiated` finds for it: float32 (channel, time, y, x); None where that is None.
        """

    @abstractmethod
    def finish(self, estimate: Estimate, clip: Clip) -> Attribution:
        """Return what was found, after the last pass."""

    def conclude(self, estimate: Estimate, clip: Clip) -> Attribution:
        """Return what was found, after the last pass, with what a rule for ReLUs reached in the passes."""
        return replace(self.finish(estimate, clip), relus=estimate.relus)

    def attribute(self, graph: Graph, target: Target) -> Pending:
        """Return what is found for one target of the graph's clips, after all passes; clips count as of frame 0."""
        runner, info = LocalRunner(graph.network), graph.network.info
        assert not isinstance(graph.clips, Inputs)
        found = []
        for number, pixels in enumerate(graph.clips):
            clip = Clip(pixels, info.clip_format, info.modality)
            estimate = self.begin(clip, target, float(graph.value_of(target)[number]))
            for _ in iterate(self, runner, clip, [estimate]):
                pass
            found.append(self.conclude(estimate, clip))
        return FoundAttributions(target, found)


def iterate(method: IterativeMethod, runner: Runner, clip: Clip, estimates: Sequence[Estimate]) -> Iterator[int]:
    """Go through all passes that estimates lack, and yield after each step how many passes it was.

    A pass that several estimates lack goes forward once for all of them. On a CPU passes go one by one; on a GPU as
    many at once as fit.

    Args:
        method: The method.
        runner: The network.
        clip: The clip.
        estimates: Of different targets; changed in place.
    """
    while waiting := [one for one in estimates if one.passes < method.count_passes(clip, one)]:
        first = min(one.passes for one in waiting)
        together = [one for one in waiting if one.passes == first]
        last = min(method.count_passes(clip, one) for one in together)
        last = min([last, *(one.passes for one in waiting if one.passes > first)])
        batches = runner.batches(_count_alike(method, first, last), lambda line: None)
        for numbers in batches:
            with batches.attempt():
                steps = range(first + numbers.start, first + numbers.stop)
                results = _pass_through(method, runner, clip, steps, together)
                for step in range(len(steps)):
                    for estimate, (values, gradients) in zip(together, results, strict=True):
                        method.add(estimate, clip, float(values[step]), gradients[step] if gradients else None)
                        estimate.passes += 1
                yield len(steps)


def _count_alike(method: IterativeMethod, first: int, last: int) -> int:
    """Return how many passes, from `first` on and before `last`, differentiate the same."""
    differentiated = method.differentiated(first)
    alike = takewhile(lambda number: method.differentiated(number) == differentiated, range(first, last))
    return sum(1 for _ in alike)


def _pass_through(
    method: IterativeMethod, runner: Runner, clip: Clip, steps: range, estimates: Sequence[Estimate]
) -> list[tuple[NDArray[np.floating[Any]], list[Values] | None]]:
    """Return for each estimate its target's values, and what is differentiated, each for every step.

    What a rule for ReLUs reached is noted with the estimates.
    """
    inputs = Inputs(np.stack([method.make_input(clip, step) for step in steps]))
    targets = [one.target for one in estimates]
    endpoints = {target.endpoint for target in targets}
    differentiated = method.differentiated(steps.start)
    if differentiated is None:
        responses = runner.predict(inputs, endpoints)
        return [(responses[target.endpoint].array()[:, target.index], None) for target in targets]
    found: list[tuple[NDArray[np.floating[Any]], list[Values] | None]] = []
    with runner.graph(inputs) as graph:
        graph.forward(endpoints, layers=differentiated.layers)
        for estimate, pending in zip(estimates, graph.attribute(differentiated, targets), strict=True):
            attributions = list(pending.result())
            counted = attributions[0].relus
            estimate.relus = counted.joined(estimate.relus) if counted else estimate.relus
            values = np.array([one.value for one in attributions])
            found.append((values, [one.values for one in attributions]))
    return found
