"""Writes `words.json`, which completion reads: `python -m gbvis.cli.words`, after a change of any command or option.

What an option takes is told from its metavar: `FILE`, `DIR` and the like are files, `VIDEO` is a video in the store,
`FILE|NAME` is a weights file, for which the store may have a name, small letters are words themselves, and `NAME` is
what the option is about.
"""

import json
import re
from typing import Any

import typer

from gbvis.atomic_file import replace_file
from gbvis.attribution.checks import CHECKS
from gbvis.attribution.methods import METHODS
from gbvis.cli.commands import app
from gbvis.cli.complete import WORDS
from gbvis.figures.layouts import LAYOUTS
from gbvis.figures.style import PANELS
from gbvis.flow import ALGORITHMS
from gbvis.networks.kind import list_formats
from gbvis.networks.r2plus1d.architecture import ENDPOINTS
from gbvis.networks.shaped.inception import ENDPOINTS as INCEPTION
from gbvis.videos.synthetic import MOTIONS

_NAMES = {
    "--endpoint": "endpoints",
    "--layout": "layouts",
    "--checkpoint-format": "checkpoint formats",
    "--flow-algorithm": "algorithms",
    "--method": "methods",
    "--panels": "panels",
    "--sample": "samples",
    "--test": "tests",
}
"""What the names are that an option takes, by the option."""


def describe_words() -> str:
    """Return what completion knows, as JSON."""
    words = {
        "endpoints": [*_list_endpoints(), "all"],
        "layouts": list(LAYOUTS.names),
        "checkpoint formats": list_formats(),
        "algorithms": list(ALGORITHMS.names),
        "methods": list(METHODS.names),
        "tests": list(CHECKS.names),
        "panels": list(PANELS),
        "samples": [f"{name}-" for name in MOTIONS],
        "sample videos": [f"sample:{name}-" for name in MOTIONS],
    }
    commands = _describe(typer.main.get_command(app))
    return json.dumps({"commands": commands, "words": words}, indent=1) + "\n"


def _list_endpoints() -> list[str]:
    """Return the names of all kinds' endpoints; of those that have DeepMind's, not torchvision's numbers."""
    own = [name for endpoint in ENDPOINTS for name in (endpoint.name, *endpoint.aliases)]
    return list(dict.fromkeys([*own, *(endpoint.name for endpoint in INCEPTION)]))


def _describe(command: Any) -> dict[str, Any]:
    """Return a command's options, each with the kinds of words that it takes, and its arguments or commands."""
    options = [one for one in command.params if one.opts[0].startswith("-")]
    taken = {name: None if getattr(one, "is_flag", False) else _find_kinds(one) for one in options for name in one.opts}
    described: dict[str, Any] = {"options": {**taken, "--help": None, "-h": None}}
    below = getattr(command, "commands", None)
    if below is not None:
        return {**described, "commands": {name: _describe(one) for name, one in below.items()}}
    arguments = [one for one in command.params if one not in options]
    kinds = [kind for argument in arguments for kind in _find_kinds(argument)]
    return {**described, "arguments": list(dict.fromkeys(kinds))}


def _find_kinds(parameter: Any) -> list[str]:
    """Return the kinds of words that an option or argument takes."""
    metavar = parameter.metavar or ""
    if metavar == "VIDEO":
        is_stored = "store" in (parameter.help or "")
        return ["VIDEO", "FILE"] if is_stored else ["VIDEO", "sample videos", "FILE"]
    kinds = [part for part in re.split(r"[|\[\]:]", metavar) if re.fullmatch("[a-z0-9]+", part)]
    kinds += ["FILE"] if re.search(r"\b(FILE|FOLDER|DIR|PATH|IN|OUT)\b", metavar) else []
    names = [_NAMES[name] for name in parameter.opts if name in _NAMES]
    if "--weights" in parameter.opts:
        kinds += ["sample", *(["WEIGHTS"] if metavar == "FILE|NAME" else [])]
    return kinds + names + (["LIST"] if metavar == "NAMES" else [])


if __name__ == "__main__":
    replace_file(WORDS, describe_words().encode())
