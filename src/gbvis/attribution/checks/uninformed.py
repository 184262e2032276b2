"""Uninformed attributions: what knows nothing of the network, beside which every number of a test stands.

- `edges`: the size of the Sobel gradient of each frame in space, the kernel 1 2 1 by 1 0 -1, summed over channels.
- `motion`: of RGB |frame - the frame before| summed over channels, the first frame as the second; of flow |flow|.
- `center`: a Gaussian in the middle of each frame with a standard deviation of a quarter of its side.
- `random`: evenly distributed numbers from 0 to 1.

Adebayo et al. 2018, "Sanity Checks for Saliency Maps", compare with an edge detector; a centre bias is the baseline of
studies of gaze (Judd et al. 2012).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.checks.check import BASELINES, Relevance
from gbvis.videos.motion import encode_motion

if TYPE_CHECKING:
    from gbvis.attribution.checks.laboratory import Laboratory
    from gbvis.attribution.iterative import Clip

_DEVIATION = 0.25
"""Standard deviation of `center`, in sides of a frame."""


def make_uninformed(laboratory: Laboratory, *names: object) -> dict[str, Relevance]:
    """Return the relevance that each of `BASELINES` gives the pixels of the laboratory's clip: float32 (time, y, x).

    Args:
        laboratory: The clip and the seed.
        names: `random` draws other numbers for other names.
    """
    clip = laboratory.clip
    made = {name: clip.remember(f"uninformed {name}", lambda name=name: _MAKERS[name](clip)) for name in _MAKERS}  # type: ignore[misc]
    drawn = laboratory.random("uninformed", *names).random(clip.pixels.shape[:3], np.float32)
    return {name: made.get(name, drawn) for name in BASELINES}


def find_edges(clip: Clip) -> Relevance:
    """Return the size of the Sobel gradient in space, summed over channels: float32 (time, y, x)."""
    padded = np.pad(clip.values.astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    across = padded[..., 2:] - padded[..., :-2]
    down = padded[..., 2:, :] - padded[..., :-2, :]
    across = across[..., :-2, :] + 2 * across[..., 1:-1, :] + across[..., 2:, :]
    down = down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:]
    return _sum(np.hypot(across, down))


def find_motion(clip: Clip) -> Relevance:
    """Return of RGB |frame - the frame before|, summed over channels, of flow its size: float32 (time, y, x)."""
    values = clip.values.astype(np.float64)
    if clip.modality == "flow":
        return _find_speed(clip)
    change = np.abs(np.diff(values, axis=1))
    first = change[:, :1] if change.shape[1] else np.zeros_like(values)
    return _sum(np.concatenate([first, change], axis=1))


def _find_speed(clip: Clip) -> Relevance:
    """Return the speed of flow, in the units of its pixels: float32 (time, y, x)."""
    rest = 0.0 if clip.clip_format.is_motion else float(encode_motion(np.zeros(()))[()])
    speed: Relevance = np.linalg.norm(clip.pixels.astype(np.float64) - rest, axis=-1).astype(np.float32)
    return speed


def find_center(clip: Clip) -> Relevance:
    """Return a Gaussian in the middle of each frame: float32 (time, y, x)."""
    time, *sides = clip.pixels.shape[:3]
    rows, columns = (np.exp(-0.5 * ((np.arange(side) - (side - 1) / 2) / (_DEVIATION * side)) ** 2) for side in sides)
    frame = (rows[:, None] * columns[None]).astype(np.float32)
    return np.repeat(frame[None], time, axis=0)


def _sum(values: NDArray[np.float64]) -> Relevance:
    summed: Relevance = values.sum(0).astype(np.float32)
    return summed


_MAKERS = {"edges": find_edges, "motion": find_motion, "center": find_center}
