"""`gbvis store merge`, on real stores: what is joined is what one process would have made."""

import json
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from written_runs import INFO, Still, make_recipe, write_run

import gbvis
from conftest import Call, CopyStore
from gbvis.attribution.estimate import Estimate
from gbvis.errors import NothingFound
from gbvis.networks.endpoint import FC, Target
from gbvis.store import Store
from gbvis.store.inventory import list_entries

SAMPLES = ["sample:up-4", "sample:down-4", "sample:grow-3", "sample:left-1"]
WORDS = ["-w", "sample", "-m", "rgb", "-e", "Conv3d_4_x", "-e", "FC"]
ESTIMATED = ["-w", "sample", "-m", "flow", "--flow-algorithm", "farneback", "-n", "4"]


def read_files(store: Path) -> dict[str, bytes]:
    """Return every file of a store, by its path."""
    return {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}


def read_arrays(store: Path) -> dict[str, bytes]:
    """Return every chunk of a store."""
    return {name: content for name, content in read_files(store).items() if "/c." in name}


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


def find_chunk(store: Path, pattern: str) -> Path:
    (chunk,) = store.glob(f"{pattern}/c.0.*")
    return chunk


@pytest.fixture(scope="session")
def shards(make_store: Callable[..., Path]) -> list[Path]:
    """Three stores of one list of videos, a shard each; two of them share a video."""
    return [make_store(*SAMPLES, *WORDS, "--shard", f"{number}/3") for number in (1, 2, 3)]


def test_the_merge_of_shards_is_the_store_of_one_process(
    call: Call, shards: list[Path], make_store: Callable[..., Path], tmp_path: Path
) -> None:
    before = [read_files(shard) for shard in shards]
    done = call("store", "merge", *shards, "-o", "all.zarr")
    assert done.code == 0 and ": 2 there already, 0 with other numbers, 0 damaged" in done.out  # the weights' record
    whole, merged = make_store(*SAMPLES, *WORDS), tmp_path / "all.zarr"
    assert read_arrays(merged) == read_arrays(whole) and len(read_arrays(merged)) == 5 * len(SAMPLES)
    assert {one.key for one in list_entries(Store.open(merged))} == {one.key for one in list_entries(Store.open(whole))}
    assert call("store", "verify", "--store", "all.zarr").code == 0
    again = call("explain", *SAMPLES, *WORDS, "--store", "all.zarr")
    assert again.out.count("cached") == 2 * len(SAMPLES)
    assert [read_files(shard) for shard in shards] == before


def test_what_is_there_is_not_copied_again(call: Call, shards: list[Path], tmp_path: Path) -> None:
    assert call("store", "merge", *shards, "-o", "all.zarr").code == 0
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "all.zarr").rglob("*")}
    found = lines(call("store", "merge", *shards, "-o", "all.zarr", "--json").out)
    assert all(one["cached"] and not one["copied"] and not one["differs"] for one in found)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "all.zarr").rglob("*")} == times


def test_the_output_may_be_one_of_the_stores(call: Call, copy_store: CopyStore, shards: list[Path]) -> None:
    copy_store(*SAMPLES, *WORDS, "--shard", "1/3", name="all.zarr")
    found = lines(call("store", "merge", "all.zarr", *shards[1:], "-o", "all.zarr", "--json").out)
    assert {one["source"] for one in found} == {str(shard) for shard in shards[1:]}
    assert call("store", "merge", "all.zarr", "-o", "all.zarr").out.startswith("copied 0 groups")
    assert call("store", "verify", "--store", "all.zarr").code == 0


def test_a_dry_run_says_the_same_and_copies_nothing(call: Call, shards: list[Path], tmp_path: Path) -> None:
    dry = call("store", "merge", *shards, "-o", "all.zarr", "--dry-run")
    assert dry.code == 0 and not (tmp_path / "all.zarr").exists()
    done = call("store", "merge", *shards, "-o", "all.zarr")
    assert dry.out == done.out.replace("copied", "would copy")


