"""Where RGB and flow of one video lie, and whether they belong together."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gbvis.errors import VideoError
from gbvis.videos.locate import check_dataset, look_for
from gbvis.videos.readers import two_stream_folder

FIRST = 1
COUNT = 8


def write(folder: Path, pattern: str, numbers: range, channels: int = 3, level: int = 0) -> None:
    """Write pictures whose level is their number times ten, and more."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        shape = (12, 16, 3) if channels == 3 else (12, 16)
        Image.fromarray(np.full(shape, level + 10 * (number % 10), np.uint8)).save(folder / (pattern % number))


RGB, FLOW = range(FIRST, FIRST + COUNT), range(FIRST, FIRST + COUNT - 1)

LAYOUTS = {
    "in one folder": (("", "img_%05d.png"), ("", "flow_x_%05d.png"), ("", "flow_y_%05d.png")),
    "u and v in one folder": (("", "frame%06d.png"), ("", "flow_u_%05d.png"), ("", "flow_v_%05d.png")),
    "letters alone": (("", "img_%05d.png"), ("", "x_%05d.png"), ("", "y_%05d.png")),
    "letters behind": (("", "%05d.png"), ("", "%05d_flow_x.png"), ("", "%05d_flow_y.png")),
    "folders x and y": (("", "img_%05d.png"), ("x", "%05d.png"), ("y", "%05d.png")),
    "three folders": (("img", "%05d.png"), ("flow_x", "%05d.png"), ("flow_y", "%05d.png")),
    "names twice": (("img", "img_%05d.png"), ("flow_x", "flow_x_%05d.png"), ("flow_y", "flow_y_%05d.png")),
    "RGB and flow": (("rgb", "%05d.png"), ("flow", "flow_x_%05d.png"), ("flow", "flow_y_%05d.png")),
    "flow of two": (("Images", "%05d.png"), ("Flow/u", "%05d.png"), ("Flow/v", "%05d.png")),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rgb_and_flow_of_one_video(tmp_path: Path, layout: str) -> None:
    rgb, u, v = LAYOUTS[layout]
    write(tmp_path / rgb[0], rgb[1], RGB)
    write(tmp_path / u[0], u[1], FLOW, 1)
    write(tmp_path / v[0], v[1], FLOW, 1, level=100)
    frames, flow = look_for(str(tmp_path), "rgb", None), look_for(str(tmp_path), "flow", None)
    assert frames is not None and flow is not None
    assert (frames.name, frames.location) == (flow.name, flow.location) == (tmp_path.name, str(tmp_path))
    assert (frames.shape.frame_count, flow.shape.frame_count) == (COUNT, COUNT - 1)
    assert frames.read(3)[0, 0].tolist() == [40] * 3 and flow.read(3)[0, 0].tolist() == [40, 140]
    assert not frames.notices and not flow.notices


def test_a_link_in_a_circle_beside_the_folders(tmp_path: Path) -> None:
    write(tmp_path / "img", "%05d.png", RGB)
    (tmp_path / "loop").symlink_to("loop")
    frames = look_for(str(tmp_path), "rgb", None)
    assert frames is not None and frames.shape.frame_count == COUNT


def test_a_folder_without_flow_has_none(tmp_path: Path) -> None:
    write(tmp_path, "img_%05d.png", RGB)
    write(tmp_path, "flow_x_%05d.png", FLOW, 1)
    assert look_for(str(tmp_path), "flow", None) is None
    frames = look_for(str(tmp_path), "rgb", None)
    assert frames is not None and frames.shape.frame_count == COUNT
    assert "left out: flow_x_*.png (7 files)" in frames.notices[0]


def test_flow_that_may_be_one_of_two_ends_no_call(tmp_path: Path) -> None:
    write(tmp_path / "img", "%05d.png", RGB)
    for folder, pattern in (("flow_x", "%05d.png"), ("flow_x", "other_%05d.png"), ("flow_y", "%05d.png")):
        write(tmp_path / folder, pattern, FLOW, 1)
    with pytest.raises(VideoError, match="flow_x holds two series of pictures"):
        look_for(str(tmp_path), "flow", None)


def test_one_flow_frame_twice(tmp_path: Path) -> None:
    folder = Path(write_both(tmp_path, "folder", RGB, FLOW))
    shutil.copy(folder / "flow_x_00003.png", folder / "flow_x_3.png")
    with pytest.raises(VideoError, match=r"flow_x_.* and flow_x_.* are both frame 3"):
        look_for(str(folder), "flow", None)


def test_flow_alone_is_no_rgb(tmp_path: Path) -> None:
    write(tmp_path, "flow_x_%05d.png", FLOW, 1)
    write(tmp_path, "flow_y_%05d.png", FLOW, 1)
    frames, flow = look_for(str(tmp_path), "rgb", None), look_for(str(tmp_path), "flow", None)
    assert frames is not None and flow is not None and flow.shape.frame_count == 7
    with pytest.raises(VideoError, match="no frames in"):
        _ = frames.shape


def test_what_is_left_out_and_missing_is_said(tmp_path: Path) -> None:
    write(tmp_path, "img_%05d.png", range(1, 13))
    write(tmp_path, "mask_%05d.png", range(1, 13), 1)
    for number in (4, 8, 9):
        (tmp_path / f"img_{number:05d}.png").unlink()
    frames = look_for(str(tmp_path), "rgb", None)
    assert frames is not None and frames.shape.frame_count == 9
    assert "left out: mask_*.png (12 files)" in frames.notices[0]
    assert "missing in img_*.png: 4, 8 and 9" in frames.notices[1]


LOST = {
    "the first flow": (range(1, 9), range(4, 8), "lacks the flow frames 1 to 3, and .* pictures 1 to 8"),
    "the last flow": (range(1, 9), range(1, 6), "lacks the flow frames 6 and 7, and"),
    "both ends": (range(1, 9), range(2, 7), "lacks the flow frames 1 and 7, and"),
    "the first pictures": (
        range(3, 9),
        range(1, 8),
        "holds the flow frames 1 and 2, and .* no such pictures, but 3 to 8",
    ),
    "the last pictures": (
        range(1, 6),
        range(1, 8),
        "holds the flow frames 6 and 7, and .* no such pictures, but 1 to 5",
    ),
    "first picture, from 0": (range(1, 9), range(0, 8), "holds the flow frames 0, and"),
}
AGAIN = {"the first pictures": "pictures", "the last pictures": "pictures", "first picture, from 0": "pictures"}
WHOLE = {
    "one fewer": (range(1, 9), range(1, 8)),
    "one each": (range(1, 9), range(1, 9)),
    "from 0": (range(0, 8), range(0, 7)),
    "counted apart": (range(1, 9), range(0, 7)),
    "from elsewhere": (range(100, 108), range(100, 107)),
}


def write_both(folder: Path, kind: str, rgb: range, flow: range) -> str:
    """Write a video in one folder, or in a two-stream data set; return its location."""
    if kind == "folder":
        write(folder / "v", "img_%05d.png", rgb)
        write(folder / "v", "flow_x_%05d.png", flow, 1)
        write(folder / "v", "flow_y_%05d.png", flow, 1)
        return str(folder / "v")
    write(folder / "jpegs_256/v", "frame%06d.png", rgb)
    for channel in "uv":
        write(folder / f"tvl1_flow/{channel}/v", "flow_x_%05d.png", flow, 1)
    return "v"


@pytest.mark.parametrize("kind", ["folder", "dataset"])
@pytest.mark.parametrize("case", LOST)
def test_lost_frames_are_named(tmp_path: Path, case: str, kind: str) -> None:
    rgb, flow, found = LOST[case]
    location = write_both(tmp_path, kind, rgb, flow)
    video = look_for(location, "flow", tmp_path if kind == "dataset" else None)
    assert video is not None
    with pytest.raises(VideoError, match=found) as error:
        _ = video.fingerprint
    assert str(tmp_path) in error.value.problem and "--flow-algorithm" in error.value.hint
    assert f"extract this video's {AGAIN.get(case, 'flow')} again" in error.value.hint
    assert kind == "dataset" or "v/flow_x_*.png, like flow_y_*.png, " in error.value.problem


@pytest.mark.parametrize("kind", ["folder", "dataset"])
@pytest.mark.parametrize("case", WHOLE)
def test_whole_flow_is_read(tmp_path: Path, case: str, kind: str) -> None:
    rgb, flow = WHOLE[case]
    location = write_both(tmp_path, kind, rgb, flow)
    video = look_for(location, "flow", tmp_path if kind == "dataset" else None)
    assert video is not None and video.shape.frame_count == len(flow)
    told = [notice for notice in video.notices if "flow frame 0 is taken for pictures 1 and 2" in notice]
    assert bool(told) is (case == "counted apart")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("flow_x_00004.png", "flow frame 4 is missing in .*v/flow_x_.*, which goes from 1 to 7"),
        ("flow_y_0000[67].png", "v/flow_y_.*lacks 6 and 7"),
        ("img_00004.png", "v/flow_x_.* holds the flow frames 4, and .*v/img_.* holds no such pictures"),
    ],
)
def test_one_of_a_folder_is_lost(tmp_path: Path, name: str, problem: str) -> None:
    folder = Path(write_both(tmp_path, "folder", range(1, 9), range(1, 8)))
    for path in folder.glob(name):
        path.unlink()
    video = look_for(str(folder), "flow", None)
    assert video is not None
    with pytest.raises(VideoError, match=problem) as error:
        _ = video.fingerprint
    assert ("pictures" if name.startswith("img") else "flow") + " again" in error.value.hint


