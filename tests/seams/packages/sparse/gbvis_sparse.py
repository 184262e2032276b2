"""A test that another package adds: how much of the relevance a few pixels have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gbvis.attribution.checks.check import Check, Finding, Relevance, Subject
from gbvis.attribution.checks.laboratory import Laboratory
from gbvis.attribution.checks.uninformed import make_uninformed


@dataclass(frozen=True)
class Sparsity(Check):
    """The share of all relevance that the most relevant pixels have."""

    name = "sparsity"
    version = 1

    share: float = 0.01

    def measure(self, subjects: Sequence[Subject], laboratory: Laboratory) -> Iterator[Finding]:
        """Yield the share for each subject."""
        baselines = {name: self._concentrate(one) for name, one in make_uninformed(laboratory, self.name).items()}
        for subject in subjects:
            yield Finding(self._concentrate(subject.relevance), baselines)

    def describe(self, finding: Finding) -> str:
        """Return the share in words."""
        return f"{100 * self.share:g} % of the pixels have {100 * finding.value:.1f} % of the relevance"

    def _concentrate(self, relevance: Relevance) -> float:
        ordered = np.sort(relevance, axis=None)[::-1].astype(np.float64)
        return float(ordered[: round(self.share * ordered.size)].sum() / (ordered.sum() or 1))