def test_what_is_damaged_is_named_and_the_rest_is_copied(call: Call, copy_store: CopyStore, tmp_path: Path) -> None:
    store = copy_store(SAMPLES[0], *WORDS, name="a.zarr")
    flip(find_chunk(store, "up-4/rgb/FC/*/gradient"))
    done = call("store", "merge", "a.zarr", "-o", "all.zarr")
    done.check_error(1, "up-4/rgb/FC/2-guided-backprop", "a.zarr is damaged: the checksum of chunk 0 of gradient")
    assert "1 damaged" in done.out and len(list(Store.open("all.zarr").runs())) == 1
    copy_store(SAMPLES[0], *WORDS, name="b.zarr")
    assert "copied 1 group" in call("store", "merge", "b.zarr", "-o", "all.zarr").out
    assert call("store", "verify", "--store", "all.zarr").code == 0


def test_a_run_does_not_come_without_its_clips(call: Call, copy_store: CopyStore) -> None:
    store = copy_store(SAMPLES[0], *WORDS, name="a.zarr")
    flip(find_chunk(store, "up-4/rgb/clips/*/pixels"))
    done = call("store", "merge", "a.zarr", "-o", "all.zarr")
    assert done.code == 1 and "3 damaged" in done.out and done.err.count("its clips up-4/rgb/clips/") == 2
    assert call("store", "verify", "--store", "all.zarr").code == 0
    copy_store(SAMPLES[0], *WORDS, name="b.zarr")
    assert call("store", "merge", "a.zarr", "b.zarr", "-o", "all.zarr").code == 1
    assert len(list(Store.open("all.zarr").runs())) == 2
    assert call("store", "merge", "b.zarr", "a.zarr", "-o", "other.zarr").code == 0  # the other's are not read any more


def test_what_is_damaged_in_the_output_is_mended(call: Call, copy_store: CopyStore) -> None:
    sound = copy_store(SAMPLES[0], *WORDS, name="a.zarr")
    store = copy_store(SAMPLES[0], *WORDS, name="all.zarr")
    flip(find_chunk(store, "up-4/rgb/FC/*/gradient"))
    assert "copied 1 group" in call("store", "merge", "a.zarr", "-o", "all.zarr").out
    assert read_arrays(store) == read_arrays(sound)


def test_of_a_run_with_other_numbers_the_first_is_kept_and_that_is_said(call: Call, tmp_path: Path) -> None:
    for seed, name in enumerate(("a.zarr", "b.zarr")):
        write_run(Store.open_or_create(tmp_path / name), make_recipe(), seed=seed)
    done = call("store", "merge", "a.zarr", "b.zarr", "-o", "all.zarr")
    assert done.code == 0 and "other numbers in b.zarr: the first are kept" in done.out
    assert "1 with other numbers" in done.out
    (kept,), (first,) = (list(Store.open(name).runs()) for name in ("all.zarr", "a.zarr"))
    np.testing.assert_array_equal(kept.to_numpy(), first.to_numpy())


def test_a_run_answers_what_it_answers_in_any_of_the_stores(call: Call, tmp_path: Path) -> None:
    for name in ("a.zarr", "b.zarr"):
        write_run(Store.open_or_create(tmp_path / name), make_recipe())
        (run,) = Store.open(name).runs()
        run.add_requests([name])
    assert call("store", "merge", "a.zarr", "b.zarr", "-o", "all.zarr").code == 0
    (kept,) = Store.open("all.zarr").runs()
    assert kept.requests == ["a.zarr", "b.zarr", "r"]


