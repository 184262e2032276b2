"""`--shard`: several calls share the videos, and each video is done by one of them."""

import json

import pytest

from conftest import Call
from gbvis.store import Store

SAMPLES = [f"sample:{name}-{seed}" for name in ("left", "up", "grow") for seed in (1, 2)]
RANK, SIZE = "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"


@pytest.mark.parametrize(
    "command",
    [
        ("predict", "-m", "rgb", "-w", "sample", "--clips", "1"),
        ("explain", "-m", "rgb", "-w", "sample"),
        ("extract", "-m", "rgb", "-o", "data"),
        ("check", "-m", "rgb", "-w", "sample", "-e", "FC", "--test", "time"),
    ],
    ids=lambda command: command[0],
)
def test_every_video_is_done_by_one_call(command: tuple[str, ...], call: Call) -> None:
    done = []
    for shard in ("1/3", "2/3", "3/3"):
        called = call(*command, *SAMPLES, "--shard", shard, "--json")
        assert called.code == 0, called.err
        done += [json.loads(line)["video"] for line in called.out.splitlines()]
    assert sorted(done) == sorted(one.removeprefix("sample:") for one in SAMPLES)


def test_processes_of_mpi_fill_one_store(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SIZE, "2")
    for rank in "01":
        monkeypatch.setenv(RANK, rank)
        assert call("explain", *SAMPLES, "-m", "rgb", "-w", "sample", "--shard", "auto").code == 0
    assert len(list(Store.open("gbvis.zarr").runs())) == len(SAMPLES)


def test_an_empty_shard_has_nothing_to_do_and_says_so(call: Call) -> None:
    called = [call("explain", SAMPLES[0], "-w", "sample", "-m", "rgb", "--shard", f"{one}/2") for one in (1, 2)]
    assert [one.code for one in called] == [0, 0]
    assert sorted(len(one.out.splitlines()) for one in called) == [0, 1]
    assert sum("holds none of the videos" in one.err for one in called) == 1


def test_auto_without_a_cluster_is_a_wrong_call(call: Call) -> None:
    call("predict", SAMPLES[0], "-w", "sample", "--shard", "auto").check_error(
        2, "no task of a job array", "--shard 3/8"
    )
