"""What a store knows of weights files, and the class names that are kept with it."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from written_runs import INFO, NAMES, make_recipe, write_run

from conftest import Call
from gbvis import merge_stores
from gbvis.networks import info as info_module
from gbvis.networks.grid import Cells, Grid
from gbvis.store import Store
from gbvis.store.inventory import find_damage, list_entries

OTHERS = tuple(f"other {number}" for number in range(16))
EXPLAIN = ["explain", "sample:up-4", "-w", "sample", "-m", "rgb", "-e", "FC"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open_or_create(tmp_path / "gbvis.zarr")


def test_records_are_kept_by_the_files_hash(store: Store) -> None:
    flow = replace(INFO, modality="flow", labels=None)
    store.weights.write([INFO, flow])
    again = Store.open(store.location).weights
    assert again.read(INFO.sha256) == [INFO, flow] and [*again.all()] == [INFO, flow]
    assert again.read("b" * 64) == again.read(INFO.sha256, "vmz") == []
    (Path(store.location) / "weights" / INFO.sha256 / "zarr.json").write_text("{")
    assert again.read(INFO.sha256) == []
    store.weights.write([INFO])
    assert again.read(INFO.sha256) == [INFO]


def test_the_last_names_given_hold_for_every_record_of_a_file(store: Store) -> None:
    named = replace(INFO, checkpoint_format="vmz")
    store.weights.write([INFO])
    store.weights.keep_labels(replace(INFO, labels=OTHERS))
    store.weights.write([named], "vmz")  # later, and read as another format
    assert [one.labels for one in store.weights.all()] == [OTHERS, OTHERS]
    assert store.weights.relabel([named]) == [replace(named, labels=OTHERS)]
    store.weights.keep_labels(named)
    assert [one.labels for one in store.weights.all()] == [NAMES, NAMES]
    assert store.weights.labels_of(make_recipe()) == NAMES
    assert store.weights.labels_of(make_recipe(weights="1" * 64)) is None


def test_names_outlast_a_release(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """All else of a record is read from the weights again; meanwhile it is no damage."""
    store.weights.write([INFO])
    assert store.weights.labels_of(make_recipe()) == NAMES
    store.weights.keep_labels(replace(INFO, labels=OTHERS))
    monkeypatch.setattr(info_module, "MADE_BY", "9.9.9, formats 9")
    monkeypatch.setattr("gbvis.store.weights.MADE_BY", "9.9.9, formats 9")
    newer = Store.open(store.location)
    assert newer.weights.read(INFO.sha256) == []
    assert newer.weights.labels_of(make_recipe()) == OTHERS
    assert newer.weights.labels_of(make_recipe(family="vmz")) == OTHERS
    assert not any(find_damage(newer, entry) for entry in list_entries(newer))
    newer.weights.write([INFO])
    assert newer.weights.read(INFO.sha256) == [replace(INFO, labels=OTHERS)]


def test_measured_starts_are_kept_beside_what_the_file_says(store: Store) -> None:
    """In every record of the network; of another one they say nothing."""
    known = replace(INFO, identity="i" * 64, cells={"Conv3d_5_x": Cells((8.0, 16.0, 16.0))})
    other = replace(INFO, identity="j" * 64, sha256="1" * 64)
    store.weights.write([known])
    store.weights.write([known], "vmz")
    store.weights.write([other])
    starts = {"Conv3d_5_x 32x6": (0.5, 3.25, 3.0)}
    store.weights.keep_starts(known, starts)
    again = Store.open(store.location).weights
    measured = replace(known, starts=starts)
    assert again.read(known.sha256) == again.read(known.sha256, "vmz") == [measured]
    assert again.read(other.sha256) == [other]
    assert measured.find_grid("Conv3d_5_x", 16) == Grid("Conv3d_5_x", (0.5, 3.25, 3.0), (8.0, 16.0, 16.0))
    assert measured.find_grid("Conv3d_5_x", 17) is None
    store.weights.keep_starts(measured, {"Conv3d_4_x 24x6": (0.0, 1.0, 1.0)})
    assert [*store.weights.read(known.sha256)[0].starts] == ["Conv3d_5_x 32x6", "Conv3d_4_x 24x6"]


def lie(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    """Return what changes a part of a record."""

    def change(record: dict[str, Any]) -> None:
        for name in path[:-1]:
            record = record[name]
        record[path[-1]] = value

    return change


LIES = [
    lie("networks", value=[]), lie("networks", value={}), lie("networks", "rgb", value=5), lie("files", value=[5]),
    lie("files", value={"/net.pth": [1, 2, 3]}), lie("labels", value=["a"]), lie("labels", value={"rgb": [1]}),
    lie("networks", "rgb", "sha256", value="f" * 64), lie("networks", "rgb", "modality", value="../../x"),
    lie("networks", "rgb", "modality", value="flow"), lie("networks", "rgb", "targets", value={}),
    lie("networks", "rgb", "targets", "FC", value=0), lie("networks", "rgb", "endpoints", value=[]),
    lie("networks", "rgb", "endpoints", 0, "name", value="x"), lie("networks", "rgb", "labels", value=["a"]),
    lie("networks", "rgb", "clip_format", "crop", value=10**9),
    lie("networks", "rgb", "clip_format", "std", value=[0, 0, 0]),
    lie("networks", "rgb", "parameters", value=1.5), lie("networks", "rgb", "fusion_weight", value=10**400),
]  # fmt: skip


def test_records_that_make_no_sense_are_none(store: Store) -> None:
    """With the right checksum: the weights are read again."""
    for change in LIES:
        store.weights.write([INFO])
        write_record(store, change)
        weights = Store.open(store.location).weights
        assert weights.read(INFO.sha256) == [] and [*weights.all()] == []
        assert weights.find_hash(Path("/net.pth"), (1, 2)) is None
        assert weights.labels_of(make_recipe()) in (None, NAMES, ("a",))
        weights.keep_labels(INFO)
        weights.keep_hash(Path("/net.pth"), (1, 2), INFO.sha256)
        weights.write([INFO])
        assert weights.read(INFO.sha256) == [INFO]
        store.storage.remove(f"weights/{INFO.sha256}")


def write_record(store: Store, change: Callable[[dict[str, Any]], None]) -> None:
    from gbvis.store.group import read_attributes, write_attributes

    key = f"weights/{INFO.sha256}"
    record = read_attributes(store.storage, key)
    assert record is not None
    change(record)
    write_attributes(store.storage, key, record)


def test_names_of_another_number_of_classes_are_none(store: Store) -> None:
    store.weights.write([INFO])
    write_record(store, lie("labels", value={"rgb": ["a", "b"]}))
    assert store.weights.read(INFO.sha256) == [INFO]


def groups_of(out: str) -> dict[str, bool]:
    return {line["group"]: line["cached"] for line in map(json.loads, out.splitlines())}


def names_of(call: Call) -> set[str]:
    """Return the class names that `store ls` shows."""
    done = call("store", "ls", "--json")
    return {line["label"]["name"] for line in map(json.loads, done.out.splitlines())}


def test_the_names_that_explain_was_given_last_are_used_everywhere(call: Call, tmp_path: Path) -> None:
    """And nothing of it changes a run's key, or computes it again."""
    (tmp_path / "first.txt").write_text("\n".join(f"first {number}" for number in range(8)))
    (tmp_path / "second.txt").write_text("\n".join(f"second {number}" for number in range(8)))
    assert call(*EXPLAIN, "-l", "up").code == 0
    before = groups_of(call(*EXPLAIN, "-l", "2", "--json").out)
    assert names_of(call) == {"up"}
    for name, others in (("first", "second"), ("second", "first")):
        given = call(*EXPLAIN, "-l", "2", "--labels", f"{name}.txt", "--json")
        assert groups_of(given.out) == dict.fromkeys(before, True)
        assert groups_of(call(*EXPLAIN, "-l", f"{name} 2", "--json").out) == dict.fromkeys(before, True)
        assert names_of(call) == {f"{name} 2"}
        call(*EXPLAIN, "-l", f"{others} 2").check_error(2, f"{others} 2")
        call("store", "ls", "-l", "up").check_error(1, "no such run")
        assert call("render", "-l", f"{name} 2", "-o", f"{name}.png").code == 0
        call("render", "-l", f"{others} 2", "-o", "none.png").check_error(1, "nothing to render")
        assert call("render", "-l", f"{others} 2", "--labels", f"{others}.txt", "-o", f"not-{name}.png").code == 0
    pictures = {path.stem: Image.open(path).tobytes() for path in tmp_path.glob("*.png")}
    assert pictures["first"] == pictures["not-second"] != pictures["second"] == pictures["not-first"]
    assert names_of(call) == {"second 2"}  # what `render` is given is for its pictures alone
    call("store", "rm", "-l", "first 2", "-y").check_error(1, "nothing to remove")
    assert call("store", "rm", "-l", "second 2", "-y").code == 0
    assert names_of(call) == set()


