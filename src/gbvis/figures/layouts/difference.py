"""Difference: two runs of the same clips that differ in one thing, and the first less the second below them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np
from PIL import Image

from gbvis.attribution.attribution import Values
from gbvis.figures.caption import EVERYTHING, Caption, say
from gbvis.figures.layout import Groups, Lonely
from gbvis.figures.layouts.rows import SIDE, TELLING, find_shared_parts, name_weights, tell
from gbvis.figures.layouts.strip import Strip
from gbvis.figures.panel import limits_of, panels_of, pick_strongest
from gbvis.figures.run_view import ClipView, RunView
from gbvis.figures.scene import Block, Plan
from gbvis.figures.style import Style

MINUS = "A \N{MINUS SIGN} B"

_MOST_NAMED = 4
"""Runs that are named in a message."""


class Difference(Strip):
    """A strip of a run A, a run B, and A less B."""

    joins = True

    def plan(self, views: Sequence[RunView], style: Style) -> Plan:
        """Return what stands where: what both runs share, A, B, and their difference in the map that has a sign."""
        sized = replace(style, size=style.size or SIDE)
        shared = find_shared_parts(views)
        differing = find_differing(views)
        names = name_weights(views) if "weights" in differing else ["", ""]
        if "precision" in differing:
            names = [view.recipe.precision for view in views]
        said = EVERYTHING - shared - {"precision"}
        blocks = [
            Block(Caption(view, said, f"{letter}   {name}".strip()), sized)
            for view, letter, name in zip(views, "AB", names, strict=True)
        ]
        return Plan((*blocks, _make_block(views[0], views[1], sized)), sized, Caption(views[0], shared))

    def group(self, views: Sequence[RunView]) -> Groups:
        """Pair runs of the same clips, where there are two of them and they differ in one thing; A is the first."""
        sets: defaultdict[tuple[object, ...], list[RunView]] = defaultdict(list)
        for view in views:
            sets[view.video, view.modality, view.clips_digest].append(view)
        groups = Groups([])
        for runs in sets.values():
            if len(runs) == 2 and len(find_differing(runs)) == 1:
                groups.together.append(runs)
            else:
                groups.alone.extend(_make_lonely(runs))
        return groups

    def name_parts(self, views: Sequence[RunView]) -> tuple[str, ...]:
        """Return the parts of the file name that follow the video's name: with both runs' where they differ."""
        endpoints = dict.fromkeys(view.endpoint.name for view in views)
        targets = dict.fromkeys(str(view.target) for view in views)
        methods = dict.fromkeys(view.method_name for view in views)
        weights = dict.fromkeys(view.recipe.weights[:8] for view in views)
        precisions = dict.fromkeys(view.recipe.precision for view in views)
        others = ["-".join(found) for found in (methods, weights, precisions) if len(found) > 1]
        return (views[0].modality, "difference", "-".join(endpoints), "-".join(targets), *others)


def find_differing(views: Sequence[RunView]) -> list[str]:
    """Return which of `TELLING` runs differ in; where endpoints differ, targets do too, and do not count."""
    found = [thing for thing in TELLING if len({tell(view, thing) for view in views}) > 1]
    return [thing for thing in found if thing != "target" or "endpoint" not in found]


def _make_block(one: RunView, other: RunView, style: Style) -> Block:
    """Return what shows A less B."""
    is_scaled = bool({*find_differing([one, other])} - {"target", "precision"})
    view = replace(
        one,
        clips=partial(_subtract_clips, one, other, is_scaled),
        kind="signed",
        quantity="difference",
        is_one_channel=one.is_one_channel or other.is_one_channel,
    )
    panels = tuple(panel for panel in panels_of(one, style) if panel == "frame")
    shown = replace(style, panels=(*panels, "gradient"), limits=None)
    if style.limits:  # of all that is drawn; the difference has a scale of its own, which is the same in all its clips
        shown = replace(shown, limits=limits_of(view, shown))
    high, low = ("red", "blue") if style.colors == "maps" else ("bright", "dark")
    notes = (f"{high}: A is larger", f"{low}: B is larger")
    scaled = ("each divided by its largest value",) if is_scaled else ()
    value = frozenset() if is_scaled else frozenset({"value"})
    return Block(Caption(view, value, MINUS, (*notes, *scaled)), shown)


def _subtract_clips(one: RunView, other: RunView, is_scaled: bool) -> Iterator[ClipView]:
    for a, b in zip(one.clips(), other.clips(), strict=True):
        yield replace(a, gradient=subtract(a.gradient, b.gradient, is_scaled), value=a.value - b.value)


def subtract(one: Values, other: Values, is_scaled: bool) -> Values:
    """Return one attribution of a clip less another one: float32 (C, T, H, W), with one channel where C differs.

    Args:
        one: float32 (C, T, H, W).
        other: The same of the other run; C, H and W may differ.
        is_scaled: Each is divided by its largest magnitude, since they have not one unit.
    """
    both = [one, other]
    if len(one) != len(other):
        both = [pick_strongest(values)[None] for values in both]
    size = max(values.shape[-2:] for values in both)
    both = [_enlarge(values, size) for values in both]
    if is_scaled:
        both = [values / (np.abs(values).max() or 1) for values in both]
    difference: Values = both[0] - both[1]
    return difference


def _enlarge(values: Values, size: tuple[int, int]) -> Values:
    """Return an attribution with so many rows and columns, interpolated where it has fewer: float32 (C, T, H, W)."""
    if values.shape[-2:] == size:
        return values
    frames = values.reshape(-1, *values.shape[-2:])
    resized = [Image.fromarray(frame).resize(size[::-1], Image.Resampling.BILINEAR) for frame in frames]
    return np.stack([np.asarray(frame) for frame in resized]).reshape(*values.shape[:2], *size)


def _make_lonely(runs: Sequence[RunView]) -> Iterator[Lonely]:
    """Yield for each run why it has no partner, in the same words."""
    first = runs[0]
    differing = find_differing(runs) or ["nothing"]
    name = f"{first.video} {first.modality}"
    if len(runs) == 2:
        problem = f"two runs of {name} differ in {' and '.join(differing)}, and a difference shows one thing"
    else:
        more = f" and {len(runs) - _MOST_NAMED} more" if len(runs) > _MOST_NAMED else ""
        found = ", ".join(_describe(view, differing) for view in runs[:_MOST_NAMED])
        count = "is one run" if len(runs) == 1 else f"are {len(runs)} runs"
        problem = f"a difference takes 2 runs, and there {count} of the same clips of {name}: {found}{more}"
    for view in runs:
        yield Lonely(view, problem, _suggest(runs))


def _describe(view: RunView, differing: Sequence[str]) -> str:
    """Return in words what tells a run from others."""
    if differing == ["nothing"]:
        differing = ["endpoint", "target"]
    told = [*differing, *(["target"] if "endpoint" in differing and "target" not in differing else [])]
    words = {
        "method": view.method,
        "endpoint": str(view.endpoint),
        "target": view.target_name,
        "weights": str(say("weights", view)) or f"weights {view.recipe.weights[:8]}",
        "precision": view.recipe.precision,
    }
    return " ".join(words[thing] for thing in dict.fromkeys(told))


def _suggest(runs: Sequence[RunView]) -> str:
    """Return what to do next: which two to choose, if any two fit."""
    fitting = next((pair for pair in combinations(runs, 2) if len(find_differing(pair)) == 1), None)
    if fitting is None:
        return "explain the same clips for another target, method, endpoint or weights"
    chosen = " ".join(f"--run {view.digest}" for view in fitting)
    return f"narrow down to two with -l A -l B, -f, -e, --method or -w, or choose them: {chosen}"


DIFFERENCE = Difference()
