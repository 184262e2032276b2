"""SmoothGrad and its kin against Captum's NoiseTunnel on the same noise, and against a slow loop."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from gbvis.attribution.graph import Graph
from gbvis.attribution.iterative import Clip
from gbvis.attribution.methods.guided_backprop import pass_where_both_are_positive
from gbvis.attribution.methods.smoothgrad import SmoothGrad
from gbvis.networks.endpoint import FC, SOFTMAX, Target
from gbvis.networks.load import load_networks
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import STAGES, STEM
from gbvis.videos.clip import Inputs
from material.captum_target import AtEndpoint, Rounded
from material.checkpoints import Exact
from material.passes import attribute_all, make_clip
from material.small_kind import CLASSES, make_small_network

TARGETS = [Target(STEM, 1), Target(STAGES[1], 3), Target(FC, 7), Target(SOFTMAX, 7)]


def draw_noise(clip: Clip, samples: int, noise: float, seed: int) -> np.ndarray:
    """Return the noise of all samples, straight from its definition: float64 (sample, channel, time, y, x)."""
    deviation = noise * (float(clip.values.max()) - float(clip.values.min()))
    drawn = [
        np.random.default_rng([seed, clip.first_frame, sample]).standard_normal(clip.values.shape)
        for sample in range(samples)
    ]
    return deviation * np.stack(drawn)


def differentiate_slowly(network: Network, inputs: np.ndarray, target: Target) -> np.ndarray:
    """Return the plain network's gradient for each normalised input, by torch: float64 (N, channel, time, y, x)."""
    found = []
    for values in inputs:
        batch = network.preprocess(Inputs(values[None].astype(np.float32))).requires_grad_()
        value = AtEndpoint(network, target.endpoint)(batch)[0, target.index]
        (gradient,) = torch.autograd.grad(value, batch)
        found.append(network.align_gradients(gradient)[0].double().numpy())
    return np.stack(found)


STATISTICS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda gradients: gradients.mean(0),
    "squared": lambda gradients: (gradients**2).mean(0),
    "variance": lambda gradients: gradients.var(0),
}


@pytest.mark.parametrize(("stream", "statistic"), [("rgb", "mean"), ("flow", "variance"), ("flow2", "squared")])
def test_a_slow_loop_over_the_same_noise_finds_the_same(
    weights: dict[str, Path], random: np.random.Generator, stream: str, statistic: str
) -> None:
    network = Exact(load_networks(weights[stream], "0" * 64)[0])
    clip = make_clip(random, network, first_frame=12)
    method = SmoothGrad(samples=3, noise=0.2, statistic=statistic, seed=5)  # type: ignore[arg-type]
    assert method.kind == ("signed" if statistic == "mean" else "positive")
    noisy = clip.values + draw_noise(clip, 3, 0.2, 5)
    for found in attribute_all(method, network, clip, TARGETS):
        expected = STATISTICS[statistic](differentiate_slowly(network, noisy, found.target))
        np.testing.assert_allclose(found.values, expected, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("statistic", "theirs"), [("mean", "smoothgrad"), ("squared", "smoothgrad_sq"), ("variance", "vargrad")]
)
@pytest.mark.parametrize("stream", ["rgb", "flow", "flow2"])
def test_captum_finds_the_same_with_this_noise(
    weights: dict[str, Path],
    random: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    stream: str,
    statistic: str,
    theirs: str,
) -> None:
    from captum import attr

    network = Exact(load_networks(weights[stream], "0" * 64)[0])
    clip = make_clip(random, network)
    method = SmoothGrad(samples=2, statistic=statistic)  # type: ignore[arg-type]
    noise = Exact.preprocess(network, Inputs(draw_noise(clip, 2, 0.15, 0)))  # type: ignore[arg-type]
    monkeypatch.setattr(torch, "normal", lambda mean, deviation: noise)
    for found in attribute_all(method, network, clip, [TARGETS[1], TARGETS[2]]):
        rival = attr.NoiseTunnel(attr.Saliency(Rounded(network, found.target.endpoint)))
        batch = network.preprocess([clip.pixels])
        settings = {"nt_type": theirs, "nt_samples": 2, "abs": False, "target": found.target.index}
        expected = network.align_gradients(rival.attribute(batch, **settings).detach())[0].numpy()
        np.testing.assert_allclose(found.values, expected, atol=1e-6 * np.abs(expected).max())


def test_the_guided_gradient_is_smoothed_too(random: np.random.Generator) -> None:
    network, target = Exact(make_small_network()), Target(CLASSES, 1)
    clip = make_clip(random, network, frames=6)
    noisy = (clip.values + draw_noise(clip, 3, 0.15, 0)).astype(np.float32)
    with Graph(network, Inputs(noisy)) as graph:
        graph.forward({CLASSES})
        expected = graph.backward(target, pass_where_both_are_positive).double().numpy().mean(0)
    (found,) = attribute_all(SmoothGrad(3, of="guided-backprop"), network, clip, [target])
    np.testing.assert_allclose(found.values, expected, atol=1e-6 * np.abs(expected).max())


def test_without_noise_it_is_the_gradient(random: np.random.Generator) -> None:
    network = Exact(make_small_network())
    clip = make_clip(random, network, frames=6)
    (expected,) = differentiate_slowly(network, clip.values[None], Target(CLASSES, 1))
    (found,) = attribute_all(SmoothGrad(2, noise=0), network, clip, [Target(CLASSES, 1)])
    np.testing.assert_allclose(found.values, expected, atol=1e-6 * np.abs(expected).max())


def test_noise_follows_from_seed_first_frame_and_number(random: np.random.Generator) -> None:
    network = make_small_network()
    clip = make_clip(random, network, first_frame=3)
    later = Clip(clip.pixels, clip.clip_format, clip.modality, first_frame=4)
    noisy = SmoothGrad().make_input(clip, 5)
    np.testing.assert_array_equal(noisy, SmoothGrad(samples=9, statistic="squared").make_input(clip, 5))
    for other in (SmoothGrad().make_input(clip, 6), SmoothGrad(seed=1).make_input(clip, 5)):
        assert np.abs(noisy - other).max() > 0.1
    assert np.abs(noisy - SmoothGrad().make_input(later, 5)).max() > 0.1
    spread = (noisy - clip.values).std() / np.ptp(clip.values)
    assert spread == pytest.approx(0.15, rel=0.02)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"samples": 0}, "samples must be at least 1 for statistic=mean"),
        ({"samples": 1, "statistic": "variance"}, "samples must be at least 2 for statistic=variance"),
        ({"noise": -0.1}, "must not be below 0"),
        ({"seed": -1}, "must not be below 0"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        SmoothGrad(**settings)  # type: ignore[arg-type]
