"""Where a store may lie: a folder, fsspec's memory, and S3, spoken to a real server on this machine."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from conftest import Call
from gbvis.errors import UsageError
from gbvis.store import Store
from gbvis.store.inventory import find_damage, list_entries
from gbvis.store.keys import RUN, WEIGHTS
from gbvis.store.storage import METADATA, Storage, Unreachable, encode_group
from gbvis.store.store import open_storage

if TYPE_CHECKING:
    from moto.server import ThreadedMotoServer

EXPLAIN = ["explain", "sample:up-4", "-w", "sample", "-e", "FC"]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:botocore")


def start_server() -> "tuple[ThreadedMotoServer, str]":
    """Return an S3 server and its endpoint; all servers of this process serve the same buckets."""
    from moto.server import ThreadedMotoServer

    started = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    started.start()
    host, port = started.get_host_and_port()
    return started, f"http://{host}:{port}"


def close_sessions() -> None:
    """Let go of what s3fs keeps open until the process ends, where Python warns of it."""
    import s3fs

    for files in s3fs.S3FileSystem._cache.values():
        if files._s3 is not None:
            files.close_session(files.loop, files._s3)
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """An S3 server with one bucket; how to reach it stands in the environment."""
    import boto3

    started, endpoint = start_server()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.setenv("AWS_ENDPOINT_URL", endpoint)
        client = boto3.client("s3")
        client.create_bucket(Bucket="bucket")
        yield "s3://bucket"
        client.close()
        close_sessions()
        started.stop()


@pytest.fixture(params=["folder", "memory", "s3"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A free storage of each kind."""
    if request.param == "s3":
        return f"{request.getfixturevalue('server')}/{uuid.uuid4().hex}/x.zarr"
    return str(tmp_path / "x.zarr") if request.param == "folder" else f"memory://{uuid.uuid4().hex}/x.zarr"


@pytest.fixture
def storage(location: str) -> Storage:
    return open_storage(location)


def publish(storage: Storage, key: str, content: bytes, is_kept: bool = False) -> None:
    with storage.staging() as staged:
        (staged / "array").mkdir()
        (staged / "array/c.0").write_bytes(content)
        (staged / METADATA).write_bytes(encode_group({"content": content.decode()}))
        storage.publish(staged, key, lambda: is_kept)


class TestEveryPlace:
    def test_nothing_is_there_at_first(self, storage: Storage) -> None:
        assert storage.is_empty() and not storage.read_json("") and storage.list_folders("") == []
        assert [*storage.list_files("")] == [] and storage.list_unfinished() == []
        with pytest.raises(FileNotFoundError):
            storage.read("a/zarr.json")

    def test_a_file_is_replaced(self, storage: Storage) -> None:
        storage.ensure_levels("a b%2E/zarr.json")
        for content in (b"{}", b'{"a": 1}'):
            storage.replace("a b%2E/zarr.json", content)
            assert storage.read("a b%2E/zarr.json") == content
        assert not storage.is_empty() and storage.list_folders("") == ["a b%2E"]
        assert [(file.key, file.size) for file in storage.list_files("")] == [("a b%2E/zarr.json", 8)]

    def test_a_group_is_published_replaced_kept_and_removed(self, storage: Storage, location: str) -> None:
        storage.replace(METADATA, encode_group({}))
        for is_kept, content in ((False, b"one"), (True, b"two"), (False, b"three")):
            publish(storage, "video/rgb/run", content, is_kept)
        assert storage.read("video/rgb/run/array/c.0") == b"three"
        assert storage.read_json("video/rgb/run")["attributes"] == {"content": "three"}
        assert storage.is_level("video") and storage.is_level("video/rgb") and not storage.is_level("video/rgb/run")
        assert storage.list_folders("video/rgb") == ["run"]
        storage.replace("video/zarr.json", b"{")
        open_storage(location).ensure_levels("video/rgb/run")  # elsewhere a process looks at each level once
        assert storage.is_level("video") and storage.list_unfinished() == []
        storage.remove("video/rgb/run")
        assert storage.list_folders("video/rgb") == [] and not storage.read_json("video/rgb/run")
        storage.remove("video/rgb/run")  # another process may have been quicker

    def test_threads_may_share_it(self, storage: Storage) -> None:
        """`explain` reads in one thread and writes in another."""

        def work(number: int) -> None:
            storage.ensure_levels(f"group/{number}/run")
            for turn in range(5):
                storage.replace(f"group/{number}/zarr.json", f"{number} {turn}".encode())
                assert storage.read(f"group/{number}/zarr.json") == f"{number} {turn}".encode()
                assert str(number) in storage.list_folders("group") and [*storage.list_files("group")]

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(work, range(4))) == [None] * 4

    def test_a_folder_with_nothing_in_it(self, storage: Storage, location: str) -> None:
        """A web console makes one on S3 as an object whose name ends with `/`."""
        if location.startswith("s3://"):
            import boto3

            boto3.client("s3").put_object(Bucket="bucket", Key=f"{location.removeprefix('s3://bucket/')}/", Body=b"")
        elif not location.startswith("memory:"):
            Path(location).mkdir()
        assert storage.is_empty() and [*storage.list_files("")] == []

    def test_what_a_killed_process_left_is_listed_and_discarded(self, storage: Storage, location: str) -> None:
        """Elsewhere that is an array whose group has no metadata; in a folder, a staging folder whose lock is free."""
        storage.replace(METADATA, encode_group({}))
        publish(storage, "video/rgb/whole", b"one")
        left = "video/rgb/clips/0123456789abcdef" if "://" in location else ".unfinished-0"
        if "://" not in location:
            Path(location, left, "array").mkdir(parents=True)
            Path(location, "other/rgb/FC").mkdir(parents=True)
        storage.replace(f"{left}/array/{METADATA}", b"{}")
        storage.replace(f"other/rgb/FC/{METADATA}", b"{}")  # the level above lost its metadata: runs may lie there
        assert storage.list_unfinished() == [left]
        storage.discard(left)
        assert storage.list_unfinished() == [] and [*storage.list_files(left)] == []
        assert storage.read_json("video/rgb/whole")


