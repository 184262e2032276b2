"""Names and words that mean harm, by way of every command.

Nothing leaves the store or the output folder, nothing is interpreted, and what is shown steers no terminal.

Names that no file can have (with `/` or NUL, too long) are asked for as videos that are not there. Links that lead out
are in `videos/test_two_stream_writer.py` and `store/test_store_links.py`; what is pasted into a shell is in
`test_shell.py`.
"""

import csv
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from conftest import Call, Called
from gbvis.cli.app import run_command_line
from gbvis.cli.console import printable
from gbvis.figures.text import fit_text
from gbvis.store.keys import CLIPS, UNFINISHED, WEIGHTS, readable_name, video_key
from gbvis.videos.two_stream import is_video_name
from gbvis.videos.video import video_name

pytestmark = pytest.mark.slow

NAMES = [
    # that lead elsewhere, are hidden, or look like options
    "..x", "...", ".hidden", ".unfinished-x", "-rf", "--help", "--", "-0B6FZ2lLhM_000007", "~", "~root", "C:",
    "a\\..\\b",
    # that steer a terminal, or turn a line around
    "new\nline", "tab\tcr\r", "\x1b[5;41;97mred", "\x1b]0;title\x07", "\x9b31m", "\x7f\x08\x01", "\u202egpj.exe",
    "a\u2066b\u2069", "\u200b", "\u200f1", "\u2028", "\x85", "\ufeff", "\U000e0001",
    # of other scripts; that differ in case or normalisation alone
    "\u00e9", "e\u0301", "Case", "case", "CASE", "\u0301" * 9, "Z" + "\u0335\u0301" * 20,
    "\u05d0\u05d1 1", "\u0627\u06441", "ß", "ss", "\u3000", " lead", "trail ", "dot.", "CON", "漢字", "\U0001f600",
    # that the store, the data set and the pictures have a use for
    "weights", "Weights", "clips", "rgb", "flow", "FC", "zarr.json", "%2E", "%77eights", "a~b", "extracted", "u",
    "x.partial", "x.rgb", "x.rgb.FC.1", "x.bin", "sample:left-1", "weights~0123456789abcdef",
    # that somebody might interpret
    "[red]x[", ":smile:", "{0}", "%s%n", "$(touch pwned)", "`x`", "a'b\"c", "a;b|c&", "*", "[a]?", "#",
    "=cmd()", "+1", "@x", "-2+3|x!A", "<b>", "take 2", "\\x1b[31m", "${HOME}", "!!",
    # that are long, longer as escapes, or no UTF-8
    "n" * 200, "ü" * 100, "\x01" * 200, "漢" * 66, "\udce9\udcff", "\udcf0\udc9f",
]  # fmt: skip
LONGEST = ["n" * 251, "m" * 250 + "n", "\x01" * 251, "\x01" * 250 + "\x02", "ü" * 125]
NO_FILES = ["a/../../b", "/etc/passwd", "..", ".", "", "a\0b", "x" * 300, "x/" * 3000, "sample:", "sample:../x", "\0"]
ALGORITHM = ["--flow-algorithm", "dis"]
ALL_VIDEOS = [*NAMES, *LONGEST]


def is_shown_safely(text: str) -> bool:
    """Return whether nothing in what a terminal gets is a control character, a bidi control or the like."""
    return all(line.isprintable() for line in text.split("\n"))