def test_flow_is_joined_pair_by_pair(call: Call, copy_store: CopyStore, video_file: Path, tmp_path: Path) -> None:
    whole = copy_store(video_file, *ESTIMATED, name="whole.zarr")
    pairs = sorted(path.name for path in whole.glob("*/flow/farneback-*/motion/c.*"))
    assert len(pairs) == 4
    for name, gone in (("a.zarr", pairs[:2]), ("b.zarr", pairs[1:3])):
        (motion,) = copy_store(video_file, *ESTIMATED, name=name).glob("*/flow/farneback-*/motion")
        for pair in gone:
            (motion / pair).unlink()
    assert call("store", "merge", "a.zarr", "-o", "all.zarr").code == 0
    assert call("store", "merge", "b.zarr", "-o", "all.zarr", "--dry-run").out.startswith("would copy 1 group")
    assert call("store", "merge", "b.zarr", "-o", "all.zarr").out.startswith("copied 1 group")
    assert {**read_arrays(tmp_path / "all.zarr")} == {
        name: content for name, content in read_arrays(whole).items() if not name.endswith(pairs[1])
    }
    flip(next((tmp_path / "whole.zarr").glob(f"*/flow/farneback-*/motion/{pairs[1]}")))
    call("store", "merge", "whole.zarr", "-o", "all.zarr").check_error(1, "1 of its pairs are left out")
    assert call("store", "verify", "--store", "all.zarr").code == 0


def test_what_is_known_of_weights_is_joined(call: Call, tmp_path: Path) -> None:
    names = ("one", "two")
    for name in names:
        store = Store.open_or_create(tmp_path / f"{name}.zarr")
        store.weights.write([INFO])
        store.weights.keep_hash(tmp_path / name, (1, 2), INFO.sha256)
        store.weights.keep_name([INFO], name)
    Store.open("two.zarr").weights.keep_labels(INFO)
    assert call("store", "merge", "one.zarr", "two.zarr", "-o", "all.zarr").code == 0
    weights = Store.open("all.zarr").weights
    assert weights.names() == {"one"} and weights.read(INFO.sha256)[0].labels == INFO.labels
    assert all(weights.find_hash(tmp_path / name, (1, 2)) == INFO.sha256 for name in names)


def keep(store: Store, passes: int) -> None:
    sums = np.full((2, 2), passes, np.float64)
    store.estimates.keep("clip", make_recipe(), 0, Estimate(Target(FC, 5), 0.0, sums, passes, {}))


def test_of_estimates_the_further_one_is_kept_and_none_of_a_run_that_is_done(call: Call, tmp_path: Path) -> None:
    for name, passes in (("a.zarr", 4), ("b.zarr", 8), ("c.zarr", 6)):
        keep(Store.open_or_create(tmp_path / name), passes)
    assert call("store", "merge", "a.zarr", "b.zarr", "c.zarr", "-o", "all.zarr").code == 0
    found = Store.open("all.zarr").estimates.find("clip", make_recipe(), 0, Target(FC, 5))
    assert found and found.passes == 8 and found.sums[0, 0] == 8
    write_run(Store.open_or_create(tmp_path / "done.zarr"), make_recipe())
    assert call("store", "merge", "done.zarr", "a.zarr", "-o", "all.zarr").code == 0
    assert not [one for one in list_entries(Store.open("all.zarr")) if one.kind == "estimates"]


def test_what_gbvis_has_not_made_is_left_where_it_is(call: Call, copy_store: CopyStore, tmp_path: Path) -> None:
    store = copy_store(SAMPLES[0], *WORDS, name="a.zarr")
    (store / "notes").mkdir()
    (store / "notes/mine.txt").write_text("mine")
    done = call("store", "merge", "a.zarr", "-o", "all.zarr")
    assert done.code == 0 and "1 group that gbvis has not made is not copied: notes" in done.err
    assert not (tmp_path / "all.zarr/notes").exists()


def test_names_of_any_kind_are_copied(call: Call, tmp_path: Path) -> None:
    for name in ("a b%2F#?+é&=", "weights", "..", "x" * 300):
        write_run(Store.open_or_create(tmp_path / "a.zarr"), make_recipe(), video=Still(name, "/", "rgb"))
    assert call("store", "merge", "a.zarr", "-o", "all.zarr").code == 0
    assert read_arrays(tmp_path / "all.zarr") == read_arrays(tmp_path / "a.zarr")


