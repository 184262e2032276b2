"""Waits for jobs, and finds out what became of each."""

import csv
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import submitit
from submitit.core.utils import pickle_load

from gbvis.steps.submit.request import FinishedJob, SubmittedJob

Submitted = tuple[SubmittedJob, submitit.Job[int]]
"""A job, and submitit's handle of it."""

_OFTEN = 1.0
"""Seconds between two looks at the jobs' results."""

_SELDOM = 30.0
"""Seconds between two looks at the cluster's queue, which others look at too."""


def wait_for_jobs(jobs: Sequence[Submitted]) -> Iterator[FinishedJob]:
    """Yield each job once it has ended: with a result, or because the cluster knows nothing of it any more."""
    queue, left = _Queue(), list(jobs)
    while left:
        ended = [one for one in left if _has_ended(one[1], queue)]
        for job, handle in ended:
            yield _describe_end(job, handle)
        left = [one for one in left if one not in ended]
        if left:
            time.sleep(_OFTEN)
            queue.look({handle.job_id.partition("_")[0] for _, handle in left if isinstance(handle, submitit.SlurmJob)})


class _Queue:
    """What SLURM's queue holds, as `squeue` lists it; unlike `sacct` it is there on every cluster."""

    def __init__(self) -> None:
        self._looked = time.monotonic()
        self._listed: set[str] | None = None
        self._missing: dict[str, float] = {}

    def look(self, jobs: set[str]) -> None:
        """List what is left of the arrays, if the last time was long ago."""
        if not jobs or time.monotonic() - self._looked < _SELDOM:
            return
        self._looked = time.monotonic()
        words = ["squeue", "--noheader", "--array", "--format=%i", f"--jobs={','.join(sorted(jobs))}"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        is_unknown = bool(done.returncode) and "Invalid job id" not in done.stderr
        self._listed = None if is_unknown else set(done.stdout.split())

    def has_lost(self, job: str) -> bool:
        """Return whether a job was not there in two lists that followed each other: a result may come late."""
        if self._listed is None:
            return False
        if job in self._listed:
            self._missing.pop(job, None)
            return False
        return self._looked > self._missing.setdefault(job, self._looked)


def _has_ended(handle: submitit.Job[int], queue: _Queue) -> bool:
    if isinstance(handle, submitit.DebugJob):
        return True
    if isinstance(handle, submitit.LocalJob):
        return handle.done()
    with suppress(OSError):  # a folder of another machine is looked at anew after this
        handle.paths.folder.chmod(handle.paths.folder.stat().st_mode)
    return handle.paths.result_pickle.exists() or queue.has_lost(handle.job_id)


def _describe_end(job: SubmittedJob, handle: submitit.Job[int]) -> FinishedJob:
    """Return what became of a job that has ended."""
    problem, failures = _find_problem(handle), _read_failures(job)
    if failures:
        problem = f"{len(failures)} video{'s' if len(failures) > 1 else ''} failed"
    return FinishedJob(job, problem, failures)


def _find_problem(handle: submitit.Job[int]) -> str:
    """Return what went wrong with a job; empty where gbvis ended with exit code 0."""
    if isinstance(handle, submitit.DebugJob):
        outcome, result = "success", handle.result()
    elif handle.paths.result_pickle.exists():
        outcome, result = pickle_load(handle.paths.result_pickle)
    else:
        return "it was ended before it was done"
    if outcome == "error":
        return str(result).strip().splitlines()[-1].partition(": ")[2]
    return f"gbvis ended with exit code {result}" if result else ""


def _read_failures(job: SubmittedJob) -> tuple[str, ...]:
    """Return the videos that a job listed as failed; none where it has not written the list."""
    with suppress(OSError), job.failed.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return tuple(row[0] for row in list(csv.reader(file))[1:])
    return ()
