"""`gbvis.show`: runs as a page in a notebook, or in a file of their own."""

import html
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from gbvis.atomic_file import publish
from gbvis.errors import UsageError
from gbvis.figures.outputs.report.writing import write_report
from gbvis.figures.style import Style
from gbvis.progress import Failure
from gbvis.steps.explain import ExplainedRun
from gbvis.steps.report import MOST_BYTES
from gbvis.steps.shown_runs import ShownRuns
from gbvis.store import Store, StoredRun

AnyRun = ExplainedRun | StoredRun | Failure

_HEIGHT = 760
"""Pixels of a notebook's frame: four panels, their controls and the curve."""


class ShownPage:
    """A page with runs; a notebook shows it where it is the last value of a cell.

    Attributes:
        html: The page, which needs no other file.
        height: Of the frame in a notebook, pixels.
    """

    def __init__(self, html: str, height: int) -> None:
        self.html, self.height = html, height

    def _repr_html_(self) -> str:
        """Return the page in a frame of its own, from which it cannot reach the notebook."""
        page = html.escape(self.html).encode("ascii", "xmlcharrefreplace").decode()  # whatever the notebook's encoding
        return (
            f'<iframe title="gbvis: what the network looked at" sandbox="allow-scripts allow-downloads" width="100%" '
            f'height="{self.height}" style="border: 0" srcdoc="{page}"></iframe>'
        )

    def save(self, path: str | Path, force: bool = False) -> Path:
        """Write the page into a file, and return its path.

        Args:
            path: Its name, such as `report.html`.
            force: Overwrite another file.

        Raises:
            OutputError: Another file is there, or it cannot be written.
        """
        place = Path(path)
        publish(place, lambda new: new.write_text(self.html, encoding="utf-8"), force, "overwrite it with force=True")
        return place


def show(runs: AnyRun | Iterable[AnyRun], *, style: Style | None = None, height: int = _HEIGHT) -> ShownPage:
    """Return a page with runs; as the last value of a notebook's cell it is shown there.

    Args:
        runs: What `gbvis.explain` or a store's `runs` yields: one run or several. Failures are left out.
        style: How they look at first.
        height: Of the frame in a notebook, pixels.

    Raises:
        UsageError: There is no run, or there are more than fit into one page.
        GbvisError: A run is missing or damaged.
    """
    given = [runs] if isinstance(runs, AnyRun) else list(runs)
    stored = [one.run if isinstance(one, ExplainedRun) else one for one in given if not isinstance(one, Failure)]
    if not stored:
        raise UsageError("there is no run to show", "give what gbvis.explain yields, or store.runs()")
    look = style or Style()
    shown = {run.storage: ShownRuns(Store(run.storage), relevance=look.relevance) for run in stored}
    views = [shown[run.storage].view(run) for run in {run.address: run for run in stored}.values()]
    with TemporaryDirectory(prefix="gbvis-") as folder:
        file = Path(folder) / "report.html"
        write_report(views, look, file, MOST_BYTES)
        return ShownPage(file.read_text(encoding="utf-8"), height)
