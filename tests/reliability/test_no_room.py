"""A full disk, a store that cannot be written, too many files: one clear error, and nothing that was there is lost."""

import ctypes
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import Call, CopyStore

pytestmark = pytest.mark.slow

EXPLAIN = ["explain", "sample:up-4", "-w", "sample", "-m", "rgb"]


@contextmanager
def as_user() -> Iterator[None]:
    """Be somebody for whom file permissions are meant: root without its right to pass over them (capabilities(7))."""
    if os.getuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread and those it starts
    rights = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice
    assert libc.capget(header, rights) == 0
    all_rights = rights[0]
    rights[0] &= ~(1 << 1 | 1 << 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    assert libc.capset(header, rights) == 0
    try:
        yield
    finally:
        rights[0] = all_rights
        assert libc.capset(header, rights) == 0


def snapshot(store: Path) -> dict[str, bytes]:
    return {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}


@pytest.fixture
def closed(copy_store: CopyStore, tmp_path: Path) -> Iterator[Path]:
    """A store with one run, that its user may only read."""
    store = copy_store(*EXPLAIN[1:])
    for path in [store, *store.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    tmp_path.chmod(0o555)
    yield store
    for path in [tmp_path, store, *store.rglob("*")]:
        path.chmod(0o755)


def test_a_store_that_may_only_be_read(call: Call, closed: Path) -> None:
    """What it has is served, what it lacks is refused once, before anything is computed."""
    before = snapshot(closed)
    with as_user():
        cached = call(*EXPLAIN)
        assert cached.code == 0 and "cached" in cached.out, cached.err
        lacking = call("explain", "sample:up-4", "sample:down-4", "sample:left-4", *EXPLAIN[2:], "-e", "FC")
        lacking.check_error(1, "gbvis.zarr", "ermission", "--store")
        call("store", "rm", "--all").check_error(1, "gbvis.zarr", "ermission")
        assert call("store", "verify").code == 0
    assert snapshot(closed) == before


def test_what_may_not_be_read_is_not_taken_for_damaged(call: Call, closed: Path) -> None:
    """Nor for gone: `store rm` would take away what it seems to be the last user of."""
    (run,) = closed.glob("up-4/rgb/SOFTMAX/2-*")
    for path in (run / "zarr.json", *run.glob("gradient/c*")):
        path.chmod(0)
        with as_user():
            for words in (["store", "verify"], ["store", "rm", "--damaged", "-y"], EXPLAIN):
                call(*words).check_error(1, "cannot use the store", "ermission denied")
        path.chmod(0o444)


def test_no_permission_to_make_a_store(call: Call, closed: Path) -> None:
    with as_user():
        call(*EXPLAIN, "--store", "other.zarr").check_error(1, "other.zarr", "ermission")


@pytest.fixture
def private(tmp_path: Path, weights: dict[str, Path], video_file: Path) -> Iterator[Path]:
    """A folder that its user may not look into: weights, class names, a video, frames, a font."""
    folder = tmp_path / "private"
    folder.mkdir()
    shutil.copy(weights["rgb"], folder / "net.pth")
    shutil.copy(video_file, folder / "clip.mp4")
    (folder / "names.txt").write_text("one\n" * 101)
    folder.chmod(0)
    yield folder
    folder.chmod(0o755)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["inspect-shapes", "-w", "private/net.pth"], 2),
        (["convert-weights", "private/net.pth", "new.safetensors"], 2),
        (["convert-weights", "net.pth", "private/new.safetensors"], 2),
        (["explain", "sample:up-4", "-w", "sample", "-d", "private"], 2),
        (["explain", "sample:up-4", "-w", "sample", "-d", "private/data"], 2),
        (["explain", "--videos-from", "private/names.txt", "-w", "sample"], 2),
        (["explain", "private/clip.mp4", "-w", "net.pth"], 1),
        (["explain", "private", "-w", "net.pth"], 1),
        (["explain", "sample:up-4", "-w", "sample", "--store", "private/gbvis.zarr"], 2),
        (["predict", "sample:up-4", "-w", "net.pth", "--labels", "private/names.txt"], 2),
        (["extract", "sample:up-4", "-o", "private/data"], 2),
        (["extract", "private/clip.mp4", "-o", "data"], 1),
        (["demo", "private/demo", "--sample", "up-4"], 2),
        (["store", "ls", "--store", "private/gbvis.zarr"], 2),
        (["render", "-o", "private/x.gif"], 1),
        (["render", "-o", "private/folder"], 1),
        (["render", "-d", "private"], 2),
        (["render", "-w", "private/net.pth"], 2),
        (["render", "--labels", "private/names.txt"], 2),
        (["render", "--font", "private/font.ttf"], 2),
        (["render", "private/clip.mp4"], 1),
    ],
)
def test_what_nobody_may_look_into(
    call: Call,
    copy_store: CopyStore,
    private: Path,
    weights: dict[str, Path],
    tmp_path: Path,
    words: list[str],
    code: int,
) -> None:
    """Each such place is named in one error, and in no traceback."""
    shutil.copy(weights["rgb"], tmp_path / "net.pth")
    if words[0] == "render":
        copy_store(*EXPLAIN[1:])
    with as_user():
        call(*words).check_error(code, "private")


