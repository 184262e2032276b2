"""Gradients of probabilities that are nearly 1 or nearly 0, against decimals of 60 digits and against float64."""

from collections.abc import Iterator
from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gbvis.attribution.graph import Graph
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.networks.endpoint import FC, SOFTMAX, Endpoint, Target
from gbvis.networks.load import load_networks
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.formats import TORCHVISION
from gbvis.networks.softmax import softmax
from material.checkpoints import Exact, build, make_tensors
from material.methods import PlainGradient
from material.small_kind import SmallKind, make_small_network

SCORES = Endpoint("scores", (), "class", "score")

FAR = [0.0, 1.0, 5.0, 10.0, 20.0, 27.6, 40.0, 80.0]
"""How far the highest logit is above the next: 27.6 gives 1 - p of about 1e-12."""


def differentiate_exactly(logits: list[float], index: int) -> list[float]:
    """Return d p_index / d logits, p_c (δ - p_j), in decimals that lose nothing."""
    with localcontext() as context:
        context.prec = 60
        powers = [Decimal(one).exp() for one in logits]
        shares = [one / sum(powers) for one in powers]
        return [float(shares[index] * ((index == place) - share)) for place, share in enumerate(shares)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("far", FAR)
def test_the_gradient_is_exact_wherever_the_probability_lies(far: float, dtype: torch.dtype) -> None:
    logits = torch.tensor([[far + 0.5, 0.5, -0.25, 0.375], [0.0, far, far, -far]], dtype=dtype)
    for index in range(4):
        given = logits.clone().requires_grad_()
        (found,) = torch.autograd.grad(softmax(given)[:, index].sum(), given)
        expected = [differentiate_exactly(row, index) for row in logits.tolist()]
        np.testing.assert_allclose(found, expected, rtol=1e-6 if dtype == torch.float32 else 1e-9, atol=1e-44)
    np.testing.assert_allclose(softmax(logits), logits.softmax(1), rtol=1e-5, atol=1e-44)


def attribute(network: Network, clip: np.ndarray, target: Target, method: object) -> np.ndarray:
    with Graph(network, [clip]) as graph:
        graph.forward({target.endpoint})
        (pending,) = graph.attribute(method, [target])  # type: ignore[arg-type]
        (attribution,) = pending.result()
    return attribution.values


def differentiate_by_hand(network: Network, clip: np.ndarray, index: int) -> np.ndarray:
    """Return the plain gradient of a probability in float64: Σ_k p_c p_k ∇(z_c - z_k) over the others."""
    batch = network.preprocess([clip]).requires_grad_()
    logits = next(values for endpoint, values in network.module.endpoints(batch) if endpoint is FC)[0]
    apart = [float(one) for one in logits.detach() - logits.detach()[index]]
    shares = np.exp(apart) / np.exp(apart).sum()
    others = [place for place in range(len(shares)) if place != index]
    seed = sum(shares[index] * shares[other] * (logits[index] - logits[other]) for other in others)
    (gradient,) = torch.autograd.grad(seed, batch)
    return network.align_gradients(gradient)[0].double().numpy()


@pytest.mark.parametrize("far", [0.0, 8.0, 16.0, 27.6, 60.0, 150.0])
def test_through_a_network(random: np.random.Generator, far: float) -> None:
    """The classifier's bias makes one class as sure as wanted; the same clip gives the next one's p near 0."""
    tensors = make_tensors(TORCHVISION)
    tensors["fc.bias"] = tensors["fc.bias"].clone()
    tensors["fc.bias"][2] += far
    network = build(tensors)
    clip = random.integers(0, 256, (4, 112, 112, 3), dtype=np.uint8)
    for index in (2, 5):
        expected = differentiate_by_hand(Exact(build(tensors)), clip, index)
        found = attribute(network, clip, Target(SOFTMAX, index), PlainGradient())
        largest = np.abs(expected).max()
        bound = 1e-3 * largest if largest > 1e-36 else 1e-42  # below, float32 itself ends
        np.testing.assert_allclose(found, expected, atol=bound)
        assert np.abs(found).max() > 0 or largest < 1e-44


def test_a_network_that_is_too_sure(shared: Path, random: np.random.Generator) -> None:
    """A file whose softmax is 1 in float32: the gradient in float64, guided by the same rule, is the judge."""
    (network,) = load_networks(shared / "field/weights/confident.pth", "0" * 64)
    (again,) = load_networks(shared / "field/weights/confident.pth", "0" * 64)
    clip = random.integers(0, 256, (8, 112, 112, 3), dtype=np.uint8)
    index = int(network.predict([clip], {SOFTMAX})[SOFTMAX].array().argmax())
    found = attribute(network, clip, Target(SOFTMAX, index), GuidedBackprop())
    expected = attribute(Exact(again), clip, Target(SOFTMAX, index), GuidedBackprop())
    np.testing.assert_allclose(found, expected, atol=1e-2 * np.abs(expected).max() + 1e-42)


class ScoringKind(SmallKind):
    """Networks whose scores are torch's own softmax."""

    def endpoints(self, module: nn.Module, clips: torch.Tensor) -> Iterator[tuple[Endpoint, torch.Tensor]]:
        for endpoint, activation in super().endpoints(module, clips):
            yield endpoint, activation
        yield SCORES, activation.softmax(-1)


def test_other_kinds_of_networks_get_it_too(random: np.random.Generator) -> None:
    small = make_small_network()
    with torch.no_grad():
        small.module.classifier.bias[1] += 60
    network = Network(small.module, small.info, ScoringKind())
    clip = random.integers(0, 256, (6, 24, 24, 3), dtype=np.uint8)
    found = attribute(network, clip, Target(SCORES, 1), PlainGradient())
    expected = attribute(
        Exact(Network(small.module, small.info, ScoringKind())), clip, Target(SCORES, 1), PlainGradient()
    )
    assert 0 < np.abs(expected).max() < 1e-22
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
