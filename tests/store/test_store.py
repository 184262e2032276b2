import errno
import json
import multiprocessing
import os
import shutil
import subprocess
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from filelock import FileLock
from written_runs import FORMAT, FRAMES, make_gradient, make_recipe, write_many, write_run

from conftest import Call, CopyStore
from gbvis.atomic_file import identify_host
from gbvis.errors import GbvisError, NothingFound, NumbersError, StoreError, UsageError
from gbvis.networks.endpoint import FC
from gbvis.steps import networks
from gbvis.store import Store
from gbvis.store.flow import StoredFlow
from gbvis.store.keys import CLIPS, FLOW, FOREIGN, LEVEL, RUN, WEIGHTS, kind_of, video_key
from gbvis.store.transaction import transaction
from gbvis.videos.locate import look_for
from gbvis.videos.video import Video


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open_or_create(tmp_path / "gbvis.zarr")


@pytest.fixture
def video(video_file: Path) -> Video:
    found = look_for(str(video_file), "rgb", None)
    assert found is not None
    return found


def test_a_run_comes_back_as_it_was_written(store: Store) -> None:
    recipe = make_recipe()
    write_run(store, recipe)
    (run,) = Store.open(Path(store.location)).runs()
    assert (run.video, run.modality, run.endpoint, run.target) == ("clip", "rgb", FC, 5)
    assert run.value == [0.0, 1.0] and run.recipe == recipe and run.kind == "signed"
    for clip in (0, 1):
        np.testing.assert_array_equal(run.gradient(clip), make_gradient(clip))
    np.testing.assert_array_equal(run.to_numpy(), [make_gradient(0), make_gradient(1)])
    found = store.find_run("clip", recipe)
    assert found is not None and found.key == f"clip/rgb/FC/5-guided-backprop-{recipe.digest}"
    assert store.find_run("clip", make_recipe(target=6)) is None


def test_the_schema(store: Store) -> None:
    """What other programs may rely on: groups all the way down, axis names, a checksummed chunk a clip."""
    write_run(store, make_recipe())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        root = zarr.open_group(store.location, mode="r")
        members = dict(root.members(max_depth=None))
        with store.storage.staging():  # a run that is being made
            assert "clip" in dict(root.groups())
    assert root.attrs.asdict() == {"gbvis": {"format_version": 3}} and root.metadata.zarr_format == 3
    levels = {"clip", "clip/rgb", "clip/rgb/FC", "clip/rgb/clips"}
    assert all(isinstance(members[level], zarr.Group) and not members[level].attrs for level in levels)
    (run,) = store.runs()
    assert members[run.key].attrs["recipe"] == run.recipe.to_json()
    gradient, value, pixels = (members[f"{key}"] for key in (
        f"{run.key}/gradient", f"{run.key}/value", f"{run.clips_key}/pixels"))  # fmt: skip
    assert isinstance(gradient, zarr.Array) and isinstance(value, zarr.Array) and isinstance(pixels, zarr.Array)
    np.testing.assert_array_equal(gradient[:], run.to_numpy())
    np.testing.assert_array_equal(value[:], run.value)
    assert gradient.chunks == (1, 3, 3, 6, 6) and pixels.shape == (2, 3, 6, 6, 3) and pixels.dtype == np.uint8
    assert gradient.metadata.dimension_names == ("clip", "channel", "time", "y", "x")  # type: ignore[union-attr]
    assert pixels.metadata.dimension_names == ("clip", "time", "y", "x", "channel")  # type: ignore[union-attr]


def test_zeros_are_written_too(store: Store) -> None:
    write_run(store, make_recipe())
    (run,) = store.runs()
    clips = store.clips_of(run)
    assert not clips.find_damage(is_thorough=True) and clips.pixels(1).max() == 0


@pytest.mark.parametrize("harm", ["flip", "remove"])
def test_a_damaged_chunk_is_an_error_and_never_zeros(store: Store, harm: str) -> None:
    write_run(store, make_recipe())
    (run,) = store.runs()
    chunk = Path(store.location) / run.key / "gradient/c.1.0.0.0.0"
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)
    if harm == "remove":
        chunk.unlink()
    assert run.gradient(0).any()
    with pytest.raises(GbvisError, match=r"5-guided-backprop-.* is damaged") as error:
        run.gradient(1)
    assert "again" in error.value.hint


def test_an_interrupted_run_is_not_there(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt), transaction(store.storage, "clip/rgb/FC/1", None):
        raise KeyboardInterrupt
    assert list(store.runs()) == []
    assert [path.name for path in Path(store.location).iterdir()] == ["zarr.json"]


