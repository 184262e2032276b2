"""A store of many videos: what is about one of them reads nothing of the others, and a list comes while it is read."""

import json
from pathlib import Path

import pytest
from written_runs import INFO, make_recipe, write_run

from conftest import Call
from gbvis.steps.store.ls import ListRequest
from gbvis.steps.store.ls import run as list_runs
from gbvis.store import Store
from gbvis.store.local import LocalStorage

VIDEOS = ("clip", "other", "third")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of three videos with a run each, all of the same weights."""
    store = Store.open_or_create(tmp_path / "gbvis.zarr")
    store.weights.write([INFO])
    for video in VIDEOS:
        write_run(store, make_recipe(), video)
    return tmp_path / "gbvis.zarr"


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The first parts of the keys that are read or listed."""
    seen: set[str] = set()
    for name in ("read", "list_folders", "list_files"):
        whole = getattr(LocalStorage, name)

        def noting(storage: LocalStorage, key: str, *more: int, whole: object = whole) -> object:
            seen.add(key.split("/")[0])
            return whole(storage, key, *more)  # type: ignore[operator]

        monkeypatch.setattr(LocalStorage, name, noting)
    return seen


def test_rm_of_one_video_looks_at_no_other(call: Call, path: Path, looked_at: set[str]) -> None:
    kept = {file: file.read_bytes() for file in path.rglob("*") if file.is_file() and "clip" not in file.parts}
    gone = call("store", "rm", "clip", "--store", path, "--json").out.splitlines()
    assert [json.loads(line)["kind"] for line in gone] == ["run", "clips"]
    assert "clip" in looked_at and not {"other", "third"} & looked_at
    assert not (path / "clip").exists()
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == kept  # the weights' record too


def test_render_and_ls_of_one_video_look_at_no_other(call: Call, path: Path, looked_at: set[str]) -> None:
    assert call("store", "ls", "clip", "--store", path).code == 0
    assert call("render", "clip", "--store", path, "-o", path.with_name("one.png")).code == 0
    assert "clip" in looked_at and not {"other", "third"} & looked_at


def test_rm_of_the_last_runs_leaves_the_record_of_their_weights(call: Call, path: Path) -> None:
    assert call("store", "rm", *VIDEOS, "--store", path).code == 0
    assert Store.open(path).weights.read("0" * 64) == [INFO]
    assert "1 weights record" in call("store", "rm", "--all", "--store", path).out
    assert not Store.open(path).weights.read("0" * 64)


def test_rm_unfinished_leaves_the_record_of_weights_that_a_run_uses(call: Call, path: Path) -> None:
    """Of one that is damaged nobody knows which it uses."""
    assert "nothing" in call("store", "rm", "--unfinished", "--store", path).out
    for metadata in path.glob("*/rgb/FC/*/zarr.json"):
        metadata.write_text("{")
    assert "nothing" in call("store", "rm", "--unfinished", "--store", path).out
    assert Store.open(path).weights.read("0" * 64) == [INFO]


def test_ls_gives_each_video_before_it_reads_the_next(path: Path, looked_at: set[str]) -> None:
    listed = list_runs(ListRequest(path))
    for number, video in enumerate(VIDEOS, 1):
        assert next(listed).to_json()["video"] == video  # type: ignore[union-attr]
        assert looked_at & {*VIDEOS} == {*VIDEOS[:number]}


def test_a_run_says_its_size(path: Path) -> None:
    for one in list_runs(ListRequest(path)):
        files = (path / one.to_json()["group"]).rglob("*")
        assert one.to_json()["bytes"] == sum(file.stat().st_size for file in files if file.is_file())