def test_a_store_elsewhere_that_lost_its_root(storage: Storage, location: str) -> None:
    """No shell reaches it everywhere: what is to be put there is said, once it is clear that it is one."""
    storage.ensure_levels("video/rgb/FC/1")
    with pytest.raises(UsageError, match="it holds nothing of gbvis"):
        Store.open(location)
    storage.ensure_levels(f"video/rgb/clips/{'0' * 16}/x")
    with pytest.raises(UsageError, match="is no gbvis store") as error:
        Store.open(location)
    if "://" in location:
        content, _, place = error.value.hint.partition("write it again: put ")[2].rpartition(" at ")
        assert place == f"{location}/{METADATA}"
        storage.replace(METADATA, content.encode())
        assert list(Store.open(location).runs()) == []


def test_a_whole_store_in_memory(call: Call) -> None:
    """What a program that uses gbvis may do; a process takes it with it."""
    store = ["--store", f"memory://{uuid.uuid4().hex}/x.zarr"]
    assert call(*EXPLAIN, *store).out.count("computed in") == 2
    assert call(*EXPLAIN, *store).out.count("cached") == 2
    assert call("render", *store).code == 0
    assert call("store", "verify", *store).code == 0
    assert call("store", "rm", "--all", *store).code == 0
    assert list(Store.open(store[1]).runs()) == []


_OPEN_WITH_ZARR = """
import sys, zarr
store, group = sys.argv[1:]
sys.stdout.buffer.write(zarr.open_group(store, mode="r")[group]["gradient"][0].tobytes())
"""


def read_gradients(location: str) -> dict[str, np.ndarray]:
    return {run.key: run.gradient(0) for run in Store.open(location).runs()}


