"""Randomisation (MPRT): does the attribution change when the network's weights do?

The model parameter randomisation test of Adebayo et al. 2018, "Sanity Checks for Saliency Maps", part 3.1: weights
are randomised stage by stage, and the attribution of the same target compared with the original one. One that stays
the same says nothing of what was learned. Binder et al. 2023, "Shortcomings of Top-Down Randomization-Based Sanity
Checks for Evaluations of Deep Neural Network Explanations", show that numbers of this test do not rank methods: a noisy
attribution changes more than a faithful one, and from the top down the layers below keep activations as they are.
Checked against Quantus's `MPRT`, given the same networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gbvis.attribution.checks.check import Check, Finding, Subject, find_relevance
from gbvis.attribution.checks.similarity import MEASURES, Appearance, measure_similarity
from gbvis.attribution.checks.uninformed import make_uninformed

if TYPE_CHECKING:
    from gbvis.attribution.attribution import Values
    from gbvis.attribution.checks.laboratory import Laboratory
    from gbvis.attribution.checks.randomised_network import Norms, RandomisedNetworks, Weights
    from gbvis.networks.network import Network

_NAMES = {"spearman": "rank correlation", "absolute": "rank correlation of sizes", "ssim": "SSIM", "hog": "HOGs"}


@dataclass(frozen=True)
class Randomisation(Check):
    """How alike attributions of the network and of randomised ones are, the mean over the stages that are randomised.

    Only stages up to the target's endpoint count. What knows nothing of the network keeps its picture: 1; of `random`
    there is another draw.

    Attributes:
        order: `bottom-up` randomises from the input on, `top-down` from the output on, each with the stages before it;
            `independent` each stage alone.
        similarity: What counts; see `similarity.measure_similarity`. The others are among the details.
        weights: `permuted` within each tensor, or `reset` as new layers draw them.
        norms: Norms' running statistics: `estimated` on the clip, `reset` to mean 0 and variance 1, or `kept`.
    """

    name = "randomisation"
    version = 1
    better = "lower"

    order: Literal["bottom-up", "top-down", "independent"] = "bottom-up"
    similarity: Literal["absolute", "spearman", "ssim", "hog"] = "absolute"
    weights: Literal["permuted", "reset"] = "permuted"
    norms: Literal["estimated", "reset", "kept"] = "estimated"

    def measure(self, subjects: Sequence[Subject], laboratory: Laboratory) -> Iterator[Finding]:
        """Yield what is found for each subject; all share the randomised networks."""
        known = self._attribute(subjects, laboratory, None)
        originals = [appear(subject, values) for subject, values in zip(subjects, known, strict=True)]
        courses: list[dict[str, dict[str, float]]] = [{} for _ in subjects]
        places = [laboratory.info.endpoints.index(subject.target.endpoint) for subject in subjects]
        for stage, network in randomise(laboratory, self.weights, self.norms).in_order(self.order):
            numbers = [number for number, place in enumerate(places) if place >= stage.place]
            changed = self._attribute([subjects[number] for number in numbers], laboratory, network) if numbers else []
            for number, values in zip(numbers, changed, strict=True):
                now = appear(subjects[number], values)
                courses[number][stage.name] = measure_similarity(originals[number], now)
        chance = compare_draws(laboratory)
        for course in courses:
            yield self._sum_up(course, chance)

    def describe(self, finding: Finding) -> str:
        """Return in one sentence how much of the picture is left."""
        about = finding.details
        how = "each alone" if self.order == "independent" else self.order
        last = "" if self.order == "independent" else f", {about['last'][self.similarity]:.2f} with all of them"
        return (
            f"with {len(about['stages'])} stages randomised {how} the picture's similarity to the original "
            f"({_NAMES[self.similarity]}) is {finding.value:.2f} on average{last}; 1 is no change, "
            f"{finding.baselines['random']:.2f} that of two random pictures"
        )

    def _attribute(self, subjects: Sequence[Subject], laboratory: Laboratory, network: Network | None) -> list[Values]:
        """Return the subjects' attributions by the network, or by another one."""
        from gbvis.attribution.checks.together import attribute_all

        return attribute_all(laboratory, subjects, network) if network else [subject.values for subject in subjects]

    def _sum_up(self, course: dict[str, dict[str, float]], chance: dict[str, float]) -> Finding:
        """Return what similarities by stage come to."""
        curves = {name: np.array([one[name] for one in course.values()]) for name in MEASURES}
        count = len(course)
        baselines = {"edges": 1.0, "motion": 1.0, "center": 1.0, "random": chance[self.similarity]}
        lines = {
            f"{name}@{baseline}": np.full(count, chance[name] if baseline == "random" else 1.0)
            for name in MEASURES
            for baseline in baselines
        }
        details: dict[str, Any] = {
            "stages": list(course),
            "mean": {name: float(curve.mean()) for name, curve in curves.items()},
            "last": {name: float(curve[-1]) for name, curve in curves.items()},
        }
        return Finding(details["mean"][self.similarity], baselines, details=details, curves=curves | lines)


def randomise(laboratory: Laboratory, weights: Weights, norms: Norms) -> RandomisedNetworks:
    """Return what makes randomised networks of the laboratory's; all tests get the same weights."""
    from gbvis.attribution.checks.randomised_network import RandomisedNetworks

    batch = laboratory.network.preprocess([laboratory.clip.pixels])
    return RandomisedNetworks(
        laboratory.network, batch, lambda name: laboratory.random("weights", name), weights, norms
    )


def appear(subject: Subject, values: Values) -> Appearance:
    """Return what a subject's method found, ready to be compared."""
    return Appearance(values, find_relevance(values, subject.kind))


def compare_draws(laboratory: Laboratory) -> dict[str, float]:
    """Return how alike two draws of the baseline `random` are."""
    draws = (make_uninformed(laboratory, "randomisation", number)["random"] for number in range(2))
    first, second = (Appearance(draw[None], draw) for draw in draws)
    return measure_similarity(first, second)
