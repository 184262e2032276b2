"""Selective relevance: what of an attribution changes in time (Hiley et al. 2020).

"Explaining Motion Relevance for Activity Recognition in Video Deep Learning Models", arXiv 2003.14285. It keeps the
values whose derivative in time is large, and sets the others to 0: R * 1[|Sobel_t * R| > s * std(Sobel_t * R)].
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.attribution import PIXEL_AXES, Values
from gbvis.errors import OutputError

_FEWEST = 3
"""Steps in time that the derivative spans."""


@dataclass(frozen=True)
class TemporalRelevance:
    """Keeps what changes in time.

    The threshold is that of the authors' code (github.com/liamhiley/selective_relevance, `selection.py`), which sums
    the channels' derivatives and pads the clip with zeros, so that all in its first and last frame counts as change.
    Here each channel is judged by itself, and the clip goes on beyond its ends as it is there.

    Attributes:
        s: How many standard deviations a derivative must exceed, at least 0.
    """

    s: float = 2.0

    def __post_init__(self) -> None:
        """Check the threshold.

        Raises:
            ValueError: It is no number of standard deviations.
        """
        if not 0 <= self.s < float("inf"):
            raise ValueError(f"s is {self.s}, and not a number from 0 on")

    def __str__(self) -> str:
        return f"temporal:s={_put(self.s)}"

    @property
    def name_part(self) -> str:
        """A part of file names."""
        return "temporal" if self == TemporalRelevance() else f"temporal-{_put(self.s)}"

    def select(self, values: Values, axes: tuple[str, ...]) -> Values:
        """Return the values where they change in time, and 0 elsewhere: float32, with the same axes.

        Args:
            values: float32, an attribution.
            axes: The names of its axes, in the order of `PIXEL_AXES`.

        Raises:
            OutputError: It has too few steps in time.
        """
        lacking = [place for place, axis in enumerate(PIXEL_AXES) if axis not in axes]
        full = np.expand_dims(values, tuple(lacking))
        if full.shape[1] < _FEWEST:
            raise OutputError(
                f"what changes in time takes {_FEWEST} steps to be seen, and there {_count(full.shape[1])} in a clip",
                "explain more frames with -n, or leave out --relevance",
            )
        selected = np.stack(list(self._select_channels(full)))
        return selected.reshape(values.shape)

    def _select_channels(self, values: Values) -> Iterator[Values]:
        for channel in values:
            change = differentiate(channel)
            yield np.where(np.abs(change) > self.s * change.std(), channel, np.float32(0))


def differentiate(values: Values) -> NDArray[np.float64]:
    """Return the Sobel derivative in time, smoothed by 1, 2, 1 in y and x: float64 (T, H, W).

    Args:
        values: float32 (T, H, W); beyond its rim each value is repeated.
    """
    padded = np.pad(values.astype(np.float64), 1, mode="edge")
    change = padded[2:] - padded[:-2]
    change = change[:, :-2] + 2 * change[:, 1:-1] + change[:, 2:]
    smoothed: NDArray[np.float64] = change[..., :-2] + 2 * change[..., 1:-1] + change[..., 2:]
    return smoothed


def _put(number: float) -> str:
    return repr(float(number)).removesuffix(".0")


def _count(steps: int) -> str:
    return f"{'is' if steps == 1 else 'are'} {steps}"