@pytest.mark.slow
def test_a_whole_store_on_s3(call: Call, server: str, tmp_path: Path) -> None:
    """Made by two processes at once; a flipped byte is found, named and mended."""
    store = ["--store", f"{server}/whole.zarr"]
    words = [sys.executable, "-m", "gbvis", *EXPLAIN, *store, "--json"]
    both = [subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    ended = [(*one.communicate(timeout=120), one.returncode) for one in both]
    assert [code for *_, code in ended] == [0, 0], ended
    assert call("store", "verify", *store).code == 0
    assert call(*EXPLAIN, *store).out.count("cached") == 2
    before = read_gradients(store[1])
    (line, *_) = map(json.loads, ended[0][0].splitlines())
    words = [sys.executable, "-c", _OPEN_WITH_ZARR, line["store"], line["group"]]  # a process closes what Zarr opens
    opened = subprocess.run(words, capture_output=True, check=True).stdout
    np.testing.assert_array_equal(np.frombuffer(opened, "<f4"), before[line["group"]].ravel())
    storage = open_storage(store[1])
    key = f"{line['group']}/gradient/c.0.0.0.0.0"
    content = bytearray(storage.read(key))
    content[77] ^= 4
    storage.replace(key, bytes(content))
    call("render", *store).check_error(1, line["group"], "is damaged")
    verified = call("store", "verify", *store)
    assert verified.code == 1 and line["group"] in verified.out
    assert call(*EXPLAIN, *store).out.count("computed in") == 1
    assert call("store", "verify", *store).code == 0
    assert all(np.array_equal(gradient, before[key]) for key, gradient in read_gradients(store[1]).items())
    assert call("store", "rm", "-m", "rgb", *store).code == 0
    assert len(read_gradients(store[1])) == 1 and call("store", "verify", *store).code == 0


@pytest.mark.slow
def test_flow_is_kept_on_s3(call: Call, server: str, video_file: Path, tmp_path: Path) -> None:
    """Under a name, and at a place, of which a URL means something else."""
    video = shutil.copy(video_file, tmp_path / "a b%2F#?+é&=.mp4")
    words = ["explain", video, "-w", "sample", "-m", "flow", "--flow-algorithm", "farneback", "-n", 4]
    store = ["--store", f"{server}/flow of%20it#é.zarr"]
    assert "farneback of 4 pairs" in call(*words, *store, "--verbose").err
    again = call(*words, "-e", "FC", *store, "--verbose")
    assert again.code == 0 and "farneback" not in again.err
    assert call("store", "verify", *store).code == 0
    assert call("store", "rm", video, *store).code == 0 and not list(Store.open(store[1]).runs())


@pytest.mark.slow
def test_killed_while_it_uploads(server: str, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is half there has no metadata: nobody takes it for a run, and the next call makes it whole."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = ["--store", f"{server}/killed.zarr"]
    words = [sys.executable, "-m", "gbvis", *EXPLAIN, "-m", "rgb", "-e", "AP", "-e", "Conv3d_1", *store]
    storage = open_storage(store[1])
    started = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not any("/gradient/c.0" in file.key for file in storage.list_files("")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    (staged,) = tmp_path.glob("gbvis-*")
    assert list(staged.iterdir()) != []
    before = read_gradients(store[1])
    done = call(*words[3:])
    assert done.code == 0 and done.out.count("cached") == len(before)
    assert list(staged.iterdir()) == []
    assert call("store", "verify", *store).code == 0
    assert all(np.array_equal(read_gradients(store[1])[key], gradient) for key, gradient in before.items())


@pytest.mark.slow
@pytest.mark.parametrize("url", ["s3://no-such-bucket/x.zarr", "nothing://x", "s3://", "gs://bucket/x.zarr"])
def test_a_place_that_is_none(call: Call, server: str, url: str) -> None:
    call(*EXPLAIN, "--store", url).check_error(2, url)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "Could not connect"),
        ({"AWS_ENDPOINT_URL": "nonsense"}, "Invalid endpoint: nonsense"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}, "credentials"),
    ],
)
def test_a_server_that_cannot_be_used(
    process: Call, server: str, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], why: str
) -> None:
    """Said once, and soon: a real process, with the patience that it has."""
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    started = time.monotonic()
    process("store", "ls", "--store", f"{server}/gone.zarr").check_error(1, why)
    assert time.monotonic() - started < 60


@pytest.mark.slow
def test_a_server_that_fails_is_not_taken_for_damage(call: Call, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else `store rm --damaged` would take sound runs away."""
    store = ["--store", f"{server}/sound.zarr"]
    assert call(*EXPLAIN, "-m", "rgb", *store).code == 0
    second, endpoint = start_server()
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    close_sessions()  # or the first server is asked
    opened = Store.open(store[1])
    entries = [entry for entry in list_entries(opened) if entry.kind in (RUN, WEIGHTS)]
    runs = list(opened.runs())
    second.stop()
    for entry in entries:
        with pytest.raises(Unreachable):
            find_damage(opened, entry)
    with pytest.raises(Unreachable):
        runs[0].gradient(0)
    monkeypatch.undo()
    close_sessions()
    assert call("store", "verify", *store).code == 0
