"""Streams: a video's RGB, flow u and flow v below each other, on one clock."""

from collections.abc import Sequence

from gbvis.figures import Picture, RunView, Style
from gbvis.figures.layouts import strip

IS_MOVING = True
JOINS = "streams"
NEEDS_SOURCE = False


def lay_out(exhibits: Sequence[RunView], style: Style) -> list[Picture]:
    """Return one picture of an RGB run and a flow run."""
    return strip.lay_out(exhibits, style)
