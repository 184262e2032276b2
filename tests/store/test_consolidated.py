"""`zarr.consolidate_metadata` over a store of ours, as people do who open it with Zarr: nothing is damaged by it."""

import json

import pytest
import zarr

from conftest import Call, CopyStore

WORDS = ["sample:up-4", "-w", "sample", "-m", "rgb", "-e", "FC"]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("where", ["", "up-4", "up-4/rgb/FC", "run", "weights"])
def test_nothing_is_damaged_and_work_goes_on(call: Call, copy_store: CopyStore, where: str) -> None:
    root = copy_store(*WORDS)
    (run,) = (root / "up-4/rgb/FC").glob("2-*")
    place = run.relative_to(root).as_posix() if where == "run" else where
    zarr.consolidate_metadata(root, path=place or None)
    metadata = root / place / "zarr.json"
    assert json.loads(metadata.read_text())["consolidated_metadata"]
    assert "all of it is sound" in call("store", "verify").out
    assert len(call("store", "ls", "--json").out.splitlines()) == 1
    assert "cached" in call("explain", *WORDS).out
    assert "computed in" in call("explain", *WORDS, "-e", "AP").out
    assert call("render", "-e", "fc", "--size", 56).code == 0
    group = zarr.open_group(root, mode="r")
    assert {*group["up-4/rgb"]} >= {"AP", "FC", "clips"}  # what was added later is seen
    assert "all of it is sound" in call("store", "verify").out
    assert "removed 2 runs" in call("store", "rm", "up-4").out and call("store", "verify").code == 0
