"""Mass: how much of the relevance lies on the object?

The share of the relevance inside a mask is the relevance mass accuracy of Arras et al. 2022, "CLEVR-XAI: A Benchmark
Dataset for the Ground Truth Evaluation of Neural Network Explanations". A large object gets much of it from
any map, so that the share is divided by the mask's share of the frame: 1 is what evenly spread relevance has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.checks.check import Check, Finding, Relevance, Subject
from gbvis.attribution.checks.uninformed import make_uninformed

if TYPE_CHECKING:
    from gbvis.attribution.checks.laboratory import Laboratory, Mask


@dataclass(frozen=True)
class Concentration:
    """How much of a relevance lies in a mask.

    Attributes:
        share: The mask's share of all relevance of the clip, 0-1; 0 where there is none.
        area: The mask's share of all pixels of the clip, 0-1.
        frames: For each frame its share over its area: float64 (time,); 0 where there is no mask, or no relevance.
        counts: For which frames there are both: bool (time,).
    """

    share: float
    area: float
    frames: NDArray[np.float64]
    counts: NDArray[np.bool_]

    @property
    def value(self) -> float:
        """The mean of share over area, over the frames that have both relevance and a mask; 0 where none has."""
        return float(self.frames[self.counts].mean()) if self.counts.any() else 0.0


@dataclass(frozen=True)
class Mass(Check):
    """The share of a frame's relevance that lies in its mask, over the mask's share of the frame; the frames' mean.

    1 is what evenly spread relevance has, and the frame's pixels over the mask's is the most that there can be. Frames
    without a mask, or without any relevance, do not count; where none counts it is 0.
    """

    name = "mass"
    version = 1
    needs_mask = True
    better = "higher"

    def measure(self, subjects: Sequence[Subject], laboratory: Laboratory) -> Iterator[Finding]:
        """Yield for each subject how much of its relevance lies in the mask."""
        mask = laboratory.require_mask()
        beside = {name: concentrate(one, mask) for name, one in make_uninformed(laboratory, self.name).items()}
        for subject in subjects:
            yield _sum_up(concentrate(subject.relevance, mask), beside)

    def describe(self, finding: Finding) -> str:
        """Return in one sentence how much lies in the mask."""
        about = finding.details
        if not about["frames"]:
            return "there is no relevance in the frames that have a mask: 0"
        return (
            f"the mask has {finding.value:.2f} times the relevance that its area would have if all pixels were equal: "
            f"{about['share']:.1%} of the clip's relevance on {about['area']:.1%} of its pixels"
        )


def concentrate(relevance: Relevance, mask: Mask) -> Concentration:
    """Return how much of a relevance lies in a mask.

    Args:
        relevance: float32 (time, y, x).
        mask: bool (time, y, x).
    """
    inside = np.where(mask, relevance, np.float32(0)).sum((1, 2), dtype=np.float64)
    total = relevance.sum((1, 2), dtype=np.float64)
    area = mask.mean((1, 2))
    counts = (area > 0) & (total > 0)
    frames = np.zeros(len(mask))
    frames[counts] = inside[counts] / total[counts] / area[counts]
    share = float(inside.sum() / total.sum()) if total.sum() > 0 else 0.0
    return Concentration(share, float(mask.mean()), frames, counts)


def _sum_up(found: Concentration, beside: Mapping[str, Concentration]) -> Finding:
    """Return what is found; curves say it for each frame."""
    details = {
        "share": found.share,
        "area": found.area,
        "share_over_area": found.share / found.area if found.area else 0.0,
        "frames": int(found.counts.sum()),
        "share_of_uninformed": {name: one.share for name, one in beside.items()},
    }
    curves = {"mass": found.frames, **{f"mass@{name}": one.frames for name, one in beside.items()}}
    return Finding(found.value, {name: one.value for name, one in beside.items()}, details=details, curves=curves)
