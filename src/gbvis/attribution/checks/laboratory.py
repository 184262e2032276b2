"""Laboratory: the network and one clip, and what a test can do with them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.alignment import align_with_pixels
from gbvis.attribution.attribution import Attribution, Values
from gbvis.attribution.graph import Graph
from gbvis.attribution.iterative import Clip, IterativeMethod, iterate
from gbvis.attribution.method import Method
from gbvis.attribution.runner import LocalRunner
from gbvis.errors import UsageError
from gbvis.networks.endpoint import Endpoint, Target
from gbvis.networks.info import WeightsInfo
from gbvis.networks.network import Network
from gbvis.provenance import digest_of
from gbvis.videos.clip import ClipPixels, Inputs

Mask = NDArray[np.bool_]
"""bool (time, y, x), in line with the clip's pixels."""

FindMask = Callable[[Clip], Mask | None]
"""Returns a clip's mask; None where nothing gives one."""


def _find_no_mask(clip: Clip) -> Mask | None:
    return None


@dataclass(frozen=True)
class GivenClip(Clip):
    """A clip whose normalised values are given, and are those of no pixels.

    Attributes:
        given: float32 (channel, time, y, x).
    """

    given: Values | None = field(default=None, repr=False, compare=False)

    @cached_property
    def values(self) -> Values:
        """What was given."""
        assert self.given is not None
        return self.given


@dataclass(frozen=True)
class Laboratory:
    """The network and one clip, and what a test can do with them; nothing of it changes the network.

    Attributes:
        network: Ready to compute; `network.module` is the plain one, `network.fused` the one that runs.
        clip: The clip that all subjects are of.
        seed: Decides all that is random, with the clip.
        find_mask: Returns a clip's mask.
        say: Told details.
    """

    network: Network
    clip: Clip
    seed: int = 0
    find_mask: FindMask = _find_no_mask
    say: Callable[[str], None] = field(default=lambda line: None, repr=False)

    @property
    def info(self) -> WeightsInfo:
        """What is known of the network."""
        return self.network.info

    @property
    def scores(self) -> Endpoint:
        """The endpoint of the class probabilities.

        Raises:
            UsageError: The network has none.
        """
        if self.info.scores is None:
            raise UsageError(
                f"the network {self.info.path} gives no class probabilities", "leave out the tests that need them"
            )
        return self.info.scores

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the clip's pixels."""
        return hashlib.sha256(np.ascontiguousarray(self.clip.pixels).tobytes()).hexdigest()

    def random(self, *names: object) -> np.random.Generator:
        """Return a generator that follows from the seed, the clip and these names alone."""
        words = {"seed": self.seed, "clip": self.fingerprint, "names": [str(name) for name in names]}
        return np.random.default_rng(int(digest_of(words), 16))

    def mask(self, clip: Clip | None = None) -> Mask | None:
        """Return the clip's mask, bool (time, y, x); None where nothing gives one."""
        return self.find_mask(clip or self.clip)

    def require_mask(self) -> Mask:
        """Return the clip's mask: bool (time, y, x).

        Raises:
            UsageError: Nothing gives one.
        """
        mask = self.mask()
        if mask is None:
            raise UsageError("nothing says where the object is", "say it with --masks, or leave out tests of masks")
        return mask

    def predict(
        self,
        inputs: Sequence[ClipPixels] | Inputs,
        network: Network | None = None,
        endpoint: Endpoint | None = None,
    ) -> NDArray[np.float64]:
        """Return class probabilities, in batches that fit: float64 (inputs, classes).

        Args:
            inputs: Pixels, or what is normalised already.
            network: Another one than the laboratory's.
            endpoint: Where the values of targets are wanted, (inputs, targets), instead of class probabilities.

        Raises:
            UsageError: The network gives none.
        """
        network, endpoint = network or self.network, endpoint or self.scores
        count = len(inputs.values) if isinstance(inputs, Inputs) else len(inputs)
        found = np.zeros((count, self.info.targets[endpoint.name]))
        batches = network.batches(count, self.say)
        for numbers in batches:
            with batches.attempt():
                part = slice(numbers.start, numbers.stop)
                some = Inputs(inputs.values[part]) if isinstance(inputs, Inputs) else inputs[part]
                found[part] = network.predict(some, {endpoint})[endpoint].array()
        return found

    def attribute(
        self, method: Method, target: Target, inputs: ClipPixels | Inputs | None = None, network: Network | None = None
    ) -> Values:
        """Return what a method finds for other inputs or another network: float32 (channel, time, y, x).

        Random parts of the method, and motion that it follows, are as for the clip itself.

        Args:
            method: With settled settings.
            target: What is attributed.
            inputs: Pixels of the clip's size, or one normalised input; None for the clip.
            network: Another one than the laboratory's.
        """
        network = network or self.network
        clip = self._replace(inputs)
        found = _iterate(network, clip, method, target) if isinstance(method, IterativeMethod) else None
        found = found or _go_back(network, clip, method, target)
        return self.align(found)

    def align(self, found: Attribution) -> Values:
        """Return an attribution of the clip in line with its pixels: float32 (channel, time, y, x)."""
        time, rows, columns = self.clip.pixels.shape[:3]
        return align_with_pixels(found.values, found.axes, found.grid, (time, rows, columns))

    def _replace(self, inputs: ClipPixels | Inputs | None) -> Clip:
        """Return the clip with other pixels or values."""
        clip = self.clip
        if inputs is None:
            return clip
        about = clip.clip_format, clip.modality, clip.first_frame, clip.find_motion
        if not isinstance(inputs, Inputs):
            return Clip(inputs, *about)
        (given,) = inputs.values
        return GivenClip(clip.pixels, *about, given=given)


def _go_back(network: Network, clip: Clip, method: Method, target: Target) -> Attribution:
    """Return what a method of one pass finds."""
    inputs = Inputs(clip.values[None]) if isinstance(clip, GivenClip) else [clip.pixels]
    with Graph(network, inputs) as graph:
        graph.forward({target.endpoint}, layers=method.layers)
        (pending,) = graph.attribute(method, [target])
        (found,) = pending.result()
    return found


def _iterate(network: Network, clip: Clip, method: IterativeMethod, target: Target) -> Attribution:
    """Return what a method of many passes finds."""
    inputs = Inputs(clip.values[None]) if isinstance(clip, GivenClip) else [clip.pixels]
    responses = network.predict(inputs, {target.endpoint})
    value = float(responses[target.endpoint].array()[0, target.index])
    estimate = method.begin(clip, target, value)
    for _ in iterate(method, LocalRunner(network), clip, [estimate]):
        pass
    return method.conclude(estimate, clip)
