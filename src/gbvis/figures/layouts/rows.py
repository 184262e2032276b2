"""Rows: runs of the same clips that differ in one thing, below each other: methods, endpoints, targets or weights."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from gbvis.figures.caption import EVERYTHING, PREDICTION, Caption, say
from gbvis.figures.layout import Groups, Layout
from gbvis.figures.layouts.strip import Strip
from gbvis.figures.run_view import RunView
from gbvis.figures.scene import Block, Plan
from gbvis.figures.style import Style

SIDE = 160
"""Pixels of a panel's side, where several runs are to be seen at once."""

TELLING = ("method", "endpoint", "target", "weights", "precision")
"""What two runs of the same clips can differ in."""


class Rows(Strip):
    """A strip of runs that differ in one thing."""

    joins = True

    def __init__(self, differing: str) -> None:
        """Say which of `TELLING` the rows differ in."""
        self._differing = differing

    def plan(self, views: Sequence[RunView], style: Style) -> Plan:
        """Return what stands where: above all what the runs share, above each what tells it from the others."""
        sized = replace(style, size=style.size or SIDE)
        if len(views) == 1:
            return super().plan(views, sized)
        shared = find_shared_parts(views)
        labels = ["" for _ in views] if self._differing != "weights" else name_weights(views)
        captions = [Caption(view, EVERYTHING - shared, label) for view, label in zip(views, labels, strict=True)]
        return Plan(tuple(Block(caption, sized) for caption in captions), sized, Caption(views[0], shared))

    def group(self, views: Sequence[RunView]) -> Groups:
        """Gather the runs of the same clips that differ in nothing else; endpoints are in the network's order.

        Two things may differ that nobody asked for: the layer, where it follows from the endpoint, and the precision,
        where a method is always computed in float32.
        """
        ignored = {self._differing, *{"endpoint": ["target"], "method": ["precision"]}.get(self._differing, [])}
        groups: defaultdict[tuple[object, ...], list[RunView]] = defaultdict(list)
        for view in views:
            same = (view.asked_method if thing == "method" else tell(view, thing) for thing in TELLING)
            kept = (value for thing, value in zip(TELLING, same, strict=True) if thing not in ignored)
            groups[view.video, view.modality, view.clips_digest, *kept].append(view)
        together = [part for group in groups.values() for part in self._split(group)]
        if self._differing == "endpoint":
            together = [sorted(group, key=lambda view: view.position) for group in together]
        return Groups(together)

    def _split(self, group: list[RunView]) -> list[list[RunView]]:
        """Return runs that were gathered, apart where one row would be there twice."""
        rows = [(tell(view, self._differing), view.target) for view in group]
        if len(set(rows)) == len(rows):
            return [group]
        things = [thing for thing in ("method", "precision") if thing != self._differing]
        exact: defaultdict[tuple[object, ...], list[RunView]] = defaultdict(list)
        for view in group:
            exact[tuple(tell(view, thing) for thing in things)].append(view)
        return list(exact.values())

    def name_parts(self, views: Sequence[RunView]) -> tuple[str, ...]:
        """Return the parts of the file name that follow the video's name: what the runs share."""
        first = views[0]
        word = "weights" if self._differing == "weights" else f"{self._differing}s"
        endpoint = () if self._differing == "endpoint" else (first.endpoint.name,)
        target = () if self._differing in ("endpoint", "target") else (str(first.target),)
        return (first.modality, word, *endpoint, *target)


class Methods(Rows):
    """Rows of what a style says."""

    def of(self, style: Style) -> Layout:
        """Return the layout with these rows."""
        return Rows(style.rows)


def tell(view: RunView, thing: str) -> object:
    """Return what a run has of one of `TELLING`."""
    recipe = view.recipe
    return {
        "method": view.method,
        "endpoint": view.endpoint.name,
        "target": view.target,
        "weights": (recipe.weights, recipe.family),
        "precision": recipe.precision,
    }[thing]


def find_shared_parts(views: Sequence[RunView]) -> frozenset[str]:
    """Return the parts of captions that are the same for all runs."""
    said: dict[str, set[object]] = {part: {say(part, view) for view in views} for part in EVERYTHING}
    said["value"] = {tuple(tell(view, thing) for thing in TELLING if thing != "method") for view in views}
    said[PREDICTION] = {(view.describe_prediction(), view.has_warning) for view in views}
    return frozenset(part for part, found in said.items() if len(found) == 1)


def name_weights(views: Sequence[RunView]) -> list[str]:
    """Return for each run what tells its weights from the others': nothing where their names do."""
    names = [view.weights_name for view in views]
    is_told = all(names) and len(set(names)) == len(names)
    return ["" if is_told else f"weights {view.recipe.weights[:8]}" for view in views]


ENDPOINTS = Rows("endpoint")
METHODS = Methods("method")
