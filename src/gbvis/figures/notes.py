"""Notes: what a picture's file says of itself, so that it can be made again. No date, no path that was not given."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style
from gbvis.shell import as_argument, join_words
from gbvis.version import __version__

_OPTIONS = {
    "flow": "--flow",
    "flow_colors": "--flow-colors",
    "scale": "--scale",
    "percentile": "--percentile",
    "colors": "--colors",
    "rate": "--fps",
    "loops": "--loop",
    "size": "--size",
    "font": "--font",
}
"""The options of `render` for the fields of a style that hold one word."""


def make_notes(views: Sequence[RunView], style: Style, layout: str, format_name: str) -> dict[str, str]:
    """Return what a picture's file says of itself: `Software`, `Command` and `Recipe`.

    The command draws this picture again; the same picture has the same one, whatever else a call drew. The recipe is
    JSON: for each run, from top to bottom, its group in the store and all that decided its numbers.
    """
    runs = [{"group": view.key, "recipe": view.recipe.to_json()} for view in views]
    command = join_words([*_name_runs(views), *_describe_style(style, layout), "--format", format_name, *style.words])
    return {"Software": f"gbvis {__version__}", "Command": command, "Recipe": json.dumps(runs, sort_keys=True)}


def as_comment(notes: Mapping[str, str]) -> str:
    """Return the notes as one text, for formats that hold one comment: JSON in ASCII."""
    content = {name.lower(): json.loads(text) if name == "Recipe" else text for name, text in notes.items()}
    return json.dumps(content, sort_keys=True)


def _name_runs(views: Sequence[RunView]) -> list[str]:
    """Return the words of `render` that choose these runs."""
    words = ["gbvis", "render", as_argument(views[0].video)]
    words += _option("-m", {view.modality for view in views})
    words += _option("-e", {view.endpoint.name for view in views})
    words += _option("-l", {str(view.target) for view in views if view.endpoint.is_class}, len(views))
    words += _option("-f", {str(view.target) for view in views if not view.endpoint.is_class}, len(views))
    words += _option("-n", {str(view.frames_per_clip) for view in views})
    words += _option("--clips", {str(view.clip_count) for view in views})
    words += _option("--method", {str(view.recipe.method["name"]) for view in views})
    words += _option("--precision", {view.recipe.precision for view in views})
    return words + _option("--flow-algorithm", {view.recipe.flow_algorithm for view in views} - {None})


def _option(name: str, found: set[Any], most: int = 1) -> list[str]:
    """Return an option for each value, unless there are more than can be given."""
    return [word for value in sorted(found, key=str) for word in (name, str(value))] if len(found) <= most else []


def _describe_style(style: Style, layout: str) -> list[str]:
    """Return the words of `render` that make this style; what is as it is by default is left out."""
    default = {field.name: field.default for field in fields(Style)}
    words = ["--layout", layout]
    if style.panels != default["panels"]:
        words += ["--panels", ",".join(style.panels)]
    for name, option in _OPTIONS.items():
        value = getattr(style, name)
        if value != default[name]:
            words += [option, f"{value:g}" if isinstance(value, float) else str(value)]
    moments = [f"{moment:g}s" if isinstance(moment, float) else str(moment) for moment in style.at]
    return [*words, "--at", ",".join(moments)] if moments else words
