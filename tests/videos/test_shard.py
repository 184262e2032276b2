"""Shards: every video is in one, whatever else there is; and what SLURM and MPI say."""

from hashlib import sha256

import pytest

from gbvis.errors import UsageError
from gbvis.videos.name_list import VideoEntry
from gbvis.videos.shard import Shard, read_shard

NAMES = [f"v_{name}_g{number:02d}" for name in ("Archery", "Bowling", "日本", "a b") for number in range(10)]


@pytest.mark.parametrize("count", range(1, 65))
def test_every_video_is_in_one_shard(count: int) -> None:
    entries = [VideoEntry(f"videos/{name}.avi") for name in NAMES]
    shards = [Shard(number, count).select(entries) for number in range(1, count + 1)]
    assert sorted(one.location for shard in shards for one in shard) == sorted(one.location for one in entries)


def test_a_shard_is_that_of_the_name_alone() -> None:
    number = int(sha256("日本".encode()).hexdigest()[:16], 16) % 7 + 1
    for location in ("日本", "/some/where/日本.mp4", "sample:日本"):
        assert Shard(number, 7).select([VideoEntry("other"), VideoEntry(location)])[-1].location == location
    assert (
        Shard(3, 7).select([VideoEntry("b"), VideoEntry("a")])
        == Shard(3, 7).select([VideoEntry("a"), VideoEntry("b")])[::-1]
    )


def test_a_name_that_is_no_text_has_a_shard() -> None:
    assert sum(Shard(number, 3).holds("caf\udce9") for number in (1, 2, 3)) == 1


def array_of(task: int, first: int, step: int, count: int) -> dict[str, str]:
    values = {"ID": task, "MIN": first, "STEP": step, "COUNT": count}
    return {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("environment", "shard"),
    [
        (array_of(0, 0, 1, 4), Shard(1, 4)),
        (array_of(7, 3, 2, 3), Shard(3, 3)),
        ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "4"}, Shard(2, 4)),
        ({"PMI_RANK": "3", "PMI_SIZE": "4"}, Shard(4, 4)),
        ({**array_of(1, 1, 1, 2), "PMI_RANK": "0", "PMI_SIZE": "1"}, Shard(1, 2)),
    ],
)
def test_auto_is_what_the_cluster_says(environment: dict[str, str], shard: Shard) -> None:
    assert read_shard("auto", environment) == shard


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({}, "no task of a job array"),
        ({"PMI_RANK": "0"}, "PMI_SIZE is not set"),
        ({"PMI_RANK": "-1", "PMI_SIZE": "2"}, "PMI_RANK is '-1'"),
        (array_of(5, 2, 2, 3), "task 5 is none of 3 tasks"),  # as of --array=2,5,6
        (array_of(8, 2, 2, 3), "task 8 is none of 3 tasks"),
        (array_of(0, 0, 0, 1), "in steps of 0"),
    ],
)
def test_auto_is_never_guessed(environment: dict[str, str], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        read_shard("auto", environment)


@pytest.mark.parametrize("text", ["", "3", "0/3", "4/3", "1/0", "-1/3", "1/3/5", "1 / 3", "two/3", "AUTO"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="shard"):
        read_shard(text, {})
