"""SmoothGrad (Smilkov et al. 2017, "SmoothGrad: removing noise by adding noise", equation 2), and two of its kin.

The mean gradient over inputs to which noise was added. `squared` is the mean of the squared gradient (Hooker et al.
2019, "A Benchmark for Interpretability Methods in Deep Neural Networks", part 3), `variance` its variance over the
samples (Adebayo et al. 2018, "Sanity Checks for Saliency Maps", part 3). Checked against Captum's `NoiseTunnel`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from gbvis.attribution.attribution import Attribution, Values
from gbvis.attribution.estimate import Estimate
from gbvis.attribution.iterative import Clip, IterativeMethod
from gbvis.attribution.methods.gradient import Gradient
from gbvis.attribution.methods.guided_backprop import GuidedBackprop

if TYPE_CHECKING:
    from gbvis.attribution.method import Method
    from gbvis.networks.endpoint import Target


@dataclass(frozen=True)
class SmoothGrad(IterativeMethod):
    """A statistic of the gradient over noisy copies of the clip, in line with the clip's pixels.

    The noise is Gaussian. NumPy draws that of a sample from the seed, the clip's first frame and the sample's number,
    so it has the same bits however many samples are computed together, and whichever were computed before.

    Attributes:
        samples: How many noisy copies.
        noise: The noise's standard deviation, as a fraction of max - min of the whole normalised clip.
        of: The gradient: `gradient` or `guided-backprop`.
        statistic: Over the samples: `mean`, which is signed; `squared`, the mean of the squares, or `variance`, divided
            by the number of samples: these are positive.
        seed: Decides the noise.
    """

    name = "smoothgrad"
    version = 1

    samples: int = 50
    noise: float = 0.15
    of: Literal["gradient", "guided-backprop"] = "gradient"
    statistic: Literal["mean", "squared", "variance"] = "mean"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: There are too few samples, or the noise or the seed is below 0.
        """
        least = 2 if self.statistic == "variance" else 1
        if self.samples < least:
            raise ValueError(f"samples must be at least {least} for statistic={self.statistic}")
        if self.noise < 0 or self.seed < 0:
            raise ValueError("noise and seed must not be below 0")

    @property
    def kind(self) -> Literal["signed", "positive"]:
        """`signed` for the mean, else `positive`."""
        return "signed" if self.statistic == "mean" else "positive"

    def begin(self, clip: Clip, target: Target, value: float) -> Estimate:
        """Return an estimate without a sample; its sums are of the gradient, and for `variance` of its square too."""
        powers = 2 if self.statistic == "variance" else 1
        return Estimate(target, value, np.zeros((powers, *clip.values.shape)))

    def count_passes(self, clip: Clip, estimate: Estimate) -> int:
        """Return the number of samples."""
        return self.samples

    def make_input(self, clip: Clip, number: int) -> Values:
        """Return the normalised clip with the noise of one sample."""
        deviation = self.noise * float(np.ptp(clip.values))
        random = np.random.default_rng([self.seed, clip.first_frame, number])
        noisy: Values = (clip.values + deviation * random.standard_normal(clip.values.shape)).astype(np.float32)
        return noisy

    def differentiated(self, number: int) -> Method:
        """Return what the statistic is of."""
        return Gradient() if self.of == "gradient" else GuidedBackprop()

    def add(self, estimate: Estimate, clip: Clip, value: float, gradient: Values | None) -> None:
        """Add the gradient of one sample, its square, or both."""
        assert gradient is not None
        wide = gradient.astype(np.float64)
        if self.statistic != "squared":
            estimate.sums[0] += wide
        if self.statistic != "mean":
            estimate.sums[-1] += np.square(wide, out=wide)

    def finish(self, estimate: Estimate, clip: Clip) -> Attribution:
        """Return the statistic."""
        means = estimate.sums / self.samples
        found = means[-1]
        if self.statistic == "variance":
            found = np.maximum(found - np.square(means[0]), 0)  # rounding may leave less than 0
        return Attribution(estimate.target, estimate.value, found.astype(np.float32))
