"""The number of each frame, in every container that this FFmpeg writes: read back from the picture."""

from pathlib import Path

import numpy as np
import pytest

from conftest import read_frames
from gbvis.videos.readers.coded_picture import count_shown
from gbvis.videos.readers.video_file import VideoFile
from numbered import draw_numbers, read_number, write_numbers

B_FRAMES = {"g": "12", "bf": "2"}


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("plain.avi", "mpeg4", {"g": "12"}),
        ("b.avi", "mpeg4", B_FRAMES),
        ("h264.avi", "libx264", B_FRAMES),
        ("mpeg2.avi", "mpeg2video", B_FRAMES),
        ("mjpeg.avi", "mjpeg", {"pixels": "yuvj420p"}),
        ("msmpeg4.avi", "msmpeg4", {"g": "12"}),
        ("wmv2.wmv", "wmv2", {"g": "12"}),
        ("h264.asf", "libx264", B_FRAMES),
        ("b.asf", "mpeg4", B_FRAMES),
        ("mpeg2.mxf", "mpeg2video", {**B_FRAMES, "size": (144, 176)}),
        ("h264.mxf", "libx264", B_FRAMES),
        ("flv1.flv", "flv", {"g": "12"}),
        ("h264.flv", "libx264", B_FRAMES),
        ("mpeg1.mpg", "mpeg1video", {**B_FRAMES, "size": (120, 160)}),
        ("mpeg2.mpg", "mpeg2video", {**B_FRAMES, "size": (120, 160)}),
        ("mpeg2.ts", "mpeg2video", B_FRAMES),
        ("open.ts", "libx264", {"x264-params": "open-gop=1:keyint=12:bframes=3"}),
        ("open.mkv", "libx264", {"x264-params": "open-gop=1:keyint=12:bframes=3"}),
        ("refresh.mp4", "libx264", {"x264-params": "intra-refresh=1:keyint=12:bframes=0"}),
        ("hevc.mp4", "libx265", {"x265-params": "keyint=12:bframes=4:open-gop=1:log-level=none"}),
        ("b.mkv", "mpeg4", B_FRAMES),
        ("altref.webm", "libvpx", {"auto-alt-ref": "1", "lag-in-frames": "16", "b": "1M", "cpu-used": "4"}),
        ("altref9.webm", "libvpx-vp9", {"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "5"}),
        ("raw.h264", "libx264", {**B_FRAMES, "form": "h264"}),
        ("raw.m2v", "mpeg2video", {**B_FRAMES, "form": "mpeg2video"}),
        ("film.nut", "libx264", {**B_FRAMES, "form": "nut"}),
        ("film.gif", "gif", {"pixels": "rgb8"}),
        ("early.mkv", "libx264", {**B_FRAMES, "time_of": lambda number: 40 * number - 200}),
        ("late.mp4", "libx264", {**B_FRAMES, "time_of": lambda number: 40 * number + 2000}),
    ],
)
def test_each_frame_by_itself(tmp_path: Path, name: str, codec: str, options: dict[str, str]) -> None:
    path = write_numbers(tmp_path / name, codec, **options)  # type: ignore[arg-type]
    assert VideoFile(path).shape.frame_count == 48
    for number in (47, 0, 13, 11, 25, 36):
        assert read_number(VideoFile(path).read(number)) == number
    assert [read_number(frame) for frame in read_frames(VideoFile(path), range(9, 33))] == list(range(9, 33))


def test_a_recording_that_begins_between_key_frames(tmp_path: Path) -> None:
    """What cannot be decoded is no frame; the rest is numbered from 0, as FFmpeg shows it."""
    path = write_numbers(tmp_path / "film.ts", "mpeg2video", g="12", bf="2")
    content = path.read_bytes()
    (tmp_path / "cut.ts").write_bytes(content[: 188 * 3] + content[188 * (len(content) // 188 // 3) :])
    video = VideoFile(tmp_path / "cut.ts")
    numbers = [read_number(video.read(number)) for number in range(video.shape.frame_count)]
    assert numbers == list(range(numbers[0], 48)) and 10 < len(numbers) < 48
    assert read_number(VideoFile(tmp_path / "cut.ts").read(7)) == numbers[7]


def test_two_recordings_in_one_file_whose_times_interleave(tmp_path: Path) -> None:
    """Joined as they are, transport streams go back in time: then frames are counted."""
    first = write_numbers(tmp_path / "first.ts", "libx264", 20, g="10")
    second = write_numbers(tmp_path / "second.ts", "libx264", 20, g="10", time_of=lambda number: 40 * number + 7)
    (tmp_path / "both.ts").write_bytes(first.read_bytes() + second.read_bytes())
    video = VideoFile(tmp_path / "both.ts")
    assert video.shape.frame_count == 40
    assert [read_number(video.read(number)) for number in (0, 19, 20, 39, 5)] == [0, 19, 0, 19, 5]


@pytest.mark.parametrize(
    ("codec", "data", "count"),
    [
        ("vp8", b"\x10\0\0", 1), ("vp8", b"\x00\0\0", 0),
        ("vp9", b"\x82\0", 1), ("vp9", b"\x80\0", 0), ("vp9", b"\x88", 1), ("vp9", b"\0\0", None),
        ("vp9", b"\x80\0\0\x82\0" + b"\xc1\x03\x02\xc1", 1),
        ("mpeg4", b"\0\0\1\xb6" + bytes(20), 1), ("mpeg4", 2 * (b"\0\0\1\xb6" + bytes(20)), None),
        ("mpeg4", b"\0\0\1\xb6" + bytes(3), None), ("h264", b"", 1),
    ],
)  # fmt: skip
def test_what_packets_show(codec: str, data: bytes, count: int | None) -> None:
    assert count_shown(codec, data) == count


def test_drawn_numbers_are_read_back() -> None:
    assert [read_number(frame) for frame in draw_numbers(256)] == list(range(256))
    assert read_number(np.zeros((9, 20, 3), np.uint8)) == 0
