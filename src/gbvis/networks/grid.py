"""Grid: where the cells of an activation lie in the clip that it was computed from, and how they fill the clip."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Place = tuple[float, float, float]
"""Along time, y and x."""

Sizes = tuple[int, int, int]
"""Along time, y and x."""

GRID_AXES = ("time", "y", "x")
"""The axes of what has a grid."""

_FEWEST_CELLS, _SHORTEST = 4, 24
"""Cells, and places, along time that an input has at least on which starts are measured."""


@dataclass(frozen=True)
class Cells:
    """How the cells of an activation lie in a network's own input, of any size: there are ceil(size / step) of them.

    The axes are time, y and x. Places along time are frames, or u1, v1, u2, v2, ... where a network sees these.

    Attributes:
        step: How far cells are apart.
        start: Where the first one is centred, counted from the middle of the first place; None where that depends on
            the weights or on the input's size, and is measured: see `Network.grid`.
        has_any_size: False where the network takes inputs of one size only.
    """

    step: Place
    start: Place | None = None
    has_any_size: bool = True

    def count_steps(self, places: int) -> int:
        """Return how many cells there are along time."""
        return math.ceil(places / self.step[0])

    def choose_length(self, places: int) -> int:
        """Return the places of the input on which the start is measured that holds for an input of so many.

        It is the shortest with some cells far from both ends that leaves the same remainder: what padding depends on.
        """
        if not self.has_any_size:
            return places
        step = int(self.step[0])
        rest = places % step
        return rest + step * math.ceil((max(_FEWEST_CELLS * step, _SHORTEST) - rest) / step)


@dataclass(frozen=True)
class Grid:
    """Where the cells of an activation lie: along each axis cell k is centred at start + k * step.

    The axes are time, y and x. Rows and columns are those of the clip's pixels, counted from the middle of the first
    one. Time is in frames, or, where a network sees u1, v1, u2, v2, ... along time, in half frames.

    Attributes:
        endpoint: Whose activation it is.
        start: Where the first cell is centred.
        step: How far cells are apart.
        places_per_frame: 1, or 2 where time is in half frames.
    """

    endpoint: str
    start: Place
    step: Place
    places_per_frame: int = 1

    def __post_init__(self) -> None:
        """Check the numbers: a store may have brought them.

        Raises:
            ValueError: They make no grid.
        """
        if not all(map(math.isfinite, (*self.start, *self.step))) or min(self.step) <= 0:
            raise ValueError(f"cells at {self.start} and every {self.step}")
        if self.places_per_frame not in (1, 2):
            raise ValueError(f"{self.places_per_frame} places a frame, expected 1 or 2")

    def centres(self, axis: int, count: int) -> NDArray[np.float64]:
        """Return where cells are centred along an axis (0 for time): float64 (count,), frames or pixels of the clip."""
        centres: NDArray[np.float64] = self.start[axis] + np.arange(count, dtype=np.float64) * self.step[axis]
        return centres if axis else (centres - (self.places_per_frame - 1) / 2) / self.places_per_frame

    def interpolation(self, cells: Sizes, clip: Sizes) -> list[NDArray[np.float32]]:
        """Return for each axis how much of each cell each place of a clip has: float32 (places, cells).

        It is linear between the centres of cells; beyond the outermost ones, what these have.

        Args:
            cells: How many there are.
            clip: Frames, rows and columns; along time there are `places_per_frame` places in each frame.
        """
        places = (clip[0] * self.places_per_frame, *clip[1:])
        return [_interpolate(*numbers) for numbers in zip(self.start, self.step, cells, places, strict=True)]

    def spread(self, values: NDArray[np.float32], clip: Sizes) -> NDArray[np.float32]:
        """Return cells' values interpolated on their centres: float32 (C, T, H, W).

        C is 1; or, where time is in half frames, 2: u is at place 2f of frame f, and v at 2f + 1.

        Args:
            values: float32 (time, y, x).
            clip: T, H and W.
        """
        times, rows, columns = self.interpolation(values.shape, clip)
        in_space = rows @ (values @ columns.T)
        everywhere = np.tensordot(times, in_space, 1).reshape(clip[0], self.places_per_frame, *clip[1:])
        return np.ascontiguousarray(np.moveaxis(everywhere, 1, 0))


def _interpolate(start: float, step: float, cells: int, places: int) -> NDArray[np.float32]:
    among = np.clip((np.arange(places) - start) / step, 0, cells - 1)
    weights: NDArray[np.float32] = np.maximum(0, 1 - np.abs(among[:, None] - np.arange(cells))).astype(np.float32)
    return weights