def test_the_first_to_finish_wins_and_force_replaces(store: Store) -> None:
    write_run(store, make_recipe())
    write_run(store, make_recipe(), value=7.0, seed=9)
    (run,) = store.runs()
    assert run.value == [0.0, 1.0]
    write_run(store, make_recipe(), value=7.0, seed=9, force=True)
    (run,) = store.runs()
    assert run.value == [7.0, 8.0]
    np.testing.assert_array_equal(run.gradient(0), make_gradient(9))


HARMS = {
    "a chunk": "gradient/c.1.0.0.0.0", "the array": "gradient", "its metadata": "zarr.json",
    "the clips": "../../clips", "a clip": "../../clips/*/pixels/c.0.0.0.0.0",
}  # fmt: skip


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("is_emptied", [False, True])
def test_a_run_that_lost_a_part_is_not_served_and_can_be_written_again(
    store: Store, harm: str, is_emptied: bool
) -> None:
    write_run(store, make_recipe())
    write_run(store, make_recipe(target=6), video="other")
    (run,) = store.runs("clip")
    (victim,) = (Path(store.location) / run.key).glob(HARMS[harm])
    if victim.is_dir():
        shutil.rmtree(victim)
    elif is_emptied:
        victim.write_bytes(b"")
    else:
        victim.unlink()
    assert [found.video for found in store.runs()] == ["other"]
    assert store.damaged == {run.key}
    assert store.find_run("clip", make_recipe()) is None
    write_run(store, make_recipe())
    assert [found.video for found in Store.open(Path(store.location)).runs()] == ["clip", "other"]


@pytest.mark.parametrize("part", ["gradient/c.1.0.0.0.0", "gradient/zarr.json", "zarr.json"])
def test_a_file_without_end_is_damage(store: Store, part: str) -> None:
    """Sparse, it takes no room on the disk; read, it would fill the memory."""
    write_run(store, make_recipe())
    (run,) = store.runs()
    with (Path(store.location) / run.key / part).open("ab") as file:
        file.truncate(1 << 40)
    assert store.find_run("clip", make_recipe()) is None
    if part.startswith("gradient/c"):
        with pytest.raises(StoreError, match="is damaged"):
            run.gradient(1)
    write_run(store, make_recipe())
    assert store.find_run("clip", make_recipe()) == run


