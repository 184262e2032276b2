"""Sensitivity (Yeh et al. 2019, "On the (In)fidelity and Sensitivity of Explanations", definition 3.1).

How much an attribution changes at most when the clip changes by next to nothing: the largest |Φ(y) - Φ(x)| / |Φ(x)|
over inputs y that are drawn from a small cube around the clip x. The norm is that of all values, the root of the sum of
their squares. Checked against Captum's `sensitivity_max`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.attribution import Values
from gbvis.attribution.checks.check import BASELINES, Check, Finding, Subject
from gbvis.attribution.checks.uninformed import make_uninformed
from gbvis.attribution.iterative import Clip
from gbvis.videos.clip import Inputs

if TYPE_CHECKING:
    from gbvis.attribution.checks.laboratory import Laboratory

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Sensitivity(Check):
    """The largest relative change of an attribution under small noise: 0 where it never changes.

    Each number of the normalised clip is changed by at most the radius, evenly distributed. What is at random in a
    method stays as it was; the baseline `random` is drawn anew for each input. A low number says that an attribution is
    steady, not that it is right: `center` never changes.

    Attributes:
        samples: How many inputs are drawn.
        radius: In units of the normalised clip.
    """

    name = "sensitivity"
    version = 1
    better = "lower"

    samples: int = 10
    radius: float = 0.02

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: There is no sample, or no radius.
        """
        if not 1 <= self.samples <= 1000:
            raise ValueError(f"samples={self.samples}: expected 1 to 1000, which are all in memory")
        if self.radius <= 0:
            raise ValueError("radius must be above 0")

    def measure(self, subjects: Sequence[Subject], laboratory: Laboratory) -> Iterator[Finding]:
        """Yield what is found for each subject; all see the same inputs."""
        near = self.draw(laboratory)
        uninformed = find_uninformed_changes(laboratory, near)
        baselines = {name: max(changes) for name, changes in uninformed.items()}
        for subject in subjects:
            found = (laboratory.attribute(subject.method, subject.target, Inputs(one[None])) for one in near)
            changes = [find_change(subject.values, one) for one in found]
            details = {"mean": float(np.mean(changes)), "changes": changes}
            yield Finding(max(changes), baselines, details=details)

    def draw(self, laboratory: Laboratory) -> Values:
        """Return normalised inputs around the clip: float32 (samples, channel, time, y, x)."""
        values, random = laboratory.clip.values, laboratory.random(self.name)
        drawn = (values + random.uniform(-self.radius, self.radius, values.shape) for _ in range(self.samples))
        return np.stack([one.astype(np.float32) for one in drawn])

    def describe(self, finding: Finding) -> str:
        """Return in one sentence how much it changes."""
        numbers = ", ".join(f"{value:.1%} of {name}" for name, value in finding.baselines.items())
        return (
            f"noise of at most {self.radius:g} changes the attribution by up to {finding.value:.1%}; without the "
            f"network it is {numbers}"
        )


def find_change(original: NDArray[np.floating[Any]], changed: NDArray[np.floating[Any]]) -> float:
    """Return |changed - original| / |original|, or |changed - original| where the original is all zeros."""
    size = float(np.linalg.norm(original.astype(np.float64)))
    return float(np.linalg.norm(changed.astype(np.float64) - original)) / (size or 1.0)


def find_uninformed_changes(laboratory: Laboratory, near: Values) -> dict[str, list[float]]:
    """Return how much each of `BASELINES` changes for each input.

    Args:
        laboratory: The clip.
        near: float32 (samples, channel, time, y, x), normalised.
    """
    of_clip = make_uninformed(laboratory)
    changes: dict[str, list[float]] = {name: [] for name in BASELINES}
    for values in near:
        of_input = make_uninformed(replace(laboratory, clip=_unnormalise(laboratory.clip, values)))
        for name, changed in of_input.items():
            changes[name].append(find_change(of_clip[name], changed))
    return changes


def _unnormalise(clip: Clip, values: Values) -> Clip:
    """Return the clip with pixels, float32, that have these normalised values (channel, time, y, x)."""
    form = clip.clip_format
    order = slice(None, None, -1) if form.is_bgr else slice(None)
    std, mean = (np.array(one)[order] for one in (form.std, form.mean))
    pixels = (np.moveaxis(values, 0, -1) * std + mean) * form.scale
    return Clip(pixels.astype(np.float32), form, clip.modality, clip.first_frame)
