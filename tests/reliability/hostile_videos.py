"""Video files that claim what no machine can hold, or lead in circles or elsewhere."""

import io
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
from cases import Call
from hostile import hostile
from PIL import Image
from whole_files import write_video


def _video_call(whole: Path, folder: Path, content: bytes, suffix: str, *options: str) -> Call:
    shutil.copy(whole / "video.mp4", folder / "good.mp4")
    (folder / f"broken{suffix}").write_bytes(content)
    options = options or ("predict", "-w", str(whole / "rgb.pth"), "--clips", "1")
    return Call((options[0], f"broken{suffix}", "good.mp4", *options[1:], "--json"), has_good=True)


@hostile
def video_of_16000_squared(whole: Path, folder: Path) -> Call:
    """Motion JPEG of one colour: 256 million pixels in a file of a few hundred kilobytes."""
    file = io.BytesIO()
    Image.new("L", (16_000, 16_000)).save(file, "JPEG", quality=10)
    small = folder / "small.avi"
    frames = np.zeros((3, 16, 16, 3), np.uint8)
    write_mjpeg(small, frames, file.getvalue())
    return _video_call(whole, folder, small.read_bytes(), ".avi")


def write_mjpeg(path: Path, frames: np.ndarray, replacement: bytes) -> None:
    """Write an AVI of Motion JPEG whose frames are all another JPEG."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuvj420p"
        for frame in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")):
                large = av.Packet(replacement)
                large.stream, large.pts, large.dts, large.time_base = stream, packet.pts, packet.dts, packet.time_base
                large.is_keyframe = True
                container.mux(large)


@hostile
def video_of_one_row(whole: Path, folder: Path) -> Call:
    """16384x2, of which flow is wanted: scaled, two million columns."""
    write_video(folder / "wide.mp4", np.zeros((3, 2, 16_384, 3), np.uint8))
    options = ("explain", "-w", str(whole / "flow.pth"), "-n", "2", "--flow-algorithm", "dis")
    return _video_call(whole, folder, (folder / "wide.mp4").read_bytes(), ".mp4", *options)


def _set_box(content: bytes, name: bytes, offset: int, *numbers: int) -> bytes:
    """Set 32-bit numbers at an offset behind the name of an MP4's box."""
    place = content.index(name) + 4 + offset
    return content[:place] + struct.pack(f">{len(numbers)}I", *numbers) + content[place + 4 * len(numbers) :]


@hostile
def mp4_of_a_hundred_million_samples(whole: Path, folder: Path) -> Call:
    """Samples of one byte, all in one chunk: the index alone would be gigabytes."""
    content = (whole / "video.mp4").read_bytes()
    content = _set_box(content, b"stsz", 4, 1, 60_000_000)
    content = _set_box(content, b"stsc", 4, 1, 1, 60_000_000, 1)
    return _video_call(whole, folder, content, ".mp4")


@hostile
def mp4_whose_samples_last_forever(whole: Path, folder: Path) -> Call:
    """Every frame lasts 2^31 units."""
    content = _set_box((whole / "video.mp4").read_bytes(), b"stts", 4, 1, 0x7FFFFFFF, 0x7FFFFFFF)
    call = _video_call(whole, folder, content, ".mp4", "explain", "-w", str(whole / "rgb.pth"), "--start", "99999s")
    return replace(call, has_good=False)


@hostile
def mp4_with_a_box_of_exabytes(whole: Path, folder: Path) -> Call:
    """A last box whose 64-bit size leads behind the end of any file."""
    content = (whole / "video.mp4").read_bytes() + struct.pack(">I4sQ", 1, b"free", (1 << 64) - 1)
    return _video_call(whole, folder, content, ".mp4")


@hostile
def mp4_of_a_million_boxes(whole: Path, folder: Path) -> Call:
    """Ten million boxes of eight bytes behind the film."""
    content = (whole / "video.mp4").read_bytes() + struct.pack(">I4s", 8, b"free") * 10_000_000
    return _video_call(whole, folder, content, ".mp4")


@hostile
def mp4_of_many_tracks(whole: Path, folder: Path) -> Call:
    """The same track three thousand times."""
    content = (whole / "video.mp4").read_bytes()
    place = content.index(b"moov") - 4
    size = int.from_bytes(content[place : place + 4])
    track = content.index(b"trak") - 4
    track_size = int.from_bytes(content[track : track + 4])
    tracks = content[track : track + track_size] * 3000
    moov = content[place:track] + tracks + content[track : place + size]
    moov = struct.pack(">I", len(moov)) + moov[4:]
    return _video_call(whole, folder, content[:place] + moov + content[place + size :], ".mp4")


@hostile
def playlist_of_itself(whole: Path, folder: Path) -> Call:
    """A text that FFmpeg takes for a list of films, the first of which is the list."""
    lines = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n" + "#EXTINF:10,\nbroken.mp4\n" * 1000 + "#EXT-X-ENDLIST\n"
    return _video_call(whole, folder, lines.encode(), ".mp4")


@hostile
def playlist_from_the_network(whole: Path, folder: Path) -> Call:
    """The same with an address that nobody answers at."""
    lines = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://192.0.2.1/a.ts\n#EXT-X-ENDLIST\n"
    return _video_call(whole, folder, lines.encode(), ".m3u8.ts")


@hostile
def session_from_the_network(whole: Path, folder: Path) -> Call:
    """A description of a stream that nobody sends."""
    lines = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    return _video_call(whole, folder, lines.encode(), ".ts")


@hostile
def film_list_of_itself(whole: Path, folder: Path) -> Call:
    """FFmpeg's own list of films."""
    return _video_call(whole, folder, b"ffconcat version 1.0\n" + b"file broken.mkv\n" * 1000, ".mkv")


@hostile
def avi_whose_index_is_a_loop(whole: Path, folder: Path) -> Call:
    """A super-index whose every entry is itself."""
    content = (whole / "video.avi").read_bytes()
    place = content.index(b"strf") - 8
    entries = struct.pack("<QII", place, 4096, 1) * 64
    index = b"indx" + struct.pack("<IHBBI4s3I", 24 + len(entries), 4, 0, 0, 64, b"00dc", 0, 0, 0) + entries
    grown = bytearray(content[:place] + index + content[place:])
    for name in (b"hdrl", b"strl"):
        size = grown.index(name) - 4
        grown[size : size + 4] = struct.pack("<I", int.from_bytes(grown[size : size + 4], "little") + len(index))
    grown[4:8] = struct.pack("<I", len(grown) - 8)
    return _video_call(whole, folder, bytes(grown), ".avi")
