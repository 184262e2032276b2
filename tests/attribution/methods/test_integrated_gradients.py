"""Integrated gradients against Captum's at the same nodes, and on networks whose answer is known."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gbvis.attribution.baselines import Baseline, make_baseline
from gbvis.attribution.iterative import Clip, iterate
from gbvis.attribution.methods import parse_method
from gbvis.attribution.methods.integrated_gradients import LEVELS, IntegratedGradients
from gbvis.attribution.runner import LocalRunner
from gbvis.errors import UsageError
from gbvis.networks.endpoint import FC, SOFTMAX, Endpoint, Target
from gbvis.networks.info import WeightsInfo
from gbvis.networks.load import load_networks
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import STAGES, STEM
from gbvis.videos.clip import ClipFormat, Inputs
from material.captum_target import Rounded
from material.checkpoints import Exact
from material.passes import RunnerOfSeveral, attribute_all, begin_all, make_clip
from material.small_kind import SmallKind, make_small_network

TARGETS = [Target(STEM, 1), Target(STAGES[1], 3), Target(FC, 7), Target(SOFTMAX, 7)]
OUT = Endpoint("out", (), "class", "logit")
FORMAT = ClipFormat(3, 8, 8, 8, 0, 0, 1.0, (128.0, 127.0), (64.0, 64.0))


@pytest.mark.parametrize(
    ("stream", "baseline"), [("rgb", "mean"), ("rgb", "black"), ("rgb", "blur"), ("flow", "rest"), ("flow2", "rest")]
)
def test_captum_finds_the_same(
    weights: dict[str, Path], random: np.random.Generator, stream: str, baseline: Baseline
) -> None:
    from captum import attr

    network = Exact(load_networks(weights[stream], "0" * 64)[0])
    clip = make_clip(random, network)
    clip.pixels[:, 40:60] = 128
    batch, compared = (
        network.preprocess(Inputs(values[None].copy())) for values in (clip.values, make_baseline(baseline, clip))
    )
    for found in attribute_all(IntegratedGradients(3, baseline), network, clip, TARGETS):
        rival = attr.IntegratedGradients(Rounded(network, found.target.endpoint))
        attributed = rival.attribute(batch, compared, found.target.index, n_steps=3, method="gausslegendre")
        expected = network.align_gradients(attributed)[0].numpy()
        np.testing.assert_allclose(found.values, expected, atol=1e-6 * np.abs(expected).max())
        assert found.axes == ("channel", "time", "y", "x")
        if baseline == "rest":
            assert not found.values[:, :, 40:60].any()  # exactly 0 where nothing moves


class Toy(nn.Module):
    """One value of a clip: `function` of its sum with the weights (1, channels, T, H, W)."""

    def __init__(self, weights: Tensor, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.weights, self._function = nn.Parameter(weights), function

    def endpoints(self, clips: Tensor) -> Iterator[tuple[Endpoint, Tensor]]:
        """Yield the value."""
        yield OUT, self._function((clips * self.weights).sum((1, 2, 3, 4))[:, None])


def make_toy(random: np.random.Generator, function: Callable[[Tensor], Tensor]) -> tuple[Network, Clip]:
    """Return a toy, and a clip for which the sum is 2."""
    info = WeightsInfo("toy", "Toy", "toy-file", "flow", 1, FORMAT, (OUT,), {"out": 1})
    pixels = random.integers(0, 256, (3, 8, 8, 2), dtype=np.uint8)
    clip = Clip(pixels, FORMAT, "flow")
    shift = clip.values - make_baseline("rest", clip)
    weights = random.uniform(0.5, 1, shift.shape) * np.sign(shift)
    weights *= 2 / (weights * shift).sum()
    offset = float((weights * make_baseline("rest", clip)).sum())
    module = Toy(torch.from_numpy(weights)[None], lambda total: function(total - offset))
    return Exact(Network(module, info, SmallKind())), clip


def test_a_linear_network_gets_weight_times_difference(random: np.random.Generator) -> None:
    network, clip = make_toy(random, lambda total: 3 * total + 1)
    (found,) = attribute_all(IntegratedGradients(), network, clip, [Target(OUT, 0)])
    assert isinstance(network.module, Toy)
    expected = 3 * network.module.weights[0].detach().numpy() * (clip.values - make_baseline("rest", clip))
    np.testing.assert_allclose(found.values, expected, atol=1e-6 * np.abs(expected).max())
    assert found.value == pytest.approx(7, abs=1e-5)
    assert found.details == {"nodes": 20, "completeness_gap": pytest.approx(0, abs=1e-6), "gap_is_relative": 1}


@pytest.mark.parametrize(("steps", "nodes"), [(20, 20), (320, 320), ("auto", None)])
def test_a_relu_counts_from_where_it_opens(random: np.random.Generator, steps: int, nodes: int | None) -> None:
    """relu(s - 1.35) of a sum s from 0 to 2: the gradient is there for 0.65 / 2 of the line, so F is 0.65 in all."""
    network, clip = make_toy(random, lambda total: (total - 1.35).relu())
    (found,) = attribute_all(IntegratedGradients(steps), network, clip, [Target(OUT, 0)])
    assert isinstance(network.module, Toy)
    weighted = network.module.weights[0].detach().numpy() * (clip.values - make_baseline("rest", clip))
    gap = abs(found.values.astype(np.float64).sum() - 0.65) / 0.65
    assert found.details["completeness_gap"] == pytest.approx(gap, abs=1e-5)
    np.testing.assert_allclose(found.values, weighted * 0.65 / 2, rtol=gap + 1e-5, atol=1e-9)
    if nodes:
        assert found.details["nodes"] == nodes
    else:  # as many as it takes, and not more
        assert gap <= 0.01 and found.details["nodes"] in LEVELS
        for level in LEVELS[: LEVELS.index(int(found.details["nodes"]))]:
            (fewer,) = attribute_all(IntegratedGradients(level), network, clip, [Target(OUT, 0)])
            assert fewer.details["completeness_gap"] > 0.01


def test_what_never_closes_ends_with_320_nodes(random: np.random.Generator) -> None:
    """A step has no gradient anywhere; so the whole difference is missing."""
    network, clip = make_toy(random, lambda total: total * 0 + torch.where(total > 1, 5.0, 4.0))
    target = Target(OUT, 0)
    estimates = begin_all(IntegratedGradients(), network, clip, [target])
    assert sum(iterate(IntegratedGradients(), LocalRunner(network), clip, estimates)) == 1 + 20 + 40 + 80 + 160 + 320
    found = IntegratedGradients().finish(estimates[0], clip)
    assert found.details == {"nodes": 320, "completeness_gap": pytest.approx(1), "gap_is_relative": 1}


def test_a_gap_is_absolute_where_the_value_hardly_differs(random: np.random.Generator) -> None:
    network, clip = make_toy(random, lambda total: total * 0 + torch.where(total > 1, 100.5, 100.0))
    (found,) = attribute_all(IntegratedGradients(2), network, clip, [Target(OUT, 0)])
    assert found.details == {"nodes": 2, "completeness_gap": pytest.approx(0.5), "gap_is_relative": 0}


def test_a_clip_that_is_its_baseline_has_no_gap(random: np.random.Generator) -> None:
    network, clip = make_toy(random, lambda total: total)
    clip.pixels[:] = 128
    resting = Clip(clip.pixels, FORMAT, "flow")
    (found,) = attribute_all(IntegratedGradients(), network, resting, [Target(OUT, 0)])
    assert not found.values.any()
    assert found.details == {"nodes": 20, "completeness_gap": 0, "gap_is_relative": 0}


def test_a_target_that_is_done_leaves_the_passes_to_others(random: np.random.Generator) -> None:
    """One closes with 20 nodes, the other later; what they share goes forward once, and each finds its own."""
    both = lambda total: torch.cat([total, (total - 1.35).relu()], 1)  # noqa: E731
    network, clip = make_toy(random, both)
    targets = [Target(OUT, 0), Target(OUT, 1)]
    alone = [attribute_all(IntegratedGradients(), network, clip, [target])[0] for target in targets]
    estimates = begin_all(IntegratedGradients(), network, clip, targets)
    passes = sum(iterate(IntegratedGradients(), RunnerOfSeveral(network), clip, estimates))
    assert estimates[0].passes == 21 and estimates[1].passes == passes > 21
    for estimate, expected in zip(estimates, alone, strict=True):
        found = IntegratedGradients().finish(estimate, clip)
        assert found.details == pytest.approx(expected.details, abs=1e-9)
        np.testing.assert_allclose(found.values, expected.values, atol=1e-6 * np.abs(expected.values).max())


def test_a_target_that_is_0_everywhere_has_no_gap(random: np.random.Generator) -> None:
    """Such as a filter whose ReLUs never open."""
    network, clip = make_toy(random, lambda total: total * 0)
    (found,) = attribute_all(IntegratedGradients(), network, clip, [Target(OUT, 0)])
    assert not found.values.any() and found.value == 0
    assert found.details == {"nodes": 20, "completeness_gap": 0, "gap_is_relative": 0}


def test_all_values_sum_to_the_difference(random: np.random.Generator) -> None:
    """Of a network with kinks, to the gap that is told."""
    network = Exact(make_small_network())
    clip = make_clip(random, network, frames=6)
    targets = [Target(endpoint, 1) for endpoint in network.info.endpoints]
    at_baseline = network.predict(Inputs(np.zeros_like(clip.values)[None]), network.info.endpoints)
    for found in attribute_all(IntegratedGradients(), network, clip, targets):
        difference = found.value - float(at_baseline[found.target.endpoint].array()[0, 1])
        gap = abs(float(found.values.astype(np.float64).sum()) - difference) / abs(difference)
        assert math.isclose(gap, found.details["completeness_gap"], abs_tol=1e-5)
        assert found.details["gap_is_relative"] == 1 and found.details["completeness_gap"] <= 0.01


def test_the_modality_decides_the_baseline(weights: dict[str, Path]) -> None:
    for stream, baseline in (("rgb", "mean"), ("flow", "rest"), ("flow2", "rest")):
        info = load_networks(weights[stream], "0" * 64)[0].info
        assert IntegratedGradients().settled(info, FC, 8) == IntegratedGradients(baseline=baseline)  # type: ignore[arg-type]
        assert IntegratedGradients(baseline="blur").settled(info, FC, 8) == IntegratedGradients(baseline="blur")
    with pytest.raises(UsageError, match="the baseline black makes no sense for flow"):
        IntegratedGradients(baseline="black").settled(info, FC, 8)


@pytest.mark.parametrize("steps", [0, -20])
def test_there_is_at_least_one_node(steps: int) -> None:
    with pytest.raises(ValueError, match="steps must be at least 1, or auto"):
        IntegratedGradients(steps)


def test_steps_are_a_number_or_auto() -> None:
    assert parse_method("integrated-gradients:steps=40,baseline=rest") == IntegratedGradients(40, "rest")
    assert parse_method("integrated-gradients:steps=auto,baseline=null") == IntegratedGradients()
    with pytest.raises(UsageError) as error:
        parse_method("integrated-gradients:steps=few")
    hint = "steps=auto (auto or a whole number), baseline (mean or rest or black or blur)"
    assert error.value.hint == f"settings of integrated-gradients: {hint}"
