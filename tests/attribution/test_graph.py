"""The graph: one forward pass that any number of methods go back through."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gbvis.attribution.attribution import Attribution
from gbvis.attribution.graph import Graph
from gbvis.attribution.method import Method
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.networks.endpoint import AP, FC, Target
from gbvis.networks.load import load_networks
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import STAGES, STEM
from material.checkpoints import Exact
from material.methods import PlainGradient, Twice
from material.small_kind import CLASSES, EDGES, SHAPES, make_small_network

METHODS: tuple[Method, ...] = (GuidedBackprop(), PlainGradient())


def make_clip(random: np.random.Generator, network: Network, frames: int = 4) -> np.ndarray:
    side, channels = network.info.clip_format.crop, network.info.clip_format.channels
    return random.integers(0, 256, (frames, side, side, channels), dtype=np.uint8)


def attribute(
    network: Network, clip: np.ndarray, methods: Sequence[Method], targets: Sequence[Target]
) -> list[list[Attribution]]:
    """Return what each method finds for each target, all through one forward pass."""
    with Graph(network, [clip]) as graph:
        graph.forward({target.endpoint for target in targets})
        pending = [
            list(graph.attribute(method, targets, is_last=number == len(methods)))
            for number, method in enumerate(methods, start=1)
        ]
    return [[attribution for one in found for attribution in one.result()] for found in pending]


def check_equal(found: Attribution, expected: Attribution) -> None:
    assert (found.target, found.axes) == (expected.target, expected.axes)
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-9)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-6 * np.abs(expected.values).max())


def test_several_methods_through_one_pass_find_what_each_finds_alone(
    weights: dict[str, Path], random: np.random.Generator
) -> None:
    (network,) = load_networks(weights["rgb"], "0" * 64)
    network = Exact(network)
    clip = make_clip(random, network)
    targets = [Target(endpoint, index) for endpoint in (STEM, STAGES[1], AP, FC) for index in (0, 2)]
    passes: list[object] = []
    hook = network.fused.stem.register_forward_hook(lambda *_: passes.append(1))
    together = attribute(network, clip, METHODS, targets)
    hook.remove()
    assert len(passes) == 1
    for method, found in zip(METHODS, together, strict=True):
        (alone,) = attribute(network, clip, [method], targets)
        for one, expected in zip(found, alone, strict=True):
            check_equal(one, expected)
    assert np.abs(together[0][0].values - together[1][0].values).max() > 0  # or the rule would not be looked at


def test_the_forward_pass_goes_no_further_than_needed(weights: dict[str, Path], random: np.random.Generator) -> None:
    (network,) = load_networks(weights["rgb"], "0" * 64)
    seen: list[object] = []
    with Graph(network, [make_clip(random, network)]) as graph:
        graph.forward({STEM}, lambda endpoint, shape: seen.append((endpoint, shape)))
    assert seen == [(STEM, (1, 8, 4, 56, 56))]


def test_a_gradient_needs_no_sympy(
    weights: dict[str, Path], random: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its import takes as long as a small clip."""
    for name in ("sympy", "torch.fx.experimental.symbolic_shapes"):
        monkeypatch.setitem(sys.modules, name, None)
    (network,) = load_networks(weights["rgb"], "0" * 64)
    assert network.info.scores
    for endpoint in (FC, network.info.scores):
        attribute(network, make_clip(random, network), METHODS, [Target(endpoint, 1)])


def attribute_slowly(network: Network, clip: np.ndarray, target: Target, is_guided: bool) -> np.ndarray:
    """Return the gradient through the network as its file has it, by torch; guided by hooks on the ReLUs."""
    relus = [part for part in network.module.modules() if isinstance(part, nn.ReLU)]
    rule = lambda _, passed, arriving: (passed[0] * (arriving[0] > 0),)  # noqa: E731
    hooks = [part.register_full_backward_hook(rule) for part in relus if is_guided]
    batch = network.preprocess([clip]).requires_grad_()
    activation = next(found for endpoint, found in network.module.endpoints(batch) if endpoint == target.endpoint)
    chosen = activation[0, target.index]
    (gradient,) = torch.autograd.grad(chosen.abs().sum() if chosen.ndim else chosen, batch)
    for hook in hooks:
        hook.remove()
    return network.align_gradients(gradient)[0].numpy()


@pytest.mark.parametrize("target", [Target(EDGES, 1), Target(SHAPES, 2), Target(CLASSES, 0)], ids=str)
def test_relus_that_share_their_tensors_with_other_layers(random: np.random.Generator, target: Target) -> None:
    """What they take, and the gradient that comes back, are somebody else's too; one ReLU stands in three places."""
    network = Exact(make_small_network())
    clip = make_clip(random, network, frames=6)
    ((guided,), (plain,)) = attribute(network, clip, METHODS, [target])
    for found, is_guided in ((guided, True), (plain, False)):
        expected = attribute_slowly(network, clip, target, is_guided)
        np.testing.assert_allclose(found.values, expected, atol=1e-6 * np.abs(expected).max())
    assert np.abs(guided.values - plain.values).max() > 1e-3 * np.abs(plain.values).max()


@pytest.mark.parametrize("kind", ["r2plus1d", "small"])
def test_a_method_may_go_back_several_times(weights: dict[str, Path], random: np.random.Generator, kind: str) -> None:
    network = make_small_network() if kind == "small" else load_networks(weights["rgb"], "0" * 64)[0]
    clip = make_clip(random, network)
    targets = [Target(network.info.endpoints[0], 0), Target(network.info.endpoints[-1], 1)]
    (twice,) = attribute(network, clip, [Twice()], targets)
    (once,) = attribute(network, clip, [GuidedBackprop()], targets)
    for one, expected in zip(twice, once, strict=True):
        np.testing.assert_allclose(one.values, expected.values, atol=1e-5 * np.abs(expected.values).max())


def test_nothing_is_kept_when_the_graph_is_left(weights: dict[str, Path], random: np.random.Generator) -> None:
    (network,) = load_networks(weights["rgb"], "0" * 64)
    graph = Graph(network, [make_clip(random, network)])
    with graph:
        responses = graph.forward({FC})
    assert responses[FC].array().shape == (1, 101)
    with pytest.raises(KeyError):
        graph.gradient(Target(FC, 0))
