"""Shape: what samples are drawn of, with soft edges and a texture of its own."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Distance = Callable[[Reals, Reals], Reals]

OUTLINES: tuple[Distance, ...] = (
    lambda x, y: np.sqrt(x * x + y * y),
    lambda x, y: np.maximum(np.abs(x), np.abs(y)) * 1.15,
    lambda x, y: np.maximum(y * 1.6, np.maximum(0.8 * np.abs(x) * 1.6 - 0.6 * y * 1.6, -y)),
    lambda x, y: np.sqrt(x * x + y * y * 2.6),
    lambda x, y: np.minimum(np.maximum(np.abs(x), 2.6 * np.abs(y)), np.maximum(2.6 * np.abs(x), np.abs(y))),
)
"""Disc, square, triangle, ellipse, cross: each is at most 1 inside, at places in units of its radius."""

_REACH = 1.5
"""How far from its centre an outline may go, in units of its radius."""


@dataclass(frozen=True)
class Shape:
    """A textured shape.

    Attributes:
        outline: Index of its outline.
        x: Column of its centre, pixels.
        y: Row of its centre.
        radius: Pixels.
        cosine: Of the angle it is turned by, from x towards y.
        sine: Of the same.
        texture: float64 (n, n, 3), 0-255, spread over it.
    """

    outline: int
    x: float
    y: float
    radius: float
    cosine: float
    sine: float
    texture: Reals

    def cover(self, rows: slice, columns: slice) -> tuple[Reals, Reals]:
        """Return how much of each pixel it covers, float64 (H, W), 0-1, and its colours, float64 (H, W, 3), 0-255."""
        dy = np.arange(rows.start, rows.stop, dtype=np.float64)[:, None] - self.y
        dx = np.arange(columns.start, columns.stop, dtype=np.float64)[None, :] - self.x
        x = (self.cosine * dx + self.sine * dy) / self.radius
        y = (self.cosine * dy - self.sine * dx) / self.radius
        outside = (OUTLINES[self.outline](x, y) - 1) * self.radius
        cells = len(self.texture) - 1
        spread = cells / (2 * _REACH)
        return np.clip(0.5 - outside, 0, 1), interpolate(
            self.texture, np.clip((y + _REACH) * spread, 0, cells), np.clip((x + _REACH) * spread, 0, cells)
        )

    def window(self, size: int) -> tuple[slice, slice]:
        """Return the rows and columns outside of which it covers nothing of a frame of `size` by `size` pixels."""
        reach = self.radius * _REACH + 1
        top, left = math.floor(self.y - reach), math.floor(self.x - reach)
        bottom, right = math.ceil(self.y + reach) + 1, math.ceil(self.x + reach) + 1
        rows = slice(min(max(top, 0), size), min(max(bottom, 0), size))
        return rows, slice(min(max(left, 0), size), min(max(right, 0), size))


def interpolate(grid: Reals, rows: Reals, columns: Reals) -> Reals:
    """Return a grid (n, n, C) at fractional places, bilinear: float64 (*broadcast of rows and columns, C)."""
    top = np.minimum(rows.astype(np.int64), len(grid) - 2)
    left = np.minimum(columns.astype(np.int64), len(grid) - 2)
    down, right = (rows - top)[..., None], (columns - left)[..., None]
    above = grid[top, left] + right * (grid[top, left + 1] - grid[top, left])
    below = grid[top + 1, left] + right * (grid[top + 1, left + 1] - grid[top + 1, left])
    between: Reals = above + down * (below - above)
    return between
