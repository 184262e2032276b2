"""A layout that another package adds: every frame beside its own reflection."""

from collections.abc import Iterator, Sequence

import numpy as np

from gbvis.figures.layout import Layout
from gbvis.figures.panel import make_panels
from gbvis.figures.picture import Picture, Pixels
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style


class Mirror(Layout):
    """The first panel, and the same turned around."""

    def lay_out(self, views: Sequence[RunView], style: Style) -> list[Picture]:
        """Return one picture: a frame for every frame of every clip."""
        (view,) = views
        side = style.size or 112

        def frames(step: int = 1) -> Iterator[Pixels]:
            for clip in view.clips():
                panel = make_panels(clip, view, style)[0][0]
                for moment in range(0, len(clip.frames), step):
                    shown = panel.draw(moment, side)
                    yield np.concatenate([shown, shown[:, ::-1]], axis=1)

        count = view.clip_count * view.frames_per_clip
        return [Picture(2 * side, side, count, style.rate, frames, style.loops)]


MIRROR = Mirror()
