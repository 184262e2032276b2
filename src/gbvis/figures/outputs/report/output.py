"""The output `html`: all runs in one file that a browser shows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gbvis.errors import UsageError
from gbvis.figures.output import Output
from gbvis.figures.outputs.report.writing import write_report
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style


class Html(Output):
    """All runs that were asked for in one file, with an index.

    What a style says of colours, panels, percentile, scale and rate is how the page looks at first. Layout, size of
    panels, font and loops are of pictures, and change nothing here.
    """

    suffix = ".html"
    scope = "all"

    def check(self, style: Style) -> None:
        """Check that runs can be shown in this style.

        Raises:
            UsageError: They cannot.
        """
        super().check(style)
        if style.colors == "old":
            problem = "html shows values in colour maps, and --colors old has none"
            raise UsageError(problem, "leave out --colors, or choose another format")

    def write(self, views: Sequence[RunView], style: Style, path: Path) -> Mapping[str, Any]:
        """Write the report, and return how many runs, videos and bytes it has.

        Raises:
            GbvisError: A run is missing or damaged.
        """
        return write_report(views, style, path)


HTML = Html()
