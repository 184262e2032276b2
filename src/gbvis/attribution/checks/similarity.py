"""Similarity of two attributions of one clip, as sanity checks of attributions measure it.

Adebayo et al. 2018, "Sanity Checks for Saliency Maps", part 3.2, compare by Spearman's rank correlation with and
without absolute values, by SSIM (Wang et al. 2004), and by Pearson's correlation of HOGs (Dalal and Triggs 2005).
Checked against SciPy's `spearmanr` and `pearsonr` and scikit-image's `structural_similarity` and `hog`, with their
defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.attribution import Values
from gbvis.attribution.checks.check import Relevance

MEASURES = ("spearman", "absolute", "ssim", "hog")

Numbers = NDArray[np.float64]

_WINDOW = 7
"""Sides of SSIM's windows, pixels."""

_LUMINANCE, _CONTRAST = 0.01**2, 0.03**2
"""What keeps SSIM's quotients finite, for values that span 1."""

_DIRECTIONS, _CELL, _BLOCK = 9, 8, 3
"""Of HOGs: bins of half a turn, sides of a cell in pixels, sides of a block in cells."""

_HOG_EPSILON, _HOG_LIMIT = 1e-5, 0.2


@dataclass(frozen=True)
class Appearance:
    """An attribution with what measures of similarity look at, each made when it is first asked for.

    Attributes:
        values: float32 (channel, time, y, x), signed or not.
        relevance: float32 (time, y, x): see `check.find_relevance`.
    """

    values: Values = field(repr=False)
    relevance: Relevance = field(repr=False)

    @cached_property
    def ranks(self) -> Numbers:
        """Of all values of all channels: float64 (values,)."""
        return rank(self.values)

    @cached_property
    def absolute_ranks(self) -> Numbers:
        """Of the relevance of all pixels: float64 (pixels,)."""
        return rank(self.relevance)

    @cached_property
    def scaled(self) -> Numbers:
        """Relevance over its largest size in the clip, as attributions have no scale: float64 (time, y, x)."""
        largest = float(np.abs(self.relevance).max(initial=0))
        return self.relevance.astype(np.float64) / (largest or 1.0)

    @cached_property
    def hogs(self) -> Numbers:
        """The histograms of oriented gradients of each frame: float64 (time, numbers)."""
        return describe_gradients(self.scaled)


def measure_similarity(first: Appearance, second: Appearance) -> dict[str, float]:
    """Return by each of `MEASURES` how alike two attributions of a clip are: 1 for the same, 0 for unrelated ones.

    - `spearman`: of the values of all channels, with their signs.
    - `absolute`: Spearman's of relevance.
    - `ssim`: of relevance over its maximum in the clip, a frame at a time, averaged.
    - `hog`: Pearson's of the HOGs of the same, a frame at a time, averaged.
    """
    frames = zip(first.hogs, second.hogs, strict=True)
    return {
        "spearman": correlate(first.ranks, second.ranks),
        "absolute": correlate(first.absolute_ranks, second.absolute_ranks),
        "ssim": float(np.mean(find_ssim(first.scaled, second.scaled))),
        "hog": float(np.mean([correlate(one, other) for one, other in frames])),
    }


