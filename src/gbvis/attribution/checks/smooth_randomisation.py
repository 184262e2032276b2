"""Smooth randomisation: the randomisation test on attributions averaged over noisy inputs (sMPRT).

Hedström et al. 2024, "A Fresh Look at Sanity Checks for Saliency Maps", part 4.1: noise in an attribution, which
differs from network to network, makes it seem to depend on the weights; the mean over noisy inputs has less of it.
The inputs' noise is Gaussian, with a standard deviation of a share of the range of the clip's normalised values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gbvis.attribution.checks.randomisation import Randomisation
from gbvis.attribution.checks.together import attribute_all
from gbvis.videos.clip import Inputs

if TYPE_CHECKING:
    from gbvis.attribution.attribution import Values
    from gbvis.attribution.checks.check import Subject
    from gbvis.attribution.checks.laboratory import Laboratory
    from gbvis.networks.network import Network


@dataclass(frozen=True)
class SmoothRandomisation(Randomisation):
    """As `Randomisation`, of the mean attribution over noisy inputs, the same ones for all networks and methods.

    Attributes:
        samples: How many noisy inputs.
        noise: The noise's standard deviation, as a share of the range of the clip's normalised values.
    """

    name = "smooth-randomisation"
    version = 1

    samples: int = 50
    noise: float = 0.1

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: There are no samples, or noise is negative.
        """
        if not 1 <= self.samples <= 100_000:
            raise ValueError(f"samples={self.samples}: expected 1 to 100000")
        if not 0 <= self.noise <= 100:
            raise ValueError(f"noise={self.noise}: expected 0 to 100")

    def _attribute(self, subjects: Sequence[Subject], laboratory: Laboratory, network: Network | None) -> list[Values]:
        """Return the mean of the subjects' attributions over noisy inputs, by the network or another one."""
        clip = laboratory.clip.values
        deviation = np.float32(self.noise * np.ptp(clip))
        sums = [np.zeros(subject.values.shape) for subject in subjects]
        for number in range(self.samples):
            noise = laboratory.random(self.name, number).standard_normal(clip.shape, np.float32)
            inputs = Inputs((clip + deviation * noise)[None])
            for total, values in zip(sums, attribute_all(laboratory, subjects, network, inputs), strict=True):
                total += values
        return [(total / self.samples).astype(np.float32) for total in sums]