def test_flow_beside_a_folder_that_is_typed(tmp_path: Path) -> None:
    """Its pictures are those that flow is matched with."""
    write_both(tmp_path, "dataset", range(1, 9), range(4, 8))
    video = look_for(str(tmp_path / "jpegs_256/v"), "flow", tmp_path)
    assert video is not None
    with pytest.raises(VideoError, match="lacks the flow frames 1 to 3"):
        _ = video.shape
    shutil.rmtree(tmp_path / "jpegs_256")
    alone = look_for("v", "flow", tmp_path)
    assert alone is not None and alone.shape.frame_count == 4


@pytest.mark.parametrize("name", ["v", "Class/v", "Class/v.avi"])
def test_a_data_set_of_one_folder_a_video(tmp_path: Path, name: str) -> None:
    """As MMAction2's `rawframes`."""
    location = write_both(tmp_path / "raw" / name.removesuffix(".avi").removesuffix("v"), "folder", RGB, FLOW)
    assert Path(location).is_dir()
    check_dataset(tmp_path / "raw")
    rgb, flow = look_for(name, "rgb", tmp_path / "raw"), look_for(name, "flow", tmp_path / "raw")
    assert rgb is not None and flow is not None
    assert (rgb.name, flow.name, rgb.shape.frame_count, flow.shape.frame_count) == ("v", "v", 8, 7)
    for outside in ("../raw/v", "../raw/Class/v", "..", ".", str(tmp_path / "nowhere"), "w"):
        assert two_stream_folder.read(outside, "flow", tmp_path / "raw") is None
