"""A small layout and a small output, as another package would bring them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gbvis.figures.layout import Layout
from gbvis.figures.output import Output
from gbvis.figures.picture import Picture
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style


class Sum(Layout):
    """The gradient's magnitude over all frames of the first clip, in grey."""

    is_moving = False

    def lay_out(self, views: Sequence[RunView], style: Style) -> list[Picture]:
        """Return one still picture."""
        (view,) = views

        def frames(step: int = 1) -> Iterator[np.ndarray]:
            found = np.abs(next(view.clips()).gradient).sum((0, 1))
            yield np.rint(255 * found / found.max()).astype(np.uint8)[..., None].repeat(3, axis=-1)

        return [Picture(112, 112, 1, style.rate, frames)]


class Totals(Output):
    """The sum of each clip's gradient, a line a clip."""

    suffix = ".totals"

    def write(self, views: Sequence[RunView], style: Style, path: Path) -> Mapping[str, Any]:
        """Write the sums, and return how many there are."""
        sums = [float(np.abs(clip.gradient).sum()) for view in views for clip in view.clips()]
        path.write_text("\n".join(f"{one:.6g}" for one in sums), encoding="utf-8")
        return {"lines": len(sums)}


SUM, TOTALS = Sum(), Totals()
