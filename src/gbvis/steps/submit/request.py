"""The request of `submit`, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXECUTORS = ("auto", "slurm", "local", "debug")


@dataclass(frozen=True)
class Resources:
    """What a job may use; None for what the cluster gives by itself.

    Attributes:
        seconds: How long a job may run.
        grace: Seconds before the end of that time at which a job is told to end.
        partition: The cluster's part.
        gpus: GPUs of a job.
        cpus: CPUs of a job.
        memory: Memory of a job, as SLURM reads it: `16G`.
        parallelism: How many jobs may run at a time.
        settings: Other options of SLURM or submitit, as KEY and VALUE.
    """

    seconds: float = 3600.0
    grace: float = 90.0
    partition: str | None = None
    gpus: int | None = None
    cpus: int | None = None
    memory: str | None = None
    parallelism: int | None = None
    settings: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class SubmitRequest:
    """What to submit.

    Attributes:
        words: A call of gbvis that takes `--shard`, from the command's name on.
        shards: How many jobs share its videos.
        executor: One of `EXECUTORS`.
        resources: What each job may use.
        requeues: How often a job whose time is over is repeated.
        folder: Where a folder with the jobs' logs is made.
    """

    words: tuple[str, ...]
    shards: int
    executor: str = "auto"
    resources: Resources = Resources()
    requeues: int = 20
    folder: Path = Path("gbvis-jobs")


@dataclass(frozen=True)
class SubmittedJob:
    """A job that was submitted.

    Attributes:
        shard: Its part of the videos: `3/8`.
        job: Its id.
        log: What its gbvis prints on standard output.
        error_log: The same of standard error, and what submitit says.
        failed: Where it lists the videos that failed, when it has ended by itself.
    """

    shard: str
    job: str
    log: Path
    error_log: Path
    failed: Path

    def to_json(self) -> dict[str, Any]:
        """Return the job as a line of `--json`."""
        return {
            "shard": self.shard,
            "job": self.job,
            "log": str(self.log),
            "error_log": str(self.error_log),
            "failed_to": str(self.failed),
        }


@dataclass(frozen=True)
class FinishedJob:
    """A job that has ended.

    Attributes:
        job: As it was submitted.
        problem: What went wrong; empty where all videos were done.
        failures: The videos that failed.
    """

    job: SubmittedJob
    problem: str
    failures: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the job as a line of `--json`."""
        problem = self.problem or None
        return {**self.job.to_json(), "done": not problem, "problem": problem, "failures": list(self.failures)}
