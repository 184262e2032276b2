"""What the user is told: help, defaults, a summary, bars, names of videos and weights."""

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from conftest import Call, CopyStore
from gbvis.cli.console import Console
from gbvis.cli.options import Printing
from gbvis.cli.parse import read_weights
from gbvis.errors import UsageError

COMMANDS = ["predict", "explain", "render", "report", "view", "extract", "inspect-shapes", "store ls", "store rm"]


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def explained(call: Call, copy_store: CopyStore) -> Call:
    """One sample, its RGB stream at two endpoints."""
    copy_store("sample:up-4", "-w", "sample", "-m", "rgb", "-e", "AP", "-e", "FC")
    return call


@pytest.mark.parametrize("words", [[], ["store"]])
def test_without_a_command_the_help_is_printed(call: Call, words: list[str]) -> None:
    alone, asked = call(*words), call(*words, "--help")
    assert alone.code == asked.code == 0 and alone.out == asked.out and not alone.err
    assert "..." not in alone.out.replace("[ARGS]...", "")  # every sentence is whole


def test_help_is_as_wide_as_the_terminal(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in (60, 80, 160):
        monkeypatch.setenv("COLUMNS", str(columns))
        widest = max(map(len, call("explain", "--help").out.splitlines()))
        assert columns - 12 < widest < columns


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_that_narrows_or_chooses_says_its_default(call: Call, command: str) -> None:
    shown = call(*command.split(), "--help").out.split("Options:")[1]
    options = re.split(r"\n  (?=-)", shown)
    for option in options:
        takes_value = re.match(r"\s*(-\w, )?--[\w-]+(, --[\w-]+)? [\[A-Za-z0-9]", option)
        if takes_value and not re.search("--videos-from|--dataset|--weights|--font|--output DIR", option):
            assert "efault:" in option or "[required" in option, option


def test_the_summary_at_the_end(explained: Call) -> None:
    words = ["explain", "sample:up-4", "nowhere", "-w", "sample", "-m", "rgb", "-e", "FC", "-e", "conv1"]
    done = explained(*words)
    assert re.search(r"^1 run done, 1 cached, 1 failed, in \d+\.\d s$", done.err, re.MULTILINE)
    quiet = explained(*words, "-q")
    assert "failed, in" not in quiet.err
    as_json = explained(*words, "--json")
    assert all(isinstance(line, dict) for line in lines(as_json.out)) and "0 runs done, 2 cached" in as_json.err
    assert "2 files done, 0 cached" in explained("render", "-e", "fc", "-e", "conv1", "--size", 56).err
    assert "0 files done, 2 cached" in explained("render", "-e", "fc", "-e", "conv1", "--size", 56).err


def test_time_that_is_shared_is_said_once(call: Call) -> None:
    words = ["explain", "sample:up-4", "-w", "sample", "-m", "rgb", "-e", "FC", "-e", "AP", "-e", "conv1"]
    out = call(*words).out
    assert out.count("computed in") == 1 and out.count("computed with it") == 2
    assert call(*words, "--json").out.count('"seconds"') == 3


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"])
def test_no_bars_in_a_pipe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "1")
    console = Console(Printing())
    with console:
        console.expect_videos(3)
        console.expect(5, "clip")
        console.advance("clip")
        console.finish_video()
    assert capsys.readouterr().err == ""


