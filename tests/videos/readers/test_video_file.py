import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from conftest import read_frames
from gbvis.errors import VideoError
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT
from gbvis.videos.clip import cut_clip
from gbvis.videos.locate import look_for
from gbvis.videos.readers import container as containers
from gbvis.videos.readers import video_file as video_files
from gbvis.videos.readers.video_file import VideoFile
from numbered import write_numbers, write_video

REAL = [
    "v_SoccerJuggling_g23_c01.avi", "v_WalkingWithDog_g15_c01.avi", "v_Archery_g02_c02.avi", "v_Bowling_g22_c04.avi",
    "RATRACE_wave_f_nm_np1_fr_goo_37.avi", "demo.mp4",
]  # fmt: skip


def decode_all(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def count_up(count: int = 200) -> np.ndarray:
    """Return frames whose number can be read off: 8 fields, one a bit."""
    frames = np.zeros((count, 32, 128, 3), np.uint8)
    for number in range(count):
        for bit in range(8):
            frames[number, :, 16 * bit : 16 * bit + 16] = 255 * (number >> bit & 1)
    return frames


def read_off(frames: np.ndarray) -> list[int]:
    return [sum(int(frame[16, 16 * bit + 8, 0] > 127) << bit for bit in range(8)) for frame in frames]


@pytest.mark.parametrize("name", REAL)
def test_real_clips_frame_by_frame(shared: Path, random: np.random.Generator, name: str) -> None:
    """Any frames in any order are those that decoding from the beginning gives; HMDB-51's clip has no true times."""
    path = shared / "data/videos" / name
    expected = decode_all(path)
    video = VideoFile(path)
    assert video.shape.frame_count == len(expected)
    assert (video.shape.height, video.shape.width) == expected.shape[1:3]
    for start in [0, len(expected) - 9, *random.integers(0, len(expected) - 8, 6)]:
        numbers = [start, start + 4, start + 8, start + 4]
        np.testing.assert_array_equal(read_frames(video, numbers), expected[numbers])


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", {"g": "250", "bf": "3"}),
        ("b.mp4", "libx264", {"g": "12", "bf": "3", "x264-params": "open-gop=1:keyint=12"}),
        ("c.mkv", "libx264", {"g": "30", "bf": "2"}),
        ("d.avi", "mpeg4", {"g": "24"}),
        ("e.avi", "mpeg4", {"g": "24", "bf": "2"}),
        ("f.webm", "libvpx", {"g": "40", "b": "2M"}),
        ("g.ts", "libx264", {"g": "25", "bf": "2"}),
        ("h.mov", "mjpeg", {"pixels": "yuvj420p"}),
    ],
)
def test_seeking_finds_the_very_frame(tmp_path: Path, name: str, codec: str, options: dict[str, str]) -> None:
    path = write_video(tmp_path / name, count_up(), codec, **options)
    for start in (0, 11, 12, 13, 99, 192, 50):
        numbers = list(range(start, start + 8))
        video = VideoFile(path)
        assert video.shape.frame_count == 200
        assert read_off(read_frames(video, numbers)) == numbers
    assert read_off(read_frames(video, [150, 3, 3, 77])) == [150, 3, 3, 77]


def test_one_clip_of_a_long_film_is_not_decoded_from_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "film.mp4", np.tile(count_up(), (5, 1, 1, 1)), g="25")
    decoded = []
    original = containers.decode_packets

    def counting(*arguments: object) -> object:
        for frame in original(*arguments):  # type: ignore[arg-type]
            decoded.append(frame)
            yield frame

    monkeypatch.setattr(containers, "decode_packets", counting)
    monkeypatch.setattr(video_files, "decode_packets", counting)
    video = VideoFile(path)
    assert video.shape.frame_count == 1000
    read_frames(video, range(700, 708))
    assert len(decoded) < 80
    read_frames(video, range(708, 716))  # goes on where it was
    assert len(decoded) < 90


def test_a_phone_video_comes_out_upright(tmp_path: Path) -> None:
    """A portrait picture, recorded lying on its side, with the matrix that phones write: turn by 90 degrees."""
    upright = np.zeros((64, 48, 3), np.uint8)
    upright[:16, :16] = (255, 0, 0)
    path = write_video(tmp_path / "phone.mp4", np.stack([np.rot90(upright)] * 4))
    content = bytearray(path.read_bytes())
    place = content.index(struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30), content.index(b"tkhd"))
    content[place : place + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 48 << 16, 0, 1 << 30)
    path.write_bytes(content)
    video = VideoFile(path)
    assert (video.shape.width, video.shape.height) == (48, 64)
    frame = read_frames(video, [1])[0]
    assert frame.shape == upright.shape
    assert frame[6, 6, 0] > 200 and frame[-6, 6, 0] < 50 and frame[6, -6, 0] < 50


