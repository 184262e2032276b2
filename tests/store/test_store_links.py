"""A store whose content somebody else has made: nothing in it leads out of it, or out of where pictures go."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Call

EXPLAIN = ["explain", "sample:up-4", "-w", "sample", "-e", "FC", "-l", "2"]
LINKED = ["up-4", "up-4/rgb", "up-4/rgb/FC", "up-4/rgb/clips", "weights"]


def list_files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("part", LINKED)
def test_nothing_is_written_through_a_link(call: Call, tmp_path: Path, part: str) -> None:
    words = [*EXPLAIN, "-m", "rgb"]
    assert call(*words).code == 0
    store, outside = tmp_path / "gbvis.zarr", tmp_path / "outside"
    (store / part).rename(outside)
    (store / part).symlink_to(outside)
    before = list_files(outside)
    for more in ("--force",), ("--clips", 2):
        done = call(*words, *more)
        if part == "weights":  # cards are kept where they can be
            assert done.code == 0
        else:
            done.check_error(1, "is a symbolic link, and would lead out of the store", "--store")
    assert list_files(outside) == before
    assert not [*store.glob(".unfinished-*")]


def test_a_link_in_the_place_of_one_video_stops_no_other(call: Call, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    assert call(*EXPLAIN).code == 0
    (tmp_path / "gbvis.zarr/down-1").symlink_to(tmp_path / "outside")
    (tmp_path / "gbvis.zarr/loop").symlink_to("loop")
    done = call(*EXPLAIN[:1], "sample:down-1", *EXPLAIN[1:], "-m", "rgb")
    done.check_error(1, "gbvis.zarr/down-1 is a symbolic link")
    assert done.out.count("up-4") == 1
    assert call("render", "--size", 56).out.count("up-4") == 2
    assert not [*(tmp_path / "outside").iterdir()]


def test_flow_is_not_kept_behind_a_link(call: Call, video_file: Path, tmp_path: Path) -> None:
    words = ["explain", video_file, "-w", "sample", "-m", "flow", "--flow-algorithm", "dis", "-n", 3]
    assert call(*words).code == 0
    (motion,) = (tmp_path / "gbvis.zarr/moving-disc/flow").glob("dis-*/motion")
    motion.rename(tmp_path / "outside")
    motion.symlink_to(tmp_path / "outside")
    before = list_files(tmp_path / "outside")
    assert call(*words, "--start", 0).code == 0
    assert list_files(tmp_path / "outside") == before
    assert not motion.is_symlink()


def test_the_store_itself_may_be_a_link(call: Call, tmp_path: Path) -> None:
    assert call(*EXPLAIN).code == 0
    (tmp_path / "gbvis.zarr").rename(tmp_path / "disk")
    (tmp_path / "gbvis.zarr").symlink_to("disk")
    assert call(*EXPLAIN, "-e", "AP").out.count("computed in") == 2
    assert call(*EXPLAIN).out.count("cached") == 2
    assert call("render", "--size", 56).code == 0


def set_recipe(part: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda attributes: attributes["recipe"].__setitem__(part, value)


@pytest.mark.parametrize(
    "lie",
    [
        set_recipe("modality", "../../../outside/x"), set_recipe("modality", "/tmp/x"),
        set_recipe("modality", "x/../../y"),
        set_recipe("endpoint", "../x"), set_recipe("target", "../../x"), set_recipe("target", 3),
        lambda attributes: attributes.__setitem__("clips", "../../../../outside"),
        lambda attributes: attributes.__setitem__("clips", "x\0y"),
    ],
)  # fmt: skip
def test_a_run_is_what_its_place_says_or_damaged(
    call: Call, tmp_path: Path, lie: Callable[[dict[str, Any]], None]
) -> None:
    assert call(*EXPLAIN).code == 0
    (run,) = (tmp_path / "gbvis.zarr/up-4/rgb/FC").glob("*/zarr.json")
    metadata = json.loads(run.read_text())
    lie(metadata["attributes"])
    run.write_text(json.dumps(metadata))
    (tmp_path / "outside").mkdir()
    (tmp_path / "out").mkdir()
    done = call("render", "-o", "out", "--size", 56)
    done.check_error(1, "up-4/rgb/FC/2-guided-backprop", "is damaged")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["up-4.flow.FC.2.gif"]
    assert not [*(tmp_path / "outside").iterdir()]
    assert call(*EXPLAIN).out.count("computed in") == 1
    assert call("render", "-o", "out", "--size", 56).code == 0