def test_a_video_that_may_no_longer_be_looked_at(call: Call, private: Path, weights: dict[str, Path]) -> None:
    private.chmod(0o755)
    assert call("explain", "private/clip.mp4", "-w", weights["rgb"], "-l", 3).code == 0
    private.chmod(0)
    with as_user():
        assert call("render").code == 0
        call("render", "--layout", "overlay").check_error(1, "they are gone from", "private/clip.mp4")


def test_weights_that_may_no_longer_be_read(call: Call, weights: dict[str, Path], tmp_path: Path) -> None:
    """What was computed with them is served; the store knows their hash."""
    shutil.copy(weights["rgb"], tmp_path / "net.pth")
    os.utime(tmp_path / "net.pth", ns=(10**18, 10**18))
    words = ["explain", "sample:up-4", "-w", "net.pth", "-l", 3]
    assert call(*words).code == 0
    (tmp_path / "net.pth").chmod(0)
    with as_user():
        assert "cached" in call(*words).out
        call(*words, "-e", "FC").check_error(2, "net.pth", "ermission denied")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB; only root can make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk(call: Call, small_disk: Path) -> None:
    store = small_disk / "gbvis.zarr"
    words = [*EXPLAIN, "--store", store]
    assert call(*words).code == 0
    before = snapshot(store)
    full = call("explain", "sample:up-4", "sample:down-4", "sample:left-4", *words[2:], "-e", "all", "--clips", 2)
    full.check_error(1, str(store), "No space left", "repeat the call")
    kept = snapshot(store)
    assert all(kept[name] == content for name, content in before.items() if "weights" not in name)
    assert call("store", "verify", "--store", store).code == 0
    assert "cached" in call(*words).out
    assert not [*store.glob(".unfinished-*")]
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    assert call("explain", "sample:up-4", *words[2:], "-e", "all", "--clips", 2).code == 0


def test_a_disk_that_is_mounted_for_reading(call: Call, small_disk: Path) -> None:
    words = [*EXPLAIN, "--store", small_disk / "gbvis.zarr"]
    assert call(*words).code == 0
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert "cached" in call(*words).out
    call(*words, "-e", "FC").check_error(1, "Read-only file system")


def test_a_quota(call: Call, copy_store: CopyStore, tmp_path: Path) -> None:
    """A limit on the size of files says EFBIG, as a quota says EDQUOT."""
    before = snapshot(copy_store(*EXPLAIN[1:]))
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # noqa: E731
    command = [sys.executable, "-m", "gbvis", *EXPLAIN, "-e", "FC"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, preexec_fn=limit, timeout=120)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert done.stderr.count("error: ") == 1 and "gbvis.zarr: File too large" in done.stderr, done.stderr
    assert snapshot(tmp_path / "gbvis.zarr") == before
    assert call(*EXPLAIN, "-e", "FC").code == 0


def test_too_many_open_files(call: Call, copy_store: CopyStore) -> None:
    copy_store(*EXPLAIN[1:])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = next(number for number in range(3, soft) if not Path(f"/proc/self/fd/{number}").exists())
    for more in range(1, 6):
        resource.setrlimit(resource.RLIMIT_NOFILE, (free + more, hard))
        try:
            done = call(*EXPLAIN, "-e", "Conv3d_2_x", "-f", more)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert done.code in (0, 1, 2) and "Traceback" not in done.err, done.err
        assert done.code == 0 or done.err.count("error: ") == 1
    verified = call("store", "verify")
    assert verified.code == 0, verified.out
    assert call(*EXPLAIN, "-e", "Conv3d_2_x", "-f", 1).code == 0