def list_everything(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return what lies in a folder and below, by path: what it is, its size, and when it was changed."""
    found = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        found[str(path)] = (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns)
    return found


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """The networks are so small that more threads wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, make_clip: Callable[[Path], None]) -> Path:
    """A video of 2 frames, 64x48."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    make_clip(path)
    return path


@pytest.fixture(scope="module")
def make_clip() -> Callable[[Path], None]:
    frames = np.random.default_rng(0).integers(0, 255, (2, 6, 8, 3), np.uint8).repeat(8, 1).repeat(8, 2)
    return lambda path: imageio.imwrite(path, frames, fps=5, codec="libx264", plugin="pyav")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Path:
    """A folder with the clip under every name, as `in/NAME.mp4`, and both its streams in the data set `data`."""
    world = tmp_path_factory.mktemp("world")
    (world / "in").mkdir()
    stock = world / "stock"
    for channel, value in (("jpegs_256", 90), ("u", 140), ("v", 120)):
        (stock / channel).mkdir(parents=True)
        for number in range(2 if channel == "jpegs_256" else 1):
            image = np.full((48, 64, 3) if channel == "jpegs_256" else (48, 64), value + 9 * number, np.uint8)
            imageio.imwrite(stock / channel / f"frame00000{number + 1}.png", image)
    for name in ALL_VIDEOS:
        os.link(clip, world / "in" / f"{name}.mp4")
        for channel, part in (("jpegs_256", "jpegs_256"), ("u", "tvl1_flow/u"), ("v", "tvl1_flow/v")):
            folder = world / "data" / part / name
            folder.mkdir(parents=True)
            for frame in (stock / channel).iterdir():
                os.link(frame, folder / frame.name)
    shutil.rmtree(stock)
    return world


@pytest.fixture
def here(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Call]:
    """Run a command line where `in` and `data` are; afterwards all but the store and the output is as it was."""
    monkeypatch.chdir(tmp_path)
    for name in ("in", "data"):
        (tmp_path / name).symlink_to(world / name)
    before = list_everything(world)

    def run(*arguments: object) -> Called:
        capsys.readouterr()
        code = run_command_line([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert is_shown_safely(captured.out) and is_shown_safely(captured.err)
        return Called(code, captured.out, captured.err)

    yield run
    assert list_everything(world) == before
    assert {path.name for path in tmp_path.iterdir()} <= {"in", "data", "gbvis.zarr", "out", "new"}


def lines(out: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in out.splitlines()]


def check_groups(store: Path, runs: list[dict[str, str]]) -> None:
    """Check that every video has a group of its own right in the store, and all that is in the store is theirs."""
    groups = {run["video"]: run["group"].split("/")[0] for run in runs}
    assert len(set(groups.values())) == len(groups)
    root = Path(os.path.realpath(store))
    assert all(Path(os.path.realpath(store / run["group"])).is_relative_to(root) for run in runs)
    assert {path.name for path in store.iterdir()} == {*groups.values(), WEIGHTS, "zarr.json"}
    assert not [path for path in store.rglob(f"{UNFINISHED}*")]


def test_video_files_explained_found_again_and_rendered(here: Call, tmp_path: Path) -> None:
    files = [f"in/{name}.mp4" for name in ALL_VIDEOS]
    explain = ["explain", "-w", "sample", "-m", "rgb", "-n", "2", "-e", "FC", "-l", "1", "--", *files]
    first = here(*explain[:1], "--json", *explain[1:])
    assert first.code == 0, first.err
    runs = lines(first.out)
    assert [run["video"] for run in runs] == ALL_VIDEOS
    check_groups(tmp_path / "gbvis.zarr", runs)
    again = here(*explain)
    assert again.out.count("cached, nothing computed") == len(again.out.splitlines()) == len(ALL_VIDEOS)

    made = here("render", "-o", "out", "--format", "png", "--size", "56", "--json")
    assert made.code == 0, made.err
    paths = {picture["video"]: Path(picture["path"]) for picture in lines(made.out)}
    assert sorted(paths) == sorted(ALL_VIDEOS)
    assert len(set(paths.values())) == len(paths)
    assert {path.parent for path in paths.values()} == {Path("out")}
    assert sorted(path.name for path in paths.values()) == sorted(path.name for path in (tmp_path / "out").iterdir())
    assert all(path.name.isprintable() and not path.name.startswith(".") for path in paths.values())

    assert here("render", "-o", "out/x.csv").code == 0
    with (tmp_path / "out/x.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(ALL_VIDEOS)
    assert not [row for row in rows if re.match("[=+@\t\r]", row["video"] + row["group"])]
    shown = {row["video"].removeprefix("'") for row in rows}
    assert shown == {name.encode("utf-8", "backslashreplace").decode() for name in ALL_VIDEOS}

    some = list(paths.items())[::5]
    for name, path in some:  # each by its own name, and its alone; `sample:` and the like stand for others
        for asked in (f"in/{name}.mp4", *([name] if video_name(name) == name else [])):
            one = here("render", "-o", "out", "--format", "png", "--size", "56", "--", asked)
            assert one.code == 0 and one.out.startswith(printable(f"{path}  ")), (name, one.out, one.err)
            assert one.out.count("unchanged") == one.out.count("\n") == 1


def test_names_in_a_data_set_from_a_list(here: Call, tmp_path: Path) -> None:
    """A list can hold all but a line's end, blanks at its ends, and what stands for something else."""
    listed = [
        name for name in ALL_VIDEOS if name == name.strip(" \t\r") and "\n" not in name and video_name(name) == name
    ]
    assert len(listed) > len(ALL_VIDEOS) - 8
    (tmp_path / "out").mkdir()
    (tmp_path / "out/list").write_bytes(b"\n".join(os.fsencode(name) for name in listed))
    (tmp_path / "out/short").write_bytes(b"\n".join(os.fsencode(name) for name in listed[::4]))
    words = ["--videos-from", "out/list", "-d", "data", "-w", "sample", "-m", "flow", "-n", "1"]
    explain = ["explain", "--videos-from", "out/short", *words[2:], "-e", "FC", "-l", "1"]
    done = here(*explain, "--json")
    assert done.code == 0, done.err
    assert [run["video"] for run in lines(done.out)] == listed[::4]
    check_groups(tmp_path / "gbvis.zarr", lines(done.out))
    assert here(*explain).out.count("cached") == len(listed[::4])
    tables = here("predict", *words, "--clips", "1", "--top", "1")
    assert all(f"{printable(name)}  flow  1 clip\n" in tables.out for name in listed)


