"""submitit's executors, and what jobs may use in submitit's words."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import submitit

from gbvis.errors import UsageError
from gbvis.registry import check_name
from gbvis.steps.submit.request import EXECUTORS, Resources

_OURS = {
    "time": "--time",
    "partition": "--partition",
    "mem": "--memory",
    "cpus_per_task": "--cpus",
    "gpus_per_node": "--gpus",
    "signal": "--grace",
    "signal_delay_s": "--grace",
    "array": "--shards",
    "array_parallelism": "--array-parallelism",
    "output": "--folder",
    "error": "--folder",
}
"""Settings that have an option of ours, with that."""

_ONE_EACH = ("nodes", "ntasks_per_node", "ntasks", "map_count")
"""Settings that would have several processes do one shard."""

_LISTS = ("setup", "teardown", "srun_args")
"""Settings of submitit that are given line by line."""


def find_executor(name: str) -> str:
    """Return the executor that a name means here: `auto` is SLURM where its programs are, else this machine.

    Raises:
        UsageError: There is no such executor, or SLURM is not here.
    """
    check_name("executor", EXECUTORS, name)
    has_slurm = submitit.SlurmExecutor.affinity() > 0
    if name == "slurm" and not has_slurm:
        raise UsageError("no SLURM here: there is no program srun", "submit on a cluster's login node, or leave it out")
    return ("slurm" if has_slurm else "local") if name == "auto" else name


def open_executor(name: str, folder: Path, resources: Resources, requeues: int, title: str) -> submitit.Executor:
    """Return an executor that runs jobs with these resources.

    Args:
        name: `slurm`, `local` or `debug`.
        folder: For all that submitit writes.
        resources: What a job may use.
        requeues: How often a job whose time is over is repeated.
        title: The jobs' name.

    Raises:
        UsageError: A setting that there is not.
    """
    if name == "debug":
        return submitit.DebugExecutor(folder)
    parameters: dict[str, Any] = {"signal_delay_s": int(resources.grace)}
    executor: submitit.Executor
    if name == "local":
        executor = submitit.LocalExecutor(folder, max_num_timeout=requeues)
        parameters |= {"timeout_min": resources.seconds / 60, "gpus_per_node": resources.gpus or 0}
    else:
        executor = submitit.SlurmExecutor(folder, max_num_timeout=requeues)
        parameters |= {**_slurm_parameters(resources), "job_name": title}
        parameters |= read_settings(resources.settings, submitit.SlurmExecutor._valid_parameters())
    executor.update_parameters(**parameters)
    return executor


def _slurm_parameters(resources: Resources) -> dict[str, Any]:
    given = {
        "time": -(-int(resources.seconds) // 60),  # full minutes
        "partition": resources.partition,
        "gpus_per_node": resources.gpus,
        "cpus_per_task": resources.cpus,
        "mem": resources.memory,
        "array_parallelism": resources.parallelism,
    }
    return {name: value for name, value in given.items() if value is not None}


def read_settings(settings: Iterable[tuple[str, str]], known: Iterable[str]) -> dict[str, Any]:
    """Return settings in submitit's words: those that it does not know go to sbatch as they are.

    Raises:
        UsageError: A setting that gbvis makes itself.
    """
    known, found = set(known), dict[str, Any]()
    others: dict[str, str | bool] = {}
    for key, value in settings:
        name = key.replace("-", "_")
        _check_setting(key, name)
        if name in _LISTS:
            found.setdefault(name, []).append(value)
        elif name in known:
            found[name] = _read_value(value)
        else:
            others[key.replace("_", "-")] = True if value == "true" else value
    return {**found, "additional_parameters": others} if others else found


def _check_setting(key: str, name: str) -> None:
    if name in _OURS:
        raise UsageError(f"--set {key}", f"use {_OURS[name]}")
    if name in _ONE_EACH:
        raise UsageError(f"--set {key}: each job does one shard, in one process", "give more --shards")


def _read_value(value: str) -> str | int | bool:
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value.isdecimal() else value
