"""The class that a list gives a video: kept with its runs, and no part of what decides their numbers."""

import json
from pathlib import Path

import pytest

from conftest import Call, CopyStore
from gbvis.networks.prediction import TrueClass
from gbvis.store import Store, StoredRun

SAMPLE = "sample:left-1"
EXPLAIN = ("explain", "-w", "sample", "-m", "rgb", "-e", "FC", "-n", "4", "--json", "-q")


def explain(call: Call, folder: Path, line: str) -> dict[str, object]:
    (folder / "list.txt").write_text(f"{line}\n")
    done = call(*EXPLAIN, "--videos-from", "list.txt", "-l", "0")
    assert done.code == 0, done.err
    return dict(json.loads(done.out))


def read_run(folder: Path) -> StoredRun:
    (run,) = Store.open(folder / "gbvis.zarr").runs()
    return run


def test_a_lists_class_is_kept_beside_the_run(call: Call, tmp_path: Path) -> None:
    said = explain(call, tmp_path, f"{SAMPLE} 1")
    assert said["truth"] == {"index": 1, "name": "right"} and said["target"] == 0
    assert read_run(tmp_path).truth == TrueClass(1)
    listed = json.loads(call("store", "ls", "--json").out)
    assert listed["truth"] == {"index": 1, "name": "right"}


def test_a_cached_run_takes_over_another_label(call: Call, tmp_path: Path) -> None:
    first = explain(call, tmp_path, SAMPLE)
    before = read_run(tmp_path)
    assert first["truth"] is None and before.truth is None
    said = explain(call, tmp_path, f"{SAMPLE} turn-left")
    after = read_run(tmp_path)
    assert said["cached"] and after.truth == TrueClass(4, "turn-left")
    assert (after.key, after.arrays, after.requests) == (before.key, before.arrays, before.requests)
    assert after.find_damage(is_thorough=True) is None
    explain(call, tmp_path, SAMPLE)  # a list without labels says nothing
    assert read_run(tmp_path).truth == TrueClass(4, "turn-left")


def test_a_name_that_the_network_does_not_know_has_no_index(call: Call, tmp_path: Path) -> None:
    said = explain(call, tmp_path, f"{SAMPLE} 2")
    truth = TrueClass(None, "jumping").completed(("left", "right"))
    assert said["truth"] == {"index": 2, "name": "up"}
    assert truth == TrueClass(None, "jumping") and TrueClass(None, "Turn Left").completed(("turn-left",)).index == 0


def test_a_store_that_cannot_be_written_fails_no_call(
    copy_store: CopyStore, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_store(SAMPLE, *EXPLAIN[1:-2], "-l", "0")

    def refuse(*_: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr("gbvis.store.run.write_attributes", refuse)
    said = explain(call, tmp_path, f"{SAMPLE} 3")
    assert said["cached"] and said["truth"] == {"index": 3, "name": "down"}
    assert read_run(tmp_path).truth is None
