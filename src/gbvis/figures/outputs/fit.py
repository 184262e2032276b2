"""What fits: which other size, layout or format holds what a format cannot."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from gbvis.errors import GbvisError
from gbvis.figures.encoders.size_limit import SIZE_LIMITS, find_largest_size
from gbvis.figures.layout import Layout
from gbvis.figures.picture import Picture
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style

_USUAL = 224
"""Pixels of a panel's side: the most that a layout takes by itself."""


def what_fits(layout: Layout, views: Sequence[RunView], style: Style, picture: Picture, format_name: str) -> str:
    """Return as a hint what would fit; nothing is drawn to find out.

    Args:
        layout: The layout.
        views: What it shows.
        style: How.
        picture: The page that is too large.
        format_name: The format that cannot hold it.
    """
    ways = []
    size = find_largest_size(style.size or _USUAL, partial(_fits, layout, views, style, format_name))
    if size is not None:
        ways.append(f"--size {size}")
    others = [name for name, limit in SIZE_LIMITS.items() if limit.holds(picture.width, picture.height)]
    ways += [f"--format {name}" for name in others if name != format_name and (name != "png" or not layout.is_moving)]
    if layout.joins and len(views) > 1:
        ways.append("fewer runs, with -e, -l or -f")
    if not layout.is_moving:
        ways.append("fewer frames, by explaining with -n")
    if not ways:
        ways.append("another --layout, whose panels are as small as --size says")
    return f"this fits: {', or '.join(ways)}"


def _fits(layout: Layout, views: Sequence[RunView], style: Style, format_name: str, size: int) -> bool:
    """Return whether all pages fit with this side of a panel."""
    try:
        pictures = layout.lay_out(views, replace(style, size=size))
    except GbvisError:
        return False
    return all(SIZE_LIMITS[format_name].holds(picture.width, picture.height) for picture in pictures)
