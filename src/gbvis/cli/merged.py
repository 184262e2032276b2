"""What `store merge` prints: what differs and what is damaged, and at the end how much was copied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gbvis.cli.console import Console
from gbvis.cli.format import count_of, show_bytes
from gbvis.progress import Failure

if TYPE_CHECKING:
    from gbvis.steps.store.merge import MergedGroup


def print_merge(console: Console, merged: Iterable[MergedGroup | Failure], output: str) -> int:
    """Print what becomes of the groups of stores that are joined, and return the exit code: 1 where one is damaged.

    Args:
        console: Where to.
        merged: What the step yields.
        output: The store that they are joined in.
    """
    counts: Counter[str] = Counter()
    is_dry = False
    with console:
        for one in merged:
            if isinstance(one, Failure):
                console.fail(one)
                continue
            _count(counts, one)
            is_dry = one.is_dry
            if console.is_json:
                console.print_json(one)
            elif one.copied.differs:
                console.print(f"{one.entry.key}  {one.entry.kind}  other numbers in {one.source}: the first are kept")
    if not console.is_json:
        how = "would copy" if is_dry else "copied"
        console.print(
            f"{how} {count_of(counts['copied'], 'group')} ({show_bytes(counts['bytes'])}) to {output}: "
            f"{counts['cached']} there already, {counts['differs']} with other numbers, {len(console.failures)} damaged"
        )
    return int(bool(console.failures))


def _count(counts: Counter[str], merged: MergedGroup) -> None:
    counts["differs"] += merged.copied.differs
    counts["cached" if merged.is_cached else "copied"] += 1
    counts["bytes"] += 0 if merged.is_cached else merged.entry.size
