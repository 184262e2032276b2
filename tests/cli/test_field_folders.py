"""Folders, data sets and lists as people have them, from `../shared/field`; each picture carries its number."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import Call
from gbvis.cli.parse import parse_videos
from gbvis.errors import VideoError
from gbvis.videos.gather import gather_videos
from gbvis.videos.locate import look_for
from gbvis.videos.video import Video
from gbvis.videos.video_list import ListRequest
from numbered import read_number


@pytest.fixture(scope="module")
def field(shared: Path) -> Path:
    """The files; skipped where they are missing."""
    if not (shared / "field").is_dir():
        pytest.skip(f"needs {shared / 'field'}")
    return shared / "field"


def open_video(location: Path | str, modality: str = "rgb", dataset: Path | None = None) -> Video:
    video = look_for(str(location), modality, dataset)
    assert video is not None
    return video


FOLDERS = {"copies": range(12), "masks": range(12), "mm_mixed": range(12), "gap": [0, 1, 2, 3, 4, 7, 8, 9, 10, 11]}
SAID = {"copies": "frame_0003 copy.jpg", "masks": "left out: *.png (12 files)", "gap": "img_*.jpg: 6 and 7"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_pictures_of_a_folder(field: Path, folder: str) -> None:
    video = open_video(field / "folders" / folder)
    assert video.shape.frame_count == len(FOLDERS[folder])
    numbers = [read_number(video.read(number)) for number in range(video.shape.frame_count)]
    assert [number - numbers[0] for number in numbers] == list(FOLDERS[folder])
    assert SAID.get(folder, "") in " ".join(video.notices) and bool(video.notices) == (folder in SAID)


def test_a_folder_that_lies_on_its_side(field: Path) -> None:
    video = open_video(field / "folders/exif6")
    assert (video.shape.width, video.shape.height) == (120, 160)
    for number in range(12):
        upright = video.read(number)
        lying = np.asarray(Image.open(field / f"folders/exif6/f{number:03d}.jpg").convert("RGB"))
        np.testing.assert_array_equal(upright[:, -1], lying[0])  # the visual right-hand side is row 0
        assert read_number(np.rot90(upright)) == number


def test_a_title_card_is_a_frame_of_its_own_size(field: Path) -> None:
    video = open_video(field / "folders/titlecard")
    assert video.shape.frame_count == 20
    assert video.read(0).shape[:2] == (60, 60) and video.read(1).shape[:2] == (240, 320)


def test_rgb_and_flow_in_one_folder(field: Path) -> None:
    folder = field / "folders/mm_mixed"
    flow = open_video(folder, "flow")
    assert flow.shape.frame_count == 11
    for number in (0, 10):
        for channel, letter in enumerate("xy"):
            picture = Image.open(folder / f"flow_{letter}_{number + 1:05d}.jpg").convert("L")
            np.testing.assert_array_equal(flow.read(number)[..., channel], np.asarray(picture))


@pytest.mark.parametrize(("dataset", "missing"), [("first_lost", "1 to 3"), ("few_flow", "6 to 19")])
def test_lost_flow(field: Path, dataset: str, missing: str) -> None:
    root = field / "datasets" / dataset
    assert open_video("v_A_g01_c01", dataset=root).shape.frame_count == 20
    with pytest.raises(VideoError, match=f"lacks the flow frames {missing}, and .*pictures 1 to 20") as error:
        _ = open_video("v_A_g01_c01", "flow", root).fingerprint
    assert str(root / "tvl1_flow/u/v_A_g01_c01") in error.value.problem
    assert "extract this video's flow again" in error.value.hint


@pytest.mark.parametrize("dataset", ["good", "mm2"])
def test_whole_data_sets(field: Path, dataset: str) -> None:
    root = field / "datasets" / dataset
    rgb, flow = open_video("v_A_g01_c01", dataset=root), open_video("v_A_g01_c01", "flow", root)
    assert (rgb.shape.frame_count, flow.shape.frame_count) == (20, 19)
    u = sorted((root / "tvl1_flow/u/v_A_g01_c01").iterdir())
    np.testing.assert_array_equal(flow.read(18)[..., 0], np.asarray(Image.open(u[18]).convert("L")))


LISTS = {
    "hmdb_wave_test_split1.txt": [("cfr.avi", "wave"), ("cfr2.avi", "wave")],
    "mm_rawframes.txt": [("plain", 3)],
    "name_label.txt": [("cfr.mp4", "right")],
    "utf16.txt": [("cfr.mp4", None), ("vfr.mp4", None)],
    "webm_gif.txt": [("anim.gif", 3)],
}


@pytest.fixture
def beside(field: Path, tmp_path: Path) -> Path:
    """The lists, with the files that they name beside them."""
    shutil.copytree(field / "lists", tmp_path / "lists")
    for name in ("lists/cfr.avi", "lists/cfr2.avi", "in/cfr.mp4", "in/vfr.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(field / "videos" / ("vfr.mp4" if "vfr" in name else "cfr.mp4"), tmp_path / name)
    frames = [Image.fromarray(np.full((64, 64, 3), 20 * number, np.uint8)) for number in range(12)]
    frames[0].save(tmp_path / "in/anim.gif", save_all=True, append_images=frames[1:], duration=40)
    shutil.copytree(field / "folders/gap", tmp_path / "lists/plain")
    return tmp_path / "lists"


@pytest.mark.parametrize("name", LISTS)
def test_lists(beside: Path, name: str) -> None:
    """From wherever the call is made: the files are beside the list."""
    found = gather_videos(parse_videos(None, ListRequest(str(beside / name))), None)
    read = [(Path(one.location).name, one.class_index if one.class_name is None else one.class_name) for one in found]
    assert read == LISTS[name]
    assert all(open_video(one.location).shape.frame_count > 9 for one in found)


def test_one_part_of_one_split(beside: Path) -> None:
    for request in (str(beside / "hmdb_wave_test_split1.txt"), str(beside)):
        found = parse_videos(None, ListRequest(request, split=1, part="test"))
        assert [Path(one.location).name for one in found] == ["cfr2.avi"]


def test_from_the_command_line(call: Call, field: Path, beside: Path) -> None:
    """A class by its name is explained; an unknown one ends the call, and one that a split file says does not."""
    explain = ["explain", "-w", "sample", "-m", "rgb", "-n", 2, "-e", "FC", "--json", "--videos-from"]
    (named,) = map(json.loads, call(*explain, beside / "name_label.txt").out.splitlines())
    assert (named["video"], named["label"]) == ("cfr", {"index": 1, "name": "right"})
    (hmdb,) = map(json.loads, call(*explain, beside, "--split", 1, "--part", "train").out.splitlines())
    assert hmdb["video"] == "cfr"
    (beside / "odd.txt").write_text("cfr.avi rihgt\n")
    call(*explain, beside / "odd.txt").check_error(2, "unknown label 'rihgt'", "did you mean right?", "cfr.avi")
    (beside / "gone.txt").write_text("gone 12\n")
    call(*explain, beside / "gone.txt").check_error(1, "no such video: gone 12", "NAME FRAMES LABEL")
    assert call("render", beside, "--format", "png", "-o", "out").out.count("out/cfr") == 1
    call("explain", beside, "--part", "test", "-w", "sample").check_error(2, "--split and --part are for lists")
    done = call("explain", field / "folders/copies", "-w", "sample", "-n", 2, "-m", "rgb")
    assert done.code == 0 and done.err.count("warning: ") == 1 and "frame_0003 (1).jpg" in done.err
    shutil.copytree(field / "folders/masks", "two")
    Image.new("RGB", (8, 8)).save("two/00000.png")
    call("explain", "two", "-w", "sample").check_error(
        2, "two holds two series", "*.jpg (12 files)", "*.png (12 files)"
    )
    for location in ("zip://two.zip", "zip://a.mp4::b.zip"):
        call("predict", location, "-w", "sample", "-m", "rgb").check_error(1, "is a URL", "unpack")
    call("predict", "a", "-d", "zip://a.zip", "-w", "sample").check_error(2, "is a URL", "unpack")
    call("predict", "--videos-from", "zip://a.txt::b.zip", "-w", "sample").check_error(2, "cannot read the list zip://")
