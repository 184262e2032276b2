import errno
import json
import multiprocessing
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from filelock import FileLock

from conftest import Call
from gbvis import registry
from gbvis.attribution.attribution import Attribution, Recipe
from gbvis.errors import GbvisError
from gbvis.networks.endpoint import FC, Target
from gbvis.networks.r2plus1d.formats import old_script
from gbvis.provenance import digest_of
from gbvis.steps import networks as opening_weights
from gbvis.store import Store
from gbvis.store.flow import StoredFlow
from gbvis.store.keys import video_key
from gbvis.videos.readers import video_file as video_files
from gbvis.videos.video import Frame, Video, VideoShape

FORMAT = replace(old_script.FAMILY.formats["rgb"], height=10, width=10, crop=6, top=1, left=1)
FRAMES = [[0, 1, 2], [3, 4, 5]]


def make_recipe(**changes: object) -> Recipe:
    recipe = Recipe(
        video="f" * 64, modality="rgb", clips=FRAMES, preprocessing=FORMAT.to_json(), weights="0" * 64,
        family="old-script", endpoint="FC", target=5, method="guided-backprop", precision="float32",
    )  # fmt: skip
    return replace(recipe, **changes)  # type: ignore[arg-type]


def gradient(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((3, 3, 6, 6)).astype(np.float32)


class Still(Video):
    """A video of any name that shows nothing."""

    fingerprint = "f" * 64
    shape = VideoShape(6, None, 10, 10)

    def read(self, number: int) -> Frame:
        return np.zeros((10, 10, 3), np.uint8)


def write_run(
    store: Store, recipe: Recipe, video: str = "clip", is_forced: bool = False, value: float = 0.0, seed: int = 0
) -> None:
    cut = (np.zeros((3, 6, 6, 3), np.uint8) for _ in FRAMES)
    clips = store.write_clips(Still(video, "/", "rgb"), FORMAT, FRAMES, cut, is_forced=False)
    with store.writing(video, recipe, FORMAT, is_forced) as writer:
        described = {"requests": ["r"], "label": None, "scores": [], "made": {"at": "2026-11-25T12:00:00+00:00"}}
        writer.attributes = {**described, "clips": clips.digest, "location": "/"}
        for clip in range(len(recipe.clips)):
            writer.write(Attribution(Target(FC, recipe.target), value + clip, gradient(seed + clip)))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open_or_create(tmp_path / "gbvis.zarr")


@pytest.fixture
def video(video_file: Path) -> Video:
    found = video_files.read(str(video_file), "rgb", None)
    assert found is not None
    return found


def test_a_run_comes_back_as_it_was_written(store: Store) -> None:
    recipe = make_recipe()
    write_run(store, recipe)
    (run,) = Store.open(Path(store.location)).runs()
    assert (run.video, run.modality, run.endpoint, run.target) == ("clip", "rgb", FC, 5)
    assert run.values == [0.0, 1.0] and run.clip_count == 2
    assert run.recipe == recipe.to_json()
    for clip in (0, 1):
        np.testing.assert_array_equal(run.gradient(clip), gradient(clip))
    found = store.find_run("clip", recipe)
    assert found is not None and found.key == f"clip/rgb/FC/5-guided-backprop-{recipe.digest}"
    assert store.find_run("clip", make_recipe(target=6)) is None


def test_the_schema(store: Store) -> None:
    """What other programs may rely on: groups all the way down, axis names, a checksummed chunk a clip."""
    write_run(store, make_recipe())
    root = zarr.open_group(Path(store.location), mode="r")
    assert root.attrs.asdict() == {"gbvis": {"format_version": 2, "checksum": digest_of({"format_version": 2})}}
    assert root.metadata.zarr_format == 3
    place = root
    for part in ("clip", "rgb", "FC"):
        place = place[part]  # type: ignore[assignment]
        assert isinstance(place, zarr.Group)
    (run,) = (group for _, group in place.groups())
    assert run.attrs["state"] == "complete"
    array = run["gradient"]
    assert isinstance(array, zarr.Array)
    assert array.shape == (2, 3, 3, 6, 6) and array.chunks == (1, 3, 3, 6, 6) and array.dtype == np.float32
    assert array.metadata.dimension_names == ("clip", "channel", "time", "y", "x")  # type: ignore[union-attr]
    assert any(type(codec).__name__ == "Crc32cCodec" for codec in array.compressors)


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
    with (
        pytest.raises(KeyboardInterrupt),
        store.writing("clip", make_recipe(), FORMAT, is_forced=False) as writer,
    ):
        writer.write(Attribution(Target(FC, 5), 0.0, gradient(0)))
        raise KeyboardInterrupt
    assert list(store.runs()) == []
    assert sorted(path.name for path in Path(store.location).iterdir()) == ["zarr.json"]


def test_the_first_to_finish_wins_and_force_replaces(store: Store) -> None:
    write_run(store, make_recipe())
    write_run(store, make_recipe(), value=7.0, seed=9)
    (run,) = store.runs()
    assert run.values == [0.0, 1.0]
    write_run(store, make_recipe(), value=7.0, seed=9, is_forced=True)
    (run,) = store.runs()
    assert run.values == [7.0, 8.0]
    np.testing.assert_array_equal(run.gradient(0), gradient(9))


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


def write_many(path: Path, first: int) -> None:
    store = Store.open_or_create(path)
    for target in range(first, first + 12):
        write_run(store, make_recipe(target=target % 16), video=f"clip{target % 3}")


def test_processes_write_one_store_together(tmp_path: Path) -> None:
    """Four processes, overlapping runs, from the very making of the store."""
    path = tmp_path / "gbvis.zarr"
    workers = [
        multiprocessing.get_context("spawn").Process(target=write_many, args=(path, first)) for first in (0, 4, 8, 0)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    runs = list(Store.open(path).runs())
    assert {(run.video, run.target) for run in runs} == {(f"clip{t % 3}", t % 16) for t in range(20)}
    assert all(np.array_equal(run.gradient(1), gradient(1)) for run in runs)
    assert not [entry for entry in path.iterdir() if entry.name.startswith(".unfinished")]


def test_clips_are_cut_once(store: Store, video: Video) -> None:
    cut = iter([np.full((3, 6, 6, 3), 10 * clip, np.uint8) for clip in range(2)])
    clips = store.write_clips(video, FORMAT, FRAMES, cut, is_forced=False)
    assert clips.frames == FRAMES and clips.pixels(1).max() == 10
    assert clips.attributes["source_size"] == [256, 340]
    again = store.write_clips(video, FORMAT, FRAMES, iter(()), is_forced=False)
    assert again.key == clips.key
    other = replace(FORMAT, mean=(0.0,) * 3)  # another normalisation of the same pixels
    assert store.write_clips(video, other, FRAMES, iter(()), is_forced=False).key == clips.key


@pytest.mark.parametrize(
    "changes",
    [
        {"video": "e" * 64}, {"modality": "flow"}, {"clips": [[0, 1, 2]]}, {"weights": "1" * 64}, {"endpoint": "AP"},
        {"target": 6}, {"method": "gradient"}, {"precision": "bfloat16"}, {"family": "torchvision"},
        {"numbers_version": 99}, {"flow": {"algorithm": "dis"}},
        {"preprocessing": replace(FORMAT, scale=255.0).to_json()},
    ],
)  # fmt: skip
def test_all_that_changes_numbers_changes_the_digest(changes: dict[str, object]) -> None:
    assert make_recipe(**changes).digest != make_recipe().digest


@pytest.mark.parametrize(
    "name",
    ["plain", "with space", "a/b", "..", ".", ".hidden", "weights", "zarr.json", "__reserved", "a~b",
     "new\nline", "x\0y", "ünï", "[a]*?", "100%", "%2E", "", "n" * 255, "ü" * 127, "a\\b", "C:", "\udce9 not utf-8"],
)  # fmt: skip
def test_any_name_has_a_key_of_its_own_inside_the_store(store: Store, name: str) -> None:
    write_run(store, make_recipe(), video=name)
    write_run(store, make_recipe(), video="another")
    (run,) = store.runs(name)
    assert run.video == name
    key = video_key(name)
    assert (Path(store.location) / key).parent == Path(store.location) and len(key) < 200
    assert key not in {video_key(other) for other in ("another", "weight", "%2e", "n" * 254)}
    assert len(list(store.runs())) == 2


def test_what_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/notes.txt").write_text("mine")
    zarr.open_group(tmp_path / "foreign.zarr", mode="w")
    for name in ("file", "folder", "foreign.zarr"):
        with pytest.raises(GbvisError, match="is no gbvis store") as error:
            Store.open_or_create(tmp_path / name)
        assert error.value.exit_code == 2
    assert (tmp_path / "folder/notes.txt").read_text() == "mine"
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["notes.txt"]


def test_no_store_yet(tmp_path: Path) -> None:
    with pytest.raises(GbvisError, match="no store at"):
        Store.open(tmp_path / "gbvis.zarr")
    assert not (tmp_path / "gbvis.zarr").exists()


def test_a_newer_store_is_refused(store: Store) -> None:
    about = Path(store.location) / "zarr.json"
    metadata = json.loads(about.read_text())
    metadata["attributes"]["gbvis"] = {"format_version": 99, "checksum": digest_of({"format_version": 99})}
    about.write_text(json.dumps(metadata))
    with pytest.raises(GbvisError, match="format version 99") as error:
        Store.open(Path(store.location))
    assert error.value.exit_code == 2


def test_a_store_that_cannot_be_made() -> None:
    with pytest.raises(GbvisError, match="cannot keep a store") as error:
        Store.open_or_create(Path("/dev/null/gbvis.zarr"))
    assert error.value.exit_code == 2


def test_a_gradient_that_is_no_number_is_not_stored(store: Store) -> None:
    broken = gradient(0)
    broken[0, 0, 0, 0] = np.nan
    with (
        pytest.raises(GbvisError, match="is nan in clip 0 at channel 0, time 0, y 0, x 0"),
        store.writing("clip", make_recipe(), FORMAT, is_forced=False) as writer,
    ):
        writer.write(Attribution(Target(FC, 5), 0.0, broken))
    assert list(store.runs()) == []


def test_cards_are_kept_by_the_weights_hash(store: Store, weights: dict[str, Path]) -> None:
    from gbvis.networks.r2plus1d.load import build_network
    from gbvis.networks.weights.torch_file import read_state_dicts

    (state,) = read_state_dicts(weights["flow"])
    card = build_network(state, registry.families(), "a" * 64).card
    store.cards.write([card])
    assert Store.open(Path(store.location)).cards.read("a" * 64) == [card]
    assert store.cards.read("b" * 64) == []
    (Path(store.location) / "weights" / ("a" * 64) / "zarr.json").write_text("{")
    assert store.cards.read("a" * 64) == []
    store.cards.write([card])
    assert store.cards.read("a" * 64) == [card]
    assert list(store.runs()) == []


def test_a_weights_file_is_hashed_once_while_its_size_and_time_stand(
    call: Call, weights: dict[str, Path], video_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(weights["rgb"].read_bytes())
    hashed: list[Path] = []
    original = opening_weights.hash_file
    monkeypatch.setattr(opening_weights, "hash_file", lambda path: hashed.append(path) or original(path))
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
    dead = Path(store.location) / ".unfinished-dead/group"
    dead.mkdir(parents=True)
    write_run(store, make_recipe())
    again = Store.open_or_create(store.location)
    assert len(list(again.runs())) == 1
    assert [path.name for path in Path(store.location).glob(".unfinished-*")] == [".unfinished-dead"]


def test_a_replacement_that_was_killed_between_two_renames_is_finished(store: Store) -> None:
    write_run(store, make_recipe())
    (run,) = store.runs()
    root = Path(store.location)
    workshop = root / ".unfinished-killed"
    workshop.mkdir()
    shutil.copytree(root / run.key, workshop / "group")
    (root / run.key).rename(workshop / "old")
    (workshop / "target").write_text(run.key)
    assert [found.key for found in Store.open_or_create(root).runs()] == [run.key]
    assert not workshop.exists()


@pytest.mark.parametrize(
    "harm", ["", "{", '{"zarr_format": 3, "node_type": "group", "attributes": {"gbwis": {}}}', None]
)
def test_a_store_that_lost_its_root_gets_it_again(call: Call, tmp_path: Path, harm: str | None) -> None:
    words = ["explain", "sample:up-4", "-w", "sample"]
    assert call(*words).code == 0
    root = tmp_path / "gbvis.zarr/zarr.json"
    root.unlink() if harm is None else root.write_text(harm)
    call("render").check_error(2, "metadata of the root", "lost or damaged", "gbvis explain")
    assert call(*words).out.count("cached") == 2
    assert call("store", "verify").code == 0


def test_flow_that_is_taken_away_while_it_is_estimated_is_one_clear_error(
    call: Call, tmp_path: Path, video_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = StoredFlow.write

    def write_and_take_away(self: StoredFlow, pair: int, motion: np.ndarray) -> None:
        shutil.rmtree(tmp_path / "gbvis.zarr" / self.key, ignore_errors=True)
        original(self, pair, motion)

    monkeypatch.setattr(StoredFlow, "write", write_and_take_away)
    words = ["explain", video_file, "-w", "sample", "-m", "flow", "--flow-algorithm", "farneback"]
    call(*words).check_error(1, "is gone from", "repeat it")
    assert call("store", "verify").code == 0
