from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from gbvis.errors import UsageError, VideoError
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT, TORCHVISION, VMZ_CAFFE2
from gbvis.videos.clip import ClipFormat, cut_clip, normalise
from gbvis.videos.clip_request import ClipRequest, read_clip_request
from gbvis.videos.readers import two_stream_folder
from gbvis.videos.video import VideoShape

RGB = OLD_SCRIPT.formats["rgb"]


def starts(frame_count: int, request: ClipRequest, rate: float | None = 25.0) -> list[int]:
    return [numbers[0] for numbers in request.choose_frames(VideoShape(frame_count, rate, 340, 256))]


@pytest.mark.parametrize("video", ["v_SoccerJuggling_g23_c01", "v_WalkingWithDog_g15_c01"])
@pytest.mark.parametrize("modality", ["rgb", "flow"])
def test_pixels_are_those_of_the_original_programs(shared: Path, video: str, modality: str) -> None:
    golden = np.load(shared / "golden/preprocess.npz")[f"{video}/{modality}"]  # channel first, flow interleaved
    source = two_stream_folder.read(video, modality, shared / "data/UCF-101")
    assert source is not None
    clip_format = OLD_SCRIPT.formats[modality]
    (numbers,) = ClipRequest(8).choose_frames(source.shape)
    pixels = cut_clip(source, numbers, clip_format)
    channel_first = pixels.transpose(3, 0, 1, 2)
    if modality == "flow":
        channel_first = pixels.transpose(0, 3, 1, 2).reshape(1, 16, 112, 112)
    np.testing.assert_array_equal(channel_first, golden)