def test_processes_write_one_store_together(tmp_path: Path) -> None:
    """Overlapping runs, from the very making of the store."""
    path = tmp_path / "gbvis.zarr"
    workers = [
        multiprocessing.get_context("spawn").Process(target=write_many, args=(path, first)) for first in (0, 4, 0)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 3
    runs = list(Store.open(path).runs())
    assert {(run.video, run.target) for run in runs} == {(f"clip{t % 3}", t % 16) for t in range(16)}
    assert all(np.array_equal(run.gradient(1), make_gradient(1)) for run in runs)
    assert not [entry for entry in path.iterdir() if entry.name.startswith(".unfinished")]


def test_clips_are_cut_once(store: Store, video: Video) -> None:
    cut = iter([np.full((3, 6, 6, 3), 10 * clip, np.uint8) for clip in range(2)])
    clips = store.write_clips(video, FORMAT, FRAMES, cut, force=False)
    assert clips.frames == FRAMES and clips.pixels(1).max() == 10
    assert clips.source_size == (256, 340)
    again = store.write_clips(video, FORMAT, FRAMES, iter(()), force=False)
    assert again.key == clips.key
    other = replace(FORMAT, mean=(0.0,) * 3)  # another normalisation of the same pixels
    assert store.write_clips(video, other, FRAMES, iter(()), force=False).key == clips.key


@pytest.mark.parametrize(
    "changes",
    [
        {"video": "e" * 64}, {"modality": "flow"}, {"clips": [[0, 1, 2]]}, {"weights": "1" * 64}, {"endpoint": "AP"},
        {"target": 6}, {"precision": "bfloat16"}, {"family": "torchvision"}, {"numbers_version": 99},
        {"flow": {"algorithm": "dis"}}, {"preprocessing": replace(FORMAT, scale=255.0).to_json()},
        {"method": {"name": "gradient", "version": 1, "settings": {}}},
        {"method": {"name": "guided-backprop", "version": 2, "settings": {}}},
        {"method": {"name": "guided-backprop", "version": 1, "settings": {"samples": 2}}},
    ],
)  # fmt: skip
def test_all_that_changes_numbers_changes_the_digest(changes: dict[str, object]) -> None:
    assert make_recipe(**changes).digest != make_recipe().digest


NAMES = [
    "plain", "with space", "a/b", "..", ".", ".hidden", "weights", "zarr.json", "__reserved", "a~b", "new\nline",
    "x\0y", "ünï", "[a]*?", "100%", "%2E", "%2e", "", "n" * 255, "n" * 254, "ü" * 127, "a\\b", "C:",
    "\udce9 not utf-8", "weight",
]  # fmt: skip


def test_any_name_has_a_key_of_its_own_inside_the_store(store: Store) -> None:
    for name in NAMES:
        write_run(store, make_recipe(), video=name)
        (run,) = store.runs(name)
        assert run.video == name
        key = video_key(name)
        assert (Path(store.location) / key).parent == Path(store.location) and len(key) < 200
        assert [kind_of(part) for part in (key, f"{key}/rgb", f"{key}/rgb/FC", run.key)] == [LEVEL] * 3 + [RUN]
    assert sorted(run.video for run in store.runs()) == sorted(NAMES)


def test_kinds_of_keys() -> None:
    digest = "0123456789abcdef"
    assert kind_of("weights") == LEVEL and kind_of("weights/00") == kind_of("weights/00-vmz") == WEIGHTS
    assert kind_of(f"a b/flow/tvl1-{digest}") == FLOW and kind_of(f"v/rgb/tvl1-{digest}") == LEVEL
    assert kind_of(f"v/flow/clips/{digest}") == CLIPS and kind_of(f"v/flow/FC/2-a-b-{digest}") == RUN
    for key in (
        "weights/a/b",
        "v/sound",
        f"v/rgb/FC/-1-a-{digest}",
        f"v/rgb/clips/2-a-{digest}",
        "v/rgb/FC/2/gradient",
    ):
        assert kind_of(key) == FOREIGN, key


class TestTheRoot:
    def test_what_is_no_store(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder/notes.txt").write_text("mine")
        zarr.open_group(tmp_path / "foreign.zarr", mode="w")
        for name in ("file", "folder", "foreign.zarr"):
            with pytest.raises(UsageError, match="is no gbvis store"):
                Store.open_or_create(tmp_path / name)
        assert (tmp_path / "folder/notes.txt").read_text() == "mine"
        assert [path.name for path in (tmp_path / "folder").iterdir()] == ["notes.txt"]

    def test_no_store_yet(self, tmp_path: Path) -> None:
        with pytest.raises(NothingFound, match="no store at"):
            Store.open(tmp_path / "gbvis.zarr")
        assert not (tmp_path / "gbvis.zarr").exists()

    def test_a_store_that_cannot_be_made(self) -> None:
        with pytest.raises(UsageError, match="cannot keep a store"):
            Store.open_or_create(Path("/dev/null/gbvis.zarr"))

    @pytest.mark.parametrize("about", [{"format_version": 2, "checksum": "01656518fbdc7556"}, {"format_version": 99}])
    def test_another_version_is_refused_and_left_as_it_is(
        self, call: Call, tmp_path: Path, about: dict[str, object]
    ) -> None:
        """The root as gbvis 0.1.0 wrote it, and one that is still to come."""
        root = tmp_path / "gbvis.zarr/zarr.json"
        root.parent.mkdir()
        content = json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {"gbvis": about}}, indent=2)
        root.write_text(content)
        version = f"has format version {about['format_version']}, this gbvis reads 3"
        for words in (["explain", "sample:up-4", "-w", "sample"], ["render"], ["store", "ls"], ["store", "verify"]):
            call(*words).check_error(2, version, "--store gbvis-3.zarr", "left as it is")
        call("store", "rm", "--all", "-y").check_error(2, version)
        assert root.read_text() == content and [*root.parent.iterdir()] == [root]

    @pytest.mark.parametrize(
        "harm", ["", "{", '{"zarr_format": 3, "node_type": "group", "attributes": {}}', "link", None]
    )
    def test_a_damaged_one_is_refused_and_mended_by_what_the_hint_says(
        self, call: Call, copy_store: CopyStore, tmp_path: Path, harm: str | None
    ) -> None:
        words = ["explain", "sample:up-4", "-w", "sample", "--store", "it's a store.zarr"]
        root, outside = copy_store(*words[1:4], name=words[-1]) / "zarr.json", tmp_path / "outside"
        outside.write_text("mine")
        root.unlink()
        if harm == "link":
            root.symlink_to(outside)
        elif harm is not None:
            root.write_text(harm)
        for other in (words, ["render", *words[-2:]], ["store", "verify", *words[-2:]]):
            refused = call(*other)
            refused.check_error(2, "is no gbvis store: its zarr.json is missing, damaged or another program's")
        _, _, command = refused.err.strip().partition("write it again: ")
        subprocess.run(command, shell=True, check=True)
        assert call(*words).out.count("cached") == 2
        assert call("store", "verify", *words[-2:]).code == 0
        assert outside.read_text() == "mine"


