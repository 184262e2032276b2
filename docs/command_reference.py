"""A Sphinx extension: the reference of the command line, generated from the app itself, and docstrings in Markdown.

A page says `<!-- commands -->` where the commands are to stand. Without Sphinx, `describe_commands` returns the same
text.
"""

import re
from typing import TYPE_CHECKING, Any

import typer

from gbvis.cli.commands import app

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PLACE = "<!-- commands -->"


def list_commands() -> dict[str, Any]:
    """Return every command by what is typed after `gbvis`: `explain`, `store ls`."""
    found: dict[str, Any] = {}
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        found |= {name: command} if below is None else {f"{name} {one}": below[one] for one in below}
    return found


def list_options(command: Any) -> list[str]:
    """Return the options of a command, short and long ones."""
    return [option for parameter in command.params for option in parameter.opts if option.startswith("-")]


def describe_commands() -> str:
    """Return the reference of all commands as MyST Markdown."""
    return "\n".join(_describe_command(name, command) for name, command in list_commands().items())


def _describe_command(name: str, command: Any) -> str:
    arguments = [one for one in command.params if not one.opts[0].startswith("-")]
    options = [one for one in command.params if one.opts[0].startswith("-")]
    lines = [f"(gbvis-{name.replace(' ', '-')})=", f"## `gbvis {name}`", "", _escape(command.help), ""]
    lines += ["```text", " ".join(["gbvis", name, *(["[OPTIONS]"] if options else []), *map(_usage, arguments)]), "```"]
    lines += ["", f"```{{program}} gbvis {name}", "```", ""]
    for argument in arguments:
        lines += [f"`{_usage(argument)}`", f": {_describe(argument)}", ""]
    for option in options:
        value = "" if getattr(option, "is_flag", False) else f" {option.metavar}"
        names = ", ".join(f"{one}{value}" for one in option.opts)
        lines += [f"```{{option}} {names}", _describe(option), "```", ""]
    return "\n".join(lines)


def _usage(argument: Any) -> str:
    shown = argument.metavar if argument.required else f"[{argument.metavar}]"
    return f"{shown}..." if argument.nargs != 1 else str(shown)


def _describe(parameter: Any) -> str:
    """Return what an option or argument does, its default, its range and its environment variable."""
    said = [_escape(parameter.help or "")]
    low, high = getattr(parameter, "min", None), getattr(parameter, "max", None)
    if low is not None:
        said.append(f"From {low:g} to {high:g}." if high is not None else f"At least {low:g}.")
    if parameter.default not in (None, False) and "Default:" not in said[0]:
        said.append(f"Default: `{parameter.default}`.")
    if parameter.envvar:
        said.append(f"Environment variable: `{parameter.envvar}`.")
    return " ".join(said)


def _escape(text: str) -> str:
    """Return plain text as Markdown that shows it."""
    return re.sub(r"([\\`*_{}<>\[\]|])", r"\\\1", " ".join(text.split()))


def _put_commands(_app: "Sphinx", _page: str, source: list[str]) -> None:
    if PLACE in source[0]:
        source[0] = source[0].replace(PLACE, describe_commands())


def _convert_docstring(
    _app: "Sphinx", _kind: str, _name: str, _what: object, _options: object, lines: list[str]
) -> None:
    """Turn a docstring, whose markup is Markdown, into reStructuredText, which autodoc reads."""
    converted: list[str] = []
    is_inside = False
    for line in lines:
        fence = re.fullmatch(r"\s*```(\w*)", line)
        if fence:
            is_inside = not is_inside
            converted += ["", f".. code-block:: {fence[1] or 'python'}", ""] if is_inside else [""]
        else:
            converted.append(f"    {line}" if is_inside else _escape_text(line))
    lines[:] = converted


def _escape_text(line: str) -> str:
    """Return a line whose `*` and `|` mean themselves, less what stands between backticks."""
    return "".join(
        part if part.startswith("`") else re.sub(r"([*|])", r"\\\1", part) for part in re.split("(`[^`]*`)", line)
    )


def setup(sphinx: "Sphinx") -> dict[str, bool]:
    """Connect the extension to Sphinx."""
    sphinx.connect("source-read", _put_commands)
    sphinx.connect("autodoc-process-docstring", _convert_docstring, priority=400)  # before napoleon
    return {"parallel_read_safe": True}