def test_a_trimmed_film_starts_where_its_edit_list_says(tmp_path: Path) -> None:
    """A lossless trim leaves the frames in the file and names a later start: a player shows the rest."""
    path = write_video(tmp_path / "trimmed.mp4", count_up(100), g="12", bf="2")
    content = bytearray(path.read_bytes())
    place = content.index(b"elst") + 12
    duration, media_time = struct.unpack(">II", content[place : place + 8])
    content[place : place + 8] = struct.pack(">II", duration // 2, media_time + 30 * 512)
    path.write_bytes(content)
    expected = read_off(decode_all(path))
    video = VideoFile(path)
    assert video.shape.frame_count == len(expected) < 100 and expected[0] > 20
    for start in (0, 17, 5):
        assert read_off(read_frames(video, range(start, start + 8))) == expected[start : start + 8]


def test_a_change_of_size_inside_a_file(tmp_path: Path) -> None:
    parts = [write_video(tmp_path / f"{n}.ts", np.zeros((12, 32 * n, 128, 3), np.uint8)) for n in (1, 2)]
    (tmp_path / "both.ts").write_bytes(parts[0].read_bytes() + parts[1].read_bytes())
    video = VideoFile(tmp_path / "both.ts")
    sizes: dict[int, tuple[int, int]] = {}
    assert cut_clip(video, range(video.shape.frame_count), OLD_SCRIPT.formats["rgb"], sizes).shape[0] == 24
    assert [sizes[number] for number in (0, 11, 12, 23)] == [(32, 128)] * 2 + [(64, 128)] * 2


@pytest.mark.parametrize("suffix", ["avi", "mkv", "mov", "mjpeg"])
def test_a_change_of_size_between_key_frames_only(tmp_path: Path, suffix: str) -> None:
    """FFmpeg weaves JPEGs of less than the first one's height together, where decoding begins with them."""
    path, heights = tmp_path / f"a.{suffix}", [64] + 9 * [32] + [96] + 9 * [48]
    with av.open(str(path), "w") as container:
        film = container.add_stream("mjpeg", rate=25)
        film.height, film.width, film.pix_fmt = 64, 128, "yuvj420p"
        for number, height in enumerate(heights):
            file = io.BytesIO()
            Image.fromarray(np.resize(count_up(20)[number], (height, 128, 3))).save(file, "JPEG")
            packet = av.Packet(file.getvalue())
            packet.stream, packet.pts, packet.dts, packet.time_base = film, number, number, Fraction(1, 25)
            packet.is_keyframe = True
            container.mux(packet)
    frames = [VideoFile(path).read(number) for number in range(len(heights))]
    assert [frame.shape for frame in frames] == [(height, 128, 3) for height in heights]
    assert read_off(np.stack([frame[:32] for frame in frames])) == list(range(20))


@pytest.mark.parametrize(("pause", "is_told"), [(3600, True), (30, True), (0.9, False)])
def test_a_jump_in_time_is_told(tmp_path: Path, pause: float, is_told: bool) -> None:
    late = round(1000 * pause)
    path = write_numbers(tmp_path / "a.mp4", "libx264", 30, time_of=lambda number: 40 * number + late * (number > 12))
    video = VideoFile(path)
    assert video.shape.frame_count == 30
    notices = [f"{path}: between frames 12 and 13 its time jumps by {pause + 0.04:.1f} s"] if is_told else []
    assert list(video.notices) == notices


def test_a_rate_that_varies_is_no_jump(tmp_path: Path) -> None:
    """A recording of a screen: pauses of many lengths."""
    times = np.cumsum([2000, 20, 20, 6000, 20, 40, 15_000, 20] * 3).tolist()
    video = VideoFile(write_numbers(tmp_path / "a.mkv", "libx264", 24, time_of=lambda number: int(times[number])))
    assert video.shape.frame_count == 24 and video.notices == ()


def test_metadata_that_is_not_utf8_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "old.avi"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "MARKED"
        stream = container.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = 32, 128, "yuv420p"
        for frame in count_up(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    path.write_bytes(path.read_bytes().replace(b"MARKED", b"\xe9\xff\xfe\xe8\x80\xc0"))
    assert read_off(read_frames(VideoFile(path), [7])) == [7]


@pytest.mark.parametrize("name", ["a[b].mp4", "100%d.mp4", "a:b.mp4", "-x.mp4", "new\nline.mp4", "é .mp4"])
def test_any_name_opens(tmp_path: Path, name: str) -> None:
    path = write_video(tmp_path / name, count_up(4))
    video = look_for(str(path), "rgb", None)
    assert video is not None and video.name == path.stem
    assert video.shape.frame_count == 4


def test_the_fingerprint_is_the_contents(tmp_path: Path) -> None:
    one = write_video(tmp_path / "one.mp4", count_up(4))
    (tmp_path / "two.mp4").write_bytes(one.read_bytes())
    three = write_video(tmp_path / "three.mp4", count_up(5))
    fingerprints = [VideoFile(tmp_path / f"{name}.mp4").fingerprint for name in ("one", "two", "three")]
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]
    assert three.exists()


def test_what_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("not a film")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(VideoError, match="is no video"):
        _ = VideoFile(tmp_path / "text.mp4").shape
    with pytest.raises(VideoError, match="is empty"):
        look_for(str(tmp_path / "empty.mp4"), "rgb", None)
    assert look_for(str(tmp_path / "missing.mp4"), "rgb", None) is None


@pytest.mark.parametrize("name", ["film.mp4", "film.avi", "film.mkv", "film.webm", "film.mov"])
def test_a_truncated_file(tmp_path: Path, name: str) -> None:
    """Cut anywhere behind its header, a file never passes as a shorter one."""
    codec = {".avi": "mpeg4", ".webm": "libvpx"}.get(Path(name).suffix, "libx264")
    content = write_video(tmp_path / name, count_up(100), codec).read_bytes()
    assert VideoFile(tmp_path / name).shape.frame_count == 100
    for cut in np.linspace(len(content) // 10, len(content) - 400, 23).astype(int):
        (tmp_path / f"cut-{name}").write_bytes(content[:cut])
        with pytest.raises(VideoError):
            _ = VideoFile(tmp_path / f"cut-{name}").shape


@pytest.mark.parametrize("name", REAL)
def test_a_truncated_real_file(shared: Path, tmp_path: Path, name: str) -> None:
    content = (shared / "data/videos" / name).read_bytes()
    for cut in np.linspace(len(content) // 10, len(content) - 2000, 12).astype(int):
        (tmp_path / name).write_bytes(content[:cut])
        with pytest.raises(VideoError):
            _ = VideoFile(tmp_path / name).shape


def test_a_damaged_frame_is_named_and_the_others_are_read(tmp_path: Path, random: np.random.Generator) -> None:
    still = random.integers(0, 256, (1, 64, 64, 3), dtype=np.uint8).repeat(100, axis=0)
    path = write_video(tmp_path / "film.avi", still, "mpeg4", g="10", b="4M")
    with av.open(str(path)) as container:
        packet = list(container.demux(video=0))[40]
        assert packet.is_keyframe
        place, size = packet.pos, packet.size
    content = bytearray(path.read_bytes())
    content[place + 40 : place + size - 8] = random.integers(0, 256, size - 48, dtype=np.uint8).tobytes()
    path.write_bytes(content)
    video = VideoFile(path)
    with pytest.raises(VideoError, match="frame 40 of .* cannot be decoded"):
        read_frames(video, range(37, 45))
    with pytest.raises(VideoError, match="frame 49 of"):  # it builds on the broken one
        read_frames(video, [49])
    assert len(read_frames(video, range(10, 18))) == len(read_frames(video, range(60, 68))) == 8
    assert len(read_frames(video, [39])) == len(read_frames(video, [50])) == 1


def test_a_video_file_holds_no_flow(video_file: Path) -> None:
    assert look_for(str(video_file), "flow", None) is None


def test_a_codec_that_nobody_knows(tmp_path: Path) -> None:
    """Found by the fuzzer: FFmpeg opens the file, and has no decoder for it."""
    path = tmp_path / "clip.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for packet in [*stream.encode(av.VideoFrame(32, 32, "yuv420p")), *stream.encode()]:
            container.mux(packet)
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"\xff\xfe\x01Q"))
    with pytest.raises(VideoError, match="a codec that FFmpeg does not know"):
        _ = VideoFile(path).shape