def test_a_gradient_that_is_no_number_is_not_stored(store: Store) -> None:
    broken = make_gradient(0)
    broken[0, 0, 0, 0] = np.nan
    with pytest.raises(NumbersError, match="is nan in clip 0 at channel 0, time 0, y 0, x 0"):
        write_run(store, make_recipe(), values=[broken, broken])
    assert list(store.runs()) == []


def test_a_weights_file_is_hashed_once_while_its_size_and_time_stand(
    call: Call, weights: dict[str, Path], video_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(weights["rgb"].read_bytes())
    hashed: list[Path] = []
    original = networks.hash_file
    monkeypatch.setattr(networks, "hash_file", lambda path: hashed.append(path) or original(path))
    words = ["explain", video_file, "-w", path]
    for _ in range(2):  # so new that it could still change within the clock's step
        assert call(*words).code == 0
    assert len(hashed) >= 2
    os.utime(path, ns=(10**18, 10**18))
    hashed.clear()
    for _ in range(3):
        assert "cached" in call(*words).out
    assert len(hashed) == 1
    path.write_bytes(weights["rgb"].read_bytes()[:-1] + b"!")  # the same size
    os.utime(path, ns=(10**18 + 1, 10**18 + 1))
    call(*words)
    assert len(hashed) > 1


def test_a_file_system_without_locks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are written all the same; nobody is taken for dead."""

    def refuse(lock: FileLock, **_: object) -> None:
        Path(lock.lock_file).touch()
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    name = f".unfinished-{'-'.join(identify_host())}-dead"
    (Path(store.location) / name / "staged").mkdir(parents=True)
    write_run(store, make_recipe())
    again = Store.open_or_create(store.location)
    assert len(list(again.runs())) == 1
    assert [path.name for path in Path(store.location).glob(".unfinished-*")] == [name]


def test_flow_that_is_removed_while_it_is_estimated_is_one_clear_error(
    call: Call, tmp_path: Path, video_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = StoredFlow.write_pair

    def write_and_remove(self: StoredFlow, pair: int, motion: np.ndarray) -> None:
        shutil.rmtree(tmp_path / "gbvis.zarr" / self.key, ignore_errors=True)
        original(self, pair, motion)

    monkeypatch.setattr(StoredFlow, "write_pair", write_and_remove)
    words = ["explain", video_file, "-w", "sample", "-m", "flow", "--flow-algorithm", "farneback"]
    call(*words).check_error(1, "is gone from", "repeat it")
    assert call("store", "verify").code == 0


def test_flow_whose_array_is_damaged_is_estimated_again(call: Call, tmp_path: Path) -> None:
    """Also where all that was computed from it is there."""
    words = ["explain", "sample:up-4", "-w", "sample", "-m", "flow", "-e", "FC", "--flow-algorithm", "dis"]
    assert call(*words).code == 0
    (metadata,) = (tmp_path / "gbvis.zarr/up-4/flow").glob("dis-*/motion/zarr.json")
    whole = metadata.read_bytes()
    metadata.write_bytes(whole.replace(b'"clevel": 1', b'"clevel": 2'))
    assert call("store", "verify").code == 1
    assert "cached" in call(*words).out
    assert call("store", "verify").code == 0 and metadata.read_bytes() == whole


def test_an_unused_name(store: Store) -> None:
    """What is no run is none, and does not stand in the way."""
    write_run(store, make_recipe())
    place = Path(store.location, "clip/rgb/FC")
    (place / "notes").mkdir()
    (place / "5-guided-backprop-0123456789abcdef").mkdir()
    assert len(list(store.runs())) == 1
    assert store.damaged == {"clip/rgb/FC/5-guided-backprop-0123456789abcdef"}
    assert store.find_answers("clip", "rgb", "FC", ["r"]).keys() == {"r"}
    (run,) = store.runs()
    run.add_requests(["s"])
    assert store.find_answers("clip", "rgb", "FC", ["r", "s", "t"]).keys() == {"r", "s"}


def test_an_attribution_of_another_shape_than_the_first_is_not_written(store: Store) -> None:
    with pytest.raises(ValueError):
        write_run(store, make_recipe(), values=[make_gradient(0), make_gradient(0)[:, :2]])
    assert list(store.runs()) == []
