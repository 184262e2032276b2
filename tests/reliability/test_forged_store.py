"""Records of a store that make no sense, with the right keys and checksums: somebody wrote them so, or a fault of ours.

`forged.py` beside this makes such records by the thousand, and tries more commands on each.
"""

import json
import random
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from forged import (
    CLIPS,
    DELETED,
    EXPLAIN,
    FLOW,
    RUN,
    STRANGE,
    WEIGHTS,
    change,
    find_group,
    forge,
    list_paths,
    read_record,
    write_record,
)

from conftest import Call
from gbvis.cli.app import run_command_line
from gbvis.errors import StoreError
from gbvis.store import Store
from gbvis.store.inventory import Entry, find_damage, list_entries
from gbvis.store.keys import kind_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a run of flow that was estimated, its clips, its flow and the record of its weights."""
    store = tmp_path_factory.mktemp("whole") / "gbvis.zarr"
    assert run_command_line([*EXPLAIN, "--store", str(store), "--quiet"]) == 0
    return store


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, in the folder that calls are typed in."""
    return shutil.copytree(whole, tmp_path / "gbvis.zarr")


@pytest.mark.parametrize("pattern", [RUN, CLIPS, WEIGHTS, FLOW])
def test_every_part_of_a_record(call: Call, store: Path, pattern: str) -> None:
    """Whatever it is replaced by, it is read or it is damage, and the next `explain` mends what it needs."""
    chance = random.Random(pattern)
    group = find_group(store, pattern)
    whole, key = (group / "zarr.json").read_bytes(), group.relative_to(store).as_posix()
    entry = Entry(kind_of(key), key, 0)
    paths = [*list_paths(read_record(group))]
    assert len(paths) > 15
    for path in paths:
        for new in (DELETED, chance.choice(STRANGE)):
            write_changed(group, read_record(group), path, new)
            opened = Store.open(store)
            find_damage(opened, entry)
            for run in opened.runs():
                assert run.read_clips() and run.recipe.method_name
                with suppress(StoreError):  # another checksum
                    assert run.to_numpy().shape[0] == len(run.value)
            opened.endpoints()
            (group / "zarr.json").write_bytes(whole)
    write_changed(group, read_record(group), paths[0], DELETED)
    assert call("store", "verify").code == 1
    assert call(*EXPLAIN).code == 0
    assert call("store", "verify").code == 0


def write_changed(group: Path, record: dict[str, Any], path: tuple[Any, ...], new: Any) -> None:
    change(record, path, new)
    write_record(group, record)


KIND_OF = {RUN: "run", CLIPS: "clips", WEIGHTS: "weights", FLOW: "flow"}

LIES: dict[str, list[tuple[tuple[Any, ...], Any]]] = {
    RUN: [
        (("recipe", "method", "settings"), DELETED),
        (("recipe", "method", "name"), 5),
        (("recipe", "flow", "algorithm"), [1]),
        (("recipe", "clips"), []),
        (("recipe", "clips", 0), [1, 2]),
        (("recipe", "clips", 0, 0), 10**400),
        (("recipe", "modality"), "../../x"),
        (("endpoint", "name"), "../../../outside"),
        (("clips",), "../../../../outside"),
        (("clips",), "x\0y"),
        (("arrays", "gradient", "axes"), ["clip", "x", "x", "y", "x"]),
        (("arrays", "gradient", "axes"), ["clip", "x", "y", "channel", "sample"]),
        (("arrays", "gradient", "axes"), ["sample", "channel", "time", "y", "x"]),
        (("arrays", "value", "shape"), [1, 10**18]),
        (("value", 0), 10**400),
    ],
    CLIPS: [
        (("frame_count",), 0),
        (("frame_count",), 10**18),
        (("source_box",), [1, 1, 1, 1]),
        (("arrays", "pixels", "chunk_length"), 10**18),
        (("arrays", "pixels", "shape"), [1, 16, 112, 56, 2]),
        (("arrays", "pixels", "shape"), [1, 16, 56, 56, 2]),
    ],
    WEIGHTS: [
        (("files",), 5),
        (("labels",), "\ud800"),
        (("networks", "flow", "targets"), {}),
        (("networks", "flow", "labels"), ["a"]),
    ],
    FLOW: [
        (("arrays", "motion", "shape"), [10, 2, 256, 340]),
    ],
}
"""Each was a traceback, a way out of the store or the output, or an error without end, once."""


@pytest.mark.parametrize("pattern", LIES)
def test_records_that_are_damage(call: Call, whole: Path, tmp_path: Path, pattern: str) -> None:
    """Under the keys that they make, with arrays that fit them: named, not served, and mended where they are needed."""
    for path, new in LIES[pattern]:
        shutil.rmtree(tmp_path / "gbvis.zarr", ignore_errors=True)
        shutil.copytree(whole, tmp_path / "gbvis.zarr")
        forge(tmp_path / "gbvis.zarr", pattern, path, new)
        store = Store.open("gbvis.zarr")
        damage = {entry.kind: find_damage(store, entry) for entry in list_entries(store)}
        assert damage[KIND_OF[pattern]], (path, new)
        assert bool([*store.runs()]) == (pattern in (FLOW, WEIGHTS)), (path, new)
    for words in (["store", "ls"], ["render", "-o", "a.csv"]):
        done = call(*words)
        assert done.code == (pattern in (RUN, CLIPS)) and "Traceback" not in done.err, done.err
    assert call(*EXPLAIN, "-l", 1).code == call(*EXPLAIN).code == 0
    assert call("store", "rm", "--damaged", "-y").code == 0  # what lies under a key that nobody asks for
    assert call("store", "verify").code == 0
    assert not [path for path in tmp_path.iterdir() if path.name not in ("gbvis.zarr", "a.csv")]


def test_flow_of_more_pairs_than_there_can_be(call: Call, store: Path) -> None:
    """They are not done yet, all of them; looking for them takes no longer than for those that are there."""
    forge(store, FLOW, ("arrays", "motion", "shape", 0), 10**15)
    assert call("store", "verify").code == 0
    assert call(*EXPLAIN, "-l", 1).code == 0


def test_a_score_of_no_class(call: Call, store: Path) -> None:
    forge(store, RUN, ("scores", 0, "index"), -(10**6))
    assert call("render", "--size", "56").code == 0


def test_a_record_of_other_weights(call: Call, store: Path) -> None:
    """Only the network itself tells: refused once it is loaded."""
    forge(store, WEIGHTS, ("networks", "flow", "parameters"), 5)
    call(*EXPLAIN, "-l", 1).check_error(2, "is not what the file holds", "weights/")


def test_numbers_that_are_none(call: Call, store: Path) -> None:
    """Python's JSON reads NaN, which is none, and 1e999, which is infinite: neither was ever written."""
    group = find_group(store, RUN)
    for number in ("NaN", "1e999", "-Infinity"):
        metadata = json.loads((group / "zarr.json").read_text())
        (group / "zarr.json").write_text(json.dumps(metadata).replace(str(metadata["attributes"]["value"][0]), number))
        assert "its metadata is missing or damaged" in call("store", "verify").out
        assert call(*EXPLAIN).code == 0
