"""Every file of `shared/field/videos`: the number drawn in each picture, which way up it is, when it is shown."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from conftest import read_frames
from gbvis.errors import VideoError
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT
from gbvis.videos.clip import cut_clip
from gbvis.videos.clip_request import ClipRequest
from gbvis.videos.readers.video_file import VideoFile
from numbered import read_number


@pytest.fixture
def field(shared: Path) -> Path:
    return shared / "field/videos"


@pytest.mark.parametrize(
    "name", ["cfr.mp4", "x264.avi", "cover_udta_first.mp4", "vfr.mp4", "trailing.mp4", "theora2.ogv", "size_change.ts"]
)
def test_each_number_is_the_one_that_is_drawn(field: Path, name: str) -> None:
    path = field / name
    count = VideoFile(path).shape.frame_count
    assert count == (120 if name == "size_change.ts" else 60)
    for start in (0, 1, 11, 12, 13, 37, count - 3, 58):  # each sought for by itself
        assert read_number(VideoFile(path).read(start)) == start % 60
    video = VideoFile(path)
    assert [read_number(video.read(number)) for number in range(count)] == [number % 60 for number in range(count)]


def test_packets_that_show_nothing_are_no_frames(field: Path) -> None:
    video = VideoFile(field / "vp8_vpxenc.webm")
    assert (video.shape.frame_count, video.shape.rate) == (75, 25.0)
    frames = read_frames(video, range(75))
    assert all((before != after).any() for before, after in pairwise(frames))
    for start in (3, 40, 74):
        np.testing.assert_array_equal(VideoFile(field / "vp8_vpxenc.webm").read(start), frames[start])


@pytest.mark.parametrize(("name", "turn"), [("hflip.mp4", np.fliplr), ("vflip.mp4", np.flipud)])
def test_mirrored_files_come_out_as_players_show_them(field: Path, name: str, turn: object) -> None:
    plain, mirrored = VideoFile(field / "cfr.mp4"), VideoFile(field / name)
    np.testing.assert_array_equal(mirrored.read(20), turn(plain.read(20)))  # type: ignore[operator]


def test_seconds_are_the_frames_own(field: Path) -> None:
    """20 frames 200 ms apart, then 40 at 20 ms."""
    shape = VideoFile(field / "vfr.mp4").shape
    expected = [0.2 * number if number < 20 else 4 + 0.02 * (number - 20) for number in range(60)]
    assert shape.seconds == pytest.approx(expected)
    for second, frame in ((2.0, 10), (4.0, 20), (4.2, 30)):
        assert ClipRequest(8, start_seconds=second).choose_frames(shape)[0][0] == frame
    with pytest.raises(VideoError, match="cannot start"):
        ClipRequest(8, start_seconds=5.0).choose_frames(shape)
    assert VideoFile(field / "cfr.mp4").shape.seconds is None  # the rate tells it


def test_a_rate_that_is_absent_is_guessed(field: Path) -> None:
    assert VideoFile(field / "theora2.ogv").shape.rate == 25


def test_a_clip_over_a_change_of_size(field: Path) -> None:
    """Each frame is resized from its own size; the network sees the same numbers on both sides."""
    video, form, sizes = VideoFile(field / "size_change.ts"), OLD_SCRIPT.formats["rgb"], {}
    cut = cut_clip(video, range(56, 64), form, sizes)
    assert [sizes[number] for number in range(56, 64)] == [(120, 160)] * 4 + [(180, 320)] * 4
    alone = np.concatenate([cut_clip(video, [number], form) for number in range(56, 64)])
    np.testing.assert_array_equal(cut, alone)


def test_what_cannot_be_read_is_said(field: Path) -> None:
    with pytest.raises(VideoError, match=r"anim\.webp is animated webp, and this FFmpeg decodes no picture") as error:
        _ = VideoFile(field / "anim.webp").shape
    assert "damaged" not in error.value.problem + error.value.hint
