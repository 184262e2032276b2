"""Facts: what is known of a run but its numbers, as the page takes it (`page/types.js`). Names are as they are."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from gbvis.figures.notes import make_notes
from gbvis.figures.panel import WHEEL_BOUND, name_panel, panels_of
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style
from gbvis.networks.labels import label_key

Facts = dict[str, Any]
"""Plain data, for JSON."""


def summarize(view: RunView) -> Facts:
    """Return a run as the index lists it; no clip is read where the view knows the target's values.

    Raises:
        GbvisError: A clip is read, and is missing or damaged.
    """
    values = view.values or [clip.value for clip in view.clips()]
    return {
        "key": view.key,
        "digest": view.digest,
        "video": view.video,
        "modality": view.modality,
        "stream": view.stream,
        "endpoint": view.endpoint.name,
        "position": view.position,
        "target": view.target,
        "targetName": view.target_name,
        "isClass": view.endpoint.is_class,
        "className": view.class_name,
        "truth": view.truth.to_json() if view.truth else None,
        "prediction": view.prediction.to_json() if view.prediction else None,
        "isRight": is_right(view),
        "method": view.method,
        "weights": view.weights_name,
        "precision": view.recipe.precision,
        "clipsOf": name_clips(view),
        "clipCount": view.clip_count,
        "frameCount": view.frames_per_clip,
        "frames": describe_frames(view),
        "value": sum(values) / len(values),
        "valueName": view.endpoint.value_name,
        "importance": None,
        "thumbnail": None,
        "page": None,
    }


def name_clips(view: RunView) -> str:
    """Return what two runs share that are of the same clips."""
    return "/".join((view.key.split("/")[0], view.modality, view.clips_digest))


def is_right(view: RunView) -> bool | None:
    """Return whether the network predicts the class that a list gives the video; None where nobody knows."""
    truth, prediction = view.truth, view.prediction
    if truth is None or prediction is None:
        return None
    if truth.index is not None:
        return truth.index == prediction.index
    if truth.name is None or prediction.name is None:
        return None
    return label_key(truth.name) == label_key(prediction.name)


def tell_run(view: RunView, style: Style, summary: Facts, level: str) -> Facts:
    """Return all facts of a run but its clips.

    Args:
        view: The run.
        style: How it looks.
        summary: As the index lists it.
        level: What all values are, where there is nothing to see; else empty.
    """
    return {
        "summary": summary,
        "quantity": view.quantity,
        "kind": view.kind,
        "magnitude": view.magnitude,
        "panels": [{"kind": kind, "name": name_panel(view, kind)} for kind in panels_of(view, style)],
        "remark": view.remark,
        "warning": "; ".join(_list_warnings(view, level)),
        "predicted": view.describe_prediction(),
        "scores": [one.to_json() for one in view.scores],
        "facts": [[name, value] for name, value in _list_facts(view) if value],
        "commands": [[what, command] for what, command in _list_commands(view, style) if command],
        "recipe": view.recipe.to_json(),
        "table": {
            "name": view.method_name,
            "settings": view.method_settings,
            "relevance": str(view.relevance or "all"),
        },
        "isWheel": view.modality == "flow" and style.has_wheel,
        "wheelBound": WHEEL_BOUND,
    }


def _list_warnings(view: RunView, level: str) -> Iterator[str]:
    if level:
        yield f"the {view.quantity} is {level} everywhere, there is nothing to see"
    if view.saturation:
        yield view.saturation
    if view.is_not_predicted:
        yield "this explains a class that the network does not predict"


def _list_facts(view: RunView) -> Iterator[tuple[str, str]]:
    """Yield what else is to be known, as names and values; a value may be empty."""
    recipe = view.recipe
    yield "Video", view.video
    yield "Stream", view.stream
    yield "Frames", describe_frames(view)
    yield "Rate", f"{view.rate:.5g} frames a second" if view.rate else ""
    yield "Weights", " ".join(filter(None, [view.weights_name, f"({recipe.weights[:8]})"]))
    yield "Read as", recipe.family
    yield "Endpoint", view.endpoint.name
    yield "Target", view.target_name
    yield "Method", recipe.method_name
    yield "Motion followed", view.method.partition(" (")[2].removesuffix(")") if recipe.motion else ""
    yield "Precision", recipe.precision
    yield "Shown", view.describe_relevance()
    yield "Remark", view.remark
    yield "Run", view.digest


def describe_frames(view: RunView) -> str:
    """Return in words which frames of the video the clips show."""
    first = view.frames[0]
    steps = {after - before for before, after in pairwise(first)}
    every = f", every {_count(steps.pop())} frame" if len(steps) == 1 and steps != {1} and min(steps) > 0 else ""
    clips = f"{view.clip_count} clips of " if view.clip_count > 1 else ""
    return f"{clips}{len(first)} frames{every}, from {first[0]} to {view.frames[-1][-1]}"


def _count(number: int) -> str:
    """Return an ordinal number: `second`, `third`, `21st`."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return {2: "second", 3: "third"}.get(number, f"{number}{ending}")


def _list_commands(view: RunView, style: Style) -> Iterator[tuple[str, str]]:
    """Yield command lines, and what they do in words before each."""
    plain = replace(style, limits=None, at=(), layout=None, scale="clip" if style.scale == "all" else style.scale)
    yield "Draws this run as a moving picture", make_notes([view], plain, "strip", "gif")["Command"]
    yield "Computes this run", view.explain_command()
