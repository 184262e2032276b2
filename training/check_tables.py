"""Tables of what tests found, in Markdown: a table a test, a row a method, a column a stream and kind of network."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gbvis.attribution.checks import BASELINES, CHECKS
from gbvis.attribution.methods import METHODS
from gbvis.attribution.recipe import describe_method
from gbvis.attribution.settings import find_defaults
from gbvis.registry import Registry
from gbvis.steps.check.report import Estimated, estimate
from gbvis.store import StoredCheck

STREAMS = {"rgb": "RGB", "flow": "flow"}

COMPARABLE = {"infidelity": "unexplained"}
"""The detail that counts instead of a test's number, which cannot be compared between networks."""


@dataclass(frozen=True)
class Found:
    """What one test found of one attribution.

    Attributes:
        learned: What the network has learned: `trained`, `random` or `shuffled`.
        network: Which network of that kind.
        modality: `rgb` or `flow`.
        test: The test as `--test` takes it, with the settings that were asked for.
        method: The method as `--method` takes it, likewise.
        video: The video's name.
        value: The test's number, or its detail of `COMPARABLE`.
        baselines: The same of what knows nothing of the network.
    """

    learned: str
    network: str
    modality: str
    test: str
    method: str
    video: str
    value: float
    baselines: Mapping[str, float]

    @classmethod
    def of(cls, check: StoredCheck, learned: str, network: str) -> "Found":
        """Return what a store keeps of a test."""
        about = check.modality, _name(CHECKS, check.test), _name(METHODS, check.recipe.method), check.video
        detail = COMPARABLE.get(check.test_name)
        value = check.details[detail] if detail else check.value
        return cls(learned, network, *about, value, check.details[f"{detail}_baselines"] if detail else check.baselines)


Column = tuple[str, str]
"""A stream, and what the network has learned."""


def lay_out(found: Sequence[Found]) -> Iterator[str]:
    """Yield a heading and a table for each test that was run, and for `deletion` how often its number is above 0."""
    tests = dict.fromkeys(one.test for one in found)
    for words in sorted(tests, key=lambda words: CHECKS.names.index(words.partition(":")[0])):
        name = words.partition(":")[0]
        of_test = [one for one in found if one.test == words]
        yield f"## `{words}`" + (f": {COMPARABLE[name]}" if name in COMPARABLE else "")
        yield lay_out_test(of_test, CHECKS.load(name).is_of_network)
        if name == "deletion":
            yield "The share of videos for which it is above 0:"
            yield lay_out_test([_is_above(one) for one in of_test])


def lay_out_test(found: Sequence[Found], is_of_network: bool = False) -> str:
    """Return the table of one test; `is_of_network` says that methods have no part in its number."""
    columns = list(dict.fromkeys((one.modality, one.learned) for one in found))
    columns.sort(key=lambda column: list(STREAMS).index(column[0]))
    heads = [f"{STREAMS[modality]}, {learned}" for modality, learned in columns]
    lines = [f"| | videos | {' | '.join(heads)} |", f"| --- | --- |{' --- |' * len(heads)}"]
    found_of = {f"`{one.method}`": [other for other in found if other.method == one.method] for one in found}
    for name, own in ({"the network": _once(found)} if is_of_network else found_of).items():
        lines.append(_make_row(name, own, columns, lambda one: one.value))
    for name in BASELINES:
        own = [one for one in _once(found) if name in one.baselines]
        if own:
            lines.append(_make_row(f"*{name}*", own, columns, lambda one, name=name: one.baselines[name]))  # type: ignore[misc]
    return "\n".join(lines)


def _make_row(name: str, found: Sequence[Found], columns: Sequence[Column], number: Callable[[Found], float]) -> str:
    by_column = [[one for one in found if (one.modality, one.learned) == column] for column in columns]
    cells = [put(average(own, number)) if own else "" for own in by_column]
    counts = dict.fromkeys((column[1], len(own)) for column, own in zip(columns, by_column, strict=True))
    is_alike = len({count for _, count in counts}) == 1
    videos = ", ".join(str(count) for _, count in ([*counts][:1] if is_alike else counts))
    return f"| {name} | {videos} | {' | '.join(cells)} |"


def _name(registry: Registry[Any], recipe: Mapping[str, Any]) -> str:
    """Return a test or method without settings that are as by default, or decided for it where nobody does."""
    defaults = find_defaults(registry, recipe["name"])
    given = {name: value for name, value in recipe["settings"].items() if defaults[name] not in (None, value)}
    return describe_method({**recipe, "settings": given})


def average(found: Sequence[Found], number: Callable[[Found], float]) -> Estimated:
    """Return the mean and its bootstrap interval: over videos where there is one network, else over networks.

    Each network counts alike, and videos of one network are averaged first: they are not independent.
    """
    by_network: defaultdict[str, list[float]] = defaultdict(list)
    for one in found:
        by_network[one.network].append(number(one))
    groups = list(by_network.values())
    return estimate(groups[0] if len(groups) == 1 else [float(np.mean(group)) for group in groups], seed=0)


def put(estimated: Estimated) -> str:
    """Return a mean and its interval in words; an interval of no width is left out."""
    mean, *ends = (_round(number) for number in (estimated.mean, *(estimated.interval or ())))
    return mean if set(ends) <= {mean} else f"{mean} [{', '.join(ends)}]"


def _round(number: float) -> str:
    digits = 2 if abs(number) < 9.995 else 1
    return f"{number:.{digits}f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")


def _once(found: Sequence[Found]) -> list[Found]:
    """Return one of all methods' findings for each video and network: they have the same baselines."""
    return list({(one.modality, one.learned, one.network, one.video): one for one in found}.values())


def _is_above(found: Found) -> Found:
    above = {name: float(value > 0) for name, value in found.baselines.items()}
    return replace(found, value=float(found.value > 0), baselines=above)
