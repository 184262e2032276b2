"""`gbvis submit`: its options, the check of the call that is submitted, and what is printed of jobs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gbvis.cli.checked import only_checking
from gbvis.cli.console import Console, print_error
from gbvis.cli.format import count_of
from gbvis.cli.option_groups import option, switch
from gbvis.cli.parse import parse_duration
from gbvis.errors import UsageError
from gbvis.shell import join_words

if TYPE_CHECKING:
    from gbvis.steps.submit import FinishedJob, Submission, SubmitRequest

Call = Annotated[
    list[str],
    typer.Argument(
        metavar="COMMAND", help="After --, the call without gbvis: explain, predict or extract, and options."
    ),
]

_OWN = {
    "--shard": "each job gets its own shard",
    "--failed-to": "each job has its own list in the folder of the logs, and --wait joins them",
    "--force": "a job that is repeated would begin again; remove first what is to be made again: gbvis store rm",
    "--dry-run": "make the dry run without gbvis submit",
    "--report": "each job would write it anew, with its own runs: use gbvis report when they have ended",
}
"""Options that the call may not have, with the reason."""

_FEW = 3
"""Videos that are named of a job in which several failed."""


@dataclass
class Jobs:
    """How many jobs, and what each may use."""

    shards: Annotated[int, option("--shards", metavar="N", min=1, max=9999, text="Share the videos among N jobs.")]
    executor: Annotated[
        str,
        option(
            "--executor",
            metavar="auto|slurm|local|debug",
            text="Run jobs on SLURM, as processes of this machine, or here one by one; auto: SLURM where it is.",
        ),
    ] = "auto"
    time: Annotated[
        str, option("--time", metavar="TIME", text="End a job after so long, as 30m, 2h, 1d or 1-12:00:00.")
    ] = "1h"
    requeues: Annotated[
        int, option("--requeues", metavar="N", min=0, text="Repeat a job whose time is over so often: it goes on.")
    ] = 20
    grace: Annotated[
        str, option("--grace", metavar="TIME", text="Tell a job so long before its time is over that it has to end.")
    ] = "90s"
    partition: Annotated[
        str | None, option("--partition", metavar="NAME", text="Use this partition of SLURM. Default: SLURM's.")
    ] = None
    gpus: Annotated[int | None, option("--gpus", metavar="N", min=0, text="Give each job N GPUs. Default: 0.")] = None
    cpus: Annotated[
        int | None, option("--cpus", metavar="N", min=1, text="Give each job N CPUs. Default: SLURM's.")
    ] = None
    memory: Annotated[
        str | None, option("--memory", metavar="SIZE", text="Give each job so much memory, as 16G. Default: SLURM's.")
    ] = None
    array_parallelism: Annotated[
        int | None,
        option("--array-parallelism", metavar="N", min=1, text="Let SLURM run N jobs at a time. Default: 256."),
    ] = None
    settings: Annotated[
        list[str] | None,
        option(
            "--set",
            metavar="KEY=VALUE",
            text="Set another option of sbatch or of submitit's executor for SLURM; repeatable. Default: none.",
        ),
    ] = None
    folder: Annotated[Path, option("--folder", metavar="DIR", text="Make a folder in this one for the logs.")] = Path(
        "gbvis-jobs"
    )

    def request(self, words: Sequence[str]) -> SubmitRequest:
        """Return the jobs that run a call, as the step takes them.

        Raises:
            UsageError: A time or a setting is none, or jobs cannot be submitted here.
        """
        from gbvis.steps.submit import Resources, SubmitRequest, check

        seconds, grace = parse_time(self.time), parse_duration(self.grace)
        if not grace < seconds:
            raise UsageError(f"--grace {self.grace} is no shorter than --time {self.time}", "give jobs more time")
        resources = Resources(
            seconds,
            grace,
            self.partition,
            self.gpus,
            self.cpus,
            self.memory,
            self.array_parallelism,
            tuple(_parse_setting(one) for one in self.settings or ()),
        )
        request = SubmitRequest(tuple(words), self.shards, self.executor, resources, self.requeues, self.folder)
        check(request)
        return request


Wait = Annotated[bool, switch("--wait", text="Wait for the jobs, and sum up what they did and what failed.")]


def parse_time(typed: str) -> float:
    """Return the seconds that `90s`, `30m`, `2h`, `1d`, or SLURM's `[D-]HH:MM:SS` means.

    Raises:
        UsageError: It is no such time.
    """
    match = re.fullmatch(r"(?:(\d{1,3})-)?(\d{1,3}):(\d\d):(\d\d)", typed)
    if match:
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
    if typed.isdecimal():  # minutes for sbatch, seconds elsewhere
        raise UsageError(f"--time {typed}: {typed} of what?", f"say {typed}m or {typed}s, or HH:MM:SS")
    if re.fullmatch(r"\d{1,3}d", typed):
        return int(typed[:-1]) * 86400.0
    return parse_duration(typed)


def _parse_setting(typed: str) -> tuple[str, str]:
    key, equals, value = typed.partition("=")
    if not (equals and re.fullmatch("[a-z][a-z_-]*", key) and value.isprintable()):
        raise UsageError(f"--set {typed!r} is no KEY=VALUE", "such as --set account=vision, --set exclusive=true")
    return key, value


def check_call(app: typer.Typer, words: Sequence[str]) -> None:
    """Check a call that is to be submitted, as it would check itself; nothing is computed.

    Raises:
        UsageError: The call is wrong, or none that jobs can share.
    """
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    shared = [name for name, one in commands.items() if "--shard" in _options_of(one)]
    if words[0] not in shared:
        raise UsageError(f"{words[0]} is no command that jobs can share", f"give one of: {', '.join(shared)}")
    for name, reason in _OWN.items():
        if any(word == name or word.startswith(f"{name}=") for word in words):
            raise UsageError(f"{name} in a call that is submitted", reason)
    if ("--videos-from", "-") in pairwise(words) or "--videos-from=-" in words:
        raise UsageError("--videos-from -: a job has no standard input", "give the list as a file")
    with only_checking() as check:
        app(list(words), prog_name="gbvis", standalone_mode=False)
    if not check.is_passed:
        raise UsageError(f"gbvis {join_words(words)} computes nothing", "give a call that works on videos")


def _options_of(command: Any) -> list[str]:
    return [name for parameter in getattr(command, "params", ()) for name in parameter.opts]


def print_jobs(console: Console, submission: Submission, words: Sequence[str], is_waiting: bool) -> int:
    """Print which jobs there are, wait for them where that is asked for, and return the exit code: 1 where one failed.

    Args:
        console: Where to.
        submission: The jobs.
        words: Their call.
        is_waiting: Wait for them.
    """
    is_waiting = is_waiting or submission.executor == "debug"
    if not console.is_json:
        _print_submission(console, submission, words[0])
    for job in submission.jobs if console.is_json and not is_waiting else ():
        console.print_json(job)
    return _print_ends(console, submission) if is_waiting else 0


def _print_submission(console: Console, submission: Submission, command: str) -> None:
    """Print which jobs there are, and where to look for what they do."""
    ids = [one.job for one in submission.jobs]
    span = ids[0] if len(ids) == 1 else f"{ids[0]} to {ids[-1]}"
    console.print(f"{count_of(len(ids), 'job')} for {submission.executor}: {span}")
    console.print(f"logs: {submission.folder}")
    if command == "explain":
        console.print("what is done: the same explain with --dry-run")
    if submission.executor == "slurm":
        console.print(f"what waits or runs: squeue -j {submission.array}; scancel {submission.array} ends it")


def _print_ends(console: Console, submission: Submission) -> int:
    """Print what becomes of each job, and of all."""
    counts: Counter[str] = Counter()
    try:
        with console:
            console.expect(len(submission.jobs), "jobs")
            for one in submission.wait():
                counts["failed" if one.problem else "done"] += 1
                (Console.print_json if console.is_json else _print_end)(console, one)
                console.advance("jobs")
    except (KeyboardInterrupt, SystemExit):
        how = f": scancel {submission.array} ends them" if submission.executor == "slurm" else ", and write their logs"
        console.sum_up_failures([f"the jobs go on{how}; do not submit them again"])
        raise
    failed = submission.list_failures()
    console.sum_up(f"{count_of(counts['done'], 'job')} done, {counts['failed']} failed")
    if failed:
        console.sum_up_failures([f"the videos that failed: {failed}: give it to --videos-from"])
    return int(bool(counts["failed"]))


def _print_end(console: Console, finished: FinishedJob) -> None:
    job = finished.job
    console.print(f"shard {job.shard}  job {job.job}  {finished.problem or 'done'}")
    if finished.problem:
        names = ", ".join(finished.failures[:_FEW]) + (", ..." if len(finished.failures) > _FEW else "")
        print_error(f"shard {job.shard}: {finished.problem}{names and f': {names}'}", f"look at {job.error_log}")
