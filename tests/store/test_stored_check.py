"""Checks in a store: whole or damaged, never something else; and in a bucket as in a folder."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import Call, CopyStore
from gbvis.attribution.checks import parse_checks
from gbvis.attribution.checks.check import Finding
from gbvis.errors import StoreError
from gbvis.networks.sample import find_weights
from gbvis.progress import Failure
from gbvis.steps.check import CheckedRun, CheckRequest
from gbvis.steps.check import run as check
from gbvis.steps.explain import ExplainRequest
from gbvis.steps.networks import WeightsRequest
from gbvis.store import CheckRecipe, Store, StoredCheck
from gbvis.store.check import write_check
from gbvis.store.group import read_attributes, write_attributes
from gbvis.store.keys import kind_of
from gbvis.videos.name_list import VideoEntry

EXPLAINED = "sample:turn-left-3", "-w", "sample", "-m", "rgb", "-e", "FC"
TEST = {"name": "time", "version": 1, "settings": {"shuffles": 10}}
FINDING = Finding(0.5, {"edges": 0.25}, (0.25, 0.75), {"score": 1.0}, {"a": np.arange(3.0), "a@edges": np.ones(2)})


def keep(store: Store, finding: Finding = FINDING, seed: int = 0) -> StoredCheck:
    """Return what was found of the store's only run, once it is kept."""
    (run,) = store.runs()
    recipe = CheckRecipe(run.recipe, TEST, seed)
    write_check(store.storage, run, recipe, [finding], finding, {"verdict": "half", "made": {}}, force=True)
    found = store.find_check(run.video, recipe)
    assert found
    return found


@pytest.fixture
def store(copy_store: CopyStore) -> Store:
    return Store.open(copy_store(*EXPLAINED))


def test_what_is_kept_is_read_back(store: Store) -> None:
    found = keep(store)
    assert (found.value, found.values, found.baselines) == (0.5, [0.5], {"edges": 0.25})
    assert (found.interval, found.details, found.verdict) == ((0.25, 0.75), {"score": 1.0}, "half")
    assert {name: curve.tolist() for name, curve in found.drawn.items()} == {"a": [0, 1, 2], "a@edges": [1, 1]}
    assert kind_of(found.key) == "check" and found.key.startswith("turn-left-3/rgb/FC/check-time-4-guided-backprop-")
    assert list(store.checks("turn-left-3", "rgb")) == [found] and not list(store.checks(modality="flow"))
    assert len(list(store.runs())) == 1 and found.read_clips().frames == found.recipe.clips
    assert keep(store, Finding(2.0)).drawn == {}  # in its place, and without curves


def test_the_digest_covers_the_run_the_test_the_seed_and_masks(store: Store) -> None:
    (run,) = store.runs()
    one = CheckRecipe(run.recipe, TEST, 0)
    others = [
        CheckRecipe(run.recipe, {**TEST, "version": 2}, 0),
        CheckRecipe(run.recipe, {**TEST, "settings": {"shuffles": 9}}, 0),
        CheckRecipe(run.recipe, TEST, 1),
        CheckRecipe(run.recipe, TEST, 0, {"kind": "mover"}),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 5
    assert set(one.to_json()) == {"run", "test", "seed"}


def change(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda attributes: attributes.__setitem__(name, value)


@pytest.mark.parametrize(
    "forge",
    [
        change("kind", "signed"),
        change("value", "0.5"),
        change("values", [0.5, 0.5]),
        change("baselines", {"corners": 0.25}),
        change("interval", [1.0]),
        change("curves", ["a"]),
        change("seed", 1),
        change("test", {**TEST, "name": "../../x"}),
        change("test", {**TEST, "settings": [1]}),
        change("video", "another"),
        change("endpoint", {"name": "AP", "aliases": [], "target_kind": "filter", "value_name": "activation"}),
        lambda attributes: attributes.pop("verdict"),
    ],
)
def test_what_makes_no_sense_is_damaged(store: Store, call: Call, forge: Callable[[dict[str, Any]], None]) -> None:
    key = keep(store).key
    attributes = read_attributes(store.storage, key)
    assert attributes
    forged = copy.deepcopy(attributes)
    forge(forged)
    write_attributes(store.storage, key, forged)
    assert StoredCheck.read(store.storage, key) is None
    assert not list(store.checks()) and store.damaged == {key}
    listed = call("store", "ls", "--store", store.location)
    assert listed.code == 1 and "damaged" in listed.err and "Traceback" not in listed.err
    assert call("store", "verify", "--store", store.location).code == 1
    assert call("check", "--report", "--store", store.location).code == 1
    assert call("store", "rm", "--damaged", "-y", "--store", store.location).code == 0
    assert call("store", "verify", "--store", store.location).code == 0


def test_a_verdict_cannot_steer_a_terminal(store: Store, call: Call) -> None:
    key = keep(store).key
    attributes = read_attributes(store.storage, key)
    assert attributes
    test = {**TEST, "settings": {"shuffles": "\x1b[2J"}}
    write_attributes(store.storage, key, {**attributes, "verdict": "\x1b[2J"})
    assert "\x1b" not in call("store", "ls", "--store", store.location).out
    (run,) = store.runs()
    about = {"verdict": "\x1b[2J", "made": {}}
    write_check(store.storage, run, CheckRecipe(run.recipe, test, 0), [FINDING], FINDING, about, force=False)
    for words in (["store", "ls"], ["check", "--report"]):
        called = call(*words, "--store", store.location)
        assert called.code == 0 and "\x1b" not in called.out


def test_clips_that_are_gone_are_said_to_be(store: Store) -> None:
    found = keep(store)
    store.storage.remove(found.clips_key)
    with pytest.raises(StoreError, match="are gone"):
        found.read_clips()


def test_a_bucket_keeps_checks_as_a_folder_does() -> None:
    weights = WeightsRequest((find_weights(Path("sample")),), modality="rgb", device="cpu")
    explained = ExplainRequest((VideoEntry("sample:up-4"),), weights, "memory://checks.zarr", endpoints=("FC",))
    request = CheckRequest(explained, parse_checks(["time:shuffles=1"]))
    found: list[CheckedRun | Failure] = [*check(request), *check(request)]
    assert [one.is_cached for one in found if isinstance(one, CheckedRun)] == [False, True]
    assert len(list(Store.open("memory://checks.zarr").checks())) == 1
