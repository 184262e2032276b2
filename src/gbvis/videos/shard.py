"""Shards: how processes that know nothing of each other share the videos of a call."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from gbvis.errors import UsageError
from gbvis.videos.name_list import VideoEntry
from gbvis.videos.video import video_name

AUTO = "auto"

_RANKS = (("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMI_RANK", "PMI_SIZE"))
"""What Open MPI, and MPICH and others, tell each of their processes: its number from 0, and how many there are."""

_HINT = "give this process's shard as --shard K/N, such as --shard 3/8"


@dataclass(frozen=True)
class Shard:
    """A part of the videos of a call, chosen by their names.

    A video is in the same shard whatever its order and whatever other videos there are. Videos of one name share one.

    Attributes:
        number: Which part, from 1.
        count: How many parts there are.
    """

    number: int
    count: int

    def __post_init__(self) -> None:
        """Check the number.

        Raises:
            UsageError: There is no such part.
        """
        if not 1 <= self.number <= self.count:
            raise UsageError(f"there is no shard {self}", f"shards are counted from 1/{self.count or 1} on")

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def holds(self, name: str) -> bool:
        """Return whether the video of that name is in the shard.

        Its shard is the first 8 bytes of the SHA-256 of its name in UTF-8, as a big-endian number, modulo the number of
        shards.
        """
        digest = sha256(name.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8]) % self.count + 1 == self.number

    def select(self, entries: Iterable[VideoEntry]) -> tuple[VideoEntry, ...]:
        """Return the videos that are in the shard, in their order."""
        return tuple(
            entry for entry in entries if self.holds(entry.video.name if entry.video else video_name(entry.location))
        )


def read_shard(text: str, environment: Mapping[str, str] = os.environ) -> Shard:
    """Return the shard that `K/N` means, or `auto`: the one of a SLURM array's task or of an MPI process.

    Raises:
        UsageError: It is no shard, or nothing tells which one this process has.
    """
    if text == AUTO:
        return _find_shard(environment)
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if match is None:
        raise UsageError(f"--shard {text!r} is no part of the videos", "give K/N, such as 3/8, or auto")
    return Shard(int(match[1]), int(match[2]))


def _find_shard(environment: Mapping[str, str]) -> Shard:
    if "SLURM_ARRAY_TASK_ID" in environment:
        return _read_array(environment)
    for rank, size in _RANKS:
        if rank in environment:
            number, count = (_read_number(environment, name) for name in (rank, size))
            return Shard(number + 1, count)
    names = ", ".join(["SLURM_ARRAY_TASK_ID", *(rank for rank, _ in _RANKS)])
    raise UsageError(f"--shard auto: this is no task of a job array and no process of MPI (no {names})", _HINT)


def _read_array(environment: Mapping[str, str]) -> Shard:
    """Return the shard of a task of a job array: sbatch(1), "OUTPUT ENVIRONMENT VARIABLES".

    Raises:
        UsageError: The tasks are not evenly numbered, so that some shards would be nobody's.
    """
    names = ("ID", "MIN", "STEP", "COUNT")
    task, first, step, count = (_read_number(environment, f"SLURM_ARRAY_TASK_{name}") for name in names)
    number, rest = divmod(task - first, step) if step else (0, 1)
    if rest or not 0 <= number < count:
        raise UsageError(
            f"--shard auto: task {task} is none of {count} tasks numbered from {first} in steps of {step}",
            "submit the array as --array=0-7, or say the shard: --shard $((SLURM_ARRAY_TASK_ID + 1))/8",
        )
    return Shard(number + 1, count)


def _read_number(environment: Mapping[str, str], name: str) -> int:
    found = environment.get(name)
    if found is None or not re.fullmatch("[0-9]{1,9}", found):
        raise UsageError(f"--shard auto: {name} is {'not set' if found is None else repr(found)}", _HINT)
    return int(found)
