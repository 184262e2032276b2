"""Colour: the maps of panels, and the wheel of optical flow."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from gbvis.figures.picture import Pixels
from gbvis.videos.motion import Motion

DIVERGING = "matplotlib:coolwarm"
"""Moreland 2009, "Diverging Color Maps for Scientific Visualization": blue, grey in the middle, red."""

SEQUENTIAL = "matplotlib:magma"
"""Smith and van der Walt 2015: black, red, pale; as even to the eye as it is in numbers."""

LEVELS = 255
"""Colours of a map: an odd number, so that zero has the one in the middle of a diverging map to itself."""


@cache
def color_map(name: str) -> Pixels:
    """Return the map's colours from its lowest to its highest value: uint8 (LEVELS, 3), RGB."""
    from cmap import Colormap  # here: a picture in the old colours needs none

    colors: Pixels = np.rint(Colormap(name).lut(LEVELS)[:, :3] * 255).astype(np.uint8)
    return colors


def color_wheel(motion: Motion, bound: float) -> Pixels:
    """Return motion as colours, the hue its direction and the saturation its speed: uint8 (..., 3), white at rest.

    Baker et al. 2011, "A Database and Evaluation Methodology for Optical Flow", with the code that came with it
    (colorcode.cpp, after http://members.shaw.ca/quadibloc/other/colint.htm): the circle is divided unevenly among six
    hues, as the eye divides it.

    Args:
        motion: float32 (..., 2), u to the right and v downwards.
        bound: The speed at which colours are full; beyond it they are darkened.
    """
    places = np.cumsum([0, 15, 6, 4, 11, 13, 6]) / 55.0
    hues = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1], [1, 0, 0]], float)
    u, v = motion[..., 0] / bound, motion[..., 1] / bound
    angle = (np.arctan2(-v, -u) / np.pi + 1) / 2
    speed = np.sqrt(u * u + v * v)[..., None]
    pure = np.stack([np.interp(angle, places, hues[:, channel]) for channel in range(3)], axis=-1)
    colors: NDArray[np.float64] = np.where(speed <= 1, 1 - speed * (1 - pure), 0.75 * pure)
    return np.rint(255 * colors).astype(np.uint8)


WHEEL_SECTORS, WHEEL_RINGS = 16, 3
"""Directions and speeds of the wheel in legends: so few that a GIF's palette holds every one."""


@cache
def draw_wheel(size: int, background: tuple[int, int, int]) -> Pixels:
    """Return the colours of motion by direction and speed, rest in the middle, full speed at the rim.

    Args:
        size: Pixels.
        background: RGB, around the wheel.

    Returns:
        uint8 (size, size, 3), which nobody may change.
    """
    side = (np.arange(size) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(side, side)
    ring = np.rint(np.hypot(x, y) * (WHEEL_RINGS + 0.5))
    angle = np.rint(np.arctan2(y, x) / (2 * np.pi) * WHEEL_SECTORS) * (2 * np.pi / WHEEL_SECTORS)
    speed = np.minimum(ring, WHEEL_RINGS) / WHEEL_RINGS * (1 - 1e-6)  # at most full: beyond it colours are dark
    motion = (speed * np.stack([np.cos(angle), np.sin(angle)])).astype(np.float32)
    wheel = color_wheel(np.moveaxis(motion, 0, -1), 1.0)
    wheel[np.hypot(x, y) > 1] = background
    wheel.flags.writeable = False
    return wheel
