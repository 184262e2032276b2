"""`-w NAME=FILE`: a weights file with the name that lists and pictures have for it."""

import os
from pathlib import Path

from gbvis.cli.weights_options import expand_path, split_names
from gbvis.errors import UsageError
from gbvis.networks.sample import find_weights


def read_weights(typed: str) -> tuple[Path, str]:
    """Return the weights file that is meant, and its name, empty where none is given.

    A file whose own path has a `=` goes first. `sample` is the file that comes with gbvis.

    Raises:
        UsageError: The name is empty, or no terminal shows it.
    """
    name, equals, path = typed.partition("=")
    if not equals or "/" in name or os.path.exists(typed):  # noqa: PTH110
        return find_weights(expand_path(typed)), ""
    if not (name.strip() and name.isprintable() and path):
        raise UsageError(f"-w {typed!r} is no NAME=FILE", "give a file, or a name of letters and a file behind =")
    return find_weights(expand_path(path)), name.strip()


def read_all_weights(typed: list[str] | None) -> list[tuple[Path, str]]:
    """Return the weights files typed; an empty name, as behind the last `:` of GBVIS_WEIGHTS, is none."""
    return [read_weights(name) for name in split_names(typed or []) if name]


def name_weights(typed: list[str] | None) -> dict[Path, str]:
    """Return the names that were given, by file."""
    return {path: name for path, name in read_all_weights(typed) if name}
