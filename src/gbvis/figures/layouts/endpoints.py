"""Endpoints: the same clips seen from the network's beginning to its end, below each other."""

from collections.abc import Sequence
from dataclasses import replace

from gbvis.figures import Picture, RunView, Style
from gbvis.figures.layouts import strip

IS_MOVING = True
JOINS = "endpoints"
NEEDS_SOURCE = False

_SIDE = 160


def lay_out(exhibits: Sequence[RunView], style: Style) -> list[Picture]:
    """Return one picture of runs at several endpoints."""
    return strip.lay_out(exhibits, replace(style, size=style.size or _SIDE))
