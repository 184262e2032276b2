"""`--failed-to`: what failed, as a list that another call takes."""

import json
from pathlib import Path

import pytest

from conftest import Call
from gbvis.cli.failure_list import write_failures
from gbvis.progress import Failure
from gbvis.videos.video_list import ListRequest, read_video_list

NAMES = ["a b.mp4", "c,d.mp4", 'say "so".mp4', "tab\there.mp4", "7", "caf\udce9.mp4", "clip.mp4 3", "日本.avi", "a;b"]


def test_a_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "failed.csv"
    failures = [Failure(name, "", "", label) for name, label in zip(NAMES, [None, "3", "wave hand"] * 3, strict=True)]
    assert write_failures(path, [*failures, failures[0], Failure("two\nlines", "", "")]) == len(NAMES)
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    entries = read_video_list(text, ListRequest(str(path)))
    assert [(one.location, one.label) for one in entries] == [(one.video, one.label) for one in failures]


def test_the_failed_ones_alone_are_tried_again(call: Call, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("sample:left-1 0\nlost.mp4 2\nsample:up-1 2\ngone dir/lost too.mp4 1\n")
    first = call("explain", "--videos-from", "list.txt", "-w", "sample", "-m", "rgb", "--failed-to", "failed.csv")
    assert first.code == 1 and len(first.out.splitlines()) == 2
    assert "2 videos in failed.csv: give it to --videos-from" in first.err
    again = call(
        "explain", "--videos-from", "failed.csv", "-w", "sample", "-m", "rgb", "--failed-to", "failed.csv", "--json"
    )
    assert again.code == 1
    assert [json.loads(line)["video"] for line in again.out.splitlines()] == ["lost.mp4", "gone dir/lost too.mp4"]
    assert (tmp_path / "failed.csv").read_text() == "path,label\nlost.mp4,2\ngone dir/lost too.mp4,1\n"


@pytest.mark.parametrize(
    "command",
    [("predict", "-w", "sample"), ("extract", "-o", "data"), ("check", "-w", "sample", "--test", "time")],
    ids=lambda one: one[0],
)
def test_every_command_over_videos_writes_it(command: tuple[str, ...], call: Call, tmp_path: Path) -> None:
    called = call(*command, *(f"lost-{number}.mp4" for number in range(5)), "--failed-to", "failed.csv")
    assert called.code == 1
    assert (tmp_path / "failed.csv").read_text().splitlines()[1:] == [f"lost-{number}.mp4," for number in range(5)]
    assert "\n  5  " in called.err  # one reason for all, said once more


def test_a_call_without_failures_leaves_an_empty_list(call: Call, tmp_path: Path) -> None:
    (tmp_path / "failed.csv").write_text("path,label\nold.mp4,\n")
    assert call("predict", "sample:left-1", "-m", "rgb", "-w", "sample", "--failed-to", "failed.csv").code == 0
    assert (tmp_path / "failed.csv").read_text() == "path,label\n"
    again = call("predict", "--videos-from", "failed.csv", "-m", "rgb", "-w", "sample", "--failed-to", "failed.csv")
    assert again.code == 0 and again.out == "" and "0 failed" in again.err
    assert (tmp_path / "failed.csv").read_text() == "path,label\n"


def test_one_reason_of_many_files_is_said_once(call: Call, tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    for number in range(5):
        (tmp_path / f"videos/broken-{number}.mp4").write_bytes(b"no video")
    called = call("predict", "videos", "-m", "rgb", "-w", "sample")
    assert called.code == 1 and "\n  5  " in called.err


def test_a_name_that_no_list_can_hold_is_said(call: Call, tmp_path: Path) -> None:
    called = call("predict", "two\nlines.mp4", "-w", "sample", "--failed-to", "failed.csv")
    assert "a name with a line break cannot stand in failed.csv" in called.err


@pytest.mark.parametrize("place", ["-", "/dev/stdout", "nowhere/failed.csv", "."])
def test_a_place_for_no_file_is_noticed_first(place: str, call: Call) -> None:
    call("predict", "sample:left-1", "-w", "sample", "--failed-to", place).check_error(2, "--failed-to")
