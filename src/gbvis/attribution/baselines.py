"""Baselines: what a clip is compared with, an input of the same shape that shows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.attribution import Values
from gbvis.errors import UsageError
from gbvis.videos.clip import normalise_in_line
from gbvis.videos.motion import encode_motion

if TYPE_CHECKING:
    from gbvis.attribution.iterative import Clip

Baseline = Literal["mean", "rest", "black", "blur"]
"""The names of baselines:

- `mean`: 0 after normalisation, which is the mean of the data that the network was trained on.
- `rest`: no motion, which is level 128 where motion is in 8 bit. Flow only.
- `black`: pixel value 0. RGB only.
- `blur`: the clip itself, blurred in space alone by a Gaussian with a standard deviation of `BLUR` pixels.
"""

BLUR = 5.0
"""Standard deviation of the Gaussian of `blur`, pixels of the clip."""

_TRUNCATE = 4.0
"""Standard deviations after which the Gaussian is cut off, as SciPy's `gaussian_filter` does it."""

_KNOWN: dict[str, tuple[Baseline, ...]] = {"rgb": ("mean", "black", "blur"), "flow": ("rest", "mean", "blur")}
"""The baselines that make sense for each modality, the default first."""


def settle_baseline(name: Baseline | None, modality: str) -> Baseline:
    """Return the baseline of that name; without one, the modality's default: `mean` for RGB, `rest` for flow.

    Raises:
        UsageError: It makes no sense for the modality.
    """
    known = _KNOWN[modality]
    if name is not None and name not in known:
        raise UsageError(
            f"the baseline {name} makes no sense for {modality}", f"baselines for {modality}: {', '.join(known)}"
        )
    return name or known[0]


def make_baseline(name: Baseline | None, clip: Clip) -> Values:
    """Return the baseline of a clip, normalised and in line with its pixels: float32 (channel, time, y, x).

    It is made once for each clip, and must not be changed.

    Raises:
        UsageError: As `settle_baseline`.
    """
    settled = settle_baseline(name, clip.modality)
    return clip.remember(f"baseline {settled}", lambda: _make(settled, clip))


def _make(name: Baseline, clip: Clip) -> Values:
    if name == "mean":
        return np.zeros_like(clip.values)
    if name == "blur":
        return blur(clip.values)
    still: NDArray[np.float32] = np.zeros(clip.pixels.shape, np.float32)
    if name == "rest" and not clip.clip_format.is_motion:
        still = encode_motion(still).astype(np.float32)
    return normalise_in_line(still, clip.clip_format)


def blur(values: Values, deviation: float = BLUR) -> Values:
    """Return frames blurred in space by a Gaussian: float32 (..., y, x), the same axes.

    Beyond an edge the frame is mirrored, the edge's own pixels first. Checked against SciPy's `gaussian_filter`.

    Args:
        values: Frames (..., y, x).
        deviation: Standard deviation, pixels.
    """
    rows, columns = (_blur_matrix(size, deviation) for size in values.shape[-2:])
    blurred: Values = (rows @ values @ columns.T).astype(np.float32)
    return blurred


def _blur_matrix(size: int, deviation: float) -> NDArray[np.float64]:
    """Return the matrix (blurred pixel, pixel) that blurs a line of `size` pixels."""
    radius = int(_TRUNCATE * deviation + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / deviation) ** 2)
    mirrored = np.pad(np.eye(size), ((radius, radius), (0, 0)), mode="symmetric")
    shifted = (weight * mirrored[shift : shift + size] for shift, weight in enumerate(kernel / kernel.sum()))
    matrix: NDArray[np.float64] = sum(shifted, np.zeros((size, size)))
    return matrix
