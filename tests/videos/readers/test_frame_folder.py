from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest

from conftest import read_frames
from gbvis.errors import VideoError
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT
from gbvis.videos.clip import cut_clip
from gbvis.videos.locate import look_for
from gbvis.videos.readers import two_stream_folder
from gbvis.videos.video import Video


def write_frames(folder: Path, names: list[str], value: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        imageio.imwrite(folder / name, np.full((24, 32, 3), value + 10 * number, np.uint8))
    return folder


def opened(folder: Path) -> Video:
    video = look_for(str(folder), "rgb", None)
    assert video is not None
    return video


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "webp", "JPG"])
def test_natural_order(tmp_path: Path, suffix: str) -> None:
    names = [f"frame{number}.{suffix}" for number in (1, 2, 9, 10, 11, 100)]
    video = opened(write_frames(tmp_path / "video", names))
    assert video.name == "video" and video.shape.frame_count == 6
    assert read_frames(video, [0, 3, 5])[:, 5, 5, 0].tolist() == pytest.approx([0, 30, 50], abs=2)


def test_other_files_are_no_frames(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "video", ["1.png", "2.png"])
    (folder / "notes.txt").write_text("x")
    (folder / "._1.png").write_text("x")
    (folder / "3.png").mkdir()
    assert opened(folder).shape.frame_count == 2


@pytest.mark.parametrize(
    ("shape", "dtype"), [((24, 32), np.uint8), ((24, 32, 4), np.uint8), ((24, 32, 3), np.uint8), ((24, 32), np.uint16)]
)
def test_any_kind_of_png_becomes_rgb(tmp_path: Path, shape: tuple[int, ...], dtype: type) -> None:
    (tmp_path / "video").mkdir()
    imageio.imwrite(tmp_path / "video/1.png", np.full(shape, 200 if dtype is np.uint8 else 200 * 257, dtype))
    frames = read_frames(opened(tmp_path / "video"), [0])
    assert frames.shape == (1, 24, 32, 3) and frames.dtype == np.uint8
    assert np.abs(frames.astype(int) - 200).max() <= 1


