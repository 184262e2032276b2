"""`gbvis demo` as a new user calls it: a process, in an empty folder, without weights or videos."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from conftest import Call


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--sample", "turn-left-3"], ["turn-left-3"]),
        pytest.param([], ["turn-left-3", "right-5", "grow-2"], marks=pytest.mark.slow, id="as it is"),
    ],
)
def test_the_demo_makes_what_it_says(
    process: Call, call: Call, tmp_path: Path, words: list[str], names: list[str]
) -> None:
    done = process("demo", *words)
    assert done.code == 0, done.err
    commands = [shlex.split(line)[2:] for line in done.out.splitlines() if line.startswith("$ gbvis ")]
    assert [words[0] for words in commands[:3]] == ["predict", "explain", "render"] and commands[3][0] == "report"
    for name in names:
        motion = name.rsplit("-", 1)[0]
        for stream in ("rgb", "flow", "fused"):
            table = done.out.split(f"{name}  {stream}  1 clip\n")[1].splitlines()
            assert table[1].split()[2] == motion
    pictures = sorted((tmp_path / "gbvis-demo/pictures").iterdir())
    assert len(pictures) == len(names) * 2 * 3
    assert all(str(path.relative_to(tmp_path)) in done.out for path in pictures)
    for path in pictures:
        with Image.open(path) as image:
            assert image.n_frames == 8 and image.width > 900
    assert {path.name for path in (tmp_path / "gbvis-demo").iterdir()} == {
        "gbvis.zarr", "pictures", "report.html", "two-stream", "videos",
    }  # fmt: skip

    explained = call(*commands[1])  # typed again, as printed
    assert explained.out.count("cached, nothing computed") == len(names) * 2 * 3
    assert "gbvis-demo/report.html shows all runs" in done.out
    for command in commands[3:]:
        assert command[0] == "view" or call(*command).code == 0, command


@pytest.mark.slow
def test_the_demo_again(call: Call) -> None:
    assert call("demo", "here", "--sample", "down-1").code == 0
    again = call("demo", "here", "--sample", "down-1")
    assert again.code == 0, again.err
    assert again.out.count("cached") == 6 and again.out.count("unchanged") == 7


@pytest.mark.slow
def test_the_demo_as_data(call: Call) -> None:
    done = call("demo", "here", "--sample", "down-1", "--json", "-q")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert lines[0]["video"] == "down-1" and Path(lines[0]["file"]).is_file()
    assert len(lines) == 1 + 3 + 6 + 6 + 1  # the last is the report


@pytest.mark.slow
def test_what_stands_in_the_way(call: Call, tmp_path: Path) -> None:
    call("demo", "here", "--sample", "sideways-1").check_error(2, "no such sample: sideways-1", "turn-left")
    assert call("demo", "here", "--sample", "down-1").code == 0
    frames = tmp_path / "here/two-stream/sample_jpegs_256/jpegs_256/down-1"
    (frames / "frame000003.jpg").write_bytes(b"another")
    call("demo", "here", "--sample", "down-1").check_error(2, "there already, and differs")
    assert not list(frames.parent.glob(".*"))
    mine = tmp_path / "mine/videos/down-1.mp4"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"my own")
    call("demo", "mine", "--sample", "down-1").check_error(2, "there already, and differs")
    assert mine.read_bytes() == b"my own"
    (tmp_path / "file").write_text("x")
    call("demo", "file", "--sample", "down-1").check_error(2, "file is a file", "gbvis demo DIR")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/gbvis.zarr").write_text("x")
    call("demo", "other", "--sample", "down-1").check_error(2, "other/gbvis.zarr", "a file", "gbvis demo DIR")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["gbvis.zarr"]


@pytest.mark.slow
def test_the_demo_whatever_lies_about(call: Call, tmp_path: Path) -> None:
    (tmp_path / "sample").write_text("somebody's file")
    assert call("demo", "a folder", "--sample", "down-1", "--sample", "down-1").out.count("down-1  drawn") == 1


@pytest.mark.slow
def test_demos_side_by_side(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "gbvis", "demo", "here", "--sample", "down-1", "-q"]
    running = [
        subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) for _ in range(2)
    ]
    for process in running:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