def test_bars_on_a_terminal_say_how_much_time_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for name in ("NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    console = Console(Printing())
    with console:
        console.expect_videos(3)
        console.finish_video()
    assert "left" in sys.stderr.getvalue() and "1/3" in sys.stderr.getvalue()  # type: ignore[attr-defined]


def test_a_mistyped_video(explained: Call) -> None:
    explained("render", "upp-4").check_error(1, "did you mean up-4?", "gbvis explain upp-4")
    explained("store", "ls", "Up-5").check_error(1, "did you mean up-4?")
    explained("store", "rm", "up-44", "--yes").check_error(1, "did you mean up-4?")
    assert "did you mean" not in explained("render", "something else").err
    assert "did you mean" not in explained("render", "up-4", "-e", "conv1").err  # there, but for the filter
    both = explained("store", "ls", "up-4", "upp-4", "--json")
    both.check_error(1, "no such run of upp-4", "did you mean up-4?")
    assert len(lines(both.out)) == 3


def test_rm_with_one_name_mistyped_removes_nothing(explained: Call) -> None:
    explained("store", "rm", "up-4", "upp-4", "--yes").check_error(1, "nothing to remove of upp-4")
    assert len(lines(explained("store", "ls", "--json").out)) == 2


def test_a_video_is_found_however_it_was_given(call: Call, video_file: Path, tmp_path: Path) -> None:
    odd = tmp_path / "films/clip.odd"
    odd.parent.mkdir()
    odd.write_bytes(video_file.read_bytes())
    assert call("explain", "films/clip.odd", "sample:up-4", "-w", "sample", "-m", "rgb", "-e", "AP").code == 0
    for typed in ("films/clip.odd", odd, "clip", "clip.odd", "elsewhere/clip.mp4", "films/../films/clip.odd"):
        assert [line["video"] for line in lines(call("store", "ls", typed, "--json").out)] == ["clip"], typed
    for typed in ("up-4", "sample:up-4"):
        assert lines(call("store", "ls", typed, "--json").out)[0]["video"] == "up-4"
    odd.unlink()
    assert lines(call("render", "films/clip.odd", "--size", 56, "--json").out)[0]["video"] == "clip"
    assert lines(call("store", "rm", "clip.odd", "--json").out)[0]["removed"]


def test_what_all_rows_share_stands_above_the_list(explained: Call) -> None:
    out = explained("store", "ls").out.splitlines()
    assert {"stream rgb", "clips 1 x 8 frames", "method guided-backprop"} <= {*"   ".join(out[:2]).split("   ")}
    assert out[2].split() == ["video", "endpoint", "target", "size", "age"]
    assert max(map(len, (line.rstrip() for line in out))) <= 80
    assert explained("explain", "sample:up-4", "-w", "sample", "-m", "rgb", "-e", "FC", "-n", 4, "-l", "up").code == 0
    out = explained("store", "ls", "-e", "fc", "-l", "up").out.splitlines()
    assert "stream rgb" in out[0] and {"clips", "digest"} <= {*out[1].split()}


def test_a_list_fits_80_columns(call: Call, video_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "v_a_name_that_" + "is_rather_long_" * 4
    (tmp_path / f"{name}.mp4").write_bytes(video_file.read_bytes())
    explain = ("explain", f"{name}.mp4", "-w", "sample", "-m", "rgb", "-e", "FC", "-l", "2")
    assert call(*explain, "-e", "AP").code == 0
    assert call(*explain, "-n", 4).code == 0
    monkeypatch.delenv("COLUMNS", raising=False)
    whole = call("store", "ls").out
    assert whole.count(name) == 3 and "…" not in whole  # in a pipe nothing is cut
    monkeypatch.setenv("COLUMNS", "80")
    out = call("store", "ls").out.splitlines()
    assert max(map(len, out)) <= 80 and sum(line.startswith("v_a_") and "…" in line for line in out) == 3
    assert [line.split()[1] for line in out if "…" in line] == ["AP", "FC", "FC"]
    digests = [*(run["group"][-16:][:8] for run in lines(call("store", "ls", "-e", "FC", "--json").out))]
    assert {line.rpartition(" ")[2] for line in out if " FC " in line} == {*digests}
    assert next(line for line in out if " AP " in line).endswith(" s")  # nothing is like it
    assert all(line == line.rstrip() for line in [*out, *whole.splitlines()])
    assert lines(call("store", "ls", "--json").out)[0]["name"] == name
    predicted = call("predict", f"{name}.mp4", "-w", "sample", "-m", "rgb", "--clips", 1).out
    assert all(line == line.rstrip() for line in predicted.splitlines())


def test_a_list_is_in_order(call: Call) -> None:
    words = ("-w", "sample", "-m", "rgb", "-e", "FC", "-e", "Conv3d_1")
    assert call("explain", "sample:up-4", "sample:down-4", *words, "-l", 5, "-l", 2, "-f", 3, "-f", 2).code == 0
    found = [(run["video"], run["endpoint"], run["target"]) for run in lines(call("store", "ls", "--json").out)]
    one = [("Conv3d_1", 2), ("Conv3d_1", 3), ("FC", 2), ("FC", 5)]
    assert found == [(video, *rest) for video in ("down-4", "up-4") for rest in one]


def test_weights_have_the_name_they_are_given(explained: Call, tmp_path: Path) -> None:
    words = ["explain", "sample:up-4", "-m", "rgb", "-e", "FC", "--json"]
    (run,) = lines(explained(*words, "-w", "my own=sample").out)
    assert run["cached"] and run["weights"]["name"] == "my own"  # a name changes no number
    assert lines(explained(*words, "-w", "sample").out)[0]["weights"]["name"] == "my own"
    listed = [line["weights"] for line in lines(explained("store", "ls", "--json").out)]
    assert listed == [{"identity": run["weights"]["identity"], "name": "my own"}] * 2
    assert "weights my own" in explained("store", "ls").out
    assert len(lines(explained("store", "ls", "-w", "my own", "--json").out)) == 2
    explained("store", "ls", "-w", "your own").check_error(2, "your own")
    assert explained("store", "verify").code == 0
    assert explained("render", "-e", "fc", "--format", "png", "-o", "named", "--size", 112).code == 0
    (named,) = (tmp_path / "named").iterdir()
    assert explained(*words, "-w", "x=sample").code == 0
    assert explained("render", "-e", "fc", "--format", "png", "-o", "other", "--size", 112).code == 0
    with Image.open(named) as one, Image.open(tmp_path / "other" / named.name) as two:
        assert one.size == two.size and one.tobytes() != two.tobytes()


def test_a_path_with_an_equals_sign_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lr=0.1.pth").touch()
    assert read_weights("lr=0.1.pth") == (Path("lr=0.1.pth"), "")
    assert read_weights("runs/lr=0.2.pth") == (Path("runs/lr=0.2.pth"), "")
    assert read_weights("best=lr=0.1.pth") == (Path("lr=0.1.pth"), "best")
    assert read_weights("best=~/x.pth") == (Path.home() / "x.pth", "best")
    for wrong in ("=x.pth", "best=", "a\x1bb=x.pth"):
        with pytest.raises(UsageError):
            read_weights(wrong)


OTHERS = {
    "folder": ("notes.txt", "mine"),
    "another program": ("zarr.json", '{"zarr_format": 3, "node_type": "group", "attributes": {"by": "x"}}'),
    "of version 2": (".zgroup", '{"zarr_format": 2}'),
    "format version 2": (
        "zarr.json",
        '{"zarr_format": 3, "node_type": "group", "attributes": {"gbvis": {"format_version": 2}}}',
    ),
}


def make_other(place: Path, what: str) -> None:
    """Put something at the place of a store."""
    if what not in OTHERS:
        place.write_text("mine")
        return
    name, content = OTHERS[what]
    place.mkdir(parents=True)
    (place / name).write_text(content)


@pytest.mark.parametrize("what", ["a file", *OTHERS])
def test_what_has_the_name_of_a_store_is_told(call: Call, tmp_path: Path, what: str) -> None:
    make_other(tmp_path / "gbvis.zarr", what)
    words = what if what != "folder" else "is no gbvis store"
    for call_words in (["store", "ls"], ["predict", "sample:up-4", "-w", "sample", "--clips", 1]):
        refused = call(*call_words)
        refused.check_error(2, "gbvis.zarr", words, "--store")
        assert "rm -f" not in refused.err and "write it again" not in refused.err  # it would destroy what is there


@pytest.mark.slow
def test_a_demo_is_not_stopped_by_what_lies_beside_it(call: Call, tmp_path: Path) -> None:
    make_other(tmp_path / "gbvis.zarr", "a file")
    done = call("demo", "new", "--sample", "down-1")
    assert done.code == 0, done.err
    assert (tmp_path / "gbvis.zarr").read_text() == "mine"
    (tmp_path / "demo").mkdir()
    make_other(tmp_path / "demo/gbvis.zarr", "a file")
    call("demo", "demo", "--sample", "down-1").check_error(2, "demo/gbvis.zarr", "a file", "")


def test_what_is_mistyped_is_told(explained: Call) -> None:
    words = ("explain", "sample:up-4", "-m", "rgb", "-e", "FC")
    explained(*words, "-w", "smple").check_error(2, "no weights called smple, and no such file", "did you mean sample?")
    assert explained(*words, "-w", "mine=sample").code == 0
    explained("render", "-w", "min").check_error(2, "no weights called min, and no such file", "did you mean mine?")
    for command in (["store", "ls"], ["store", "rm"], ["render"]):
        explained(*command, "-l", "lefft").check_error(1, "did you mean left?")
    explained("demo", "new", "--sample", "lft-1").check_error(2, "no such sample: lft-1", "did you mean left-1?")
    explained("predict", "sample:lft-1", "-w", "sample").check_error(1, "did you mean left-1?")
