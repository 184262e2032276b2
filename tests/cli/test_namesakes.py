"""Videos of one name: what `render` joins, what it calls them, and what a path or a filter leaves out."""

import json
from pathlib import Path

import av
import numpy as np
import pytest

from conftest import Call


def write_video(path: Path, seed: int, frames: int = 24) -> None:
    """Write a video of coloured noise that moves: MPEG-4, 64x48, 10 frames a second."""
    ground = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            shown = np.roll(ground, 2 * number, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture
def two(call: Call, tmp_path: Path) -> Call:
    """Make two videos of one name, and give the command line."""
    write_video(tmp_path / "a/clip.mp4", 1)
    write_video(tmp_path / "b/clip.mp4", 2)
    return call


EXPLAIN = ("-w", "sample", "-e", "FC", "-l", "2")
FLOW = ("-m", "flow", "--flow-algorithm", "farneback")


def names(out: str) -> set[str]:
    return {str(json.loads(line)["path"]) for line in out.splitlines()}


def test_streams_of_two_videos_are_not_joined(two: Call) -> None:
    two("explain", "a/clip.mp4", *EXPLAIN, "-m", "rgb")
    two("explain", "b/clip.mp4", *EXPLAIN, *FLOW)
    done = two("render", "--layout", "streams", "--size", 56)
    assert done.code == 1 and done.out == ""
    assert "a/clip at FC has no flow run to be shown with" in done.err
    assert "b/clip at FC has no rgb run to be shown with" in done.err
    two("explain", "b/clip.mp4", *EXPLAIN, "-m", "rgb")
    done = two("render", "--layout", "streams", "--size", 56, "--flow-algorithm", "farneback")
    assert "a/clip at FC has no flow run to be shown with (with --flow-algorithm farneback)" in done.err
    at = two("render", "a/clip", "--at", 99)
    assert at.code == 1 and "no clip of a/clip shows frame 99" in at.err, at.err


def test_streams_of_other_frames_are_not_joined(two: Call) -> None:
    assert two("explain", "a/clip.mp4", *EXPLAIN, "-m", "rgb", "--start", 0).code == 0
    assert two("explain", "a/clip.mp4", *EXPLAIN, *FLOW, "--start", 12).code == 0
    done = two("render", "--layout", "streams", "--size", 56)
    assert done.code == 1 and done.out == ""
    assert done.err.count("error: ") == 1 and "error: clip at FC is of" in done.err  # not once more the other way round
    assert "is of frames 0-7" in done.err and "frames 12-19" in done.err and "--start" in done.err
    assert two("explain", "a/clip.mp4", *EXPLAIN, *FLOW, "--start", 0).code == 0
    done = two("render", "--layout", "streams", "--size", 56, "--json")
    assert done.code == 1 and '"path": "clip.streams.FC.2.gif"' in done.out  # the other picture is made
    (made,) = [json.loads(line) for line in done.out.splitlines() if '"path"' in line]
    assert made["frames"] == 8


def test_each_video_has_its_own_pictures_and_name(two: Call, tmp_path: Path) -> None:
    assert two("explain", "a/clip.mp4", "b/clip.mp4", *EXPLAIN, "--flow-algorithm", "farneback").code == 0
    joined = two("render", "--layout", "streams", "--size", 56, "--json")
    assert joined.code == 0, joined.err
    assert names(joined.out) == {"a-clip.streams.FC.2.gif", "b-clip.streams.FC.2.gif"}
    groups = {json.loads(line)["video"]: json.loads(line)["runs"] for line in joined.out.splitlines()}
    listed = [json.loads(line) for line in two("store", "ls", "--json").out.splitlines()]
    own = {one["group"]: one for one in listed}
    for name, runs in groups.items():
        assert {own[run["group"]]["name"] for run in runs} == {name}
        assert {own[run["group"]]["location"] for run in runs} == {str(tmp_path / f"{name}.mp4")}
    every = {f"{name}.{stream}.FC.2.gif" for name in ("a-clip", "b-clip") for stream in ("rgb", "flow")}
    assert names(two("render", "clip", "--size", 56, "--json").out) == every
    for one in ("a/clip.mp4", "./a/../a/clip.mp4", tmp_path / "a/clip.mp4", "a/clip"):
        made = two("render", one, "--size", 56, "-o", "one", "--json", "--force")
        assert names(made.out) == {"one/a-clip.rgb.FC.2.gif", "one/a-clip.flow.FC.2.gif"}, one
    removed = two("store", "rm", "a/clip.mp4", "--json", "--dry-run").out
    assert {own[one["group"]]["name"] for one in map(json.loads, removed.splitlines()) if one["kind"] == "run"} == {
        "a/clip"
    }


def test_a_path_to_another_video_of_the_name_means_none(two: Call, tmp_path: Path) -> None:
    two("explain", "a/clip.mp4", *EXPLAIN, "-m", "rgb")
    two("render", "b/clip.mp4").check_error(1, "nothing to render of b/clip.mp4")
    two("store", "rm", "b/clip.mp4", "--yes").check_error(1, "nothing to remove")
    (tmp_path / "c").mkdir()
    (tmp_path / "a/clip.mp4").rename(tmp_path / "c/clip.mp4")
    assert names(two("render", "c/clip.mp4", "--json").out) == {"clip.rgb.FC.2.gif"}  # it has moved
    (tmp_path / "clip").mkdir()
    assert names(two("render", "clip", "--json").out) == {"clip.rgb.FC.2.gif"}  # a name, whatever else is called so


def test_moved_namesakes_are_found_by_their_content(two: Call, tmp_path: Path) -> None:
    two("explain", "a/clip.mp4", "b/clip.mp4", *EXPLAIN, "-m", "rgb")
    for old, new in (("a", "y"), ("b", "x")):
        (tmp_path / old).rename(tmp_path / new)
    done = two("render", "x/clip.mp4", "y/clip.mp4", "--layout", "overlay", "--json")
    assert done.code == 0, done.err
    assert names(done.out) == {"a-clip.rgb.FC.2.overlay.gif", "b-clip.rgb.FC.2.overlay.gif"}


def test_a_flow_filter_leaves_rgb_alone(two: Call) -> None:
    for algorithm in ("farneback", "dis"):
        two("explain", "a/clip.mp4", *EXPLAIN, "--flow-algorithm", algorithm)
    filtered = ("--flow-algorithm", "dis", "--size", 56, "--json")
    joined = two("render", "--layout", "streams", *filtered)
    assert joined.code == 0, joined.err
    (made,) = [json.loads(line) for line in joined.out.splitlines()]
    listed = {one["group"]: one for one in map(json.loads, two("store", "ls", "--json").out.splitlines())}
    flows = [listed[run["group"]]["recipe"].get("flow", {}).get("algorithm") for run in made["runs"]]
    assert flows == [None, "dis"]
    assert len(names(two("render", *filtered).out)) == 2
    two("render", "--flow-algorithm", "tvl1").check_error(1, "nothing to render")
    gone = two("store", "rm", "--flow-algorithm", "dis", "--dry-run", "--json").out
    assert not [line for line in gone.splitlines() if "/rgb/" in line]  # what is removed is what the filter names


def test_a_name_that_is_another_videos_own(two: Call, tmp_path: Path) -> None:
    write_video(tmp_path / "a-clip.mp4", 3)
    two("explain", "a/clip.mp4", "b/clip.mp4", "a-clip.mp4", *EXPLAIN, "-m", "rgb")
    made = names(two("render", "--json").out)
    assert len(made) == 3 and {"a-clip.rgb.FC.2.gif", "b-clip.rgb.FC.2.gif"} <= made


def test_videos_of_one_name_are_told_apart_in_every_line(two: Call) -> None:
    videos = ("a/clip.mp4", "b/clip.mp4")
    explained = two("explain", *videos, *EXPLAIN, "-m", "rgb")
    assert [line.split()[0] for line in explained.out.splitlines()] == ["a/clip", "b/clip"]
    assert two("explain", "a/clip.mp4", *EXPLAIN, "-m", "rgb").out.startswith("clip  ")  # there is one in the call
    predict = ("predict", *videos, "-w", "sample", "-m", "rgb", "--clips", 1)
    titles = [line for line in two(*predict).out.splitlines() if " rgb " in line]
    assert [title.split()[0] for title in titles] == ["a/clip", "b/clip"]
    for words in (predict, ("explain", *videos, *EXPLAIN, "-m", "rgb")):
        lines = [json.loads(line) for line in two(*words, "--json").out.splitlines()]
        assert [(line["video"], line["location"]) for line in lines] == [("clip", video) for video in videos]
