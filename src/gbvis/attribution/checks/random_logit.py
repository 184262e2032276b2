"""Random logit: does the picture change when another class is asked for?

Sixt et al. 2020, "When Explanations Lie: Why Many Modified BP Attributions Fail", part 5: the attribution of one class
is compared, by SSIM, with that of another one, drawn at random. Where both are alike, the picture does not tell why the
network sees this class and not the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gbvis.attribution.checks.check import BASELINES, Check, Finding, Subject, find_relevance
from gbvis.attribution.checks.similarity import Appearance, average, measure_similarity
from gbvis.attribution.checks.uninformed import make_uninformed
from gbvis.errors import UsageError
from gbvis.networks.endpoint import Target

if TYPE_CHECKING:
    from gbvis.attribution.attribution import Values
    from gbvis.attribution.checks.laboratory import Laboratory

_ALIKE = 0.9
"""How alike two pictures are at least that are called nearly the same."""


@dataclass(frozen=True)
class RandomLogit(Check):
    """How alike the attribution of a class and that of another class are: 1 where they are the same picture.

    All methods are asked about the same other class. What knows nothing of the network is the same for every class: 1;
    of `random` there is another draw for each class.

    Attributes:
        similarity: By what they are compared, see `similarity.measure_similarity`; the others are among the details.
        others: `one` class drawn at random, or `all` others, whose mean counts.
    """

    name = "random-logit"
    version = 1
    needs_class = True
    better = "lower"

    similarity: Literal["ssim", "spearman", "absolute", "hog"] = "ssim"
    others: Literal["one", "all"] = "one"

    def measure(self, subjects: Sequence[Subject], laboratory: Laboratory) -> Iterator[Finding]:
        """Yield what is found for each subject."""
        chance = self._compare_random(laboratory)
        for subject in subjects:
            found = _appear(subject.values, subject.kind)
            classes = self._choose_others(subject.target, laboratory)
            similarities: list[Mapping[str, float]] = []
            for index in classes:
                values = laboratory.attribute(subject.method, Target(subject.target.endpoint, index))
                similarities.append(measure_similarity(found, _appear(values, subject.kind)))
            mean = average(similarities)
            each = [{"class": index, **one} for index, one in zip(classes, similarities, strict=True)]
            yield Finding(mean[self.similarity], {**_SAME, "random": chance}, details={**mean, "classes": each})

    def describe(self, finding: Finding) -> str:
        """Return in one sentence how alike the pictures of other classes are."""
        others = [one["class"] for one in finding.details["classes"]]
        of = f"of class {others[0]}" if len(others) == 1 else f"of {len(others)} other classes"
        verdict = "nearly the same picture" if finding.value >= _ALIKE else "a picture that differs by class"
        return (
            f"{self.similarity} {finding.value:.3f} with the attribution {of}, where 1 is the same and "
            f"{finding.baselines['random']:.3f} chance: {verdict}"
        )

    def _choose_others(self, target: Target, laboratory: Laboratory) -> list[int]:
        """Return which other classes the target is compared with.

        Raises:
            UsageError: There is no other class.
        """
        count = laboratory.info.targets[target.endpoint.name]
        others = [index for index in range(count) if index != target.index]
        if not others:
            raise UsageError("the network knows one class only, and random-logit needs another", "leave out that test")
        if self.others == "all":
            return others
        return [int(laboratory.random(self.name, target.index).choice(others))]

    def _compare_random(self, laboratory: Laboratory) -> float:
        """Return how alike two random attributions are."""
        draws = [make_uninformed(laboratory, self.name, number)["random"] for number in range(2)]
        one, other = (Appearance(draw[None], draw) for draw in draws)
        return measure_similarity(one, other)[self.similarity]


_SAME = dict.fromkeys(BASELINES, 1.0)


def _appear(values: Values, kind: Literal["signed", "positive"]) -> Appearance:
    return Appearance(values, find_relevance(values, kind))
