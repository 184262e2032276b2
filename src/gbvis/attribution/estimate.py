"""Estimate: what a method of many passes has found so far."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.relu_count import ReluCount
from gbvis.networks.endpoint import Target


@dataclass
class Estimate:
    """What a method of many passes has found so far, for one target of one clip.

    Attributes:
        target: What is attributed.
        value: The target's value for the clip itself.
        sums: float64; what the method adds up, in the order of the passes.
        passes: How many passes it holds.
        numbers: What else the method keeps from pass to pass, by name.
        relus: What a rule for ReLUs reached in its passes; None where none has one.
    """

    target: Target
    value: float
    sums: NDArray[np.float64]
    passes: int = 0
    numbers: dict[str, float] = field(default_factory=dict)
    relus: ReluCount | None = None