def test_what_is_no_store_of_this_version_is_refused(call: Call, copy_store: CopyStore, tmp_path: Path) -> None:
    store = copy_store(SAMPLES[0], *WORDS, name="a.zarr")
    call("store", "merge", "a.zarr", "nothing.zarr", "-o", "all.zarr").check_error(1, "no store at nothing.zarr")
    assert not (tmp_path / "all.zarr").exists()
    shutil.copytree(store, tmp_path / "old.zarr")
    root = tmp_path / "old.zarr/zarr.json"
    root.write_text(root.read_text().replace('"format_version": 3', '"format_version": 2'))
    call("store", "merge", "a.zarr", "old.zarr", "-o", "all.zarr").check_error(2, "format version 2")
    call("store", "merge", "a.zarr", "-o", "old.zarr").check_error(2, "format version 2")
    (tmp_path / "file").write_text("")
    call("store", "merge", "a.zarr", "-o", "file").check_error(2, "file", "choose another place with -o")
    (tmp_path / "empty").mkdir()
    call("store", "merge", "empty", "-o", "all.zarr").check_error(1, "point to it among the stores to join")


@pytest.mark.parametrize("words", [("", "-o", "all.zarr"), ("a.zarr", "-o", ""), ("a.zarr", "-o", " ", "--dry-run")])
def test_an_empty_path_is_not_the_current_folder(
    call: Call, copy_store: CopyStore, tmp_path: Path, words: tuple[str, ...]
) -> None:
    copy_store(SAMPLES[0], *WORDS, name="a.zarr")
    shutil.copyfile(tmp_path / "a.zarr/zarr.json", tmp_path / "zarr.json")  # the current folder is a store too
    call("store", "merge", *words).check_error(2, "the path is empty")
    call("store", "ls", "--store", "").check_error(2, "a store with --store: the path is empty")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zarr", "zarr.json"]


def test_stores_elsewhere(call: Call, shards: list[Path], tmp_path: Path) -> None:
    """To memory and back: the same bytes."""
    elsewhere = f"memory://{uuid.uuid4().hex}/x.zarr"
    assert call("store", "merge", *shards, "-o", elsewhere).code == 0
    assert call("store", "verify", "--store", elsewhere).code == 0
    assert call("store", "merge", elsewhere, "-o", "all.zarr").code == 0
    assert call("store", "merge", *shards, "-o", "direct.zarr").code == 0
    assert read_arrays(tmp_path / "all.zarr") == read_arrays(tmp_path / "direct.zarr")


def test_in_python(shards: list[Path], tmp_path: Path) -> None:
    merged = list(gbvis.merge_stores(shards, tmp_path / "all.zarr"))
    assert not any(isinstance(one, gbvis.Failure) for one in merged)
    assert len(read_arrays(tmp_path / "all.zarr")) == 5 * len(SAMPLES)
    with pytest.raises(NothingFound, match="no store"):
        gbvis.merge_stores(tmp_path / "nothing.zarr", tmp_path / "all.zarr")


def start_merge(stores: list[Path], folder: Path) -> "subprocess.Popen[bytes]":
    words = [sys.executable, "-m", "gbvis", "store", "merge", *map(str, stores), "-o", "all.zarr", "-q"]
    return subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@pytest.mark.slow
def test_merges_at_once_and_killed_ones_that_are_repeated(call: Call, tmp_path: Path) -> None:
    """Every store goes to the same one; each call is killed until one has done nothing more for long enough."""
    for number in range(3):
        store = Store.open_or_create(tmp_path / f"{number}.zarr")
        for target in range(8):
            write_run(store, make_recipe(target=target), video=f"clip{(target + number) % 5}")
    stores = [tmp_path / f"{number}.zarr" for number in range(3)]
    wait = 0.3
    while True:
        running = [start_merge([store], tmp_path) for store in stores]
        time.sleep(wait)
        for one in running:
            one.send_signal(signal.SIGKILL if wait < 3 else 0)
        ended = [(one.communicate(timeout=120)[1].decode(), one.returncode) for one in running]
        assert all(code in (0, -signal.SIGKILL) for _, code in ended), ended
        if all(code == 0 for _, code in ended):
            break
        wait *= 1.25
    assert call("store", "verify", "--store", "all.zarr").code == 0
    expected = {name: content for store in stores for name, content in read_arrays(store).items()}
    assert read_arrays(tmp_path / "all.zarr") == expected
    assert not [*(tmp_path / "all.zarr").glob(".unfinished-*")]
