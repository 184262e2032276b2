"""Infidelity (Yeh et al. 2019, "On the (In)fidelity and Sensitivity of Explanations", definition 2.1 and equation 6).

How badly an attribution predicts by how much the target's value falls when noise is taken from the clip. With I the
noise, Φ the attribution and f the target's value, it is the mean of (b I·Φ - (f(x) - f(x - I)))² over draws of I. The
factor b is the one that makes it smallest, as an attribution's unit is of no account. Checked against Captum's
`infidelity` with `normalize=True`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.attribution import Values
from gbvis.attribution.baselines import make_baseline
from gbvis.attribution.checks.check import Check, Finding, Subject
from gbvis.attribution.checks.uninformed import make_uninformed
from gbvis.videos.clip import Inputs

if TYPE_CHECKING:
    from gbvis.attribution.checks.laboratory import Laboratory
    from gbvis.attribution.iterative import Clip
    from gbvis.attribution.method import Method
    from gbvis.networks.endpoint import Endpoint, Target

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Infidelity(Check):
    """The mean squared error of what an attribution predicts, in squared units of the target's value.

    The detail `unexplained` is the same as a share of the error of an attribution of zeros. It can be compared between
    clips and networks, and an attribution at random gives 1 - 1 / samples on average.

    A value of the attribution stands for its pixel in all channels where there is one for all of them. Where values are
    shares of the target's value, one for each of the clip's, as in integrated gradients, they are divided by x - x',
    the clip less the method's baseline, since I·Φ takes what is like a gradient (Captum: `multiply_by_inputs`).

    Attributes:
        samples: How many draws of the noise.
        noise: The noise's standard deviation, as a fraction of max - min of the whole normalised clip.
    """

    name = "infidelity"
    version = 1
    better = "lower"

    samples: int = 10
    noise: float = 0.1

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: There are too few samples, or there is no noise.
        """
        if not 2 <= self.samples <= 1000:
            raise ValueError(f"samples={self.samples}: expected 2 to 1000, which are all in memory")
        if self.noise <= 0:
            raise ValueError("noise must be above 0")

    def measure(self, subjects: Sequence[Subject], laboratory: Laboratory) -> Iterator[Finding]:
        """Yield what is found for each subject; the noisy inputs are computed once for all."""
        clip = laboratory.clip
        noisy = self.draw(laboratory)
        responses = _respond(laboratory, noisy, {subject.target.endpoint for subject in subjects})
        uninformed = {
            name: predict_falls(relevance[None], clip.values, noisy)
            for name, relevance in make_uninformed(laboratory).items()
        }
        for subject in subjects:
            falls = _find_falls(responses, subject.target)
            yield _sum_up(predict_falls(make_local(subject, clip), clip.values, noisy), falls, uninformed)

    def draw(self, laboratory: Laboratory) -> Values:
        """Return the normalised clip less noise: float32 (samples, channel, time, y, x)."""
        values = laboratory.clip.values
        deviation = self.noise * float(np.ptp(values))
        random = laboratory.random(self.name)
        drawn = (values - deviation * random.standard_normal(values.shape) for _ in range(self.samples))
        return np.stack([one.astype(np.float32) for one in drawn])

    def describe(self, finding: Finding) -> str:
        """Return in one sentence what is left unexplained."""
        about = finding.details
        shares = about["unexplained_baselines"]
        best = min(shares, key=lambda name: shares[name])
        return (
            f"the infidelity is {finding.value:.4g}: {about['unexplained']:.0%} of the change under noise is not "
            f"explained; without the network it is {shares['random']:.0%} for random"
            + (f" and {shares[best]:.0%} for {best}, the best of those" if best != "random" else "")
        )


def make_local(subject: Subject, clip: Clip) -> Numbers:
    """Return an attribution as what is like a gradient: float64 (channel, time, y, x); see `Infidelity`."""
    values = subject.values.astype(np.float64)
    if subject.method.quantity != "relevance" or values.shape != clip.values.shape:
        return values
    difference = clip.values - _find_baseline(subject.method, clip).astype(np.float64)
    return values / np.where(difference == 0, 1, difference)


def _find_baseline(method: Method, clip: Clip) -> Values:
    """Return the normalised baseline of a method: that of its settings, else zeros, as in input times gradient."""
    name = method.settings.get("baseline")
    return np.zeros_like(clip.values) if name is None else make_baseline(name, clip)


def predict_falls(attribution: NDArray[np.floating], values: Values, noisy: Values) -> Numbers:
    """Return I·Φ for each draw of the noise: float64 (samples,).

    Args:
        attribution: (channel, time, y, x); one channel stands for all.
        values: The normalised clip: float32 (channel, time, y, x).
        noisy: The same less noise: float32 (samples, channel, time, y, x).
    """
    wide = attribution.astype(np.float64)
    return np.array([((values.astype(np.float64) - one) * wide).sum() for one in noisy])


def find_infidelity(predicted: Numbers, falls: Numbers) -> tuple[float, float]:
    """Return the infidelity, and the factor b of what is predicted that makes it smallest.

    Args:
        predicted: I·Φ: float64 (samples,).
        falls: f(x) - f(x - I): float64 (samples,).
    """
    square = float(np.mean(predicted**2))
    factor = float(np.mean(predicted * falls)) / square if square else 1.0
    return float(np.mean((factor * predicted - falls) ** 2)), factor


def _respond(laboratory: Laboratory, noisy: Values, endpoints: set[Endpoint]) -> Mapping[Endpoint, Numbers]:
    """Return the values of all targets at endpoints, of the clip first: float64 (1 + samples, targets)."""
    inputs = Inputs(np.concatenate([laboratory.clip.values[None], noisy]))
    return {endpoint: laboratory.predict(inputs, endpoint=endpoint) for endpoint in endpoints}


def _find_falls(responses: Mapping[Endpoint, Numbers], target: Target) -> Numbers:
    """Return by how much the target's value falls for each draw: float64 (samples,)."""
    values = responses[target.endpoint][:, target.index]
    falls: Numbers = values[0] - values[1:]
    return falls


def _sum_up(predicted: Numbers, falls: Numbers, uninformed: Mapping[str, Numbers]) -> Finding:
    """Return the finding, given what is predicted and by how much the value falls."""
    value, factor = find_infidelity(predicted, falls)
    baselines = {name: find_infidelity(one, falls)[0] for name, one in uninformed.items()}
    nothing = float(np.mean(falls**2))
    details = {
        "unexplained": value / nothing if nothing else 0.0,
        "unexplained_baselines": {name: one / nothing if nothing else 0.0 for name, one in baselines.items()},
        "factor": factor,
    }
    return Finding(value, baselines, details=details)
