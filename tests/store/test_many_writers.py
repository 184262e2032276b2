"""One store and many writers: eight processes on S3, and two mounts of one folder."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from test_storage import server

from gbvis.atomic_file import StagingArea
from gbvis.store import Store

__all__ = ["server"]  # the fixture

SAMPLES = [f"sample:{name}-{seed}" for seed in (1, 2) for name in ("up", "turn-left", "grow", "right")]
WORDS = ["-w", "sample", "-m", "rgb", "-e", "FC", "-e", "AP"]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:botocore")


def run_all(calls: Sequence[Sequence[str]], folder: Path) -> None:
    """Run calls at once, each a process of its own, and see that all end well."""
    start = [sys.executable, "-m", "gbvis"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    running = [
        subprocess.Popen(
            [*start, *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
        )
        for words in calls
    ]
    ended = [(one.communicate(timeout=600)[1].decode(), one.returncode) for one in running]
    assert [code for _, code in ended] == [0] * len(calls), ended


def read_gradients(location: str) -> dict[str, bytes]:
    return {run.key: run.to_numpy().tobytes() for run in Store.open(location).runs()}


@pytest.mark.slow
def test_eight_processes_on_one_store_on_s3(server: str, tmp_path: Path) -> None:
    """Four take a shard each, three take overlapping videos, and one takes all of them."""
    store = f"{server}/eight.zarr"
    shards = [["explain", *SAMPLES, *WORDS, "--shard", f"{number}/4", "--store", store] for number in (1, 2, 3, 4)]
    parts = [SAMPLES[:3], SAMPLES[2:5], SAMPLES[4:], SAMPLES]
    run_all([*shards, *(["explain", *part, *WORDS, "--store", store] for part in parts)], tmp_path)
    run_all([["store", "verify", "--store", store], ["explain", *SAMPLES, *WORDS, "--store", "one.zarr"]], tmp_path)
    found = read_gradients(store)
    assert len(found) == 2 * len(SAMPLES) and found == read_gradients(str(tmp_path / "one.zarr"))
    run_all([["store", "merge", store, "-o", "copy.zarr"]], tmp_path)
    assert read_gradients(str(tmp_path / "copy.zarr")) == found


@pytest.fixture
def mounts(tmp_path: Path) -> Iterator[list[Path]]:
    """Two mounts of one folder."""
    (tmp_path / "real").mkdir()
    places = [tmp_path / "real", tmp_path / "again"]
    places[1].mkdir()
    done = subprocess.run(["mount", "--bind", *map(str, places)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing may be mounted here: {done.stderr}")
    yield places
    subprocess.run(["umount", str(places[1])], check=True)


def test_a_lock_is_seen_through_another_mount_of_its_folder(mounts: list[Path]) -> None:
    with StagingArea(mounts[0], ".unfinished-").open() as staged:
        other = StagingArea(mounts[1], ".unfinished-")
        assert other.list_dead() == []
        other.sweep()
        assert staged.is_dir()
    assert not list(mounts[1].iterdir())


@pytest.mark.slow
def test_two_mounts_of_one_store(mounts: list[Path], tmp_path: Path) -> None:
    calls = [["explain", *SAMPLES[:6], *WORDS, "--store", str(place / "x.zarr")] for place in mounts]
    run_all(calls, tmp_path)
    run_all([["store", "verify", "--store", str(mounts[1] / "x.zarr")]], tmp_path)
    assert len(read_gradients(str(mounts[0] / "x.zarr"))) == 12
    assert not list(mounts[0].glob("x.zarr/.unfinished-*"))
