"""The sheet the other way: a column for each panel, a row for each frame."""

from collections.abc import Sequence

from gbvis.figures import Picture, RunView, Style
from gbvis.figures.layouts import sheet

IS_MOVING = False
JOINS = None
NEEDS_SOURCE = False


def lay_out(exhibits: Sequence[RunView], style: Style) -> list[Picture]:
    """Return the pages, each a single frame that shows every frame of some clips.

    Raises:
        GbvisError: As the sheet's.
    """
    return sheet.make_pages(exhibits[0], style, is_transposed=True)
