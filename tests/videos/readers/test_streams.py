"""Which stream of a file is the film, and what is said of files that hold none."""

import io
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from gbvis.errors import VideoError
from gbvis.videos.readers.video_file import VideoFile
from numbered import draw_numbers, read_number

COVER = 255 * np.ones((40, 40, 3), np.uint8)


def write_sound(path: Path, codec: str, cover: Disposition | None) -> Path:
    """Write a second of silence, and a picture with it."""
    with av.open(str(path), "w", format="mp4" if path.suffix == ".m4a" else None) as container:
        sound = container.add_stream(codec, rate=44100)
        picture = container.add_stream("png") if cover else None
        if picture:
            picture.width, picture.height, picture.pix_fmt, picture.disposition = 40, 40, "rgb24", cover
        for start in range(0, 44100, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 2048), np.int16), format="s16", layout="stereo")
            frame.rate, frame.pts = 44100, start
            container.mux(sound.encode(av.AudioResampler(sound.format, "stereo", 44100).resample(frame)[0]))
        container.mux(sound.encode())
        if picture:
            file = io.BytesIO()
            Image.fromarray(COVER).save(file, "PNG")
            packet = av.Packet(file.getvalue())
            packet.stream, packet.pts, packet.dts, packet.time_base = picture, 0, 0, picture.time_base
            packet.is_keyframe = True
            container.mux(packet)
    return path


@pytest.mark.parametrize("cover", [Disposition.attached_pic, None])
@pytest.mark.parametrize(("name", "codec"), [("a.m4a", "aac"), ("a.mp3", "libmp3lame"), ("a.flac", "flac")])
def test_sound_is_no_video(tmp_path: Path, name: str, codec: str, cover: Disposition | None) -> None:
    path = write_sound(tmp_path / name, codec, cover)
    found = "sound, a cover picture" if cover else "sound"
    with pytest.raises(VideoError, match=f"holds {found} and no video"):
        _ = VideoFile(path).shape


def test_a_sound_file_of_odd_length_is_not_called_damaged(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(1000))
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[4:8] = (9999).to_bytes(4, "little")
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(VideoError, match="holds sound and no video"):
        _ = VideoFile(tmp_path / "a.wav").shape


def write_films(path: Path, *films: tuple[int, Disposition]) -> Path:
    """Write films side by side, each of its own height and disposition; the number in the picture tells the height."""
    with av.open(str(path), "w") as container:
        streams = []
        for height, disposition in films:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 2 * height, height, "yuv420p"
            stream.disposition = disposition
            streams.append(stream)
        for stream in streams:
            picture = draw_numbers(stream.height + 1, stream.height, stream.width)[-1]
            for _ in range(1 if stream.disposition & Disposition.attached_pic else 12):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("films", "height"),
    [
        (((60, Disposition.default), (120, Disposition(0))), 60),
        (((60, Disposition(0)), (120, Disposition.default)), 120),
    ],
)
def test_of_several_films_the_default_one(
    tmp_path: Path, films: tuple[tuple[int, Disposition], ...], height: int
) -> None:
    video = VideoFile(write_films(tmp_path / "films.mkv", *films))
    assert (video.shape.height, video.shape.frame_count) == (height, 12)
    assert read_number(video.read(7)) == height


def write_pictures(path: Path, *streams: tuple[str, int, int]) -> Path:
    """Write streams of a codec, a height and a number of pictures, 25 a second; none is marked, or all are."""
    packets = []
    with av.open(str(path), "w") as container:
        added = [container.add_stream(codec, rate=25) for codec, _, _ in streams]
        for stream, (codec, height, _) in zip(added, streams, strict=True):
            stream.width, stream.height = 4 * height // 3, height
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for stream, (_, height, count) in zip(added, streams, strict=True):
            for number, picture in enumerate(draw_numbers(count, height, stream.width)):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                packets += stream.encode(frame)
            packets += stream.encode()
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)
    return path


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_few_pictures_beside_a_film_are_none(tmp_path: Path, suffix: str, count: int) -> None:
    video = VideoFile(write_pictures(tmp_path / f"a{suffix}", ("mjpeg", 240, count), ("libx264", 120, 12)))
    assert (video.shape.height, video.shape.frame_count, video.notices) == (120, 12, ())
    assert [read_number(video.read(number)) for number in (11, 5)] == [11, 5]


@pytest.mark.parametrize(("suffix", "codec"), [(".mkv", "libx264"), (".avi", "mpeg4"), (".ts", "libx264")])
def test_of_several_films_the_larger_one_and_a_word_about_it(tmp_path: Path, suffix: str, codec: str) -> None:
    """The first of the larger ones; nothing is said before the file is read, as for what the store knows."""
    films = [(codec, height, 12) for height in (48, 120, 120)]
    video = VideoFile(write_pictures(tmp_path / f"a{suffix}", *films))
    assert video.notices == () and (video.shape.height, video.shape.frame_count) == (120, 12)
    assert [read_number(video.read(number)) for number in (11, 5)] == [11, 5]
    (notice,) = video.notices
    assert "holds 3 films; the one taken is stream 1, 160x120 (not stream 2, 160x120, stream 0, 64x48)" in notice


def test_one_film_of_few_pictures_is_read(tmp_path: Path) -> None:
    video = VideoFile(write_pictures(tmp_path / "a.mkv", ("mjpeg", 120, 1)))
    assert (video.shape.frame_count, video.notices) == (1, ())


@pytest.mark.parametrize("count", [1, 2])
def test_a_picture_beside_sound_is_a_cover_also_where_nothing_says_so(tmp_path: Path, count: int) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        sound, film = container.add_stream("aac", rate=44100), container.add_stream("mjpeg", rate=1)
        film.width, film.height, film.pix_fmt = 160, 120, "yuvj420p"
        for picture in draw_numbers(count, 120, 160):
            container.mux(film.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(film.encode())
        for start in range(0, 44100, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = 44100, start
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    if count > 1:
        assert VideoFile(tmp_path / "a.mkv").shape.frame_count == count
        return
    with pytest.raises(VideoError, match="holds sound, a cover picture and no video"):
        _ = VideoFile(tmp_path / "a.mkv").shape
