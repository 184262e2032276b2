"""`explain --dry-run`: what a call would do, without doing it."""

import json
from pathlib import Path

import pytest

from conftest import Call
from gbvis.cli.foreseen import show_duration

SAMPLES = [f"sample:left-{seed}" for seed in range(5)]
CALL = ("explain", "-w", "sample", "-e", "FC", "-e", "Conv3d_2_x")


def foresee(call: Call, *arguments: str) -> dict[str, object]:
    called = call(*CALL, *arguments, "--dry-run", "--json")
    assert called.code == 0, called.err
    found: dict[str, object] = json.loads(called.out)
    return found


def size_of(store: Path) -> int:
    files = [path for path in store.rglob("*") if path.is_file() and "weights" not in path.relative_to(store).parts]
    return sum(path.stat().st_size for path in files)


def test_it_says_what_is_there_and_what_is_missing_and_keeps_nothing(call: Call, tmp_path: Path) -> None:
    before = foresee(call, *SAMPLES)
    assert (before["videos"], before["cached"], before["missing"]) == (5, 0, 20)
    assert [one.name for one in tmp_path.iterdir()] == []
    assert call(*CALL, *SAMPLES[:2], "-m", "rgb").code == 0
    files = sorted(tmp_path.rglob("*"))
    after = foresee(call, *SAMPLES)
    assert (after["cached"], after["missing"]) == (4, 16)
    assert sorted(tmp_path.rglob("*")) == files


def test_the_size_is_that_of_the_call(call: Call, tmp_path: Path) -> None:
    foreseen = foresee(call, *SAMPLES)
    assert call(*CALL, *SAMPLES).code == 0
    assert foreseen["bytes"] == pytest.approx(size_of(tmp_path / "gbvis.zarr"), rel=0.05)
    assert isinstance(foreseen["seconds"], float) and foreseen["seconds"] > 0
    done = foresee(call, *SAMPLES)
    assert (done["cached"], done["missing"], done["seconds"], done["bytes"]) == (20, 0, 0, 0)


def test_what_is_there_under_another_request_counts(call: Call) -> None:
    assert call(*CALL, SAMPLES[0], "-m", "rgb").code == 0
    assert foresee(call, SAMPLES[0], "-m", "rgb", "-l", "left")["missing"] == 0
    assert foresee(call, SAMPLES[0], "-m", "rgb", "-l", "up")["missing"] == 1
    assert foresee(call, SAMPLES[0], "-m", "rgb", "--force")["missing"] == 2


def test_what_is_given_twice_counts_once(call: Call) -> None:
    """As in the call itself: what the first has computed, the second finds in the store."""
    twice = foresee(call, SAMPLES[0], SAMPLES[1], SAMPLES[0], "-m", "rgb")
    assert twice == {
        **foresee(call, *SAMPLES[:2], "-m", "rgb"),
        "seconds": twice["seconds"],
        "streams": twice["streams"],
    }
    assert (twice["videos"], twice["cached"], twice["missing"]) == (2, 0, 4)
    assert call(*CALL, *SAMPLES[:2], "-m", "rgb").code == 0
    assert foresee(call, SAMPLES[0], SAMPLES[0], "-m", "rgb")["cached"] == 2


def test_videos_that_cannot_be_opened_are_named_first(call: Call) -> None:
    called = call(*CALL, "-m", "rgb", SAMPLES[0], "lost.mp4", "--dry-run", "--failed-to", "failed.csv")
    called.check_error(1, "lost.mp4")
    assert "2 videos, 2 runs: 0 cached, 2 to compute\nabout " in called.out
    assert Path("failed.csv").read_text() == "path,label\nlost.mp4,\n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *((0.2, "1 s"), (59.2, "59 s"), (90, "2 min"), (3600, "1 h"), (5400, "1 h 30 min")),
        *((3599, "1 h"), (86400, "1 day"), (90000, "1 day 1 h"), (300000, "3 days 11 h")),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert show_duration(seconds) == words
