"""Efficient randomisation (eMPRT): is the attribution of a randomised network less ordered than the network's own?

Hedström et al. 2024, "A Fresh Look at Sanity Checks for Saliency Maps", part 4.2: instead of comparing pictures, the
complexity of each is measured, as the entropy of the histogram of its values, and how much it rises when all weights
are randomised, relative to what it was. Checked against Quantus's `EfficientMPRT`, given the same networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.checks.check import Check, Finding, Subject
from gbvis.attribution.checks.randomisation import randomise
from gbvis.attribution.checks.uninformed import make_uninformed

if TYPE_CHECKING:
    from gbvis.attribution.checks.laboratory import Laboratory


@dataclass(frozen=True)
class EfficientRandomisation(Check):
    """The relative rise of the entropy of an attribution's histogram when the whole network is randomised.

    Above 0 the network's own attribution is the more ordered one. What knows nothing of the network does not change: 0.

    Attributes:
        bins: Of the histogram, from the least value to the largest.
        weights: As of `Randomisation`.
        norms: As of `Randomisation`.
    """

    name = "efficient-randomisation"
    version = 1
    better = "higher"

    bins: int = 100
    weights: Literal["permuted", "reset"] = "permuted"
    norms: Literal["estimated", "reset", "kept"] = "estimated"

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: There are too few bins, or too many.
        """
        if not 2 <= self.bins <= 1_000_000:
            raise ValueError(f"bins={self.bins}: expected 2 to 1000000")

    def measure(self, subjects: Sequence[Subject], laboratory: Laboratory) -> Iterator[Finding]:
        """Yield what is found for each subject; all share the randomised network."""
        from gbvis.attribution.checks.together import attribute_all

        network = randomise(laboratory, self.weights, self.norms).randomise_all()
        changed = attribute_all(laboratory, subjects, network)
        draws = (make_uninformed(laboratory, "randomisation", number)["random"] for number in range(2))
        before, after = (find_entropy(draw, self.bins) for draw in draws)
        baselines = {"edges": 0.0, "motion": 0.0, "center": 0.0, "random": find_rise(before, after)}
        for subject, values in zip(subjects, changed, strict=True):
            before, after = find_entropy(subject.values, self.bins), find_entropy(values, self.bins)
            details = {"original": before, "randomised": after}
            yield Finding(find_rise(before, after), baselines, details=details)

    def describe(self, finding: Finding) -> str:
        """Return in one sentence how the entropy changes."""
        about = finding.details
        if not about["original"]:
            return "the picture is the same everywhere, so that the entropy of its histogram cannot rise from 0 bits"
        way = "rises" if finding.value > 0 else "falls"
        return (
            f"the entropy of the picture's histogram {way} by {abs(finding.value):.1%}, from {about['original']:.2f} "
            f"to {about['randomised']:.2f} bits, when the whole network is randomised"
        )


def find_entropy(values: NDArray[np.float32], bins: int) -> float:
    """Return the entropy of the histogram of all values, from the least to the largest, in bits."""
    counts, _ = np.histogram(values, bins)
    shares = counts[counts > 0] / counts.sum()
    return max(0.0, float(-(shares * np.log2(shares)).sum()))


def find_rise(before: float, after: float) -> float:
    """Return a relative rise; 0 where nothing was there to rise from."""
    return (after - before) / before if before else 0.0