def test_names_in_a_data_set_as_arguments(here: Call) -> None:
    """What a list cannot hold, and what else is asked for with `./`: as a path whose last part is the name."""
    done = here(
        "predict", "-d", "data", "-w", "sample", "--clips", "1", "--json", "--", *(f"./{name}" for name in ALL_VIDEOS)
    )
    assert done.code == 0, done.err
    assert [one["video"] for one in lines(done.out)] == [name for name in ALL_VIDEOS for _ in range(3)]


def test_extracted_and_read_again(here: Call, tmp_path: Path) -> None:
    """Into folders of the very names, which `-d` finds; what has no room there is refused at once."""
    refused = {"x.bin", *LONGEST}
    files = [f"in/{name}.mp4" for name in ALL_VIDEOS]
    done = here("extract", "-o", "new", *ALGORITHM, "--json", "--", *files)
    assert done.code == 1
    results = lines(done.out)
    assert {name for name, one in zip(ALL_VIDEOS, results, strict=True) if "error" in one} == refused
    whole = [one["video"] for one in results if "error" not in one]
    for part in ("jpegs_256", "tvl1_flow/u", "tvl1_flow/v"):
        found = {path.name for path in (tmp_path / "new" / part).iterdir()}
        assert found == {*whole, *({f"{name}.bin" for name in whole} if part.endswith("u") else ())}
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"jpegs_256", "tvl1_flow", "extracted"}
    assert here("extract", "-o", "new", *ALGORITHM, "--", *files).out.count("there already") == len(whole)
    read = here(
        "predict", "-d", "new", "-w", "sample", "--clips", "1", "--json", "--", *(f"./{name}" for name in whole)
    )
    assert [one["video"] for one in lines(read.out)] == [name for name in whole for _ in range(3)]


@pytest.mark.parametrize(
    "command",
    [
        ["predict", "-w", "sample", "-m", "rgb", "--clips", "1"], ["explain", "-w", "sample", "-m", "rgb"],
        ["explain", "-w", "sample", "-d", "data", "-m", "rgb"],
        ["render", "-o", "out", "--size", "56"], ["extract", "-o", "new", "-m", "rgb"],
    ],
)  # fmt: skip
def test_videos_that_are_not_there(here: Call, tmp_path: Path, command: list[str]) -> None:
    """Each is an error of its own, shown safely; the video behind them is done."""
    assert here("explain", "in/case.mp4", "-w", "sample", "-m", "rgb").code == 0
    names = [*ALL_VIDEOS, *NO_FILES] if "-d" not in command else NO_FILES
    names = [name for name in names if name != "*" or command[0] == "render"]  # a pattern, of all that is here
    names = [name for name in names if not os.path.exists(name)] if command[0] != "render" else names  # noqa: PTH110
    names = [name for name in names if name not in ("sample:left-1", "case", "..", ".", "", "/etc/passwd")]
    done = here(*command, "--", *names, "in/case.mp4")
    assert done.code == 1 and "Traceback" not in done.err
    assert done.err.count("error: ") == done.err.count("hint: ") == len(names), done.err
    assert "case" in done.out and len(done.out) < 2000