def average(similarities: list[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of several results of `measure_similarity`."""
    return {name: float(np.mean([one[name] for one in similarities])) for name in MEASURES}


def rank(values: NDArray[np.floating]) -> Numbers:
    """Return the rank of each value among all, from 1, equal ones sharing the mean of theirs: float64 (values,)."""
    flat = values.ravel()
    order = np.argsort(flat)
    ordered = flat[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    ends = np.append(starts[1:], len(flat))
    ranks = np.empty(len(flat))
    ranks[order] = np.repeat((starts + ends + 1) / 2, ends - starts)
    return ranks


def correlate(first: Numbers, second: Numbers) -> float:
    """Return Pearson's correlation; where either is constant, 1 if they are equal and else 0."""
    one, other = first - first.mean(), second - second.mean()
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    if size == 0 or not (np.ptp(first) and np.ptp(second)):
        return float(np.array_equal(first, second))
    return float(np.clip((one @ other) / size, -1, 1))


def find_ssim(first: Numbers, second: Numbers) -> Numbers:
    """Return the structural similarity of each pair of frames: float64 (time,).

    Windows are square, of 7 pixels or as many as fit, all places in one count alike, and only whole ones count.

    Args:
        first: float64 (time, y, x), of a range of 1.
        second: The same.
    """
    side = min(_WINDOW, *((size - 1) // 2 * 2 + 1 for size in first.shape[1:]))
    mean, other_mean = _average_windows(first, side), _average_windows(second, side)
    unbiased = side**2 / max(side**2 - 1, 1)
    variance = unbiased * (_average_windows(first * first, side) - mean * mean)
    other_variance = unbiased * (_average_windows(second * second, side) - other_mean * other_mean)
    covariance = unbiased * (_average_windows(first * second, side) - mean * other_mean)
    alike = (2 * mean * other_mean + _LUMINANCE) * (2 * covariance + _CONTRAST)
    size = (mean * mean + other_mean * other_mean + _LUMINANCE) * (variance + other_variance + _CONTRAST)
    similarity: Numbers = (alike / size).mean((1, 2))
    return similarity


def _average_windows(frames: Numbers, side: int) -> Numbers:
    """Return the mean of each whole window: float64 (time, rows, columns)."""
    rows, columns = (size - side + 1 for size in frames.shape[1:])
    summed = sum((frames[:, shift : shift + rows] for shift in range(1, side)), frames[:, :rows])
    total = sum((summed[..., shift : shift + columns] for shift in range(1, side)), summed[..., :columns])
    return np.asarray(total / side**2)


def describe_gradients(frames: Numbers) -> Numbers:
    """Return the histograms of oriented gradients of each frame: float64 (time, numbers).

    Cells are of 8 x 8 pixels, or smaller where a frame has no room for a block of 3 x 3 of them; blocks are normalised
    by L2-Hys.

    Args:
        frames: float64 (time, y, x), each side of at least 3 pixels.
    """
    cell = min(_CELL, *(size // _BLOCK for size in frames.shape[1:]))
    histograms = _sum_cells(frames, cell)
    blocks = np.lib.stride_tricks.sliding_window_view(histograms, (_BLOCK, _BLOCK), (1, 2))
    flat = np.moveaxis(blocks, 3, -1).reshape(*blocks.shape[:3], -1)
    limited = np.minimum(_normalise(flat), _HOG_LIMIT)
    return _normalise(limited).reshape(len(frames), -1)


def _sum_cells(frames: Numbers, cell: int) -> Numbers:
    """Return the size of gradients in each cell by their direction: float64 (time, rows, columns, direction)."""
    down, across = np.zeros_like(frames), np.zeros_like(frames)
    down[:, 1:-1] = frames[:, 2:] - frames[:, :-2]
    across[..., 1:-1] = frames[..., 2:] - frames[..., :-2]
    degrees = np.rad2deg(np.arctan2(down, across)) % 180
    directions = np.minimum((degrees * (_DIRECTIONS / 180)).astype(np.int64), _DIRECTIONS - 1)
    time, rows, columns = len(frames), frames.shape[1] // cell, frames.shape[2] // cell
    used = (slice(None), slice(rows * cell), slice(columns * cell))
    places = np.arange(time * rows * columns).reshape(time, rows, columns).repeat(cell, 1).repeat(cell, 2)
    bins = (places * _DIRECTIONS + directions[used]).ravel()
    sizes = np.hypot(down, across)[used].ravel()
    summed = np.bincount(bins, sizes, time * rows * columns * _DIRECTIONS)
    return summed.reshape(time, rows, columns, _DIRECTIONS) / cell**2


def _normalise(blocks: Numbers) -> Numbers:
    lengths: Numbers = np.sqrt((blocks**2).sum(-1, keepdims=True) + _HOG_EPSILON**2)
    return np.asarray(blocks / lengths)