def resize_slowly(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear interpolation between pixel centres, straight from its definition, in float64."""
    rows = np.clip((np.arange(height) + 0.5) * frame.shape[0] / height - 0.5, 0, frame.shape[0] - 1)
    columns = np.clip((np.arange(width) + 0.5) * frame.shape[1] / width - 0.5, 0, frame.shape[1] - 1)
    resized = np.empty((height, width, frame.shape[2]))
    for i, y in enumerate(rows):
        for j, x in enumerate(columns):
            top, left = int(y), int(x)
            bottom, right = min(top + 1, frame.shape[0] - 1), min(left + 1, frame.shape[1] - 1)
            above = frame[top, left] * (1 - x + left) + frame[top, right] * (x - left)
            below = frame[bottom, left] * (1 - x + left) + frame[bottom, right] * (x - left)
            resized[i, j] = above * (1 - y + top) + below * (y - top)
    return resized


@pytest.mark.parametrize("size", [(240, 320), (256, 340), (90, 61), (20, 30)])
def test_resizing_is_bilinear_within_one_level(random: np.random.Generator, size: tuple[int, int]) -> None:
    frame = random.integers(0, 256, (*size, 3), dtype=np.uint8)
    expected = resize_slowly(frame.astype(np.float64), RGB.height, RGB.width)[8:120, 29:141]
    found = RGB.resize_and_crop(frame)
    assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize("size", [(240, 320), (256, 340), (90, 61), (20, 30)])
def test_motion_is_resized_as_it_is_and_shrinks_with_the_frame(
    random: np.random.Generator, size: tuple[int, int]
) -> None:
    flow = VMZ_CAFFE2.formats["flow"]
    motion = random.standard_normal((*size, 2)).astype(np.float32)
    expected = resize_slowly(motion.astype(np.float64), 128, 171)[8:120, 29:141] * [171 / size[1], 128 / size[0]]
    found = flow.resize_and_crop(motion)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4)  # places are float32, as OpenCV's
    torch_resized = torch.nn.functional.interpolate(
        torch.from_numpy(motion).permute(2, 0, 1)[None], (128, 171), mode="bilinear", align_corners=False
    )[0].permute(1, 2, 0)[8:120, 29:141]
    scaled = torch_resized.numpy() * np.array([171 / size[1], 128 / size[0]], np.float32)
    np.testing.assert_allclose(found, scaled, atol=1e-4)


def test_torchvision_cuts_one_column_further_right() -> None:
    assert TORCHVISION.formats["rgb"].left == round((171 - 112) / 2) == 30
    assert RGB.left == 29


def test_normalising() -> None:
    pixels = np.full((2, 3, 3, 3), 255, np.uint8)
    np.testing.assert_allclose(normalise(pixels, RGB), (255 - 128) / 128)
    clip = normalise(pixels, TORCHVISION.formats["rgb"])
    assert clip.shape == (3, 2, 3, 3) and clip.dtype == np.float32
    np.testing.assert_allclose(clip[1], (1 - 0.394666) / 0.22145, rtol=1e-6)


def test_the_box_leads_back_to_the_source() -> None:
    left, top, right, bottom = RGB.source_box(VideoShape(1, None, 342, 256))
    assert (left, top, right, bottom) == (58.0, 16.0, 282.0, 240.0)


@pytest.mark.parametrize("frame_count", [8, 9, 17, 100])
def test_one_clip_lies_in_the_middle(frame_count: int) -> None:
    assert starts(frame_count, ClipRequest(8)) == [(frame_count - 8) // 2]


def test_many_clips_are_spread_from_end_to_end() -> None:
    found = starts(100, ClipRequest(8, 10))
    assert found == [round(k * (100 - 8) / 9) for k in range(10)]
    assert found[0] == 0 and found[-1] == 92


def test_all_covers_every_frame_and_ends_with_the_video() -> None:
    clips = ClipRequest(8, "all").choose_frames(VideoShape(21, None, 4, 4))
    assert [numbers[0] for numbers in clips] == [0, 8, 13]
    assert {number for numbers in clips for number in numbers} == set(range(21))
    assert starts(16, ClipRequest(8, "all")) == [0, 8]
    assert starts(8, ClipRequest(8, "all")) == [0]


def test_a_short_video_is_repeated() -> None:
    assert ClipRequest(8).choose_frames(VideoShape(3, None, 4, 4)) == [[0, 1, 2, 0, 1, 2, 0, 1]]
    assert len(ClipRequest(8, 10).choose_frames(VideoShape(3, None, 4, 4))) == 1


def test_stride() -> None:
    assert ClipRequest(4, stride=3).choose_frames(VideoShape(20, None, 4, 4)) == [[5, 8, 11, 14]]
    assert ClipRequest(4, stride=3).span == 10


def test_start_in_frames_and_seconds() -> None:
    assert starts(100, ClipRequest(8, start=40)) == [40]
    assert starts(100, ClipRequest(8, start_seconds=2.0)) == [50]
    assert starts(100, ClipRequest(8, 3, start=40)) == [40, 66, 92]
    with pytest.raises(VideoError, match="cannot start at frame 93") as error:
        starts(100, ClipRequest(8, start=93))
    assert "0 to 92" in error.value.hint
    with pytest.raises(VideoError, match="frame rate"):
        starts(100, ClipRequest(8, start_seconds=1.0), rate=None)


@pytest.mark.parametrize(
    ("typed", "request_"),
    [
        ((None, "all", None, 1), ClipRequest(None, "all")),
        ((16, "3", "12", 2), ClipRequest(16, 3, start=12, stride=2)),
        ((None, "1", "2.5s", 1), ClipRequest(start_seconds=2.5)),
        ((None, "1", "0", 1), ClipRequest(start=0)),
    ],
)
def test_reading_options(typed: Sequence[object], request_: ClipRequest) -> None:
    assert read_clip_request(*typed) == request_  # type: ignore[arg-type]


@pytest.mark.parametrize(("clips", "start"), [("0", None), ("many", None), ("1", "-3"), ("1", "2m"), ("1", "s")])
def test_unreadable_options(clips: str, start: str | None) -> None:
    with pytest.raises(UsageError):
        read_clip_request(None, clips, start, 1)


def test_formats_survive_the_store() -> None:
    assert ClipFormat.from_json(RGB.to_json()) == RGB
