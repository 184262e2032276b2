"""Sensitivity against Captum's, on the same inputs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gbvis.attribution.checks import parse_check
from gbvis.attribution.checks.laboratory import Laboratory
from gbvis.attribution.checks.sensitivity import Sensitivity, find_change, find_uninformed_changes
from gbvis.attribution.methods.grad_cam import GradCam
from gbvis.attribution.methods.gradient import Gradient
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.attribution.methods.smoothgrad import SmoothGrad
from gbvis.errors import UsageError
from gbvis.networks.endpoint import FC, Target
from gbvis.networks.load import load_networks
from gbvis.videos.clip import Inputs, normalise_in_line
from material.captum_target import AtEndpoint
from material.checkpoints import Exact
from material.passes import make_clip
from material.scoring_kind import make_laboratory, make_scoring_network, make_subject
from material.small_kind import CLASSES


@pytest.mark.parametrize("stream", ["rgb", "flow", pytest.param("flow2", marks=pytest.mark.slow)])
def test_captum_finds_the_same(weights: dict[str, Path], random: np.random.Generator, stream: str) -> None:
    from captum.attr import Saliency
    from captum.metrics import sensitivity_max

    network = Exact(load_networks(weights[stream], "0" * 64)[0])
    laboratory, check = Laboratory(network, make_clip(random, network)), Sensitivity(samples=3)
    (found,) = check.measure([make_subject(laboratory, Gradient(), Target(FC, 4))], laboratory)

    def explain(batch: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor | tuple[torch.Tensor, ...]:
        if isinstance(batch, tuple):
            return tuple(explain(one) for one in batch)  # type: ignore[misc]
        with torch.enable_grad():
            return Saliency(AtEndpoint(network, FC)).attribute(batch.requires_grad_(), 4, abs=False).float()

    near = iter(network.preprocess(Inputs(check.draw(laboratory))))
    batch = network.preprocess(Inputs(laboratory.clip.values[None]))

    def draw_more(inputs: torch.Tensor) -> torch.Tensor:
        return torch.stack([next(near) for _ in inputs])

    expected = sensitivity_max(explain, batch, draw_more, n_perturb_samples=3)
    assert not list(near)
    assert found.value == pytest.approx(float(expected[0]), rel=1e-5)
    assert found.value == max(found.details["changes"]) > 0


def test_inputs_stay_within_the_radius(random: np.random.Generator) -> None:
    laboratory = make_laboratory(random, make_scoring_network())
    changes = Sensitivity(samples=4, radius=0.5).draw(laboratory) - laboratory.clip.values
    assert 0.49 < np.abs(changes).max() <= 0.5 + 1e-6
    assert abs(changes.mean()) < 0.01 and changes.std() == pytest.approx(1 / np.sqrt(12), rel=0.02)
    assert len({one.tobytes() for one in changes}) == 4


def test_what_is_at_random_in_a_method_stays(random: np.random.Generator) -> None:
    laboratory, target = make_laboratory(random, make_scoring_network()), Target(CLASSES, 1)
    subjects = [
        make_subject(laboratory, method, target)
        for method in (Gradient(), SmoothGrad(samples=4), GuidedBackprop(), GradCam(at="shapes"))
    ]
    check = Sensitivity(samples=2, radius=1e-6)
    assert all(one.value < 1e-3 for one in check.measure(subjects, laboratory))
    assert list(check.measure(subjects, laboratory)) == list(check.measure(subjects, laboratory))


@pytest.mark.parametrize("stream", ["rgb", "flow", pytest.param("flow2", marks=pytest.mark.slow)])
def test_baselines_see_the_changed_input(weights: dict[str, Path], random: np.random.Generator, stream: str) -> None:
    (network,) = load_networks(weights[stream], "0" * 64)
    laboratory = Laboratory(network, make_clip(random, network))
    changes = find_uninformed_changes(laboratory, Sensitivity(samples=2).draw(laboratory))
    for first, second in (changes["edges"], changes["motion"]):
        assert 0 < first < 0.1 and first != second
    assert changes["center"] == [0, 0]
    assert changes["random"] == pytest.approx([np.sqrt(0.5)] * 2, abs=0.02)  # of two independent drawings
    unchanged = find_uninformed_changes(laboratory, laboratory.clip.values[None])
    assert unchanged["edges"][0] < 1e-6 and unchanged["motion"][0] < 1e-6


def test_pixels_of_a_network_that_takes_blue_first(random: np.random.Generator) -> None:
    from gbvis.attribution.checks.sensitivity import _unnormalise

    laboratory = make_laboratory(random, make_scoring_network())
    clip = replace(laboratory.clip, clip_format=replace(laboratory.clip.clip_format, is_bgr=True))
    again = _unnormalise(clip, normalise_in_line(clip.pixels, clip.clip_format))
    np.testing.assert_allclose(again.pixels, clip.pixels, atol=1e-3)


def test_a_change_of_nothing() -> None:
    assert find_change(np.zeros(3), np.array([0.0, 3, 4])) == 5
    assert find_change(np.array([0.0, 3, 4]), np.zeros(3)) == 1


def test_settings() -> None:
    assert parse_check("sensitivity:samples=5,radius=0.1") == Sensitivity(5, 0.1)
    for wrong in ("samples=0", "radius=0"):
        with pytest.raises(UsageError, match="sensitivity"):
            parse_check(f"sensitivity:{wrong}")
