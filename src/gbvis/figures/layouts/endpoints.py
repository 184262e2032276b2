"""Endpoints: the same clips seen from the network's beginning to its end, below each other."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from gbvis.figures.layout import Groups
from gbvis.figures.layouts.strip import Strip
from gbvis.figures.picture import Picture
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style

_SIDE = 160


class Endpoints(Strip):
    """A strip of runs at several endpoints."""

    joins = True

    def lay_out(self, views: Sequence[RunView], style: Style) -> list[Picture]:
        """Return one picture of runs at several endpoints."""
        return super().lay_out(views, replace(style, size=style.size or _SIDE))

    def group(self, views: Sequence[RunView]) -> Groups:
        """Gather the runs of the same clips, weights and method, in the network's order."""
        groups: defaultdict[tuple[object, ...], list[RunView]] = defaultdict(list)
        for view in views:
            recipe = view.recipe
            same = (view.video, view.modality, recipe.weights, recipe.family, view.method, recipe.precision)
            groups[(*same, view.clips_digest)].append(view)
        return Groups([sorted(group, key=lambda view: view.position) for group in groups.values()])

    def name_parts(self, views: Sequence[RunView]) -> tuple[str, ...]:
        """Return the parts of the file name that follow the video's name."""
        return views[0].modality, "endpoints"


ENDPOINTS = Endpoints()
