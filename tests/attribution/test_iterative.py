"""Methods of many passes: passes that targets share, in batches, resumed after any of them."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from gbvis.attribution.graph import Graph
from gbvis.attribution.iterative import IterativeMethod, iterate
from gbvis.attribution.methods.integrated_gradients import IntegratedGradients
from gbvis.attribution.methods.occlusion import Occlusion
from gbvis.attribution.methods.smoothgrad import SmoothGrad
from gbvis.attribution.runner import LocalRunner
from gbvis.networks.endpoint import FC, Target
from gbvis.networks.load import load_networks
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import STEM
from material.checkpoints import Exact
from material.passes import RunnerOfSeveral, attribute_all, begin_all, make_clip
from material.small_kind import CLASSES, EDGES, make_small_network

SMALL_TARGETS = [Target(CLASSES, 0), Target(CLASSES, 2), Target(EDGES, 1)]
METHODS: list[IterativeMethod] = [
    SmoothGrad(samples=4),
    SmoothGrad(samples=5, of="guided-backprop", statistic="variance"),
    IntegratedGradients(steps=4, baseline="blur"),
    IntegratedGradients(),
    Occlusion("3x10x10", "3x7x7"),
]
ALL = pytest.mark.parametrize("method", METHODS, ids=str)


@ALL
def test_an_estimate_is_gone_on_with_after_any_pass(random: np.random.Generator, method: IterativeMethod) -> None:
    """Another process has the same bits: an estimate is kept whole, and passes follow from their number."""
    network = make_small_network()
    clip = make_clip(random, network, frames=6, first_frame=7)
    expected = attribute_all(method, network, clip, SMALL_TARGETS)
    for stop in (0, 1, 3):
        again = make_clip(np.random.default_rng(0), network, frames=6, first_frame=7)
        estimates = begin_all(method, network, again, SMALL_TARGETS)
        steps = iterate(method, LocalRunner(network), again, estimates)
        for _ in range(stop):
            assert next(steps) == 1
        estimates = pickle.loads(pickle.dumps(estimates))
        assert [estimate.passes for estimate in estimates] == [stop] * 3
        for _ in iterate(method, LocalRunner(network), clip, estimates):
            pass
        for estimate, one in zip(estimates, expected, strict=True):
            found = method.finish(estimate, clip)
            assert (found.target, found.value, found.details) == (one.target, one.value, one.details)
            np.testing.assert_array_equal(found.values, one.values)


@ALL
def test_several_passes_at_once_find_what_they_find_one_by_one(
    random: np.random.Generator, method: IterativeMethod
) -> None:
    network = Exact(make_small_network())
    clip = make_clip(random, network, frames=6)
    together = attribute_all(method, network, clip, SMALL_TARGETS, RunnerOfSeveral)
    for found, one in zip(together, attribute_all(method, network, clip, SMALL_TARGETS), strict=True):
        np.testing.assert_allclose(found.values, one.values, atol=1e-6 * np.abs(one.values).max())
        assert found.details == pytest.approx(one.details, abs=1e-6)


@ALL
def test_each_target_alone_finds_what_all_find(random: np.random.Generator, method: IterativeMethod) -> None:
    network = make_small_network()
    clip = make_clip(random, network, frames=6)
    for found in attribute_all(method, network, clip, SMALL_TARGETS):
        (alone,) = attribute_all(method, network, clip, [found.target])
        np.testing.assert_allclose(found.values, alone.values, atol=1e-5 * np.abs(alone.values).max())


@ALL
def test_a_graph_makes_all_passes(random: np.random.Generator, method: IterativeMethod) -> None:
    network = make_small_network()
    clip = make_clip(random, network, frames=6)
    with Graph(network, [clip.pixels]) as graph:
        graph.forward({CLASSES, EDGES})
        found = [one for pending in graph.attribute(method, SMALL_TARGETS) for one in pending.result()]
    for one, expected in zip(found, attribute_all(method, network, clip, SMALL_TARGETS), strict=True):
        assert one.value == pytest.approx(expected.value, rel=1e-6)
        np.testing.assert_allclose(one.values, expected.values, atol=1e-5 * np.abs(expected.values).max())


def count_forward_passes(
    method: IterativeMethod, network: Network, part: torch.nn.Module, targets: list[Target]
) -> int:
    """Return how many clips go through a part of the network that runs, those for the targets' values among them."""
    seen: list[int] = []
    hook = part.register_forward_hook(lambda _, given, made: seen.append(len(made)))
    clip = make_clip(np.random.default_rng(0), network)
    attribute_all(method, network, clip, targets)
    hook.remove()
    return sum(seen)


@pytest.mark.parametrize(
    ("method", "passes"), [(SmoothGrad(3), 3), (IntegratedGradients(2), 3), (Occlusion("4x28x56", "4x28x56"), 2)]
)
def test_targets_share_forward_passes(weights: dict[str, Path], method: IterativeMethod, passes: int) -> None:
    (network,) = load_networks(weights["rgb"], "0" * 64)
    targets = [Target(FC, 0), Target(FC, 5), Target(STEM, 3)]
    assert count_forward_passes(method, network, network.fused.stem, targets) == 1 + passes


def test_targets_that_are_behind_catch_up_and_then_share(random: np.random.Generator) -> None:
    network, method = make_small_network(), SmoothGrad(samples=6)
    clip = make_clip(random, network, frames=6)
    expected = attribute_all(method, network, clip, SMALL_TARGETS)
    ahead, behind, last = begin_all(method, network, clip, SMALL_TARGETS)
    steps = iterate(method, LocalRunner(network), clip, [ahead])
    for _ in range(4):
        next(steps)
    assert sum(iterate(method, LocalRunner(network), clip, [ahead, behind, last])) == 6
    for estimate, one in zip((ahead, behind, last), expected, strict=True):
        assert estimate.passes == 6
        np.testing.assert_allclose(
            method.finish(estimate, clip).values, one.values, atol=1e-5 * np.abs(one.values).max()
        )