def test_a_hint_names_the_video(here: Call) -> None:
    """The command that `render` suggests, split by a real shell, is the one that was meant."""
    assert here("explain", "in/case.mp4", "-w", "sample", "-m", "rgb").code == 0
    names = [name for name in NAMES if name not in ("case", "sample:left-1")]
    done = here("render", "--", *names)
    calls = re.findall(r"^hint: (?:did you mean .* else )?explain it first: gbvis (.*)$", done.err, re.MULTILINE)
    assert len(calls) == len(names)
    script = "".join(f"printf '%s\\0' {call}\n" for call in calls)
    told = subprocess.run(["bash"], input=script.encode(), capture_output=True, check=True)
    words = [os.fsdecode(word) for word in told.stdout.split(b"\0")[1::6]]
    assert words == [f"./{name}" if name.startswith("-") else name for name in names]


HOSTILE = "\x1b]0;title\x07\x1b[5;41;97m\u202e\u2066:smile:[red]\x9b31m"


def run_in_terminal(words: list[str], folder: Path) -> tuple[int, str]:
    """Run gbvis as a process whose output is a terminal, and return its exit code and all that the terminal gets."""
    ours, theirs = pty.openpty()
    settings = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "300", "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(
        [sys.executable, "-m", "gbvis", *words], cwd=folder, stdout=theirs, stderr=theirs, stdin=theirs, env=settings
    )
    os.close(theirs)
    told = b""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux says so where all have closed it
                break
            told += part
            if not part:
                break
        elif process.poll() is not None:
            break
    os.close(ours)
    return process.wait(timeout=60), told.decode("utf-8")


def test_on_a_real_terminal(clip: Path, tmp_path: Path) -> None:
    """The progress bar, results, details and errors; a terminal gets rich's own codes and no others."""
    shutil.copy(clip, tmp_path / f"{HOSTILE}.mp4")
    (tmp_path / "labels").write_text("".join(f"{HOSTILE} {number}\n" for number in range(8)), encoding="utf-8")
    words = [
        f"{HOSTILE}.mp4",
        f"{HOSTILE}.avi",
        "-w",
        "sample",
        "-e",
        "FC",
        "-e",
        "conv1",
        *ALGORITHM,
        "-v",
        "--labels",
        "labels",
    ]
    code, told = run_in_terminal(["explain", *words], tmp_path)
    assert code == 1
    shown = re.sub(
        r"\x1b\[(\?25[lh]|[0-9]*[AGKm]|2K|1;31m|[0-9]+(;[0-9]+)*m)", "", told.replace("\x1b[5;41;97m", "\x1b!")
    )
    assert is_shown_safely(shown.replace("\r", "")), shown
    assert told.count(printable(HOSTILE)) > 10 and "\N{SMILING FACE WITH OPEN MOUTH AND SMILING EYES}" not in told
    assert f"error: no such video: {printable(HOSTILE)}.avi" in shown
    assert "\N{BOX DRAWINGS HEAVY HORIZONTAL}" in told, "there was a progress bar"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_unicode(clip: Path, tmp_path: Path, encoding: str) -> None:
    name = f"漢e\u0301\u9b31{HOSTILE}"
    shutil.copy(clip, tmp_path / f"{name}.mp4")
    words = [sys.executable, "-m", "gbvis", "extract", f"{name}.mp4", "missing" + name, "-o", "new", "-m", "rgb"]
    settings = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run(words, cwd=tmp_path, env=settings, capture_output=True)
    assert done.returncode == 1
    for told in (done.stdout, done.stderr):
        assert is_shown_safely(told.decode("latin-1")) and rb"\u6f22e" in told


CLASSES = [
    "[red]a[/red]", "\x1b[31mb\x1b]0;t\x07", "c\u2028d\x85e", "=cmd()", "\u202ef", "../g/h", "i:smile: e\u0301",
    "j" * 5000,
]  # fmt: skip


