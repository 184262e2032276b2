"""`gbvis store ls`: the runs of a store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from gbvis.errors import NothingFound
from gbvis.networks.labels import class_name
from gbvis.networks.prediction import TrueClass
from gbvis.progress import Failure
from gbvis.steps.selection import Selection, make_filter, select_checks, select_runs
from gbvis.steps.video_names import name_sources, source_of, suggest_labels, suggest_name
from gbvis.store import Store, StoredCheck, StoredRun
from gbvis.videos.source import Source

NamedRuns = tuple[Sequence[StoredRun], dict[Source, str]]
"""Runs of videos of one name, and what their sources are called."""


@dataclass(frozen=True)
class ListRequest:
    """Which runs to list.

    Attributes:
        store: Where they are.
        videos: Names or paths; none means every video in the store.
        selection: Which runs.
    """

    store: str | Path
    videos: tuple[str, ...] = ()
    selection: Selection = field(default_factory=Selection)


@dataclass(frozen=True)
class ListedRun:
    """A run of a store.

    Attributes:
        run: The run.
        label: The class as `{"index", "name"}`, or None at an endpoint without classes.
        store: Where it is.
        size: Bytes.
        age: Seconds; None where it does not say when it was made.
        name: What the video is called; where there are several of its name, with what tells them apart.
        weights_name: What the user calls the weights; empty where they have no name.
        truth: The class that a list gives the video, or None.
    """

    run: StoredRun
    label: dict[str, Any] | None
    store: str
    size: int
    age: float | None
    name: str
    weights_name: str = ""
    truth: TrueClass | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the run as a line of `--json`."""
        return {
            "kind": "run",
            "group": self.run.key,
            "video": self.run.video,
            "name": self.name,
            "location": self.run.location,
            "modality": self.run.modality,
            "endpoint": self.run.endpoint.name,
            "target": self.run.target,
            "label": self.label,
            "truth": self.truth.to_json() if self.truth else None,
            "value": self.run.value,
            "method": self.run.recipe.method["name"],
            "settings": self.run.recipe.method["settings"],
            "details": self.run.details,
            "weights": {"identity": self.run.recipe.weights, "name": self.weights_name or None},
            "bytes": self.size,
            "made": self.run.made,
            "recipe": self.run.recipe.to_json(),
            "store": self.store,
        }


@dataclass(frozen=True)
class ListedCheck:
    """What a test found, in a store.

    Attributes:
        check: What it found.
        label: As of a run.
        store: Where it is.
        size: Bytes.
        age: Seconds; None where it does not say when it was made.
        weights_name: What the user calls the weights; empty where they have no name.
    """

    check: StoredCheck
    label: dict[str, Any] | None
    store: str
    size: int
    age: float | None
    weights_name: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as a line of `--json`."""
        check = self.check
        return {
            "kind": "check",
            "group": check.key,
            **check.describe(),
            "label": self.label,
            "values": check.values,
            "details": check.details,
            "weights": {"identity": check.recipe.weights, "name": self.weights_name or None},
            "bytes": self.size,
            "made": check.made,
            "recipe": check.full_recipe.to_json(),
            "store": self.store,
        }


def run(request: ListRequest) -> Iterator[ListedRun | ListedCheck | Failure]:
    """Yield the runs asked for, by video, stream, endpoint and target, and a failure for each that is damaged.

    After them come what tests found of them; where tests are named, that alone.

    Raises:
        UsageError: The store cannot be used.
        NothingFound: Nothing matches.
    """
    store = Store.open(request.store)
    found, missing = ((), []) if request.selection.tests else _select(store, request)
    has_any = False
    for runs, names in found:
        named = [(names.get(source_of(store, one), one.video), one) for one in runs]
        for name, one in sorted(named, key=_order):
            has_any = True
            yield _list(store, one, name)
    for check in _select_checks(store, request):
        has_any = True
        yield _list_check(store, check)
    if has_any:
        for video in missing:
            yield Failure(video, f"no such run of {video} in {store.location}", hint_for(store, [video]))
    for key in sorted(store.damaged):
        yield Failure(key, f"{key} is damaged", "explain it again, or take it away with `gbvis store rm --damaged`")
    is_narrowed = bool(request.videos) or request.selection != Selection()
    if is_narrowed and not has_any and not store.damaged:
        what = "result of a test" if request.selection.tests else "run"
        raise NothingFound(f"no such {what} in {store.location}", hint_for(store, missing, request.selection.labels))


def _order(named: tuple[str, StoredRun]) -> tuple[object, ...]:
    """Return where a run of a video stands in the list: RGB before flow, endpoints in the network's order."""
    name, run = named
    return name, run.modality != "rgb", run.position, run.endpoint.name, run.target, run.digest


