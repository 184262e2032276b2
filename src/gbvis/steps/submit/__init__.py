"""`gbvis submit`: a call of gbvis as a job array, in which each job does one shard of the videos."""

import csv
import io
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gbvis.atomic_file import replace_file
from gbvis.errors import UsageError
from gbvis.steps.submit.request import EXECUTORS, FinishedJob, Resources, SubmitRequest, SubmittedJob

if TYPE_CHECKING:
    from submitit import Job

__all__ = ["EXECUTORS", "FinishedJob", "Resources", "Submission", "SubmitRequest", "SubmittedJob", "check", "run"]

_FAILED = "failed.csv"


@dataclass(frozen=True)
class Submission:
    """Jobs that were submitted.

    Attributes:
        executor: `slurm`, `local` or `debug`.
        folder: Where their logs are.
        jobs: All of them.
    """

    executor: str
    folder: Path
    jobs: tuple[SubmittedJob, ...]
    _handles: "Sequence[Job[int]]"

    @property
    def array(self) -> str:
        """The id of all jobs together, as SLURM has it."""
        return self.jobs[0].job.partition("_")[0]

    def wait(self) -> Iterator[FinishedJob]:
        """Yield each job once it has ended."""
        from gbvis.steps.submit.waiting import wait_for_jobs

        return wait_for_jobs(list(zip(self.jobs, self._handles, strict=True)))

    def list_failures(self) -> Path | None:
        """Join the jobs' lists of videos that failed, and return where the list is; None where none failed."""
        rows: dict[tuple[str, ...], None] = {}
        for job in self.jobs:
            with suppress(OSError), job.failed.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
                rows |= dict.fromkeys(tuple(row) for row in csv.reader(file))
        if len(rows) < 2:  # of lists without any video the heading is left
            return None
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        replace_file(self.folder / _FAILED, text.getvalue().encode("utf-8", "surrogateescape"))
        return self.folder / _FAILED


def check(request: SubmitRequest) -> str:
    """Return the executor that is meant, once all that can be wrong without the call itself has been looked at.

    Raises:
        UsageError: The extra is not installed, or the executor is not here.
    """
    try:
        from gbvis.steps.submit.executor import find_executor
    except ImportError as error:
        if error.name not in ("submitit", "cloudpickle"):
            raise
        raise UsageError(
            "gbvis submit needs submitit, which is not installed", "pip install 'gbvis[submit]'"
        ) from error
    return find_executor(request.executor)


def run(request: SubmitRequest) -> Submission:
    """Submit the jobs.

    Raises:
        UsageError: The request is wrong, or the cluster refuses the jobs.
    """
    name = check(request)
    folder = _make_folder(request.folder, request.words[0])
    lists = [folder / f"failed-{number}.csv" for number in range(1, request.shards + 1)]
    try:
        handles = _hand_over(request, name, folder, lists)
    except UsageError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    jobs = tuple(
        SubmittedJob(f"{number}/{request.shards}", one.job_id, one.paths.stdout, one.paths.stderr, failed)
        for number, (one, failed) in enumerate(zip(handles, lists, strict=True), start=1)
    )
    return Submission(name, folder, jobs, handles)


def _hand_over(request: SubmitRequest, name: str, folder: Path, lists: Iterable[Path]) -> "list[Job[int]]":
    """Hand the jobs to submitit; each lists the videos that failed in a file of its own."""
    from submitit.core.utils import FailedJobError

    from gbvis.steps.submit.executor import open_executor
    from gbvis.steps.submit.shard_job import ShardJob

    executor = open_executor(name, folder, request.resources, request.requeues, f"gbvis-{request.words[0]}")
    works = [
        ShardJob(_words_of(request, number, failed), str(Path.cwd()), request.resources.grace * 0.7)
        for number, failed in enumerate(lists, start=1)
    ]
    try:
        with _output_to(folder / "executor.log"):
            return executor.submit_array(works)
    except (FailedJobError, OSError) as error:
        said = str(error).strip().splitlines() or ["unknown"]
        problem = f"the jobs were not taken: {said[-1].removeprefix('sbatch: error: ')}"
        raise UsageError(problem, "check the options of gbvis submit") from error


def _words_of(request: SubmitRequest, number: int, failed: Path) -> tuple[str, ...]:
    """Return the call of one job."""
    command, *others = request.words
    return command, "--shard", f"{number}/{request.shards}", "--failed-to", str(failed), *others


def _make_folder(parent: Path, command: str) -> Path:
    """Make a folder for the jobs of one call: `explain-1`, or the next number that is free.

    Raises:
        UsageError: It cannot be made.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for number in range(1, 10**6):
            with suppress(FileExistsError):
                (parent / f"{command}-{number}").mkdir()
                return (parent / f"{command}-{number}").absolute()
    except OSError as error:
        problem = f"cannot write into {parent}: {error.strerror}"
        raise UsageError(problem, "name a folder that all machines of the cluster see, with --folder") from error
    raise UsageError(f"{parent} is full of jobs", "name another folder with --folder")


@contextmanager
def _output_to(path: Path) -> Iterator[None]:
    """Send what processes print that are started now to a file: local jobs live longer than this process."""
    kept = [os.dup(number) for number in (1, 2)]
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        _copy_files([file, file])
        with redirect_stderr(io.StringIO()):  # what sbatch says is told in the error
            yield
    finally:
        _copy_files(kept)
        for one in (file, *kept):
            os.close(one)


def _copy_files(files: Iterable[int]) -> None:
    for number, file in enumerate(files, start=1):
        os.dup2(file, number)
