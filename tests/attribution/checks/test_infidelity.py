"""Infidelity against Captum's, on the same perturbations."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gbvis.attribution.baselines import make_baseline
from gbvis.attribution.checks import parse_check
from gbvis.attribution.checks.infidelity import Infidelity, find_infidelity
from gbvis.attribution.checks.laboratory import Laboratory
from gbvis.attribution.checks.uninformed import make_uninformed
from gbvis.attribution.method import Method
from gbvis.attribution.methods.grad_cam import GradCam
from gbvis.attribution.methods.gradient import Gradient, InputXGradient
from gbvis.attribution.methods.integrated_gradients import IntegratedGradients
from gbvis.attribution.methods.occlusion import Occlusion
from gbvis.errors import UsageError
from gbvis.networks.endpoint import FC, SOFTMAX, Target
from gbvis.networks.load import load_networks
from gbvis.networks.network import Network
from gbvis.videos.clip import Inputs
from material.captum_target import AtEndpoint
from material.checkpoints import Exact
from material.passes import make_clip
from material.scoring_kind import make_laboratory, make_scoring_network, make_subject
from material.small_kind import CLASSES, EDGES


def ask_captum(
    network: Network,
    check: Infidelity,
    laboratory: Laboratory,
    target: Target,
    attribution: np.ndarray,
    divisor: object = 1,
) -> float:
    """Return Captum's infidelity of an attribution (channel, time, y, x) on the perturbations that a test draws."""
    from captum.metrics import infidelity

    values, noisy = laboratory.clip.values, check.draw(laboratory)
    perturbed = network.preprocess(Inputs(noisy))
    noise = torch.from_numpy((values.astype(np.float64) - noisy) / divisor)

    class InLine(torch.nn.Module):
        """The target of clips in line with their pixels, which is how attributions are."""

        def forward(self, clips: torch.Tensor) -> torch.Tensor:
            batch = network.preprocess(Inputs(clips.numpy().astype(np.float32)))
            return AtEndpoint(network, target.endpoint)(batch)

    assert len(perturbed) == check.samples
    found = infidelity(
        InLine(),
        lambda inputs: (noise, torch.from_numpy(noisy).double()),
        torch.from_numpy(values[None]).double(),
        torch.from_numpy(np.broadcast_to(attribution, values.shape)[None].astype(np.float64)),
        target=target.index,
        n_perturb_samples=check.samples,
        normalize=True,
    )
    return float(found[0])


@pytest.mark.parametrize("stream", ["rgb", "flow", pytest.param("flow2", marks=pytest.mark.slow)])
@pytest.mark.parametrize("endpoint", [FC, SOFTMAX], ids=str)
def test_captum_finds_the_same(
    weights: dict[str, Path], random: np.random.Generator, stream: str, endpoint: object
) -> None:
    network = Exact(load_networks(weights[stream], "0" * 64)[0])
    laboratory, target = Laboratory(network, make_clip(random, network)), Target(endpoint, 5)  # type: ignore[arg-type]
    check = Infidelity(samples=4)
    subject = make_subject(laboratory, Gradient(), target)
    (found,) = check.measure([subject], laboratory)
    assert found.value == pytest.approx(ask_captum(network, check, laboratory, target, subject.values), rel=1e-6)
    for name, relevance in make_uninformed(laboratory).items():
        expected = ask_captum(network, check, laboratory, target, relevance[None])
        assert found.baselines[name] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("method", "is_divided"),
    [
        (InputXGradient(), True),
        (IntegratedGradients(steps=20, baseline="black"), True),
        (Occlusion("2x8x8", "2x8x8", "mean"), False),
        (GradCam(at="shapes"), False),
    ],
    ids=lambda one: one.name if isinstance(one, Method) else "",
)
def test_what_multiplies_by_the_input_is_divided_by_it(
    random: np.random.Generator, method: Method, is_divided: bool
) -> None:
    network = Exact(make_scoring_network())
    laboratory, target = make_laboratory(random, network), Target(CLASSES, 2)
    subject = make_subject(laboratory, method, target)
    divisor: object = 1
    if is_divided:
        name = method.settings.get("baseline")
        divisor = laboratory.clip.values - (make_baseline(name, laboratory.clip) if name else 0)
        divisor = np.where(divisor == 0, 1, divisor)
    check = Infidelity(noise=0.05)
    (found,) = check.measure([subject], laboratory)
    assert found.value == pytest.approx(
        ask_captum(network, check, laboratory, target, subject.values, divisor), rel=1e-6
    )


def test_the_gradient_explains_small_noise(random: np.random.Generator) -> None:
    """Nothing else does, and its size is of no account; input times gradient says the same."""
    network = Exact(make_scoring_network())
    laboratory, target = make_laboratory(random, network), Target(CLASSES, 1)
    subjects = [make_subject(laboratory, method, target) for method in (Gradient(), InputXGradient())]
    gradient, product = Infidelity(noise=1e-4).measure(subjects, laboratory)
    assert gradient.details["unexplained"] < 0.01 < 0.3 < min(gradient.details["unexplained_baselines"].values())
    assert gradient.details["factor"] == pytest.approx(1, abs=0.01)
    assert product.value == pytest.approx(gradient.value, rel=0.05)


def test_an_attribution_at_random_explains_one_in_so_many(random: np.random.Generator) -> None:
    """One factor is fitted to as many draws."""
    falls = random.standard_normal(10)
    shares = [find_infidelity(random.standard_normal(10), falls)[0] / np.mean(falls**2) for _ in range(4000)]
    assert np.mean(shares) == pytest.approx(0.9, abs=0.01)


def test_zeros_explain_nothing(random: np.random.Generator) -> None:
    falls = random.standard_normal(10)
    assert find_infidelity(np.zeros(10), falls) == (pytest.approx(np.mean(falls**2)), 1.0)
    assert find_infidelity(np.ones(10), np.zeros(10)) == (0.0, 0.0)


def test_targets_of_any_endpoint(random: np.random.Generator) -> None:
    laboratory = make_laboratory(random, make_scoring_network())
    subjects = [make_subject(laboratory, Gradient(), target) for target in (Target(EDGES, 1), Target(CLASSES, 0))]
    together = list(Infidelity().measure(subjects, laboratory))
    alone = [next(iter(Infidelity().measure([subject], laboratory))) for subject in subjects]
    assert together == alone
    assert all(0 < one.details["unexplained"] < 1 for one in together)


def test_settings() -> None:
    assert parse_check("infidelity:samples=5,noise=0.2") == Infidelity(5, 0.2)
    for wrong in ("samples=1", "noise=0", "noise=nan"):
        with pytest.raises(UsageError, match="infidelity"):
            parse_check(f"infidelity:{wrong}")
