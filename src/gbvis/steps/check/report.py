"""`gbvis check --report`: what tests found over all videos of a store, with bootstrap intervals.

Videos are resampled with replacement, and the 2.5th and 97.5th percentile of the mean are the interval's ends (Efron
and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13). Clips and targets of one video are not
independent: they are averaged first.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.checks import BASELINES, CHECKS
from gbvis.errors import NothingFound, UsageError
from gbvis.progress import Failure
from gbvis.steps.selection import Selection, select_checks
from gbvis.store import Store, StoredCheck

RESAMPLES = 10_000
"""How often videos are resampled."""

_AT_ONCE = 1_000
"""Resamples that are in memory together."""


@dataclass(frozen=True)
class ReportRequest:
    """What to report.

    Attributes:
        store: Where the results are.
        videos: Names or paths; none means every video in the store.
        selection: Of which runs, and of which tests.
        seed: Decides which videos are drawn.
    """

    store: str | Path
    videos: tuple[str, ...] = ()
    selection: Selection = field(default_factory=Selection)
    seed: int = 0


@dataclass(frozen=True)
class Estimated:
    """A mean over videos, and its interval, 95 %; None where one video tells nothing of others."""

    mean: float
    interval: tuple[float, float] | None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"mean": self.mean, "interval": list(self.interval) if self.interval else None}


@dataclass(frozen=True)
class ReportedTest:
    """What one test finds of one method at one endpoint of one network, over videos.

    Attributes:
        first: One of the results.
        weights_name: What the user calls the weights; empty where they have no name.
        videos: How many videos.
        value: The test's number.
        baselines: The same number of what knows nothing of the network.
    """

    first: StoredCheck
    weights_name: str
    videos: int
    value: Estimated
    baselines: dict[str, Estimated]

    @property
    def better(self) -> str | None:
        """Which numbers speak for the attribution, `higher` or `lower`; None where neither does, or nobody knows."""
        try:
            return CHECKS.load(self.first.test_name).better
        except UsageError:  # of a package that is not installed any more
            return None

    def to_json(self) -> dict[str, Any]:
        """Return it as a line of `--json`."""
        check, method = self.first, self.first.recipe.method
        found = self.baselines
        return {
            "test": check.test_name,
            "test_settings": check.test["settings"],
            "seed": check.seed,
            "masks": check.masks.get("kind"),
            "better": self.better,
            "modality": check.modality,
            "endpoint": check.endpoint.name,
            "method": method["name"],
            "settings": method["settings"],
            "flow": check.recipe.flow or None,
            "precision": check.recipe.precision,
            "weights": {"identity": check.recipe.weights, "name": self.weights_name or None},
            "videos": self.videos,
            "value": self.value.to_json(),
            "baselines": {name: found[name].to_json() if name in found else None for name in BASELINES},
        }


def run(request: ReportRequest) -> Iterator[ReportedTest | Failure]:
    """Yield what each test finds, by stream, endpoint, test, method and weights, and a failure for what is damaged.

    Raises:
        UsageError: The store cannot be used, or there is no such test.
        NothingFound: No test was run.
    """
    store = Store.open(request.store)
    request.selection.check()
    chosen = [check for video in request.videos or (None,) for check in select_checks(store, video, request.selection)]
    wanted = {check.key: check for check in chosen}
    for key in sorted(store.damaged):
        yield Failure(key, f"{key} is damaged", "check it again, or take it away with `gbvis store rm --damaged`")
    if not wanted:
        raise NothingFound(
            f"no such result of a test in {store.location}",
            "run `gbvis check VIDEO -w WEIGHTS` first, or leave out a filter",
        )
    for together in _gather(wanted.values()):
        yield _report(together, store, request.seed)


def _gather(checks: Iterable[StoredCheck]) -> list[list[StoredCheck]]:
    """Return results of one test, method, endpoint and network together."""
    groups: defaultdict[str, list[StoredCheck]] = defaultdict(list)
    for check in checks:
        recipe = check.recipe
        about = (check.test, check.masks.get("kind"), recipe.weights, recipe.precision, recipe.method, recipe.flow)
        place = (check.modality != "rgb", check.position, check.endpoint.name, check.test_name, recipe.method["name"])
        groups[json.dumps([*place, *about, check.seed], sort_keys=True)].append(check)
    return [group for _, group in sorted(groups.items())]


def _report(checks: Sequence[StoredCheck], store: Store, seed: int) -> ReportedTest:
    by_video: defaultdict[str, list[StoredCheck]] = defaultdict(list)
    for check in checks:
        by_video[check.video].append(check)
    videos = [by_video[name] for name in sorted(by_video)]
    value = estimate([_mean([one.value for one in found]) for found in videos], seed)
    shared = [name for name in BASELINES if all(name in check.baselines for check in checks)]
    baselines = {
        name: estimate([_mean([one.baselines[name] for one in found]) for found in videos], seed) for name in shared
    }
    return ReportedTest(checks[0], store.weights.name_of(checks[0].recipe), len(videos), value, baselines)


def estimate(numbers: Sequence[float], seed: int) -> Estimated:
    """Return the mean of one number a video, with its bootstrap interval; the same videos are drawn for all numbers."""
    values = np.array(numbers, np.float64)
    if len(values) < 2:
        return Estimated(float(values.mean()), None)
    random = np.random.default_rng(seed)
    means: list[NDArray[np.float64]] = []
    for _ in range(0, RESAMPLES, _AT_ONCE):
        means.append(values[random.integers(0, len(values), (_AT_ONCE, len(values)))].mean(1))
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return Estimated(float(values.mean()), (float(low), float(high)))


def _mean(numbers: Sequence[float]) -> float:
    return float(np.mean(numbers))