def _select(store: Store, request: ListRequest) -> tuple[Iterator[NamedRuns], list[str]]:
    """Return the runs asked for, video by video, and which of the videos named have none."""
    if not request.videos:
        return _select_everywhere(store, request.selection), []
    found, missing = select_all(store, request.videos, request.selection)
    by_video = groupby(found, key=lambda run: run.video)
    return ((list(runs), name_sources(store, store.runs(name))) for name, runs in by_video), missing


def _select_everywhere(store: Store, selection: Selection) -> Iterator[NamedRuns]:
    """Yield the runs of one video after the other, so that no more than those are in memory."""
    selection.check()
    is_meant = make_filter(store, selection)
    for video in store.videos():
        found = list(store.runs_below(video, selection.modality))
        meant = [run for run in found if is_meant(run)]
        if meant:  # a stream that is left out may tell namesakes apart
            yield meant, name_sources(store, store.runs_below(video) if selection.modality else found)


def select_all(store: Store, videos: tuple[str, ...], selection: Selection) -> tuple[list[StoredRun], list[str]]:
    """Return the runs of these videos, or of all where none is named, that the selection admits.

    Returns:
        The runs, and which of the videos have none.
    """
    selection.check()
    by_video = {video: select_runs(store, video, selection) for video in videos or (None,)}
    found = {run.key: run for runs in by_video.values() for run in runs}
    return list(found.values()), [video for video, runs in by_video.items() if video is not None and not runs]


def hint_for(store: Store, missing: Sequence[str], labels: Sequence[str] = ()) -> str:
    """Return what to do where these videos have no runs, or there are none of these classes."""
    meant = "".join(dict.fromkeys(suggest_name(store, video) for video in missing))
    meant += suggest_labels(store, labels)
    return f"{meant}`gbvis store ls` shows what there is; leave out a filter, or check the name"


def _select_checks(store: Store, request: ListRequest) -> Iterator[StoredCheck]:
    """Yield what tests found of the runs asked for, each once."""
    request.selection.check()
    seen: set[str] = set()
    for video in request.videos or (None,):
        for check in select_checks(store, video, request.selection):
            if check.key not in seen:
                seen.add(check.key)
                yield check


def _list_check(store: Store, check: StoredCheck) -> ListedCheck:
    weights_name = store.weights.name_of(check.recipe)
    return ListedCheck(check, _label_of(store, check), store.location, check.size, _age_of(check), weights_name)


def _list(store: Store, run: StoredRun, name: str) -> ListedRun:
    weights_name = store.weights.name_of(run.recipe)
    truth = run.truth and run.truth.completed(store.weights.labels_of(run.recipe))
    return ListedRun(run, _label_of(store, run), store.location, run.size, _age_of(run), name, weights_name, truth)


def _label_of(store: Store, run: StoredRun | StoredCheck) -> dict[str, Any] | None:
    """Return the class as `{"index", "name"}`, or None at an endpoint without classes."""
    if not run.endpoint.is_class:
        return None
    return {"index": run.target, "name": class_name(store.labels_of(run), run.target)}


def _age_of(run: StoredRun | StoredCheck) -> float | None:
    try:
        made = datetime.fromisoformat(run.made["at"])
        return (datetime.now(UTC) - made).total_seconds()
    except (KeyError, TypeError, ValueError):
        return None
