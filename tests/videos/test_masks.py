"""Masks: the samples' mover, what moves, folders of images; through the geometry of the frames; hostile ones."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gbvis.errors import GbvisError, UsageError, VideoError
from gbvis.videos.clip import ClipFormat
from gbvis.videos.locate_masks import check_masks, find_masks
from gbvis.videos.masks import LEAST_MOTION, Masks
from gbvis.videos.motion import Motion
from gbvis.videos.resize import pick_and_crop, resize_and_crop
from gbvis.videos.synthetic import Sample, SyntheticVideo, draw_sample
from gbvis.videos.video import Video, VideoInMemory

RGB = ClipFormat(8, 72, 72, 72, 0, 0, 255.0, (0.5,) * 3, (0.5,) * 3)
SQUARE = ClipFormat(16, 128, 171, 112, 8, 29, 255.0, (0.5,) * 3, (0.5,) * 3)
MIDDLE = ClipFormat(16, 128, 128, 112, 8, 8, 255.0, (0.5,) * 3, (0.5,) * 3, keeps_aspect=True)


def no_flow() -> Video:
    raise AssertionError("no flow is asked for")


def find(typed: str | Path | None, video: Video) -> Masks:
    """Return masks that need no flow."""
    masks = find_masks(None if typed is None else str(typed), video, no_flow)
    assert masks
    return masks


def make_video(frames: int = 6, height: int = 60, width: int = 80, name: str = "clip") -> VideoInMemory:
    return VideoInMemory(name, np.zeros((frames, height, width, 3), np.uint8), 25.0)


def write_masks(folder: Path, masks: NDArray[np.bool_], first: int = 1) -> Path:
    """Write masks, bool (time, y, x), as numbered images."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, mask in enumerate(masks, start=first):
        Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).save(folder / f"{number:05d}.png")
    return folder


def draw_moving(frames: int = 6, height: int = 60, width: int = 80) -> NDArray[np.bool_]:
    """Return a box that moves to the right: bool (time, y, x)."""
    masks = np.zeros((frames, height, width), np.bool_)
    for number in range(frames):
        masks[number, 10:30, 20 + 4 * number : 44 + 4 * number] = True
    return masks


@pytest.mark.parametrize("clip_format", [RGB, SQUARE, MIDDLE], ids=["whole", "square", "middle"])
def test_a_mask_goes_through_the_geometry_of_the_frames(clip_format: ClipFormat) -> None:
    """It is where the same shape is that is drawn into the frame, but for the pixels of its edge."""
    y, x = np.mgrid[:240, :320]
    mask = ((y - 130) / 60) ** 2 + ((x - 150) / 50) ** 2 < 1
    frame = np.repeat(np.where(mask, 255, 0).astype(np.uint8)[..., None], 3, axis=-1)
    place = clip_format.place(240, 320)
    drawn = resize_and_crop(frame, *place)[..., 0] > 127
    picked = pick_and_crop(mask, *place)
    assert picked.shape == drawn.shape
    assert (picked != drawn).sum() < 0.1 * np.sqrt(4 * np.pi * drawn.sum())
    rows, columns = np.nonzero(picked)
    assert abs(rows.mean() - np.nonzero(drawn)[0].mean()) < 0.25
    assert abs(columns.mean() - np.nonzero(drawn)[1].mean()) < 0.25


def test_a_mask_of_the_clips_size_is_taken_as_it_is() -> None:
    mask = np.random.default_rng(0).random((72, 72)) > 0.5
    np.testing.assert_array_equal(pick_and_crop(mask, (72, 72), (0, 0, 72)), mask)


@pytest.mark.parametrize("modality", ["rgb", "flow"])
@pytest.mark.parametrize("typed", [None, "mover"])
def test_a_samples_mask_is_its_mover(modality: str, typed: str | None) -> None:
    numbers = range(4, 12)
    mask = find(typed, SyntheticVideo("left-3", modality)).cut(numbers, RGB)
    np.testing.assert_array_equal(mask, draw_sample("left", 3).mover[4:12, 1::2, 1::2])


def test_other_videos_have_no_mask_unless_one_is_given() -> None:
    assert find_masks(None, make_video(), no_flow) is None
    with pytest.raises(VideoError, match="mover is for samples"):
        find_masks("mover", make_video(), no_flow)


class Cropped(SyntheticVideo):
    """A sample whose flow is that of the resized frames already, as networks have it that take motion in pixels."""

    is_cropped = True

    def read_motion(self, number: int) -> Motion:
        motion: Motion = resize_and_crop(super().read_motion(number), (72, 72), (0, 0, 72))
        return motion


