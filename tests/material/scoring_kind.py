"""The small network kind, with class probabilities, and one clip of it to test attributions on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from torch import Tensor

from gbvis.attribution.checks.check import Subject
from gbvis.attribution.checks.laboratory import Laboratory
from gbvis.attribution.method import Method
from gbvis.networks.endpoint import Endpoint, Target
from gbvis.networks.grid import Cells
from gbvis.networks.network import Network
from material.passes import make_clip
from material.small_kind import ENDPOINTS, KIND, SmallNet, make_small_network, make_small_tensors

SCORES = Endpoint("scores", (), "class", "score")


class ScoringNet(SmallNet):
    """The small network, and a softmax; its logits are spread out, so that probabilities differ."""

    def endpoints(self, clips: Tensor) -> Iterator[tuple[Endpoint, Tensor]]:
        """Yield every endpoint and its activation."""
        for endpoint, activation in super().endpoints(clips):
            yield endpoint, activation
        yield SCORES, (20 * activation).softmax(1)


def make_scoring_network() -> Network:
    """Return a network with random weights."""
    module = ScoringNet()
    module.load_state_dict(make_small_tensors())
    info = make_small_network().info
    targets = {**info.targets, SCORES.name: info.targets["classes"]}
    cells = {"edges": Cells((1.0, 1.0, 1.0), (0.0, 0.0, 0.0)), "shapes": Cells((2.0, 2.0, 2.0), (0.0, 0.0, 0.0))}
    return Network(module, replace(info, endpoints=(*ENDPOINTS, SCORES), targets=targets, cells=cells), KIND)


def make_laboratory(random: np.random.Generator, network: Network, frames: int = 4, seed: int = 0) -> Laboratory:
    """Return a laboratory with a clip of random pixels."""
    return Laboratory(network, make_clip(random, network, frames), seed)


def make_subject(laboratory: Laboratory, method: Method, target: Target) -> Subject:
    """Return what a method finds for the laboratory's clip."""
    return Subject(laboratory.clip, target, method, laboratory.attribute(method, target))
