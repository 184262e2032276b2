"""Which stream of a file is the film, and what is said of files that hold none."""

import io
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from numbered import draw_numbers, read_number
from PIL import Image

from gbvis.errors import VideoError
from gbvis.videos.readers.video_file import VideoFile

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
