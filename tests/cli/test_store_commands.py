"""`gbvis store ls`, `verify` and `rm`, on samples explained with the networks that come along."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from conftest import Call, CopyStore
from gbvis.atomic_file import identify_host
from gbvis.steps.store.rm import Removal, RemoveRequest
from gbvis.store import Store
from gbvis.store.inventory import find_damage, list_entries

SAMPLES = ["sample:up-4", "sample:down-4"]


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def keys(kind: str) -> set[str]:
    """Return the keys of what the store in the working folder holds of a kind."""
    return {entry.key for entry in list_entries(Store.open("gbvis.zarr")) if entry.kind == kind}


@pytest.fixture
def explained(call: Call, copy_store: CopyStore) -> Call:
    """Two videos, both streams, two endpoints: eight runs, four sets of clips, one weights record."""
    copy_store(*SAMPLES, "-w", "sample", "-e", "Conv3d_4_x", "-e", "FC")
    return call


def test_ls(explained: Call) -> None:
    listed = lines(explained("store", "ls", "--json").out)
    assert len(listed) == 8
    assert {line["group"] for line in listed} == keys("run")
    assert all(line["bytes"] > 10_000 and line["method"] == "guided-backprop" for line in listed)
    assert all(line["settings"] == {} and line["recipe"]["method"]["name"] == line["method"] for line in listed)
    table = explained("store", "ls", "up-4", "-m", "flow", "-e", "fc").out
    assert (
        "up-4" in table
        and "2 up" in table
        and "method guided-backprop   precision float32" in table
        and "down-4" not in table
        and "1 run, " in table
    )
    assert len(lines(explained("store", "ls", "down-4", "-l", "down", "--json").out)) == 2
    explained("store", "ls", "left-4").check_error(1, "no such run")
    explained("store", "ls", "-e", "nowhere").check_error(2, "nowhere")
    explained("store", "ls", "--store", "nothing.zarr").check_error(1, "no store at")


def test_verify(explained: Call, tmp_path: Path) -> None:
    sound = explained("store", "verify")
    assert sound.code == 0 and "all of it is sound" in sound.out
    (chunk,) = (tmp_path / "gbvis.zarr/up-4/flow/FC").glob("*/gradient/c.0*")
    content = bytearray(chunk.read_bytes())
    content[100] ^= 1
    chunk.write_bytes(content)
    (tmp_path / "gbvis.zarr/down-4/rgb/zarr.json").unlink()
    done = explained("store", "verify")
    done.check_error(1, "2 of ")
    assert "up-4/flow/FC/2-guided-backprop" in done.out and "down-4/rgb  level" in done.out
    wrong = [line for line in lines(explained("store", "verify", "--json").out) if line["problem"]]
    assert {line["kind"] for line in wrong} == {"run", "level"}
    again = explained("explain", *SAMPLES, "-w", "sample", "-e", "Conv3d_4_x", "-e", "FC")
    assert again.out.count("computed in") == 1 and again.out.count("cached") == 7
    assert explained("store", "verify").code == 0


def test_rm_takes_what_nothing_uses_with_it(explained: Call, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "gbvis.zarr").rglob("*")}
    dry = explained("store", "rm", "up-4", "-m", "rgb", "--dry-run", "--json")
    assert [line["kind"] for line in lines(dry.out)] == ["run", "run", "clips"]
    assert not any(line["removed"] for line in lines(dry.out))
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "gbvis.zarr").rglob("*")}
    assert {path for path in after if path.is_file()} == {path for path in before if path.is_file()}

    gone = lines(explained("store", "rm", "up-4", "-m", "rgb", "-e", "fc", "--json").out)
    assert [line["kind"] for line in gone] == ["run"]  # the clips serve the other endpoint
    assert len(keys("clips")) == 4
    gone = lines(explained("store", "rm", "up-4", "-m", "rgb", "--json").out)
    assert [line["kind"] for line in gone] == ["run", "clips"]
    assert not (tmp_path / "gbvis.zarr/up-4/rgb").exists() and (tmp_path / "gbvis.zarr/up-4/flow").exists()
    rest = explained("store", "rm", "--all")
    assert "removed 6 runs, 3 sets of clips, 1 weights record" in rest.out
    assert [path.name for path in (tmp_path / "gbvis.zarr").iterdir()] == ["zarr.json"]
    assert explained("store", "rm", "--all").code == explained("store", "ls").code == 0
    assert explained("explain", *SAMPLES, "-w", "sample").out.count("computed in") == 4


def test_rm_takes_flow_and_the_record_of_its_weights_when_told(
    call: Call, weights: dict[str, Path], video_file: Path, tmp_path: Path
) -> None:
    explain = ["explain", video_file, "-w", weights["flow"], "-e", "FC", "-n", "3", "--flow-algorithm"]
    for algorithm in ("dis", "farneback"):
        assert call(*explain, algorithm).code == 0
    assert len(keys("flow")) == 2
    gone = lines(call("store", "rm", "--flow-algorithm", "dis", "--json").out)
    assert [line["kind"] for line in gone] == ["run", "clips", "flow"]
    assert {key.rsplit("/", 1)[1].split("-")[0] for key in keys("flow")} == {"farneback"}
    gone = lines(call("store", "rm", "-w", weights["flow"], "--json").out)
    assert [line["kind"] for line in gone] == ["run", "clips", "flow"] and len(keys("weights")) == 1
    gone = lines(call("store", "rm", "--unfinished", "--json").out)
    assert [line["kind"] for line in gone] == ["weights"] and not keys("weights")


@pytest.mark.parametrize("words", [[], ["--all", "--unfinished"], ["up-4", "--all"], ["-m", "rgb", "--damaged"]])
def test_rm_wants_one_thing_said(explained: Call, words: list[str]) -> None:
    explained("store", "rm", *words).check_error(2, "--dry-run")
    assert len(keys("run")) == 8


def test_rm_of_what_is_damaged(explained: Call, tmp_path: Path) -> None:
    (run,) = (tmp_path / "gbvis.zarr/up-4/rgb/FC").glob("2-*")
    (run / "zarr.json").write_text("{")
    (listed,) = lines(explained("store", "rm", "--damaged", "--json").out)
    assert listed["group"] == str(run.relative_to(tmp_path / "gbvis.zarr"))
    assert explained("store", "verify").code == 0 and len(keys("run")) == 7
    assert "nothing" in explained("store", "rm", "--damaged").out


def test_what_a_killed_process_left_goes_and_what_a_living_one_makes_stays(explained: Call, tmp_path: Path) -> None:
    store = tmp_path / "gbvis.zarr"
    dead, living = (f".unfinished-{'-'.join(identify_host())}-{name}" for name in ("dead", "living"))
    for name in (dead, living):
        (store / name / "group").mkdir(parents=True)
        (store / name / "group/zarr.json").write_text("{}")
    with FileLock(store / living / ".lock"):
        assert "1 unfinished" in explained("store", "verify").err
        (listed,) = lines(explained("store", "rm", "--unfinished", "--json").out)
        assert listed["group"] == dead and listed["kind"] == "unfinished"
        assert [path.name for path in store.glob(".unfinished-*")] == [living]
        explained("explain", SAMPLES[0], "-w", "sample")
        assert [path.name for path in store.glob(".unfinished-*")] == [living]
    explained("explain", SAMPLES[0], "-w", "sample")
    assert not [*store.glob(".unfinished-*")]


def test_rm_all_takes_what_is_left_without_a_run_and_nothing_of_others(explained: Call, tmp_path: Path) -> None:
    store = tmp_path / "gbvis.zarr"
    for endpoint in store.glob("*/*/[FC]*"):
        if endpoint.name != "clips":
            shutil.rmtree(endpoint)
    (store / "up-4/flow/mine").mkdir()
    (store / "up-4/flow/mine/note.txt").write_text("mine")
    assert explained("store", "verify").code == 0
    assert "nothing" in explained("store", "rm", "--damaged").out
    assert {line["kind"] for line in lines(explained("store", "rm", "--all", "--json").out)} == {"clips", "weights"}
    assert (store / "up-4/flow/mine/note.txt").read_text() == "mine"


@pytest.mark.parametrize("answer", ["n", "y", "\x04"])
def test_rm_asks_on_a_terminal(explained: Call, tmp_path: Path, answer: str) -> None:
    """Only there: in a script nobody would answer."""
    master, slave = pty.openpty()
    words = [sys.executable, "-m", "gbvis", "store", "rm", "up-4"]
    process = subprocess.Popen(words, cwd=tmp_path, stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.write(master, f"{answer}\n".encode())
    out, err = process.communicate(timeout=60)
    os.close(master)
    os.close(slave)
    assert b"remove 4 runs, 2 sets of clips" in err, err
    assert process.returncode == (0 if answer == "y" else 1), out
    assert len(keys("run")) == (4 if answer == "y" else 8)


def test_ctrl_c_at_the_question(explained: Call, tmp_path: Path) -> None:
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(tmp_path)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # what runs in the background may ignore it
        os.execv(sys.executable, [sys.executable, "-m", "gbvis", "store", "rm", "up-4"])
    said = b""
    while b"?" not in said:
        said += os.read(terminal, 1000)
    time.sleep(0.2)  # Python loses a signal that comes between its prompt and its reading, and nobody is that quick
    os.write(terminal, b"\x03")
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 130
    os.close(terminal)
    assert len(keys("run")) == 8


def test_rm_answered_no_says_so_in_json(explained: Call, tmp_path: Path) -> None:
    master, slave = pty.openpty()
    words = [sys.executable, "-m", "gbvis", "store", "rm", "up-4", "--json"]
    process = subprocess.Popen(words, cwd=tmp_path, stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.write(master, b"n\n")
    out, err = process.communicate(timeout=60)
    os.close(master)
    os.close(slave)
    assert process.returncode == 1, err
    assert [(line["kind"], line["removed"]) for line in lines(out.decode())] == [("run", False)] * 4 + [
        ("clips", False)
    ] * 2
    assert len(keys("run")) == 8


def test_rm_leaves_what_another_process_has_a_use_for_by_now(call: Call, tmp_path: Path) -> None:
    words = ["explain", "sample:up-4", "-w", "sample", "-m", "rgb"]
    assert call(*words).code == 0
    root = tmp_path / "gbvis.zarr"
    (run,) = Store.open(root).runs()
    removing = Removal(RemoveRequest(root, is_all=True)).run(is_dry=False)
    assert next(removing).entry.key == run.key
    assert call(*words, "-e", "FC").code == 0  # of the same clips
    assert [one.entry.kind for one in removing] == []
    assert call("store", "verify").code == 0 and len(list(Store.open(root).runs())) == 1


@pytest.mark.parametrize("victim", ["weights/*", "up-4/rgb/FC/*", "up-4/rgb/clips/*"])
def test_what_goes_while_it_is_verified_is_not_damaged(copy_store: CopyStore, victim: str) -> None:
    root = copy_store("sample:up-4", "-w", "sample", "-m", "rgb", "-e", "FC")
    store = Store.open(root)
    (path,) = root.glob(victim.removesuffix("*") + "[0-9a-f]*")
    (entry,) = (one for one in list_entries(store) if one.key == path.relative_to(store.location).as_posix())
    (path / "zarr.json").unlink()
    assert find_damage(store, entry) is not None  # its folder is still there
    shutil.rmtree(path)
    assert find_damage(store, entry) is None


def test_flow_whose_metadata_is_damaged_is_made_anew_by_a_cached_explain(
    call: Call, video_file: Path, tmp_path: Path
) -> None:
    words = ["explain", video_file, "-w", "sample", "-m", "flow", "--flow-algorithm", "dis", "-n", "3"]
    assert call(*words).code == 0
    (flow,) = (tmp_path / "gbvis.zarr/moving-disc/flow").glob("dis-*")
    (flow / "zarr.json").write_text("{")
    assert call("store", "verify").code == 1
    assert "cached" in call(*words).out
    assert call("store", "verify").code == 0


def test_a_new_name_of_weights_is_told(call: Call, weights: dict[str, Path], video_file: Path) -> None:
    explain = ("explain", video_file, "-m", "rgb", "-e", "FC")
    assert "called" not in call(*explain, "-w", f"mine={weights['rgb']}").err
    assert "called" not in call(*explain, "-w", f"mine={weights['rgb']}").err
    assert "weights mine are now called one" in call(*explain, "-w", f"one={weights['rgb']}").err
    assert "called" not in call(*explain, "-w", weights["rgb"]).err
    assert call("store", "ls", "-w", "one").code == 0