def test_names_of_classes(here: Call, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/labels").write_text("\n".join(CLASSES), encoding="utf-8")
    words = ["in/case.mp4", "-w", "sample", "-m", "rgb", "--labels", "out/labels"]
    table = here("predict", *words, "--top", "8")
    assert all(printable(name) in table.out for name in CLASSES)
    top = json.loads(here("predict", *words, "--top", "8", "--json").out)["top"]
    assert {one["index"]: one["label"] for one in top} == dict(enumerate(CLASSES))
    for index, name in enumerate(CLASSES):
        done = here("explain", *words, "-e", "FC", "-l", name)
        assert f"class {index} {printable(name)}" in done.out, done.err
    assert here("explain", *words, "-e", "conv1").code == 0
    for layout in ("strip", "sheet", "overlay", "endpoints"):
        made = here("render", "-o", f"out/{layout}", "--layout", layout, "--size", "56", "--json")
        assert made.code == 0, made.err
        for picture in lines(made.out):
            assert Path(picture["path"]).parent == Path("out") / layout
            with Image.open(picture["path"]) as image:
                assert image.width < 2000 and not set(image.info) & {"Title", "Comment"}
                assert re.fullmatch(rb"[ -~]*", image.info.get("comment", b""))  # how it was made, in JSON
    here("explain", *words, "-e", "FC", "-l", "\x1b[32m").check_error(2, "unknown label")
    converted = here("convert-weights", world_weights(), "out/own.safetensors", "--labels", "out/labels")
    assert converted.code == 0, converted.err
    own = here("predict", "in/case.mp4", "-w", "out/own.safetensors", "-m", "rgb", "--top", "8")
    assert own.out == table.out


def world_weights() -> Path:
    from gbvis.networks.sample import SAMPLE_WEIGHTS, find_weights

    return find_weights(Path(SAMPLE_WEIGHTS))


def test_names_of_files_that_are_no_videos(here: Call) -> None:
    """Of weights, stores, lists, fonts, folders; and words that are no option's."""
    for word in (HOSTILE, "new\nline", "\udce9"):
        for words in (
            ["predict", "x", "-w", word], ["explain", "x", "-w", "sample", "--store", f"in/case.mp4/{word}"],
            ["predict", "--videos-from", word, "-w", "sample"], ["render", "--store", word],
            ["predict", "x", "-d", word],
            ["predict", "x", "-w", "sample", "-d", word], ["predict", "x", "-w", "sample", "--device", word],
            ["predict", "x", "-w", "sample", "--labels", word], ["render", "--layout", word],
            ["render", "--font", word],
            ["explain", "x", "-w", "sample", "-e", word], ["render", "-o", f"{word}.x{word}"], [word], [f"--{word}"],
            ["extract", "x", "-o", f"/dev/null/{word}"], ["inspect-shapes", "-w", word], ["demo", "--sample", word],
            ["convert-weights", word, "out/x.safetensors"], ["render", "-f", word], ["predict", "x", "--start", word],
        ):  # fmt: skip
            done = here(*words)
            assert done.code in (1, 2) and "Traceback" not in done.err, words
            assert done.err.count("error: ") == done.err.count("hint: ") == 1, done.err


def test_the_demo_in_a_hostile_folder(call: Call, tmp_path: Path) -> None:
    """All that it suggests does what it says when a real shell has read it."""
    folder = f"-$(touch pwned)\n'{HOSTILE}"
    done = call("demo", "-q", "--sample", "up-1", "--", folder)
    assert done.code == 0 and is_shown_safely(done.out + done.err), done.err
    assert [path.name for path in tmp_path.iterdir()] == [folder]
    suggested = [line[2:] for line in done.out.split("Next:")[1].splitlines() if line.startswith("$ gbvis explain")]
    told = subprocess.run(["bash"], input=f"printf '%s\\0' {suggested[0]}".encode(), capture_output=True, check=True)
    words = [os.fsdecode(word) for word in told.stdout.split(b"\0")[:-1]]
    assert words[0] == "gbvis"
    again = call(*words[1:])
    assert again.code == 0 and "up-1  rgb" in again.out, again.err
    assert [path.name for path in tmp_path.iterdir()] == [folder]


@pytest.mark.parametrize("kind", ["nowhere", "elsewhere", "circle"])
def test_links_in_the_place_of_pictures(here: Call, tmp_path: Path, kind: str) -> None:
    """What lies behind a link is left alone: without `--force` the link too, else a picture takes its place."""
    assert here("explain", "in/case.mp4", "-w", "sample", "-m", "rgb", "-e", "FC", "-l", "1").code == 0
    (tmp_path / "out").mkdir()
    (tmp_path / "out/victim").write_text("mine")
    picture = tmp_path / "out/case.rgb.FC.1.gif"
    picture.symlink_to({"nowhere": "nothing", "elsewhere": "victim", "circle": picture.name}[kind])
    done = here("render", "-o", "out", "--size", "56")
    if kind == "elsewhere":
        done.check_error(1, "is there already, and differs")
        assert picture.is_symlink()
        done = here("render", "-o", "out", "--size", "56", "--force")
    assert done.code == 0 and not picture.is_symlink()
    assert (tmp_path / "out/victim").read_text() == "mine"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [picture.name, "victim"]


def test_links_are_followed_where_videos_are_read(call: Call, world: Path, tmp_path: Path) -> None:
    """Data sets are often made of links: a part, a video, a frame; what leads nowhere or in circles hides no other."""
    source, data = world / "data", tmp_path / "data"
    (data / "jpegs_256").mkdir(parents=True)
    (data / "tvl1_flow").mkdir()
    for channel in "uv":
        (data / "tvl1_flow" / channel).symlink_to(source / "tvl1_flow" / channel)
    (data / "jpegs_256/case").symlink_to(source / "jpegs_256/case")
    (data / "jpegs_256/frames").mkdir()
    for frame in (source / "jpegs_256/case").iterdir():
        (data / "jpegs_256/frames" / frame.name).symlink_to(frame)
    (data / "jpegs_256/loop").symlink_to("loop")
    (data / "x_jpegs_256").symlink_to("x_jpegs_256")
    before = list_everything(source)
    assert call("predict", "case", "-d", "data", "-w", "sample").code == 0
    assert call("predict", "frames", "FRAMES", "-d", "data", "-w", "sample", "-m", "rgb").code == 0
    for name in ("loop", "Loop"):
        call("predict", name, "-d", "data", "-w", "sample", "-m", "rgb").check_error(1, f"no rgb of {name}")
    call("predict", "data/jpegs_256/loop", "-w", "sample", "-m", "rgb").check_error(1, "loop")
    (data / "jpegs_256/frames/frame000002.png").unlink()
    (data / "jpegs_256/frames/frame000002.png").symlink_to("nowhere")
    call("explain", "frames", "-d", "data", "-w", "sample", "-m", "rgb").check_error(1, "cannot read", "frame")
    assert list_everything(source) == before


NAME = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("%~._-/\\\0\n\x1bwW\udce9\udcff"), max_size=400
)
CASES = settings(derandomize=True, deadline=None, max_examples=200)


