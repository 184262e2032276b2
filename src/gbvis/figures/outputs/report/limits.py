"""Limits: where the colours end, at every percentile and scale that a reader of the report can choose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gbvis.figures.scale import Values
from gbvis.figures.style import Style

_PERCENTILES = (90.0, 95.0, 99.0, 99.5, 99.9, 100.0)

Ends = NDArray[np.float64]
"""Ends of the colours: for the gradient, positive and negative values on the last axis."""


def offer_percentiles(style: Style) -> tuple[float, ...]:
    """Return the percentiles that can be chosen, rising; the style's own is among them."""
    return tuple(sorted({*_PERCENTILES, float(style.percentile)}))


@dataclass(frozen=True)
class ClipLimits:
    """The limits of a clip at every percentile; each equals what `Limits.of` says.

    Attributes:
        clip: float64 (percentile, 3).
        frame: float64 (percentile, time, 3).
    """

    clip: Ends
    frame: Ends

    def to_json(self) -> dict[str, object]:
        """Return them as the page takes them."""
        return {"clip": put_ends(self.clip), "frame": put_ends(self.frame)}


def find_clip_limits(values: Values, percentiles: Sequence[float], is_one_for_both: bool) -> ClipLimits:
    """Return the limits of a clip's values.

    Args:
        values: float32 (row, time, y, x), at least 0 where one limit is wanted alone.
        percentiles: Rising.
        is_one_for_both: Both signs have the limit of |value|.
    """
    frames = np.ascontiguousarray(np.moveaxis(values, 1, 0)).reshape(values.shape[1], -1)
    sides: list[Callable[[Values], Values]] = [np.abs]
    if not is_one_for_both:
        sides += [lambda rows: np.maximum(rows, 0), lambda rows: np.maximum(-rows, 0)]
    ends = [_find_ends(side(frames), percentiles) for side in sides]
    is_flat = frames.max(1) == frames.min(1)
    by_frame = np.where(is_flat, 0, np.stack([frame for _, frame in ends]))
    of_clip = np.where(frames.max() == frames.min(), 0, np.stack([clip for clip, _ in ends]))
    if is_one_for_both:
        by_frame, of_clip = by_frame.repeat(3, axis=0), of_clip.repeat(3, axis=0)
    return ClipLimits(np.moveaxis(of_clip, 0, -1), np.moveaxis(by_frame, 0, -1))


def find_magnitude_limits(values: Values, percentiles: Sequence[float]) -> ClipLimits:
    """Return the limits of what the overlay shows: of the largest magnitude of all rows.

    Args:
        values: float32 (row, time, y, x).
        percentiles: Rising.
    """
    limits = find_clip_limits(np.abs(values).max(0)[None], percentiles, is_one_for_both=True)
    return ClipLimits(limits.clip * (1, 1, 0), limits.frame * (1, 1, 0))


def _find_ends(rows: Values, percentiles: Sequence[float]) -> tuple[Ends, Ends]:
    """Return the upper ends of a clip, (percentile,), and of its frames, (percentile, time).

    Args:
        rows: float32 (time, any), a frame each, at least 0.
        percentiles: Rising.
    """
    by_frame = np.sort(rows, axis=1)
    whole = np.sort(rows.reshape(1, -1), axis=1)
    return _pick_ends(whole, percentiles)[:, 0], _pick_ends(by_frame, percentiles)


def _pick_ends(rising: Values, percentiles: Sequence[float]) -> Ends:
    """Return the percentiles of sorted rows, or their largest value where one is 0: float64 (percentile, row).

    It is what `np.percentile` gives for one percentile of float32; sorting once for all is quicker.
    """
    count = rising.shape[1]
    places = (count - 1) * (np.array(percentiles) / 100)
    before = np.clip(np.floor(places).astype(np.intp), 0, count - 1)
    after = np.minimum(before + 1, count - 1)
    weight = (places - before)[:, None]
    low, high = rising[:, before].T, rising[:, after].T
    near_low, near_high = (share.astype(np.float32) * (high - low) for share in (weight, 1 - weight))
    ends = np.where(weight >= 0.5, high - near_high, low + near_low).astype(np.float64)
    return np.where(ends > 0, ends, rising[:, -1])


def put_ends(ends: Ends) -> object:
    """Return ends as nested lists of numbers, each as short as float32 allows."""
    if ends.ndim == 0:
        return float(f"{ends:.9g}")
    return [put_ends(one) for one in ends]
