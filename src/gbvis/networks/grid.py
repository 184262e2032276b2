"""Grid: where the cells of an activation lie in the clip that it was computed from."""

from dataclasses import dataclass


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
    start: tuple[float, float, float]
    step: tuple[float, float, float]
    places_per_frame: int = 1
