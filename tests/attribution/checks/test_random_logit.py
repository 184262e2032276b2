"""Random logit: the attribution of a class against that of another one."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from gbvis.attribution.checks.check import find_relevance
from gbvis.attribution.checks.random_logit import RandomLogit
from gbvis.attribution.methods.gradient import Gradient
from gbvis.errors import UsageError
from gbvis.networks.endpoint import Target
from material.scoring_kind import make_laboratory, make_scoring_network, make_subject
from material.small_kind import CLASSES


def test_it_is_the_mean_similarity_with_all_other_classes(random: np.random.Generator) -> None:
    """SciPy's rank correlation is the oracle."""
    stats = pytest.importorskip("scipy.stats")
    laboratory = make_laboratory(random, make_scoring_network())
    subject, *others = (make_subject(laboratory, Gradient(), Target(CLASSES, index)) for index in (1, 0, 2))
    (found,) = RandomLogit("spearman", "all").measure([subject], laboratory)
    signed = [stats.spearmanr(subject.values.ravel(), one.values.ravel()).statistic for one in others]
    absolute = [
        stats.spearmanr(subject.relevance.ravel(), find_relevance(one.values, "signed").ravel()).statistic
        for one in others
    ]
    assert found.value == pytest.approx(np.mean(signed), abs=1e-6)
    assert found.details["absolute"] == pytest.approx(np.mean(absolute), abs=1e-6)
    assert [one["class"] for one in found.details["classes"]] == [0, 2]
    assert [one["spearman"] for one in found.details["classes"]] == pytest.approx(signed, abs=1e-6)


def test_it_is_what_quantus_finds(random: np.random.Generator) -> None:
    """Quantus 0.6, where it is installed: an oracle alone. It draws the other class by itself, so there are two."""
    quantus = pytest.importorskip("quantus")
    network = make_scoring_network()
    network.info = replace(network.info, targets={**network.info.targets, CLASSES.name: 2})
    laboratory = make_laboratory(random, network)
    one, other = (make_subject(laboratory, Gradient(), Target(CLASSES, index)) for index in (1, 0))
    (found,) = RandomLogit("spearman").measure([one], laboratory)

    class Model(nn.Module):
        def forward(self, given: torch.Tensor) -> torch.Tensor:
            return torch.ones(len(given), 2)

    def explain(model: nn.Module, inputs: np.ndarray, targets: np.ndarray, **_: object) -> np.ndarray:
        assert [*targets] == [0]
        return other.values[None]

    metric = quantus.RandomLogit(
        similarity_func=quantus.similarity_func.correlation_spearman,
        num_classes=2,
        abs=False,
        normalise=False,
        disable_warnings=True,
        display_progressbar=False,
    )
    (expected,) = metric(
        model=Model().eval(),
        x_batch=laboratory.clip.values[None],
        y_batch=np.array([1]),
        a_batch=one.values[None],
        explain_func=explain,
        channel_first=True,
        device="cpu",
    )
    assert found.value == pytest.approx(expected, abs=1e-6)


def test_one_class_is_drawn_for_all_methods_and_never_the_target(random: np.random.Generator) -> None:
    network = make_scoring_network()
    drawn = set()
    for seed in range(12):
        laboratory = make_laboratory(random, network, seed=seed)
        subjects = [make_subject(laboratory, method, Target(CLASSES, 1)) for method in (Gradient(), Gradient())]
        classes = {one.details["classes"][0]["class"] for one in RandomLogit().measure(subjects, laboratory)}
        assert len(classes) == 1
        drawn |= classes
    assert drawn == {0, 2}


def test_what_knows_nothing_of_the_network_is_the_same_for_every_class(random: np.random.Generator) -> None:
    laboratory = make_laboratory(random, make_scoring_network())
    subject = make_subject(laboratory, Gradient(), Target(CLASSES, 1))
    (found,) = RandomLogit("spearman").measure([subject], laboratory)
    assert [found.baselines[name] for name in ("edges", "motion", "center")] == [1, 1, 1]
    assert abs(found.baselines["random"]) < 0.1  # two draws
    assert "chance" in RandomLogit("spearman").describe(found)


def test_a_network_of_one_class_has_no_other(random: np.random.Generator) -> None:
    network = make_scoring_network()
    network.info = replace(network.info, targets={**network.info.targets, CLASSES.name: 1})
    laboratory = make_laboratory(random, network)
    subject = make_subject(laboratory, Gradient(), Target(CLASSES, 0))
    with pytest.raises(UsageError, match="one class only"):
        list(RandomLogit().measure([subject], laboratory))