def test_names_are_not_frozen_with_a_run(store: Store) -> None:
    store.weights.write([INFO])
    write_run(store, make_recipe())
    (run,) = store.runs()
    assert store.labels_of(run) == NAMES
    store.weights.keep_labels(replace(INFO, labels=OTHERS))
    assert store.labels_of(run) == OTHERS
    assert "other" not in json.dumps(json.loads(store.storage.read(f"{run.key}/zarr.json")))


def test_names_go_by_the_network_whatever_file_it_is_in(store: Store) -> None:
    one = replace(INFO, identity="a" * 64)
    copy = replace(one, sha256="b" * 64)
    for info in (one, copy):
        store.weights.write([info])
    store.weights.keep_labels(replace(one, labels=OTHERS))
    assert [info.labels for info in store.weights.all()] == [OTHERS, OTHERS]
    assert store.weights.labels_of(make_recipe(weights="a" * 64)) == OTHERS
    assert store.weights.identities_in("b" * 64) == {"a" * 64, "b" * 64}
    unnamed = replace(copy, sha256="c" * 64, labels=None)
    assert store.weights.relabel([unnamed]) == [replace(unnamed, labels=OTHERS)]
    assert store.weights.relabel([replace(unnamed, identity="d" * 64)]) == [replace(unnamed, identity="d" * 64)]


