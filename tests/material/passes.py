"""What tests of methods of many passes share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from gbvis.attribution.attribution import Attribution
from gbvis.attribution.estimate import Estimate
from gbvis.attribution.iterative import Clip, IterativeMethod, iterate
from gbvis.attribution.runner import LocalRunner
from gbvis.networks.endpoint import Target
from gbvis.networks.network import Network


class Several:
    """As many passes at once as there may be, at most 3."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __iter__(self) -> Iterator[range]:
        for start in range(0, self._count, 3):
            yield range(start, min(start + 3, self._count))

    def attempt(self) -> AbstractContextManager[None]:
        """Let nothing fail."""
        return nullcontext()


class RunnerOfSeveral(LocalRunner):
    """Computes 3 passes at once, as a GPU may."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.batches = lambda count, say: Several(count)  # type: ignore[assignment, method-assign, return-value]


SIDE = 56
"""Pixels: networks are given half of what they crop, which is enough to tell numbers apart, and four times quicker."""


def make_clip(random: np.random.Generator, network: Network, frames: int = 4, first_frame: int = 0) -> Clip:
    """Return a clip of random pixels."""
    clip_format = network.info.clip_format
    side = min(SIDE, clip_format.crop)
    shape = (frames, side, side, clip_format.channels)
    pixels = random.integers(0, 256, shape, dtype=np.uint8)
    return Clip(pixels, clip_format, network.info.modality, first_frame)


def begin_all(method: IterativeMethod, network: Network, clip: Clip, targets: Sequence[Target]) -> list[Estimate]:
    """Return the estimates of targets before the first pass."""
    responses = network.predict([clip.pixels], {target.endpoint for target in targets})
    values = [float(responses[target.endpoint].array()[0, target.index]) for target in targets]
    return [method.begin(clip, target, value) for target, value in zip(targets, values, strict=True)]


def attribute_all(
    method: IterativeMethod,
    network: Network,
    clip: Clip,
    targets: Sequence[Target],
    make_runner: Callable[[Network], LocalRunner] = LocalRunner,
) -> list[Attribution]:
    """Return what a method finds for targets of a clip, all through the same passes."""
    estimates = begin_all(method, network, clip, targets)
    for _ in iterate(method, make_runner(network), clip, estimates):
        pass
    return [method.finish(estimate, clip) for estimate in estimates]