def find_moving(sample: Sample, numbers: range) -> NDArray[np.bool_]:
    """Return where the true flow is fast, of every second pixel: bool (time, 72, 72)."""
    fast = np.hypot(*np.moveaxis(sample.flow.astype(np.float64), -1, 0)) > LEAST_MOTION
    return fast[[min(number, len(fast) - 1) for number in numbers]][:, 1::2, 1::2]


def test_what_moves_is_where_flow_is_fast() -> None:
    numbers, flow = range(9, 17), SyntheticVideo("up-5", "flow")
    masks = find_masks("motion", SyntheticVideo("up-5", "rgb"), lambda: flow)
    assert masks
    mask = masks.cut(numbers, RGB)
    np.testing.assert_array_equal(mask, find_moving(draw_sample("up", 5), numbers))
    np.testing.assert_array_equal(mask[-1], mask[-2])  # no flow leads from the last frame
    assert (mask <= draw_sample("up", 5).mover[[*range(9, 16), 15]][:, 1::2, 1::2]).all()


def test_motion_in_pixels_of_the_resized_frame_counts_in_those_of_the_video() -> None:
    flow = Cropped("up-5", "flow")
    masks = find_masks("motion", SyntheticVideo("up-5", "flow"), lambda: flow)
    assert masks
    expected = find_moving(draw_sample("up", 5), range(4, 12))
    assert (masks.cut(range(4, 12), RGB) == expected).mean() > 0.98  # but for the blended edge


def test_nothing_that_moves_is_an_error() -> None:
    frames = np.full((5, 40, 40, 2), 127, np.uint8)
    still = Video.from_frames("still", frames)
    masks = find_masks("motion", still, lambda: still)
    assert masks
    with pytest.raises(VideoError, match="nowhere"):
        masks.cut(range(5), RGB)


@pytest.mark.parametrize("first", [0, 1, 7])
def test_as_many_masks_as_frames_are_theirs_in_order(tmp_path: Path, first: int) -> None:
    drawn = draw_moving()
    write_masks(tmp_path / "masks/clip", drawn, first)
    mask = find(tmp_path / "masks", make_video()).cut([1, 4], SQUARE)
    place = SQUARE.place(60, 80)
    np.testing.assert_array_equal(mask, [pick_and_crop(drawn[number], *place) for number in (1, 4)])


@pytest.mark.parametrize("first", [0, 1])
def test_numbered_masks_may_be_those_of_a_part(tmp_path: Path, first: int) -> None:
    drawn = draw_moving()
    folder = write_masks(tmp_path / "masks/clip", drawn, first)
    (folder / f"{first + 5:05d}.png").unlink()
    masks = find(tmp_path / "masks", make_video())
    np.testing.assert_array_equal(masks.cut([0, 4], SQUARE)[1], pick_and_crop(drawn[4], *SQUARE.place(60, 80)))
    with pytest.raises(VideoError, match="no mask of frame 5 of clip"):
        masks.cut([4, 5], SQUARE)


def test_a_mask_that_is_lost_shifts_none_of_the_others(tmp_path: Path) -> None:
    """Of flow there is one frame fewer, and then there would be as many masks."""
    drawn = draw_moving()
    (write_masks(tmp_path / "clip", drawn) / "00003.png").unlink()
    flow = Video.from_frames("clip", np.zeros((5, 60, 80, 2), np.uint8))
    masks = find(tmp_path, flow)
    np.testing.assert_array_equal(masks.cut([4], SQUARE)[0], pick_and_crop(drawn[4], *SQUARE.place(60, 80)))
    with pytest.raises(VideoError, match="no mask of frame 2"):
        masks.cut([2], SQUARE)


def test_masks_may_have_another_size_and_lie_in_folders_of_classes(tmp_path: Path) -> None:
    drawn = draw_moving()
    write_masks(tmp_path / "Biking/CLIP", np.kron(drawn, np.ones((1, 2, 2), np.bool_)))
    mask = find(tmp_path, make_video()).cut(range(6), SQUARE)
    expected = np.stack([pick_and_crop(one, *SQUARE.place(60, 80)) for one in drawn])
    np.testing.assert_array_equal(mask, expected)


def test_flow_goes_by_the_masks_of_its_first_frames(tmp_path: Path) -> None:
    drawn = draw_moving()
    write_masks(tmp_path / "clip", drawn, first=5)
    flow = Video.from_frames("clip", np.zeros((5, 60, 80, 2), np.uint8))
    mask = find(tmp_path, flow).cut(range(5), SQUARE)
    np.testing.assert_array_equal(mask[4], pick_and_crop(drawn[4], *SQUARE.place(60, 80)))


