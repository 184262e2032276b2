"""`-w NAME=FILE`: a weights file with the name that lists and pictures have for it."""

from collections.abc import Iterable
from pathlib import Path

from gbvis.errors import UsageError
from gbvis.networks.sample import find_weights


def read_weights(typed: Path) -> tuple[Path, str]:
    """Return the weights file that is meant, and its name, empty where none is given.

    A file whose own path has a `=` goes first. `sample` is the file that comes with gbvis.

    Raises:
        UsageError: The name is empty, or no terminal shows it.
    """
    name, equals, path = str(typed).partition("=")
    try:
        is_whole = not equals or "/" in name or typed.exists()
    except OSError:  # no system takes such a path
        is_whole = False
    if is_whole:
        return find_weights(typed), ""
    if not (name.strip() and name.isprintable() and path):
        raise UsageError(f"-w {str(typed)!r} is no NAME=FILE", "give a file, or a name of letters and a file behind =")
    return find_weights(Path(path).expanduser()), name.strip()


def read_all_weights(typed: Iterable[Path] | None) -> list[tuple[Path, str]]:
    """Return the weights files typed; an empty name, as behind the last `:` of GBVIS_WEIGHTS, is none."""
    return [read_weights(path) for path in typed or () if path != Path()]


def name_weights(typed: Iterable[Path] | None) -> dict[Path, str]:
    """Return the names that were given, by file."""
    return {path: name for path, name in read_all_weights(typed) if name}
