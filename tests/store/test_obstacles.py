"""A link, a folder, a file or a pipe where the store keeps something else: never followed, and mended where it can be.

Who put it there may mean harm, or have moved a part of the store to another disk.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Call, CopyStore

pytestmark = pytest.mark.slow

EXPLAIN = ["explain", "sample:up-4", "-w", "sample", "-m", "flow", "-e", "FC", "--flow-algorithm", "dis"]


def put_link(path: Path) -> None:
    """To what was there, elsewhere."""
    (store,) = (parent for parent in path.parents if parent.name == "gbvis.zarr")
    outside = store.with_name("outside")
    outside.mkdir(exist_ok=True)
    elsewhere = outside / str(path.relative_to(store)).replace("/", " ")
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)


def put_dangling_link(path: Path) -> None:
    clear(path)
    path.symlink_to("/nowhere")


def put_folder(path: Path) -> None:
    clear(path)
    path.mkdir()


def put_file(path: Path) -> None:
    clear(path)
    path.write_text("x")


def put_pipe(path: Path) -> None:
    clear(path)
    os.mkfifo(path)


def clear(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def list_files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


OF_GROUPS = ["weights/[0-9a-f]*/zarr.json", "up-4/flow/FC/2-*/zarr.json", "up-4/flow/clips/*/zarr.json",
             "up-4/flow/dis-*/zarr.json"]  # fmt: skip
OF_LEVELS_AND_ARRAYS = [
    "weights/zarr.json", "up-4/zarr.json", "up-4/flow/zarr.json", "up-4/flow/FC/zarr.json", "up-4/flow/clips/zarr.json",
    "up-4/flow/FC/2-*/gradient/zarr.json", "up-4/flow/clips/*/pixels/zarr.json", "up-4/flow/dis-*/motion/zarr.json",
]  # fmt: skip
CHUNKS = ["up-4/flow/FC/2-*/gradient/c.0.*", "up-4/flow/FC/2-*/value/c.0", "up-4/flow/clips/*/pixels/c.0.*"]
PAIR = ["up-4/flow/dis-*/motion/c.4.*"]
GROUPS = ["up-4/flow/FC/2-*", "up-4/flow/clips/[0-9a-f]*", "up-4/flow/dis-*", "weights/[0-9a-f]*"]
LEVELS = ["up-4", "up-4/flow", "up-4/flow/FC", "up-4/flow/clips"]

PLACES = [
    (parts, put)
    for parts in (OF_GROUPS, OF_LEVELS_AND_ARRAYS, CHUNKS, PAIR)
    for put in (put_link, put_dangling_link, put_folder, put_pipe)
    if not (parts == PAIR and put == put_folder)  # a pair that is not there is not done yet: see below
] + [(GROUPS, put) for put in (put_link, put_dangling_link, put_file)]


@pytest.mark.parametrize(("parts", "put"), PLACES)
def test_in_the_place_of_a_file_or_a_group(
    call: Call, copy_store: CopyStore, tmp_path: Path, parts: list[str], put: Callable[[Path], None]
) -> None:
    """In that of all of a kind at once: each is named, and mended by the next call; nothing elsewhere is written."""
    store = copy_store(*EXPLAIN[1:])
    paths = [path for part in parts for path in store.glob(part) if path.is_dir() or parts != GROUPS]
    assert len(paths) == len(parts)
    for path in paths:
        put(path)
    before = list_files(tmp_path / "outside")
    verified = call("store", "verify", "--json")
    assert verified.code == (parts != GROUPS) and "Traceback" not in verified.err, verified.err  # no group, no damage
    done = call(*EXPLAIN)
    assert done.code == 0, done.err
    assert call("store", "verify").code == 0, call("store", "verify").out
    assert "cached" in call(*EXPLAIN).out
    assert list_files(tmp_path / "outside") == before
    assert not any(path.is_symlink() for path in store.rglob("*"))


def test_a_folder_in_the_place_of_a_pair_of_flow(call: Call, copy_store: CopyStore, tmp_path: Path) -> None:
    store = copy_store(*EXPLAIN[1:])
    (pair,) = store.glob(PAIR[0])
    put_folder(pair)
    (pair / "c.5.0.0.0").write_text("x")
    shutil.rmtree(store / "up-4/flow/FC")
    shutil.rmtree(store / "up-4/flow/clips")
    assert call(*EXPLAIN).code == 0
    assert pair.is_file()


@pytest.mark.parametrize("put", [put_link, put_dangling_link, put_file])
def test_in_the_place_of_a_level(
    call: Call, copy_store: CopyStore, tmp_path: Path, put: Callable[[Path], None]
) -> None:
    """It may be somebody's way to another disk: refused, never followed, never removed; what lies there is not seen."""
    store = copy_store(*EXPLAIN[1:])
    for part in LEVELS:
        shutil.copytree(store, tmp_path / "whole")
        put(store / part)
        before = list_files(tmp_path / "outside")
        call(*EXPLAIN).check_error(1, "cannot write to the store", "move it away")
        call(*EXPLAIN, "--force").check_error(1, "cannot write to the store", part)
        for words in (["store", "rm", "--damaged", "-y"], ["store", "rm", "--all", "-y"], ["store", "ls"]):
            assert "Traceback" not in call(*words).err
        assert os.path.lexists(store / part) and ((store / part).is_symlink() or put == put_file)
        assert list_files(tmp_path / "outside") == before
        shutil.rmtree(store)
        (tmp_path / "whole").rename(store)
    assert "cached" in call(*EXPLAIN).out


def test_a_link_in_the_place_of_the_weights_records(call: Call, copy_store: CopyStore, tmp_path: Path) -> None:
    """Records are kept where they can be: the call does without."""
    copy_store(*EXPLAIN[1:])
    put_link(tmp_path / "gbvis.zarr/weights")
    before = list_files(tmp_path / "outside")
    assert "cached" in call(*EXPLAIN).out
    assert "computed in" in call(*EXPLAIN, "--force").out
    assert list_files(tmp_path / "outside") == before


def test_a_link_in_the_place_of_one_video_stops_no_other(call: Call, copy_store: CopyStore, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    copy_store(*EXPLAIN[1:])
    (tmp_path / "gbvis.zarr/down-1").symlink_to(tmp_path / "outside")
    (tmp_path / "gbvis.zarr/loop").symlink_to("loop")
    done = call(*EXPLAIN[:1], "sample:down-1", *EXPLAIN[1:])
    done.check_error(1, "gbvis.zarr/down-1 is a symbolic link")
    assert done.out.count("up-4") == 1
    assert call("render", "--size", 56).out.count("up-4") == 1
    assert not [*(tmp_path / "outside").iterdir()]


def test_the_store_itself_may_be_a_link(call: Call, copy_store: CopyStore, tmp_path: Path) -> None:
    copy_store(*EXPLAIN[1:])
    (tmp_path / "gbvis.zarr").rename(tmp_path / "disk")
    (tmp_path / "gbvis.zarr").symlink_to("disk")
    assert call(*EXPLAIN, "-e", "AP").out.count("computed in") == 1
    assert call(*EXPLAIN).out.count("cached") == 1
    assert call("render", "--size", 56).code == 0
