"""`--devices`: worker processes share the videos of a call, and losing one costs no more than its video."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import gbvis
from conftest import Call
from gbvis.errors import DeviceError
from gbvis.progress import Failure, Progress
from gbvis.steps.engines import processes
from gbvis.steps.engines.devices import Slot, read_devices
from gbvis.steps.engines.feed import Feed
from gbvis.steps.video_names import NamedEntry
from gbvis.videos.name_list import VideoEntry

SAMPLES = [f"sample:{name}-{seed}" for name in ("left", "up", "grow") for seed in (1, 2)]
ARGUMENTS = ("-w", "sample", "-m", "rgb")

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes by /proc")


def list_workers(parent: int) -> list[int]:
    """Return the worker processes that a process has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if int(words[1]) == parent and words[0] != "Z" and b"worker_process" in command:
            found.append(int(folder.name))
    return found


def wait_until(is_so: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.05)


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def read_arrays(store: Path) -> dict[str, bytes]:
    """Return the bytes of all chunks of a store, by their place in it."""
    chunks = (path for path in sorted(store.rglob("*")) if path.is_file() and path.name != "zarr.json")
    return {path.relative_to(store).as_posix(): path.read_bytes() for path in chunks}


class Told(Progress):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.expected = self.finished = 0
        self.warnings: list[str] = []

    def expect_videos(self, count: int) -> None:
        self.expected = count

    def finish_video(self) -> None:
        self.finished += 1

    def warn(self, line: str) -> None:
        self.warnings.append(line)


def test_two_workers_give_the_arrays_and_lines_that_one_process_gives(call: Call, tmp_path: Path) -> None:
    alone = call("explain", *SAMPLES[::2], "-w", "sample", "--json", "--store", "alone")
    shared = call("explain", *SAMPLES[::2], "-w", "sample", "--json", "--store", "shared", "--devices", "cpu:2x1")
    assert (alone.code, shared.code) == (0, 0), shared.err
    lines = [sorted(one.out.splitlines()) for one in (alone, shared)]
    told = [[json.loads(line) for line in one] for one in lines]
    for one in (*told[0], *told[1]):
        del one["seconds"], one["store"]
    key = lambda one: (one["location"], one["modality"])  # noqa: E731
    assert sorted(told[0], key=key) == sorted(told[1], key=key)
    assert "6 runs done, 0 cached, 0 failed" in shared.err
    assert read_arrays(tmp_path / "alone") == read_arrays(tmp_path / "shared")
    runs = list(gbvis.open_store("shared").runs())
    assert {run.made["threads"] for run in runs} == {1}


def test_predictions_of_workers_are_those_of_one_process(call: Call) -> None:
    words = ("predict", *SAMPLES[:2], "-w", "sample", "--clips", "1", "--json")
    alone, shared = call(*words), call(*words, "--devices", "cpu:2x1")
    assert (alone.code, shared.code) == (0, 0), shared.err
    lines = [one.out.splitlines() for one in (alone, shared)]
    assert sorted(lines[0]) == sorted(lines[1]) and len(lines[0]) == 6
    first = [json.loads(line)["video"] for line in lines[1][:3]]
    assert len(set(first)) == 1, "the lines of a video stay together"


def test_what_workers_have_done_is_cached_in_any_call(call: Call) -> None:
    call("explain", *SAMPLES[:2], *ARGUMENTS, "--devices", "cpu:1x1")
    for words in ([], ["--devices", "cpu:1x1"]):
        assert "0 runs done, 2 cached" in call("explain", *SAMPLES[:2], *ARGUMENTS, *words).err


def test_a_run_that_a_worker_made_can_be_read(tmp_path: Path) -> None:
    (run,) = gbvis.explain(SAMPLES[0], "sample", modality="rgb", store=tmp_path / "a.zarr", devices="cpu:1x1")
    assert not isinstance(run, Failure)
    assert run.run.to_numpy().shape[0] == 1


def test_failures_and_warnings_of_workers_are_told_once(call: Call) -> None:
    called = call("explain", SAMPLES[0], "sample:nowhere-1", "-w", "sample", "--devices", "cpu:2x1")
    called.check_error(1, "nowhere", "sample")
    assert "2 runs done, 0 cached, 1 failed" in called.err


def test_an_error_of_the_whole_call_ends_it(tmp_path: Path) -> None:
    told = Told()
    results = gbvis.explain(
        SAMPLES, "sample", modality="rgb", store=tmp_path / "a.zarr", devices="cpu:2x1", progress=told
    )
    (tmp_path / "a.zarr/zarr.json").write_text("{}")
    with pytest.raises(gbvis.errors.UsageError, match="no gbvis store"):
        list(results)
    assert not list_workers(os.getpid())