def together(work: Callable[[int], object]) -> None:
    """Do some work eight times at once."""
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work, number) for number in range(8)]:
            done.result()


def test_what_several_keep_at_once_is_all_kept(store: Store, tmp_path: Path) -> None:
    """Each reads a record and writes it back: whoever comes between would be lost."""
    store.weights.write([INFO])
    together(lambda number: Store.open(store.location).weights.keep_hash(Path(f"/{number}"), (1, number), INFO.sha256))
    assert all(store.weights.find_hash(Path(f"/{number}"), (1, number)) for number in range(8))
    assert sorted(path.name for path in Path(store.location).iterdir()) == ["weights", "zarr.json"]  # no lock is left


def test_what_several_merges_add_at_once_is_all_there(tmp_path: Path) -> None:
    for number in range(8):
        weights = Store.open_or_create(tmp_path / f"{number}.zarr").weights
        weights.write([INFO])
        weights.keep_hash(Path(f"/{number}"), (1, number), INFO.sha256)
    Store.open_or_create(tmp_path / "all.zarr")
    together(lambda number: [*merge_stores(tmp_path / f"{number}.zarr", tmp_path / "all.zarr")])
    weights = Store.open(tmp_path / "all.zarr").weights
    assert all(weights.find_hash(Path(f"/{number}"), (1, number)) for number in range(8))


def test_a_record_written_by_two_at_once_keeps_what_the_first_added(store: Store) -> None:
    store.weights.write([INFO])
    store.weights.keep_hash(Path("/net.pth"), (1, 2), INFO.sha256)
    Store.open(store.location).weights.write([INFO])  # who did not find it when it began
    assert store.weights.find_hash(Path("/net.pth"), (1, 2)) == INFO.sha256


def test_the_lock_of_a_killed_process_is_swept_and_that_of_a_living_one_is_not(store: Store) -> None:
    lock = Path(store.location) / ".unfinished-weights.lock"
    lock.write_bytes(b"")
    lock.with_name(f"{lock.name}.holder").write_text("4711 host 2026-01-31 12:00:00\n")
    Store.open_or_create(store.location)
    assert [path.name for path in Path(store.location).iterdir()] == ["zarr.json"]
    with store.storage.locking():
        Store.open_or_create(store.location)
        assert lock.exists()