def test_masks_of_one_video_may_lie_in_the_folder_itself(tmp_path: Path) -> None:
    assert find(write_masks(tmp_path / "any", draw_moving()), make_video()).cut([0], SQUARE).any()


def test_all_but_black_is_of_the_object(tmp_path: Path) -> None:
    """Also where colours of a palette number the objects, as in DAVIS."""
    folder = tmp_path / "clip"
    folder.mkdir()
    for number, mask in enumerate(draw_moving()):
        image = Image.fromarray(mask.astype(np.uint8), "P")
        image.putpalette([0, 0, 0, 128, 0, 0])
        image.save(folder / f"{number:05d}.png")
    mask = find(tmp_path, make_video()).cut([2], SQUARE)
    np.testing.assert_array_equal(mask[0], pick_and_crop(draw_moving()[2], *SQUARE.place(60, 80)))


def test_what_jpeg_blurs_is_of_the_object_where_it_is_bright(tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    for number, mask in enumerate(draw_moving()):
        Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).save(folder / f"{number}.jpg", quality=60)
    mask = find(tmp_path, make_video()).cut([2], SQUARE)
    assert (mask[0] == pick_and_crop(draw_moving()[2], *SQUARE.place(60, 80))).mean() > 0.99


def test_the_recipe_follows_from_the_files(tmp_path: Path) -> None:
    folder = write_masks(tmp_path / "clip", draw_moving())
    before = find(tmp_path, make_video()).recipe
    assert find(tmp_path, make_video()).recipe == before
    write_masks(folder, ~draw_moving())
    assert find(tmp_path, make_video()).recipe != before
    assert find("mover", SyntheticVideo("left-3", "rgb")).recipe == find(None, SyntheticVideo("left-4", "flow")).recipe


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("nothing-there", "no such masks"),
        ("pyannot.pkl", "is a pickle"),
        ("masks.txt", "is no file of masks"),
        ("a" * 5000, "cannot look for"),
        ("nul\0", "no such masks|cannot look for"),
    ],
)
def test_what_can_be_no_masks_is_said_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("pyannot.pkl", "masks.txt"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(UsageError, match=words):
        check_masks(typed)


def test_masks_of_another_shape_than_the_frames_are_refused(tmp_path: Path) -> None:
    write_masks(tmp_path / "clip", draw_moving(height=80))
    with pytest.raises(VideoError, match="has 80x80 pixels, and the frames have 80x60"):
        find(tmp_path, make_video()).cut([0], SQUARE)


def test_a_video_without_masks_is_said_so(tmp_path: Path) -> None:
    write_masks(tmp_path / "other", draw_moving())
    with pytest.raises(VideoError, match="no masks of clip"):
        find(tmp_path, make_video())


@pytest.mark.parametrize("name", ["..", ".", "a/../../b", ""])
def test_a_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    write_masks(tmp_path, draw_moving())
    inner = tmp_path / "masks"
    write_masks(inner / "other", draw_moving())
    with pytest.raises(VideoError, match="no masks of"):
        find(inner, make_video(name=name))


def test_black_masks_are_an_error(tmp_path: Path) -> None:
    write_masks(tmp_path / "clip", np.zeros((6, 60, 80), np.bool_))
    with pytest.raises(VideoError, match="the object is nowhere in what the network sees of frames 0 to 5 of clip"):
        find(tmp_path, make_video()).cut(range(6), SQUARE)


def test_masks_without_numbers_must_be_as_many_as_frames(tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    for name in ("alpha", "beta", "gamma"):
        Image.new("L", (80, 60), 255).save(folder / f"{name}.png")
    with pytest.raises(VideoError, match="tell no numbers"):
        find(tmp_path, make_video()).cut([0], SQUARE)


def make_huge_image() -> bytes:
    """Return the beginning of a PNG that claims a hundred thousand pixels a side."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("content", [b"", b"no image", make_huge_image()], ids=["empty", "text", "huge"])
def test_broken_and_huge_masks_are_refused_in_words(tmp_path: Path, content: bytes) -> None:
    folder = write_masks(tmp_path / "clip", draw_moving())
    (folder / "00003.png").write_bytes(content)
    masks = find(tmp_path, make_video())
    assert masks.cut([0], SQUARE).any()
    with pytest.raises(GbvisError, match=r"00003\.png"):
        masks.cut([2], SQUARE)
