"""`render --at`: stills of layouts that move; and where pictures are written to."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import Call, CopyStore


@pytest.fixture
def explained(call: Call, copy_store: CopyStore) -> Call:
    """Have both streams of one sample explained, frames 4-11, and give the command line."""
    copy_store("sample:up-4", "-w", "sample", "-e", "FC")
    return call


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("strip", "up-4.rgb.FC.2.frame-7.png"),
        ("overlay", "up-4.rgb.FC.2.overlay.frame-7.png"),
        ("streams", "up-4.streams.FC.2.frame-7.png"),
        ("endpoints", "up-4.rgb.endpoints.frame-7.png"),
    ],
)
def test_a_still_is_a_frame_of_the_animation(explained: Call, tmp_path: Path, layout: str, name: str) -> None:
    call = ("render", "--layout", layout, "--size", 64, "--json")
    still = json.loads(explained(*call, "--at", 7).out.splitlines()[0])
    assert still["path"] == name and (still["format"], still["frames"], still["frame"]) == ("png", 1, 7)
    moving = json.loads(explained(*call, "--format", "apng").out.splitlines()[0])
    with Image.open(tmp_path / moving["path"]) as frames, Image.open(tmp_path / name) as image:
        assert frames.size == image.size == (still["width"], still["height"])
        importance = moving["runs"][0]["importance"][0]
        frames.seek(3 + (moving["frames"] - 8))
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), np.asarray(frames.convert("RGB")))
    if layout != "streams":
        strongest = json.loads(explained(*call, "--format", "png", "-m", "rgb").out.splitlines()[0])
        assert strongest["frame"] == 4 + importance.index(max(importance))


def test_several_frames_and_seconds(explained: Call) -> None:
    made = explained("render", "-m", "rgb", "--at", "5, 1.0s,5", "--size", 64)
    assert [line.split()[0] for line in made.out.splitlines()] == [
        "up-4.rgb.FC.2.frame-5.png", "up-4.rgb.FC.2.frame-10.png"
    ]  # fmt: skip
    done = explained("render", "-m", "rgb", "--at", "5,40", "--size", 64)
    done.check_error(1, "shows frame 40", "4-11", "--at")
    assert "frame-5.png" in done.out and "unchanged" in done.out


def test_a_file_that_was_named_keeps_its_name(explained: Call, tmp_path: Path) -> None:
    assert "frame 7, " in explained("render", "-m", "rgb", "--at", 7, "-o", "x.png").out
    assert explained("render", "-m", "rgb", "--layout", "strip", "-o", "y.png").code == 0
    assert explained("render", "-m", "rgb", "--layout", "overlay", "-o", "z.png").code == 0
    assert explained("render", "-m", "rgb", "--at", "7,8", "-o", "w.png").code == 0
    made = {path.name for path in tmp_path.glob("*.png")}
    assert made == {"x.png", "y.png", "z.png", "w.frame-7.png", "w.frame-8.png"}


def test_png_without_a_layout_is_a_sheet(explained: Call) -> None:
    (made,) = explained("render", "-m", "rgb", "--format", "png", "--json").out.splitlines()
    assert json.loads(made)["layout"] == "sheet"


def test_no_pipe_is_renamed_over(explained: Call, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.gif")
    for force in ([], ["--force"]):
        explained("render", "-m", "rgb", "-o", "x.gif", *force).check_error(2, "pipes", "-o picture.gif")
    assert (tmp_path / "x.gif").is_fifo()
    for place in ("-", "/dev/fd/1", "/proc/self/fd/1", "/dev/null"):
        done = explained("render", "-m", "rgb", "-o", place, "--force")
        assert (done.code, done.out) == (2, ""), place


def test_the_home_folder(explained: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for place in ("~/pictures/x.gif", "~", "~nobody-of-that-name.gif"):
        assert explained("render", "-m", "rgb", "-o", place, "--size", 64).code == 0
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.gif")}
    assert made == {"home/pictures/x.gif", "home/up-4.rgb.FC.2.gif", "~nobody-of-that-name.gif"}


def test_too_large_a_picture_fails_alone(explained: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flow's panels stand in two rows: at this size they are too many pixels for H.264, RGB's are not."""
    monkeypatch.setattr("gbvis.figures.encoders.ffmpeg.write_mp4", lambda picture, path: path.write_text("drawn"))
    done = explained("render", "--size", 2048, "--format", "mp4", "-o", "large")
    done.check_error(1, "H.264 holds 35,651,584 pixels a frame", "this fits: --size 1", "--format gif")
    assert done.out.count(".mp4") == 1 and "large/up-4.rgb.FC.2.mp4" in done.out
