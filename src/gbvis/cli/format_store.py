"""What `gbvis store` finds, in words and tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from gbvis.cli.console import Screen, make_table, print_error
from gbvis.progress import Failure

if TYPE_CHECKING:
    from gbvis.steps.store.ls import ListedRun
    from gbvis.steps.store.rm import RemovedGroup
    from gbvis.steps.store.verify import CheckedGroup
    from gbvis.store.inventory import Entry

_NAMES = {
    "run": ("run", "runs"),
    "clips": ("set of clips", "sets of clips"),
    "flow": ("set of flow", "sets of flow"),
    "card": ("card", "cards"),
    "unfinished": ("left-over", "left-overs"),
}


def show_runs(screen: Screen, listed: Iterable[ListedRun | Failure]) -> int:
    """Print a table of runs, and return the exit code: 1 where one is damaged."""
    found = []
    for one in listed:
        if isinstance(one, Failure):
            screen.fail(one)
        elif screen.is_json:
            screen.print_json(one)
        else:
            found.append(one)
    if found:
        columns = ("video", "stream", "endpoint", "target", "clips", "computed", "size", "age", "weights", "digest")
        screen.print(make_table(None, columns, map(_list_run, found)))
        total = _bytes(sum(one.size for one in found))
        screen.print(f"{len(found)} run{'s' if len(found) > 1 else ''}, {total} in {found[0].store}")
    return int(screen.has_failed)


def _list_run(listed: ListedRun) -> tuple[str, ...]:
    run, recipe = listed.run, listed.run.recipe
    label = run.attributes["label"]
    flow = recipe.get("flow", {}).get("algorithm")
    return (
        run.video,
        run.modality,
        run.endpoint.name,
        f"{run.target}" + (f" {label['name']}" if label and label["name"] else ""),
        f"{run.clip_count} of {len(recipe['clips'][0])}",
        ", ".join([recipe["method"], recipe["precision"], *([flow] if flow else [])]),
        _bytes(listed.size),
        "" if listed.age is None else _age(listed.age),
        recipe["weights"][:8],
        run.digest[:8],
    )


def show_checks(screen: Screen, checked: Iterable[CheckedGroup]) -> int:
    """Print what is wrong with a store, or that nothing is, and return the exit code: 1 where something is."""
    count, size, wrong = 0, 0, 0
    with screen:
        for one in checked:
            count, size, wrong = count + 1, size + one.entry.size, wrong + (one.problem is not None)
            if screen.is_json:
                screen.print_json(one)
            elif one.problem:
                screen.print(f"{one.entry.key or 'the root'}  {one.entry.kind}  {one.problem}")
    if not screen.is_json:
        verdict = f"{wrong} damaged" if wrong else "all of it is sound"
        screen.print(f"{count} groups, {_bytes(size)}: {verdict}")
    if wrong:
        hint = (
            "the same `gbvis explain` computes anew what it needs; `gbvis store rm --damaged` takes the rest away, "
            "but not what is stray"
        )
        print_error(f"{wrong} of {count} groups are damaged", hint)
    return int(wrong > 0)


def show_removal(screen: Screen, removed: Iterable[RemovedGroup], entries: Collection[Entry]) -> int:
    """Print what is removed, or would be, and return the exit code."""
    is_removed = True
    with screen:
        for one in removed:
            is_removed = one.is_removed
            if screen.is_json:
                screen.print_json(one)
            else:
                screen.print(f"{one.entry.key}  {one.entry.kind}  {_bytes(one.entry.size)}")
    if not screen.is_json:
        screen.print(f"{'removed' if is_removed else 'would remove'} {count_entries(entries)}")
    return 0


def count_entries(entries: Collection[Entry]) -> str:
    """Return how many groups of which kind there are, and how large they are."""
    kinds = [entry.kind for entry in entries]
    counts = [f"{kinds.count(kind)} {names[kinds.count(kind) > 1]}" for kind, names in _NAMES.items() if kind in kinds]
    return f"{', '.join(counts) or 'nothing'} ({_bytes(sum(entry.size for entry in entries))})"


def _bytes(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _age(seconds: float) -> str:
    for name, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {name}"
    return f"{max(seconds, 0):.0f} s"