@needs_proc
def test_the_video_of_a_lost_worker_fails_and_all_others_are_done(tmp_path: Path) -> None:
    told, done, failures = Told(), [], []
    store = tmp_path / "a.zarr"
    samples = [f"sample:left-{seed}" for seed in range(8)]
    for result in gbvis.explain(samples, "sample", modality="rgb", store=store, devices="cpu:2x1", progress=told):
        if isinstance(result, Failure):
            failures.append(result)
            continue
        if not done:
            os.kill(list_workers(os.getpid())[0], signal.SIGKILL)
        done.append(result.location)
    assert [("SIGKILL" in one.problem, one.video in samples) for one in failures] == [(True, True)]
    assert sorted([*done, failures[0].video]) == samples
    assert told.expected == told.finished == len(samples)
    assert not list_workers(os.getpid())


@needs_proc
def test_a_slot_whose_workers_are_lost_again_and_again_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    monkeypatch.setattr(processes, "_MAIN", "gbvis.no_such_module")
    with pytest.raises(DeviceError, match="every worker was lost, and 2 videos were not begun"):
        list(gbvis.explain(SAMPLES[:2], "sample", store=tmp_path / "a.zarr", devices="cpu:2x1", progress=told))
    assert len(told.warnings) == 2 and "3 workers on cpu were lost" in told.warnings[0]


@pytest.mark.slow
@needs_proc
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_call_that_ends_leaves_no_worker(number: signal.Signals, code: int, tmp_path: Path) -> None:
    samples = [f"sample:left-{seed}" for seed in range(200)]
    words = [sys.executable, "-m", "gbvis", "explain", *samples, *ARGUMENTS, "--devices", "cpu:2x1"]
    call = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert call.stdout and call.stderr
    assert call.stdout.readline()
    workers = list_workers(call.pid)
    assert len(workers) == 2
    call.send_signal(number)
    _, err = call.communicate(timeout=60)
    assert call.returncode == code and "Traceback" not in err, err
    wait_until(lambda: not any(is_alive(worker) for worker in workers))
    done = len(list(gbvis.open_store(tmp_path / "gbvis.zarr").runs()))
    assert 1 <= done < len(samples)


@pytest.mark.parametrize(
    ("devices", "slots"),
    [
        ("cpu:4x2", [Slot("cpu", 2)] * 4),
        ("cpu:1x3", [Slot("cpu", 3)]),
        ("cpu:1000", [Slot("cpu", 1)] * 1000),
    ],
)
def test_devices_become_slots(devices: str, slots: list[Slot]) -> None:
    assert list(read_devices(devices)) == slots


def test_all_devices_are_the_gpus_or_else_a_worker_for_each_core(monkeypatch: pytest.MonkeyPatch) -> None:
    from gbvis.networks import network

    monkeypatch.setattr(network, "list_gpus", lambda: [])
    assert {slot.threads for slot in read_devices("all")} == {1}
    monkeypatch.setattr(network, "list_gpus", lambda: ["cuda:0", "cuda:1"])
    monkeypatch.setattr(network, "find_device", lambda name, hint: None)
    assert [slot.device for slot in read_devices("all")] == ["cuda:0", "cuda:1"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--devices", "cpu:0x1"], "no worker"),
        (["--devices", "cpu:1x0"], "without a thread"),
        (["--devices", "tpu:0"], "unknown device 'tpu:0'"),
        (["--devices", ""], "unknown device"),
        (["--devices", "cpu"], "unknown device 'cpu'"),
        (["--devices", "cpu:1x1,cpu:2x1"], "cpu is named twice"),
        (["--devices", "cuda:0,cuda:00"], "cuda:0 is named twice"),
        (["--devices", "cuda:999"], "no device cuda:999"),
        (["--devices", "cpu:2x1", "--device", "cpu"], "both --device cpu and --devices cpu:2x1"),
        (["--engine", "spark"], "spark"),
    ],
    ids=lambda words: words[-1] if isinstance(words, list) else "",
)
def test_wrong_devices_are_a_wrong_call(words: list[str], problem: str, call: Call) -> None:
    call("explain", SAMPLES[0], *ARGUMENTS, *words).check_error(2, problem)
    assert not Path("gbvis.zarr").exists()


def test_the_hint_is_of_the_option_that_was_given(call: Call) -> None:
    assert "give --devices all" in call("explain", SAMPLES[0], *ARGUMENTS, "--devices", "cuda:999").err
    assert "use --device auto or cpu" in call("explain", SAMPLES[0], *ARGUMENTS, "--device", "cuda:999").err


def test_devices_come_before_the_variable_for_a_device(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GBVIS_DEVICE", "cpu")
    assert call("explain", SAMPLES[0], *ARGUMENTS, "--devices", "cpu:1x1").code == 0


def test_a_feed_says_when_the_next_video_is_not_known_yet() -> None:
    feed, videos = Feed(), [NamedEntry(VideoEntry(name), "") for name in "abc"]
    given = iter(feed)
    feed.give(videos[0])
    feed.give(videos[1])
    assert [next(given), next(given), next(given)] == [*videos[:2], None]
    feed.give(videos[2])
    feed.end()
    assert list(given) == [videos[2]]
