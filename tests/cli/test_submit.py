"""`gbvis submit`: wrong calls are found at once, SLURM is told what was asked for, and jobs fill one store."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import ROOT, Call
from gbvis.store import Store

SAMPLES = [f"sample:{name}-{seed}" for name in ("left", "up", "grow") for seed in (1, 2)]
RGB = ["-m", "rgb", "-w", "sample"]
EXPLAIN = ["explain", *SAMPLES, *RGB]
GBVIS = [sys.executable, "-m", "gbvis"]
PAGE = ROOT / "docs/how-to/cluster.md"


def read_arrays(store: Path) -> dict[str, bytes]:
    """Return every chunk of a store's runs and clips, by its place."""
    paths = list(store.rglob("c.*"))
    assert paths
    return {path.relative_to(store).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["explain", "sample:left-1", "-w", "sample", "--no-such"], "--no-such"),
        (["explain", "sample:left-1"], "no weights"),
        (["explain", "sample:left-1", "-w", "sample", "-e", "Conv9"], "Conv9"),
        (["explain", "sample:left-1", "-w", "missing.pth"], "missing.pth"),
        (["explain", "-w", "sample"], "no video given"),
        (["predict", "sample:left-1", "-w", "missing.pth"], "missing.pth"),
        (["extract", "sample:left-1", "-o", "data", "--flow-algorithm", "none"], "none"),
        (["render"], "no command that jobs can share"),
        (["gbvis", "explain"], "no command that jobs can share"),
        (["explain", "--help"], "computes nothing"),
        ([*EXPLAIN, "--shard", "1/2"], "each job gets its own shard"),
        ([*EXPLAIN, "--failed-to=failed.csv"], "--wait joins them"),
        ([*EXPLAIN, "--force"], "would begin again"),
        ([*EXPLAIN, "--dry-run"], "without gbvis submit"),
        (["explain", "--videos-from", "-", *RGB], "no standard input"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_call_is_found_before_anything_is_submitted(
    words: list[str], said: str, call: Call, tmp_path: Path
) -> None:
    called = call("submit", "--shards", 2, "--executor", "local", "--", *words)
    called.check_error(2, said)
    assert not (tmp_path / "gbvis-jobs").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--time", "60"], "60 of what?"),
        (["--time", "soon"], "no time"),
        (["--time", "1m", "--grace", "60s"], "no shorter"),
        (["--executor", "slrum"], "slurm"),
        (["--executor", "slurm"], "no SLURM here"),
        (["--set", "account"], "no KEY=VALUE"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_option_is_a_wrong_call(
    options: list[str], said: str, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", "")
    call("submit", "--shards", 2, *options, "--", *EXPLAIN).check_error(2, said)
    assert not (tmp_path / "gbvis-jobs").exists()


def test_without_submitit_the_extra_is_named(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("gbvis.steps.submit.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "submitit", None)
    call("submit", "--shards", 2, "--", *EXPLAIN).check_error(2, "needs submitit", "gbvis[submit]")


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Programs of SLURM that run nothing; gives what sets the lines of one."""
    (tmp_path / "bin").mkdir()

    def make(name: str, lines: str) -> None:
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{lines}\n")
        (tmp_path / "bin" / name).chmod(0o755)

    make("srun", "exit 1")
    make("sbatch", "echo Submitted batch job 77")
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]]))
    yield make


def test_slurm_is_told_what_was_asked_for(call: Call, slurm: Callable[[str, str], None], tmp_path: Path) -> None:
    options = ["--time", "1-02:00:00", "--grace", "2m", "--partition", "gpu", "--gpus", 1, "--cpus", 4]
    options += ["--memory", "16G", "--array-parallelism", 2, "--set", "account=vision", "--set", "mail-type=END"]
    options += ["--set", "setup=module load cuda", "--set", "exclusive=true"]
    called = call("submit", "--shards", 3, *options, "--", *EXPLAIN)
    assert called.code == 0, called.err
    assert "3 jobs for slurm: 77_0 to 77_2" in called.out and "squeue -j 77" in called.out
    script = (tmp_path / "gbvis-jobs/explain-1/77_submission.sh").read_text()
    for line in ("array=0-2%2", "time=1560", "signal=USR2@120", "partition=gpu", "gpus-per-node=1", "cpus-per-task=4"):
        assert f"#SBATCH --{line}\n" in script
    for line in ("mem=16G", "account=vision", "mail-type=END", "exclusive", "job-name=gbvis-explain"):
        assert f"#SBATCH --{line}\n" in script
    assert "\nmodule load cuda\n" in script


def test_a_setting_that_is_ours_names_its_option(call: Call, slurm: Callable[[str, str], None], tmp_path: Path) -> None:
    call("submit", "--shards", 2, "--set", "time=60", "--", *EXPLAIN).check_error(2, "--set time", "use --time")
    call("submit", "--shards", 2, "--set", "nodes=2", "--", *EXPLAIN).check_error(2, "one shard", "--shards")
    assert not list(tmp_path.glob("gbvis-jobs/*"))


def test_what_sbatch_says_is_told_and_nothing_is_left(
    call: Call, slurm: Callable[[str, str], None], tmp_path: Path
) -> None:
    slurm("sbatch", "echo 'sbatch: error: invalid partition specified: gpu' >&2; exit 1")
    call("submit", "--shards", 2, "--", *EXPLAIN).check_error(2, "invalid partition specified: gpu")
    assert not list(tmp_path.glob("gbvis-jobs/*"))


def test_json_names_each_job_and_its_logs(call: Call, slurm: Callable[[str, str], None], tmp_path: Path) -> None:
    called = call("submit", "--shards", 2, "--json", "--", *EXPLAIN)
    first, second = map(json.loads, called.out.splitlines())
    assert (first["shard"], first["job"], second["job"]) == ("1/2", "77_0", "77_1")
    assert first["log"] == str(tmp_path / "gbvis-jobs/explain-1/77_0_0_log.out")


QUEUE = """
echo x >> looks.txt
case $(wc -l < looks.txt) in
    1) echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1;;
    2) echo 77_0; echo 77_1;;
    3) echo 77_1;;
    *) echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1;;
esac
"""


def test_a_job_that_the_cluster_knows_no_more_is_lost(
    call: Call, slurm: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slurm("squeue", QUEUE)
    monkeypatch.setattr("gbvis.steps.submit.waiting._OFTEN", 0.01)
    monkeypatch.setattr("gbvis.steps.submit.waiting._SELDOM", 0.05)
    called = call("submit", "--shards", 2, "--wait", "--", *EXPLAIN)
    assert called.code == 1
    assert [line.split()[1] for line in called.out.splitlines() if line.startswith("shard")] == ["1/2", "2/2"]
    assert called.err.count("it was ended before it was done") == 2 and "0 jobs done, 2 failed" in called.err
    assert len((tmp_path / "looks.txt").read_text().splitlines()) == 5  # gone is what was not there twice


@pytest.mark.engine
def test_jobs_fill_one_store_and_failures_are_summed_up(process: Call, tmp_path: Path) -> None:
    assert process(*EXPLAIN, "--store", "alone.zarr").code == 0
    words = ["submit", "--shards", 3, "--executor", "local", "--wait", "--json"]
    called = process(*words, "--", *EXPLAIN, "missing.mp4", "absent.mp4")
    assert called.code == 1, called.err
    jobs = [json.loads(line) for line in called.out.splitlines()]
    assert sorted(one["shard"] for one in jobs) == ["1/3", "2/3", "3/3"]
    assert sorted(video for one in jobs for video in one["failures"]) == ["absent.mp4", "missing.mp4"]
    assert all(one["done"] == (not one["failures"]) for one in jobs)
    failed = (tmp_path / "gbvis-jobs/explain-1/failed.csv").read_text().splitlines()
    assert failed[0] == "path,label" and sorted(failed[1:]) == ["absent.mp4,", "missing.mp4,"]
    assert read_arrays(tmp_path / "gbvis.zarr") == read_arrays(tmp_path / "alone.zarr")
    assert process("submit", "--shards", 2, "--executor", "debug", "--", *EXPLAIN).code == 0


def find_tasks() -> list[int]:
    """Return submitit's processes in which jobs of this process's descendants run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if b"submitit.core._submit" in words and f"SUBMIT_TEST={os.getpid()}".encode() in environment:
            found.append(int(folder.name))
    return found


def wait_until(is_true: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.05)


def read_runs(logs: list[Path]) -> Counter[bool]:
    """Return how many lines of runs say that they were cached, and how many that they were computed."""
    lines = [line for log in logs for line in log.read_text().splitlines() if line.startswith('{"video"')]
    assert len({json.loads(line)["group"] for line in lines if not json.loads(line)["cached"]}) == sum(
        not json.loads(line)["cached"] for line in lines
    )
    return Counter(json.loads(line)["cached"] for line in lines)


@pytest.mark.engine
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_job_whose_time_is_over_ends_cleanly_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBMIT_TEST", str(os.getpid()))
    videos = [f"sample:left-{seed}" for seed in range(1, 61)]
    words = ["submit", "--shards", "1", "--executor", "local", "--wait", "--", "explain", *videos, *RGB, "--json"]
    submitting = subprocess.Popen([*GBVIS, *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def logs(suffix: str) -> list[Path]:
        return list(tmp_path.glob(f"gbvis-jobs/explain-1/*_log.{suffix}"))

    wait_until(lambda: any(log.read_text().count('"cached": false') >= 3 for log in logs("out")))
    (task,) = find_tasks()
    os.kill(task, signal.SIGUSR2)
    out, err = submitting.communicate(timeout=240)
    assert submitting.returncode == 0, out + err
    (error_log,) = logs("err")
    assert error_log.read_text().count("interrupted") == 1 and "Traceback" not in error_log.read_text()
    (log,) = logs("out")
    assert log.read_text().count("Requeued job") == 1
    runs = read_runs([log])
    assert runs[False] == 60 and runs[True] >= 3
    assert len(list(Store.open(tmp_path / "gbvis.zarr").runs())) == 60


def read_batch_script() -> str:
    """Return the batch script of the page about clusters."""
    found = re.search(r"^```bash\n(#!/bin/bash\n#SBATCH .*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.engine
def test_the_batch_script_of_the_page_is_requeued_by_its_signal(tmp_path: Path, slurm: object) -> None:
    """With programs in the place of SLURM's; the page says with which SLURM it was run."""
    (tmp_path / "bin/srun").write_text('#!/bin/sh\necho $$ > gbvis.pid\nexec "$@"\n')
    (tmp_path / "bin/scontrol").write_text('#!/bin/sh\necho "$@" >> scontrol.txt\n')
    (tmp_path / "bin/gbvis").write_text(f'#!/bin/sh\nexec {sys.executable} -m gbvis "$@" -m rgb --json\n')
    for name in ("scontrol", "gbvis"):
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "job.sh").write_text(read_batch_script().replace("-w rgb.pth", "-w sample"))
    (tmp_path / "list.txt").write_text("".join(f"sample:up-{seed}\n" for seed in range(1, 121)))
    task = {"SLURM_ARRAY_JOB_ID": "5", "SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_MIN": "0"}
    task |= {"SLURM_ARRAY_TASK_STEP": "1", "SLURM_ARRAY_TASK_COUNT": "2"}

    def start(log: str) -> subprocess.Popen[bytes]:
        with (tmp_path / log).open("wb") as file:
            words = ["bash", "job.sh"]
            return subprocess.Popen(words, cwd=tmp_path, stdout=file, stderr=file, env={**os.environ, **task})

    first = start("first.log")
    wait_until(lambda: (tmp_path / "first.log").read_text().count('"cached": false') >= 3)
    os.kill(int((tmp_path / "gbvis.pid").read_text()), signal.SIGUSR1)
    assert first.wait(60) == 138
    assert (tmp_path / "scontrol.txt").read_text() == "requeue 5_1\n"
    assert "interrupted" in (tmp_path / "first.log").read_text()
    assert start("second.log").wait(240) == 0
    runs = read_runs([tmp_path / "first.log", tmp_path / "second.log"])
    assert runs[True] >= 3 and runs[False] == len(list(Store.open(tmp_path / "gbvis.zarr").runs())) > 40
    assert (tmp_path / "scontrol.txt").read_text().count("requeue") == 1
