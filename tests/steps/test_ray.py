"""`--engine ray`: the actors of a Ray cluster share the videos of a call."""

import gc
import importlib.util
import json
import os
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_workers import Told, read_arrays, wait_until

import gbvis
from conftest import Call
from gbvis.progress import Failure
from gbvis.steps.engines import ray_cluster

SAMPLES = [f"sample:{name}-{seed}" for name in ("left", "up", "grow") for seed in (1, 2)]


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Have Ray where it is installed, and end what a test has started of it."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("ray is not installed")
    ray_cluster.keep_to_ourselves()  # before Ray is imported
    import ray

    monkeypatch.setenv("RAY_ADDRESS", "local")
    yield ray
    ray.shutdown()
    with warnings.catch_warnings():  # Ray does not wait for the processes that it ends
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Ray not be installed."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


def list_actors() -> list[int]:
    """Return the processes of all actors of ours on this machine, those that work."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes().startswith(b"ray::VideoActor"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@pytest.mark.usefixtures("is_missing")
def test_without_ray_the_call_says_how_to_install_it(call: Call) -> None:
    called = call("explain", SAMPLES[0], "-w", "sample", "--engine", "ray")
    called.check_error(2, "Ray is not installed", "pip install 'gbvis[ray]'")


@pytest.mark.engine
def test_two_actors_give_the_arrays_and_lines_that_one_process_gives(ray: object, call: Call, tmp_path: Path) -> None:
    alone = call("explain", *SAMPLES[::2], "-w", "sample", "--json", "--store", "alone")
    shared = call(
        "explain", *SAMPLES[::2], "-w", "sample", "--json", "--store", "b", "--engine", "ray", "--devices", "cpu:2x1"
    )
    assert (alone.code, shared.code) == (0, 0), shared.err
    keys = [{json.loads(line)["group"] for line in one.out.splitlines()} for one in (alone, shared)]
    assert keys[0] == keys[1] and len(keys[0]) == 6
    assert "6 runs done, 0 cached, 0 failed" in shared.err
    assert read_arrays(tmp_path / "alone") == read_arrays(tmp_path / "b")
    assert not list_actors()


def list_listening() -> set[str]:
    """Return the addresses, as Linux writes them, at which processes of a Ray of this machine listen."""
    sockets = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name = (folder / "cmdline").read_bytes()
            if name.startswith(b"ray::") or b"/ray/core/" in name.split(b"\0")[0]:
                sockets |= {str(file.readlink()) for file in (folder / "fd").iterdir()}
        except OSError:
            continue
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for words in map(str.split, Path(table).read_text().splitlines()[1:]):
            if words[3] == "0A" and f"socket:[{words[9]}]" in sockets:
                found.add(words[1].partition(":")[0])
    return found


LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


@pytest.mark.engine
def test_an_actor_that_is_killed_is_replaced_and_no_video_fails(ray: object, tmp_path: Path) -> None:
    told, done = Told(), []
    samples = [f"sample:left-{seed}" for seed in range(8)]
    results = gbvis.explain(
        samples,
        "sample",
        modality="rgb",
        store=tmp_path / "a.zarr",
        engine="ray",
        devices="cpu:2x1",
        progress=told,
    )
    for result in results:
        assert not isinstance(result, Failure), result
        if not done:
            wait_until(list_actors)
            assert list_listening() and list_listening() <= LOOPBACK
            os.kill(list_actors()[0], signal.SIGKILL)
        done.append(result.location)
    assert sorted(done) == samples
    assert told.expected == told.finished == len(samples)


@pytest.mark.engine
def test_failures_of_actors_are_told_and_wrong_calls_end_the_call(ray: object, call: Call, tmp_path: Path) -> None:
    words = ("-w", "sample", "-m", "rgb", "--engine", "ray", "--devices", "cpu:1x1")
    called = call("explain", SAMPLES[0], "sample:nowhere-1", *words)
    called.check_error(1, "nowhere")
    assert "1 run done, 0 cached, 1 failed" in called.err
    (tmp_path / "gbvis.zarr/zarr.json").write_text("{}")
    call("explain", SAMPLES[0], *words).check_error(2, "no gbvis store")


@pytest.mark.engine
def test_a_cluster_that_is_not_there_is_a_wrong_call(ray: object, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    called = call("explain", SAMPLES[0], "-w", "sample", "--engine", "ray")
    called.check_error(2, "cannot reach the Ray cluster at 127.0.0.1:1", "RAY_ADDRESS")
