"""Randomisation, smooth and efficient: equal to Quantus's, given the same networks, and the known result."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from conftest import MATERIAL
from gbvis.attribution.checks.check import Check, Finding, Subject, find_relevance
from gbvis.attribution.checks.efficient_randomisation import EfficientRandomisation, find_entropy, find_rise
from gbvis.attribution.checks.laboratory import Laboratory
from gbvis.attribution.checks.randomisation import Randomisation, randomise
from gbvis.attribution.checks.similarity import Appearance, measure_similarity
from gbvis.attribution.checks.smooth_randomisation import SmoothRandomisation
from gbvis.attribution.checks.together import attribute_all
from gbvis.attribution.iterative import Clip
from gbvis.attribution.method import Method
from gbvis.attribution.methods import parse_method
from gbvis.networks.endpoint import FC, Target
from gbvis.networks.load import load_networks
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import STAGES, STEM
from gbvis.networks.sample import find_weights
from gbvis.videos.clip import Inputs
from gbvis.videos.synthetic import draw_sample

GOLDEN = MATERIAL / "quantus.json"
"""What Quantus 0.6 finds for attributions that NumPy's seeds make; this file, run as a script, writes it."""

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def network() -> Network:
    found = load_networks(find_weights(Path("sample")), "0" * 64)
    return next(network for network in found if network.info.modality == "rgb")


def make_laboratory(network: Network, motion: str = "turn-left", seed: int = 1) -> Laboratory:
    form = network.info.clip_format
    frames = draw_sample(motion, seed).frames[6:14]
    pixels = np.stack([form.resize_and_crop(frame) for frame in frames])
    return Laboratory(network, Clip(pixels, form, "rgb"))


def make_subjects(laboratory: Laboratory, *methods: str, target: Target | None = None) -> list[Subject]:
    best = int(laboratory.predict([laboratory.clip.pixels])[0].argmax())
    target = target or Target(FC, best)
    found = []
    for words in methods:
        method: Method = parse_method(words).settled(laboratory.info, target.endpoint, len(laboratory.clip.pixels))
        found.append(Subject(laboratory.clip, target, method, laboratory.attribute(method, target)))
    return found


def measure(check: Check, laboratory: Laboratory, *methods: str, target: Target | None = None) -> list[Finding]:
    return list(check.measure(make_subjects(laboratory, *methods, target=target), laboratory))


class Model(nn.Module):
    """A network as Quantus wants it; it has a number, and what it finds is given."""

    def __init__(self, number: int = 0) -> None:
        super().__init__()
        self.number = number
        self.layer = nn.Linear(1, 1)
        self.eval()

    def forward(self, given: Tensor) -> Tensor:
        """Return two logits for each clip."""
        return torch.ones(len(given), 2)


