"""Notes: what a picture's file says of itself, so that it can be made again. No date, no path that was not given."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from decimal import Decimal

from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style
from gbvis.shell import as_argument, join_words
from gbvis.version import __version__

_OPTIONS = {
    "flow": "--flow",
    "flow_colors": "--flow-colors",
    "scale": "--scale",
    "saliency_scale": "--saliency-scale",
    "percentile": "--percentile",
    "colors": "--colors",
    "rate": "--fps",
    "loops": "--loop",
    "size": "--size",
    "font": "--font",
    "rows": "--rows",
    "relevance": "--relevance",
}
"""The options of `render` for the fields of a style that hold one word."""


def make_notes(views: Sequence[RunView], style: Style, layout: str, format_name: str) -> dict[str, str]:
    """Return what a picture's file says of itself: `Software`, `Command` and `Recipe`.

    The command draws this picture again; the same picture has the same one, whatever else a call drew. Only with scale
    `all` the colours end where all that was drawn says. The recipe is JSON: for each run, from top to bottom, its group
    in the store and all that decided its numbers.
    """
    runs = [{"group": view.key, "recipe": view.recipe.to_json()} for view in views]
    command = join_words([*_name_runs(views), *_describe_style(style, layout), "--format", format_name, *style.words])
    return {"Software": f"gbvis {__version__}", "Command": command, "Recipe": json.dumps(runs, sort_keys=True)}


def as_comment(notes: Mapping[str, str]) -> str:
    """Return the notes as one text, for formats that hold one comment: JSON in ASCII."""
    content = {name.lower(): json.loads(text) if name == "Recipe" else text for name, text in notes.items()}
    return json.dumps(content, sort_keys=True)


def _name_runs(views: Sequence[RunView]) -> list[str]:
    """Return the words of `render` that choose these runs, and no others."""
    digests = dict.fromkeys(view.digest for view in views)
    chosen = [word for digest in digests for word in ("--run", digest)]
    return ["gbvis", "render", as_argument(views[0].video), *chosen]


def _describe_style(style: Style, layout: str) -> list[str]:
    """Return the words of `render` that make this style; what is as it is by default is left out."""
    default = {field.name: field.default for field in fields(Style)}
    words = ["--layout", layout]
    if style.panels:
        words += ["--panels", ",".join(style.panels)]
    for name, option in _OPTIONS.items():
        value = getattr(style, name)
        if value != default[name]:
            words += [option, str(value).removesuffix(".0")]
    moments = [f"{Decimal(str(moment)):f}{'s' if isinstance(moment, float) else ''}" for moment in style.at]
    return [*words, "--at", ",".join(moments)] if moments else words