def test_a_folder_without_frames(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no frames in"):
        _ = opened(tmp_path).shape


def test_a_broken_frame_is_named_only_when_it_is_read(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "video", [f"{number}.jpg" for number in range(9)])
    (folder / "4.jpg").write_bytes((folder / "4.jpg").read_bytes()[:300])
    video = opened(folder)
    assert len(read_frames(video, [0, 1, 2])) == 3
    with pytest.raises(VideoError, match=r"4\.jpg"):
        read_frames(video, [3, 4, 5])


def test_a_frame_of_another_size_is_resized_from_its_own(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "video", ["1.png", "2.png"])
    imageio.imwrite(folder / "3.png", np.full((10, 10, 3), 9, np.uint8))
    assert (cut_clip(opened(folder), [0, 1, 2], OLD_SCRIPT.formats["rgb"])[2] == 9).all()


def test_a_changed_frame_changes_the_fingerprint(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "video", ["1.png", "2.png"])
    before = opened(folder).fingerprint
    assert opened(folder).fingerprint == before
    imageio.imwrite(folder / "2.png", np.zeros((24, 32, 3), np.uint8))
    assert opened(folder).fingerprint != before


def make_dataset(root: Path, name: str = "clip", u: int = 3, v: int = 3) -> Path:
    write_frames(root / "jpegs_256" / name, [f"frame{n:06d}.jpg" for n in range(1, 5)])
    for channel, count in (("u", u), ("v", v)):
        if count:
            folder = root / "tvl1_flow" / channel / name
            write_frames(folder, [f"frame{n:06d}.jpg" for n in range(1, count + 1)], 100 if channel == "u" else 150)
    return root


def test_both_streams_of_a_data_set(tmp_path: Path) -> None:
    make_dataset(tmp_path)
    for name in ("clip", "clip.avi", "SomeClass/clip.avi", "CLIP"):
        rgb, flow = (two_stream_folder.read(name, modality, tmp_path) for modality in ("rgb", "flow"))
        assert rgb and flow and rgb.name == flow.name == "clip"
        assert rgb.shape.frame_count == 4 and flow.shape.frame_count == 3
    assert flow is not None
    assert read_frames(flow, [1])[0, 5, 5].tolist() == [110, 160]
    assert look_for("clip", "rgb", None) is None
    assert two_stream_folder.read("other", "rgb", tmp_path) is None


@pytest.mark.parametrize("lost", [["u/clip/2", "v/clip/3"], ["u/clip/2", "v/clip/2"]])
def test_a_lost_flow_frame_shifts_nothing(tmp_path: Path, lost: list[str]) -> None:
    make_dataset(tmp_path, u=4, v=4)
    for name in lost:
        folder, number = name.rsplit("/", 1)
        (tmp_path / "tvl1_flow" / folder / f"frame00000{number}.jpg").unlink()
    video = two_stream_folder.read("clip", "flow", tmp_path)
    assert video is not None
    with pytest.raises(VideoError, match="frame 2 is missing"):
        _ = video.shape


def test_frames_of_a_plain_folder_may_have_gaps(tmp_path: Path) -> None:
    assert opened(write_frames(tmp_path / "video", ["5.png", "10.png", "20.png"])).shape.frame_count == 3


@pytest.mark.parametrize(("u", "v", "problem"), [(3, 0, "and no v"), (0, 3, "and no u"), (3, 2, "holds 3 frames and")])
def test_half_a_flow(tmp_path: Path, u: int, v: int, problem: str) -> None:
    make_dataset(tmp_path, u=u, v=v)
    with pytest.raises(VideoError, match=problem):
        video = two_stream_folder.read("clip", "flow", tmp_path)
        assert video is not None
        _ = video.shape


def write_flow(folder: Path, bounds: np.ndarray | bytes | None = None) -> Video:
    """Write three flow frames, u rising from 0 to 20 and v from 100, and return them as a video."""
    for channel, value in (("u", 0), ("v", 100)):
        write_frames(folder / f"x_tvl1_flow/tvl1_flow/{channel}/video", [f"frame{n}.png" for n in (1, 2, 3)], value)
    if bounds is not None:
        content = bounds if isinstance(bounds, bytes) else bounds.astype("<f4").tobytes()
        (folder / "x_tvl1_flow/tvl1_flow/u/video.bin").write_bytes(content)
    video = two_stream_folder.read("video", "flow", folder)
    assert video is not None
    return video


def test_flow_without_bounds_is_decoded_over_20_pixels(tmp_path: Path) -> None:
    motion = write_flow(tmp_path).read_motion(1)
    assert motion.shape == (24, 32, 2) and motion.dtype == np.float32
    np.testing.assert_allclose(motion[5, 5], [10 * 40 / 255 - 20, 110 * 40 / 255 - 20], atol=1e-5)


def test_flow_is_decoded_by_the_bounds_beside_it(tmp_path: Path) -> None:
    bounds = np.array([[-20, 20, -20, 20], [-1, 4, -2, 3], [-7, 9, 0, 0.5]])
    video = write_flow(tmp_path, bounds)
    for number, (low_u, high_u, low_v, high_v) in enumerate(bounds):
        levels = video.read(number)[5, 5] / 255
        expected = [low_u + levels[0] * (high_u - low_u), low_v + levels[1] * (high_v - low_v)]
        np.testing.assert_allclose(video.read_motion(number)[5, 5], expected, atol=1e-5)


def test_the_bounds_are_part_of_the_video(tmp_path: Path) -> None:
    bounds = np.array([[-20, 20, -20, 20]] * 3)
    videos = [write_flow(tmp_path / name, b) for name, b in (("a", None), ("b", bounds), ("c", bounds / 2))]
    assert len({video.motion_fingerprint for video in videos}) == 3
    assert len({video.fingerprint for video in videos}) == 1  # what takes 8 bit never sees them


def test_a_frame_at_rest_may_have_no_range(tmp_path: Path) -> None:
    """Where bounds are each frame's own least and most, a frame in which nothing moves has two that are the same."""
    video = write_flow(tmp_path, np.array([[0, 0, 0, 0], [-1, 4, -2, 3], [-7, 9, 0, 1]]))
    assert (video.read_motion(0) == 0).all()


@pytest.mark.parametrize(
    ("bounds", "found"),
    [
        (b"abc", "3 bytes, and 3 flow frames need 48"),
        (np.zeros((2, 4)), "32 bytes, and 3 flow frames need 48"),
        (np.array([[-20, 20, -20, 20], [4, -1, -2, 3], [-7, 9, 0, 1]]), "above the upper"),
        (np.full((3, 4), np.nan), "no motion in pixels"),
        (np.full((3, 4), 3e38), "no motion in pixels"),
    ],
)
def test_broken_bounds_are_named(tmp_path: Path, bounds: np.ndarray | bytes, found: str) -> None:
    video = write_flow(tmp_path, bounds)
    with pytest.raises(VideoError, match=found) as error:
        video.read_motion(0)
    assert "video.bin" in error.value.problem


@pytest.mark.parametrize("target", ["nowhere.png", "2.png"])
def test_a_frame_whose_link_leads_nowhere_is_not_passed_over(tmp_path: Path, target: str) -> None:
    """Content that is not there, as git-annex leaves it: one frame fewer would shift all that follow."""
    folder = write_frames(tmp_path / "video", ["1.png", "2.png", "3.png"])
    (folder / "1.png").unlink()
    (folder / "1.png").symlink_to(folder / "3.png")
    assert opened(folder).read(0)[0, 0, 0] == 20
    (folder / "2.png").unlink()
    (folder / "2.png").symlink_to(target)
    assert opened(folder).shape.frame_count == 3
    with pytest.raises(VideoError, match=r"cannot read frame .*2\.png"):
        opened(folder).read(1)
    with pytest.raises(VideoError, match="cannot read the frames of"):
        _ = opened(folder).fingerprint


def test_flow_under_a_name_that_leaves_no_room_for_its_bounds(tmp_path: Path) -> None:
    name = "n" * 255
    for channel in "uv":
        write_frames(tmp_path / "tvl1_flow" / channel / name, ["frame000001.png"], 128)
    video = two_stream_folder.read(name, "flow", tmp_path)
    assert video is not None and video.name == name
    assert video.motion_fingerprint == video.fingerprint
    assert abs(video.read_motion(0)).max() < 0.1