@given(NAME, NAME)
@example("n" * 300, "n" * 299)
@example("\x01" * 160, "\x01" * 53 + "\x01")
@example("%2E", ".")
@example("weights", "%77eights")
@CASES
def test_every_name_has_a_key_of_its_own(one: str, other: str) -> None:
    for name in (video_key, readable_name):
        assert (name(one) == name(other)) == (one == other)


@given(NAME)
@example("")
@example("..")
@CASES
def test_a_key_and_the_name_of_a_picture_are_one_plain_part_of_a_path(name: str) -> None:
    key = video_key(name)
    assert re.fullmatch(r"[A-Za-z0-9_. ()+,=@%~-]+", key) and len(key) < 200
    assert not key.startswith((".", "_")) and key.lower() not in (WEIGHTS, CLIPS.upper(), "zarr.json")
    readable = readable_name(name)
    assert readable.isprintable() and not re.search(r'[/\\:*?"<>|]', readable) and not readable.startswith(".")
    assert len(os.fsencode(readable)) < 200
    assert unicodedata.is_normalized("NFC", key)


@given(NAME)
@CASES
def test_what_is_shown_is_printable(name: str) -> None:
    assert printable(name).isprintable()
    assert fit_text(name[:40], 12, 10_000).isprintable()


@given(NAME)
@example("..")
@example("a/..")
@example("\0")
@CASES
def test_the_name_of_a_video_of_a_data_set_is_one_part_of_a_path(name: str) -> None:
    if is_video_name(name):
        assert os.path.normpath(os.path.join("data", name)) == f"data/{name}"  # noqa: PTH118
        assert os.path.dirname(os.path.join("data", name)) == "data"  # noqa: PTH118, PTH120
