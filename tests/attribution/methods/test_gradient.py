"""The gradient, input times gradient and deconvnet against Captum's, on the plain network in float64."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from gbvis.attribution.graph import Graph
from gbvis.attribution.method import Method
from gbvis.attribution.methods.deconvnet import Deconvnet
from gbvis.attribution.methods.gradient import Gradient, InputXGradient
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.attribution.methods.smoothgrad import SmoothGrad
from gbvis.errors import UsageError
from gbvis.networks.endpoint import AP, FC, SOFTMAX, Target
from gbvis.networks.load import load_networks
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import STAGES, STEM
from material.captum_target import AtEndpoint
from material.checkpoints import Exact
from material.passes import SIDE
from material.small_kind import CLASSES, make_small_network

TARGETS = [Target(STEM, 1), Target(STAGES[1], 3), Target(AP, 0), Target(FC, 7), Target(SOFTMAX, 7)]
METHODS: list[tuple[Method, str, dict[str, Any]]] = [
    (Gradient(), "Saliency", {"abs": False}),
    (InputXGradient(), "InputXGradient", {}),
    (Deconvnet(), "Deconvolution", {}),
    (GuidedBackprop(), "GuidedBackprop", {}),
]


@pytest.mark.parametrize(("method", "theirs", "settings"), METHODS, ids=lambda one: str(one))
@pytest.mark.parametrize("stream", ["rgb", "flow", "flow2"])
def test_captum_finds_the_same(
    weights: dict[str, Path],
    random: np.random.Generator,
    stream: str,
    method: Method,
    theirs: str,
    settings: dict[str, Any],
) -> None:
    from captum import attr

    network = Exact(load_networks(weights[stream], "0" * 64)[0])
    clip = random.integers(0, 256, (4, SIDE, SIDE, network.info.clip_format.channels), dtype=np.uint8)
    with Graph(network, [clip]) as graph:
        graph.forward({target.endpoint for target in TARGETS})
        found = [attribution for pending in graph.attribute(method, TARGETS) for attribution in pending.result()]
    for target, one in zip(TARGETS, found, strict=True):
        rival = getattr(attr, theirs)(AtEndpoint(network, target.endpoint))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it sets hooks
            attributed = rival.attribute(network.preprocess([clip]).requires_grad_(), target.index, **settings)
        expected = network.align_gradients(attributed.detach())[0].numpy()
        np.testing.assert_allclose(one.values, expected, atol=1e-6 * np.abs(expected).max())


def make_gelu_network() -> Network:
    """Return a network with a GELU between its convolutions."""
    network = make_small_network()
    network.module.second[1] = nn.GELU()
    return network


@pytest.mark.parametrize("method", [Deconvnet(), GuidedBackprop(), SmoothGrad(2, of="guided-backprop")], ids=str)
def test_a_rule_for_relus_refuses_other_rectifiers(random: np.random.Generator, method: Method) -> None:
    clip = random.integers(0, 256, (6, 24, 24, 3), dtype=np.uint8)
    with Graph(make_gelu_network(), [clip]) as graph:
        graph.forward({CLASSES})
        with pytest.raises(
            UsageError, match=r"a rule for ReLUs does not reach GELU in second\.1: it decides at 3 of 4"
        ):
            list(graph.attribute(method, [Target(CLASSES, 0)]))


@pytest.mark.parametrize("method", [Gradient(), InputXGradient(), SmoothGrad(2)], ids=str)
def test_methods_without_a_rule_take_any_network(random: np.random.Generator, method: Method) -> None:
    clip = random.integers(0, 256, (6, 24, 24, 3), dtype=np.uint8)
    with Graph(make_gelu_network(), [clip]) as graph:
        graph.forward({CLASSES})
        ((found,),) = (pending.result() for pending in graph.attribute(method, [Target(CLASSES, 0)]))
    assert found.values.any()