def ask_quantus(found: list[np.ndarray], monkeypatch: pytest.MonkeyPatch, bins: int = 100) -> tuple[list[float], float]:
    """Return Quantus's Spearman by stage, and its efficient score.

    Args:
        found: The attribution of the network and of each randomised one: (channel, time, y, x).
        monkeypatch: Has Quantus take the networks that are given.
        bins: Of the histogram.
    """
    quantus = pytest.importorskip("quantus")
    model = quantus.helpers.model.pytorch_model.PyTorchModel

    def give(*_: Any, **__: Any) -> Iterator[tuple[str, nn.Module]]:
        yield from ((f"stage {number}", Model(number)) for number in range(1, len(found)))

    monkeypatch.setattr(model, "get_random_layer_generator", give)
    monkeypatch.setattr(model, "random_layer_generator_length", property(lambda _: len(found) - 1))
    clip = np.random.default_rng(0).random((1, *found[0].shape))
    words: dict[str, Any] = {"model": Model(), "x_batch": clip, "y_batch": np.array([0]), "channel_first": True}
    words["explain_func"] = lambda model, *_, **__: found[model.number][None]
    settings = {"abs": False, "normalise": False, "disable_warnings": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = quantus.MPRT(layer_order="bottom_up", **settings)(**words, a_batch=found[0][None])
        efficient = quantus.EfficientMPRT(layer_order="bottom_up", complexity_func_kwargs={"n_bins": bins}, **settings)(
            **words, a_batch=found[0][None]
        )
    return [float(scores[f"stage {number}"][0]) for number in range(1, len(found))], float(efficient[0])


def make_attributions(seed: int) -> list[np.ndarray]:
    """Return an attribution and others ever less like it: each float32 (channel, time, y, x)."""
    random = np.random.default_rng(seed)
    first, noise = (random.standard_normal((2, 4, 12, 10)).astype(np.float32) for _ in range(2))
    first[np.abs(first) < 0.5] = 0
    return [(1 - share) * first + np.float32(share) * noise**3 for share in np.linspace(0, 1, 4, dtype=np.float32)]


def score(found: list[np.ndarray]) -> tuple[list[float], float]:
    """Return our Spearman by stage, and our efficient score."""
    first, *others = (Appearance(one, find_relevance(one, "signed")) for one in found)
    rise = find_rise(find_entropy(found[0], 100), find_entropy(found[-1], 100))
    return [measure_similarity(first, other)["spearman"] for other in others], rise


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_are_those_that_quantus_found(seed: int) -> None:
    golden = json.loads(GOLDEN.read_text())[str(seed)]
    spearman, rise = score(make_attributions(seed))
    assert spearman == pytest.approx(golden["spearman"], abs=1e-6)
    assert rise == pytest.approx(golden["efficient"], abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_are_those_that_quantus_finds(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = make_attributions(seed)
    theirs, ours = ask_quantus(found, monkeypatch), score(found)
    assert ours[0] == pytest.approx(theirs[0], abs=1e-6) and ours[1] == pytest.approx(theirs[1], abs=1e-6)


@pytest.mark.parametrize("method", ["guided-backprop", "gradient", "grad-cam"])
def test_the_whole_test_is_quantuss(network: Network, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given the same randomised networks: signed, and of relevance."""
    laboratory = make_laboratory(network)
    (subject,) = make_subjects(laboratory, method)
    networks = [made for _, made in randomise(laboratory, "permuted", "estimated").in_order("bottom-up")]
    changed = [laboratory.attribute(subject.method, subject.target, network=one) for one in networks]
    (finding,) = Randomisation().measure([subject], laboratory)
    spearman, _ = ask_quantus([subject.values, *changed], monkeypatch)
    assert list(finding.curves["spearman"]) == pytest.approx(spearman, abs=1e-6)
    relevances = [find_relevance(one, subject.kind)[None] for one in (subject.values, *changed)]
    absolute, _ = ask_quantus(relevances, monkeypatch)
    assert list(finding.curves["absolute"]) == pytest.approx(absolute, abs=1e-6)
    assert finding.value == pytest.approx(np.mean(absolute), abs=1e-6)
    last = randomise(laboratory, "permuted", "estimated").randomise_all()
    values = laboratory.attribute(subject.method, subject.target, network=last)
    (efficient,) = EfficientRandomisation().measure([subject], laboratory)
    assert efficient.value == pytest.approx(ask_quantus([subject.values, values], monkeypatch)[1], abs=1e-6)


def test_guided_backprop_hardly_knows_what_lies_above(network: Network) -> None:
    """Adebayo et al.'s result: from the output down it stays, until the layers next to the input are randomised."""
    for motion in ("turn-left", "right"):
        laboratory = make_laboratory(network, motion)
        guided, plain = measure(Randomisation(order="top-down"), laboratory, "guided-backprop", "gradient")
        assert guided.details["stages"][0] == "FC"
        assert guided.curves["absolute"][0] > 0.9 > plain.curves["absolute"][0]
        assert guided.curves["absolute"][2] > 0.6 > plain.curves["absolute"][2]
        assert guided.curves["spearman"][2] > 0.6 and abs(plain.curves["spearman"][2]) < 0.3
        assert abs(guided.details["last"]["spearman"]) < 0.3


def test_targets_share_networks_and_end_where_they_lie(network: Network) -> None:
    laboratory = make_laboratory(network)
    middle = Target(STAGES[1], 3)
    subjects = make_subjects(laboratory, "guided-backprop") + make_subjects(laboratory, "gradient", target=middle)
    subjects += make_subjects(laboratory, "gradient", target=Target(STEM, 0))
    for order in ("bottom-up", "top-down", "independent"):
        check = Randomisation(order=order)  # type: ignore[arg-type]
        together = list(check.measure(subjects, laboratory))
        assert [len(found.details["stages"]) for found in together] == [6, 3, 1]
        if order == "bottom-up":
            for subject, found in zip(subjects, together, strict=True):
                (alone,) = check.measure([subject], laboratory)
                assert alone.value == found.value and alone.details == found.details


@pytest.mark.parametrize("check", [Randomisation(), EfficientRandomisation(), SmoothRandomisation(samples=2)], ids=str)
def test_same_seed_same_bytes(network: Network, check: Check) -> None:
    first, second = (measure(check, make_laboratory(network), "gradient")[0] for _ in range(2))
    (other,) = measure(check, Laboratory(network, make_laboratory(network).clip, seed=1), "gradient")
    assert first.value == second.value and first.details == second.details
    assert all(first.curves[name].tobytes() == second.curves[name].tobytes() for name in first.curves)
    assert other.value != first.value
    assert "randomised" in check.describe(first)


def test_baselines(network: Network) -> None:
    (found,) = measure(Randomisation(), make_laboratory(network), "gradient")
    assert [found.baselines[name] for name in ("edges", "motion", "center")] == [1, 1, 1]
    assert abs(found.baselines["random"]) < 0.02
    assert set(found.curves) >= {"ssim", "ssim@edges", "hog@random"}
    assert all(curve.shape == (6,) and curve.dtype == np.float64 for curve in found.curves.values())
    (rise,) = measure(EfficientRandomisation(), make_laboratory(network), "gradient")
    assert rise.baselines["edges"] == 0 and abs(rise.baselines["random"]) < 0.001


def test_smooth_without_noise_is_plain(network: Network) -> None:
    laboratory = make_laboratory(network)
    (plain,) = measure(Randomisation(), laboratory, "gradient")
    (smooth,) = measure(SmoothRandomisation(samples=1, noise=0), laboratory, "gradient")
    np.testing.assert_allclose(smooth.curves["spearman"], plain.curves["spearman"], atol=1e-6)


def test_smooth_is_the_mean_over_noisy_inputs(network: Network) -> None:
    """A second version, straight from the definition."""
    laboratory = make_laboratory(network)
    (subject,) = make_subjects(laboratory, "gradient")
    check = SmoothRandomisation(samples=3, noise=0.2)
    clip = laboratory.clip.values
    deviation = 0.2 * (clip.max() - clip.min())
    noisy = [
        clip + (deviation * laboratory.random(check.name, number).standard_normal(clip.shape, np.float32))
        for number in range(3)
    ]
    networks = [None, *(made for _, made in randomise(laboratory, "permuted", "estimated").in_order("bottom-up"))]
    means = [
        np.mean(
            [
                laboratory.attribute(subject.method, subject.target, Inputs(one.astype(np.float32)[None]), made)
                for one in noisy
            ],
            axis=0,
        ).astype(np.float32)
        for made in networks
    ]
    (found,) = check.measure([subject], laboratory)
    assert list(found.curves["spearman"]) == pytest.approx(score(means)[0], abs=1e-5)


def test_methods_together_find_what_they_find_alone(network: Network) -> None:
    laboratory = make_laboratory(network)
    subjects = make_subjects(laboratory, "gradient", "smoothgrad:samples=2", "guided-backprop", "grad-cam")
    subjects += make_subjects(laboratory, "gradient", target=Target(STAGES[0], 1))
    for subject, values in zip(subjects, attribute_all(laboratory, subjects), strict=True):
        np.testing.assert_array_equal(values, subject.values)


def test_a_picture_that_is_the_same_everywhere() -> None:
    even = np.ones((1, 2, 9, 9), np.float32)
    assert find_entropy(even, 100) == 0 and find_rise(0, 3) == 0
    said = EfficientRandomisation().describe(Finding(0.0, details={"original": 0.0, "randomised": 2.0}))
    assert "same everywhere" in said


@pytest.mark.parametrize(
    ("check", "settings"),
    [
        (SmoothRandomisation, {"samples": 0}),
        (SmoothRandomisation, {"noise": -1}),
        (EfficientRandomisation, {"bins": 1}),
    ],
)
def test_settings_that_make_no_sense(check: type[Check], settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        check(**settings)


if __name__ == "__main__":
    patch = pytest.MonkeyPatch()
    answers = {seed: ask_quantus(make_attributions(seed), patch) for seed in SEEDS}
    written = {seed: {"spearman": spearman, "efficient": rise} for seed, (spearman, rise) in answers.items()}
    GOLDEN.write_text(json.dumps(written, indent=1) + "\n")
