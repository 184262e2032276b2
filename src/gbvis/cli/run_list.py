"""The tables of `store ls`: a row a run, and a row for what a test found of one.

What all rows share stands above a table, and what is too long loses its middle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gbvis.cli.console import Console, make_table, printable
from gbvis.cli.format import count_of, show_age, show_bytes
from gbvis.cli.format_check import put_number
from gbvis.progress import Failure

if TYPE_CHECKING:
    from gbvis.networks.kept import KeptFile
    from gbvis.steps.store.ls import ListedCheck, ListedRun

_COLUMNS = 80
"""Of what stands above a list, also in a pipe."""

_GAP = 2
"""Blanks between two columns."""

_NAMED = ("video", "stream", "endpoint", "target", "test")
"""What tells most runs apart; where it does not, their digests are shown."""

_KEPT = ("video", "endpoint", "target", "size", "age", "digest")
"""Columns that a list of runs has even where all rows say the same."""

_SHORTENED = ("video", "weights", "target")
"""Columns with names, which lose their middle where a line is too long; the first of them first."""

_FEWEST = 12
"""Letters that are left of a name at least."""


def print_runs(
    console: Console,
    listed: Iterable[ListedRun | ListedCheck | Failure],
    list_networks: Callable[[], Sequence[KeptFile]],
) -> int:
    """Print a table of runs and what prepared networks there are; return the exit code: 1 where a run is damaged."""
    from gbvis.steps.store.ls import ListedCheck

    runs: list[ListedRun] = []
    checks: list[ListedCheck] = []
    for one in listed:
        if isinstance(one, Failure):
            console.fail(one)
        elif console.is_json:
            console.print_json(one)
        elif isinstance(one, ListedCheck):
            checks.append(one)
        else:
            runs.append(one)
    for found, rows, name in ((runs, map(_list_run, runs), "run"), (checks, map(_list_check, checks), "test")):
        if found:
            _print_table(console, list(rows))
            total = show_bytes(sum(one.size for one in found))
            console.print(f"{count_of(len(found), name)}, {total} in {found[0].store}")
    networks = [] if console.is_json else list_networks()
    if networks:
        folder = shorten_home(networks[0].path.parent)
        console.print(
            f"prepared networks: {len(networks)}, {show_bytes(sum(one.size for one in networks))} in {folder}"
        )
    return int(bool(console.failures))


def shorten_home(path: Path) -> str:
    """Return a path, with `~` for the user's home folder."""
    with suppress(RuntimeError, ValueError):  # the user has no home, or the path is elsewhere
        return f"~/{path.relative_to(Path.home())}"
    return str(path)


def _print_table(console: Console, rows: list[dict[str, str]]) -> None:
    shared = [name for name in rows[0] if name not in _KEPT and len({row[name] for row in rows}) == 1]
    above = [f"{name} {rows[0][name]}" for name in shared if rows[0][name]]
    for line in fill(
        (shorten(part, console.columns or len(part)) for part in above), min(_COLUMNS, console.columns or _COLUMNS)
    ):
        console.print(line)
    alike = Counter(_name(row) for row in rows)
    for row in rows:
        row["digest"] = row["digest"] if alike[_name(row)] > 1 else ""
    columns = [name for name in rows[0] if name not in shared and (name != "digest" or len(alike) < len(rows))]
    cells = {name: [printable(row[name]) for row in rows] for name in columns}
    if console.columns:
        _fit(cells, console.columns)
    console.print(make_table(None, columns, zip(*cells.values(), strict=True)))


def _name(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(row.get(name, "") for name in _NAMED)


def _fit(cells: dict[str, list[str]], width: int) -> None:
    """Take the middle out of the longest names, as far as it is needed and possible."""
    sizes = {name: max(map(len, [name, *column])) for name, column in cells.items()}
    excess = sum(sizes.values()) + _GAP * (len(sizes) - 1) - width
    for name in _SHORTENED:
        if name in cells and excess > 0:
            kept = min(max(sizes[name] - excess, _FEWEST), sizes[name])
            excess -= sizes[name] - kept
            cells[name] = [shorten(one, kept) for one in cells[name]]


def shorten(text: str, kept: int) -> str:
    """Return a text of at most `kept` letters, an ellipsis in place of its middle."""
    if len(text) <= kept:
        return text
    head, tail = kept // 2, (kept - 1) // 2
    return f"{text[:head]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - tail :]}"


def fill(parts: Iterable[str], width: int) -> list[str]:
    """Return lines of whole parts, as many in each as fit."""
    found: list[str] = []
    for part in parts:
        longer = f"{found[-1]}   {part}" if found else ""
        if longer and len(longer) <= width:
            found[-1] = longer
        else:
            found.append(part)
    return found


def _list_check(listed: ListedCheck) -> dict[str, str]:
    check, recipe, label = listed.check, listed.check.recipe, listed.label
    return {
        "video": check.video,
        "stream": check.modality,
        "endpoint": check.endpoint.name,
        "target": f"{check.target}" + (f" {label['name']}" if label and label["name"] else ""),
        "method": recipe.short_method,
        "test": check.short_test,
        "value": put_number(check.value),
        "weights": listed.weights_name or recipe.weights[:8],
        "size": show_bytes(listed.size),
        "age": "" if listed.age is None else show_age(listed.age),
        "digest": check.digest[:8],
    }


def _list_run(listed: ListedRun) -> dict[str, str]:
    run, recipe, label = listed.run, listed.run.recipe, listed.label
    return {
        "video": listed.name,
        "stream": run.modality,
        "endpoint": run.endpoint.name,
        "target": f"{run.target}" + (f" {label['name']}" if label and label["name"] else ""),
        "clips": f"{len(recipe.clips)} x {count_of(len(recipe.clips[0]), 'frame')}",
        "method": recipe.short_method,
        "precision": recipe.precision,
        "flow": recipe.motion_algorithm or "",
        "weights": listed.weights_name or recipe.weights[:8],
        "size": show_bytes(listed.size),
        "age": "" if listed.age is None else show_age(listed.age),
        "digest": run.digest[:8],
    }
