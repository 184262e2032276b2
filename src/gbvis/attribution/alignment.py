"""Alignment: an attribution with any axes, brought in line with the pixels of its clip."""

import numpy as np

from gbvis.attribution.attribution import PIXEL_AXES, Values
from gbvis.networks.grid import Grid, Sizes


def align_with_pixels(values: Values, axes: tuple[str, ...], grid: Grid | None, clip: Sizes) -> Values:
    """Return an attribution in line with its clip's pixels: float32 (channel, time, y, x).

    A grid is interpolated between the centres of its cells, as pictures show it. An axis that is not there gets the
    same values everywhere; of `channel` there is one then. What has fewer steps than the clip is repeated in equal
    parts.

    Args:
        values: float32 with these axes.
        axes: Their names, in the order of `PIXEL_AXES`.
        grid: Where its cells lie, where it has one.
        clip: Frames, rows and columns of the clip.
    """
    if grid:
        return grid.spread(values, clip)
    lacking = [place for place, axis in enumerate(PIXEL_AXES) if axis not in axes]
    aligned = np.expand_dims(values, tuple(lacking))
    for axis, size in enumerate(clip, start=1):
        steps = aligned.shape[axis]
        if steps != size:
            aligned = np.take(aligned, (np.arange(size) * steps) // size, axis)
    return aligned
