"""How pictures look, as options and as the `Style` that they mean."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from gbvis.cli.option_groups import option
from gbvis.errors import UsageError
from gbvis.figures.layouts import LAYOUTS
from gbvis.registry import check_name

if TYPE_CHECKING:
    from gbvis.figures.relevance import TemporalRelevance
    from gbvis.figures.style import Style


@dataclass
class ReportLook:
    """How runs look in a report."""

    relevance: Annotated[
        str,
        option(
            "--relevance",
            metavar="all|temporal",
            text="Show all values, or only those that change in time: by more than 2 standard deviations of the "
            "derivative, or temporal:s=3 for 3.",
        ),
    ] = "all"
    panels: Annotated[
        str | None,
        option(
            "--panels",
            metavar="NAMES",
            text="Which panels, separated by commas. Default: frame,gradient,positive,negative; frame,positive of a "
            "method whose values have no sign.",
        ),
    ] = None
    flow: Annotated[str, option("--flow", metavar="u|v|both", text="Which channels of the flow to show.")] = "both"
    flow_colors: Annotated[
        str | None,
        option(
            "--flow-colors",
            metavar="grey|wheel",
            text="Show flow as u and v in grey, or as colours. Default: wheel, and grey for --flow u or v.",
        ),
    ] = None
    scale: Annotated[str, option("--scale", metavar="clip|all|frame", text="What shares one colour scale.")] = "clip"
    saliency_scale: Annotated[
        str,
        option(
            "--saliency-scale",
            metavar="shared|own",
            text="One scale for positive and negative saliency, or one each.",
        ),
    ] = "shared"
    percentile: Annotated[
        float,
        option("--percentile", metavar="P", min=50, max=100, text="The colours end at this percentile of the values."),
    ] = 99.5
    fps: Annotated[float, option("--fps", metavar="N", min=0.1, max=60, text="Frames per second of the picture.")] = 5.0

    def style(self) -> Style:
        """Return it as steps take it.

        Raises:
            UsageError: A name is unknown, or a number is none.
        """
        from gbvis.figures import style as known

        if not math.isfinite(self.fps) or not math.isfinite(self.percentile):
            raise UsageError("--fps and --percentile want numbers", "give one from 0.1 to 60, and from 50 to 100")
        typed = self.panels.split(",") if self.panels is not None else ()
        panels = [check_name("panel", known.PANELS, name.strip()) for name in typed]
        return known.Style(
            panels=tuple(dict.fromkeys(panels)) or None,
            flow=check_name("flow channel", known.FLOW_CHANNELS, self.flow),
            flow_colors=check_name("flow colours", known.FLOW_COLORS, self.flow_colors) if self.flow_colors else None,
            scale=check_name("scale", known.SCALES, self.scale),
            saliency_scale=check_name("saliency scale", known.SALIENCY_SCALES, self.saliency_scale),
            percentile=self.percentile,
            rate=self.fps,
            relevance=_parse_relevance(self.relevance),
        )


@dataclass
class Look(ReportLook):
    """How pictures look."""

    layout: Annotated[
        str | None,
        option("--layout", metavar="NAME", text=f"{', '.join(LAYOUTS.names)}. Default: strip, and sheet for png."),
    ] = None
    rows: Annotated[
        str,
        option("--rows", metavar="method|endpoint|target|weights", text="With --layout methods: what the rows are."),
    ] = "method"
    colors: Annotated[str, option("--colors", metavar="maps|old", text="Colour maps, or the 2019 figure's look.")] = (
        "maps"
    )
    loop: Annotated[str, option("--loop", metavar="N|forever", text="How often an animation plays.")] = "forever"
    size: Annotated[
        int | None,
        option(
            "--size",
            metavar="PIXELS",
            min=56,
            max=2048,
            text="Side of a panel. Default: 224, sheet 112, endpoints, methods and difference 160.",
        ),
    ] = None
    font: Annotated[Path | None, option("--font", metavar="FILE", text="A .ttf or .otf file for the text.")] = None

    def style(self) -> Style:
        """Return it as steps take it.

        Raises:
            UsageError: A name is unknown, a number is none, or the font cannot be used.
        """
        from gbvis.figures import style as known
        from gbvis.figures.text import check_font

        if self.font:
            check_font(self.font)
        return replace(
            super().style(),
            colors=check_name("colours", known.COLORS, self.colors),
            loops=_parse_loops(self.loop),
            size=self.size,
            font=self.font,
            layout=LAYOUTS.check(self.layout) if self.layout else None,
            rows=check_name("kind of rows", known.ROWS, self.rows),
        )


def _parse_loops(typed: str) -> int | None:
    """Return how often an animation plays; None means without end."""
    if not re.fullmatch("forever|[1-9][0-9]{0,3}", typed):
        problem = f"--loop {typed!r} is no number of times"
        raise UsageError(problem, "give a number from 1 to 9999, or forever")
    return None if typed == "forever" else int(typed)


def _parse_relevance(typed: str) -> TemporalRelevance | None:
    """Return what `--relevance` means; None means all.

    Raises:
        UsageError: It means nothing.
    """
    from gbvis.figures.relevance import TemporalRelevance

    if typed == "all":
        return None
    match = re.fullmatch(r"temporal(:s=(?P<s>[0-9]{1,6}(\.[0-9]{1,6})?))?", typed)
    if match is None:
        raise UsageError(
            f"--relevance {typed!r} is not known", "give all, temporal, or temporal:s=3 for another threshold"
        )
    return TemporalRelevance(float(match["s"])) if match["s"] else TemporalRelevance()
