"""Frames and bounds of flow that claim what no machine can hold, or are programs."""

import io
import os
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
from cases import Call
from hostile import hostile
from PIL import Image
from whole_files import draw, write_images


def _png(width: int, height: int, color: int = 2) -> bytes:
    """Return a PNG of that size that is all zeros, as a stream that takes no memory to make."""
    row = 1 + width * {0: 1, 2: 3, 6: 4}[color]
    packer, packed = zlib.compressobj(1), b""
    for _ in range(height):
        packed += packer.compress(bytes(row))
    packed += packer.flush()
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)), (b"IDAT", packed), (b"IEND", b"")]
    framed = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def _frames_call(whole: Path, folder: Path, frame: bytes, suffix: str, *options: str) -> Call:
    shutil.copytree(whole / "frames.png", folder / "good")
    (folder / "broken").mkdir()
    for number in range(1, 4):
        (folder / f"broken/{number}{suffix}").write_bytes(frame)
    options = options or ("predict", "-w", str(whole / "rgb.pth"), "--clips", "1")
    return Call((options[0], "broken", "good", *options[1:], "--json"), has_good=True)


@hostile
def png_that_claims_60000_squared(whole: Path, folder: Path) -> Call:
    """A header alone."""
    small = _png(8, 8)
    header = b"IHDR" + struct.pack(">II", 60000, 60000) + small[24:29]
    return _frames_call(whole, folder, small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:], ".png")


@hostile
def jpeg_that_claims_65500_squared(whole: Path, folder: Path) -> Call:
    """A header alone."""
    content = bytearray((whole / "frames.jpg/frame000001.jpg").read_bytes())
    place = content.index(b"\xff\xc0") + 5
    content[place : place + 4] = struct.pack(">HH", 65500, 65500)
    return _frames_call(whole, folder, bytes(content), ".jpg")


@hostile
def jpeg_of_many_scans(whole: Path, folder: Path) -> Call:
    """A progressive JPEG that goes over its 64 million pixels ten thousand times."""
    file = io.BytesIO()
    Image.new("L", (8000, 8000)).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    start, end = content.rindex(b"\xff\xda"), content.rindex(b"\xff\xd9")
    return _frames_call(whole, folder, content[:end] + content[start:end] * 10_000 + content[end:], ".jpg")


@hostile
def png_just_below_pillows_limit(whole: Path, folder: Path) -> Call:
    """178 million pixels, all there, in half a megabyte."""
    return _frames_call(whole, folder, _png(16_000, 11_100), ".png")


@hostile
def png_with_alpha_just_below_pillows_warning(whole: Path, folder: Path) -> Call:
    """89 million pixels of four channels."""
    return _frames_call(whole, folder, _png(10_000, 8_900, color=6), ".png")


@hostile
def png_of_one_row(whole: Path, folder: Path) -> Call:
    """60000x1: on the shorter side scaled to 256 it would be 15 million columns."""
    return _frames_call(whole, folder, _png(60_000, 1), ".png", "extract", "-o", "out", "-m", "rgb")


@hostile
def png_of_one_column(whole: Path, folder: Path) -> Call:
    """1x60000, of which flow is wanted."""
    options = ("predict", "-w", str(whole / "flow.pth"), "--flow-algorithm", "dis")
    return _frames_call(whole, folder, _png(1, 60_000), ".png", *options)


@hostile
def frames_that_are_postscript(whole: Path, folder: Path) -> Call:
    """A program that never ends, which Pillow would hand to Ghostscript."""
    program = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\n{ } loop\nshowpage\n%%EOF\n"
    return _frames_call(whole, folder, program, ".jpg")


@hostile
def frames_that_are_tiff(whole: Path, folder: Path) -> Call:
    """Another format than the name says, with a directory that is its own successor."""
    file = io.BytesIO()
    Image.fromarray(draw(1)[0]).save(file, "TIFF")
    content = bytearray(file.getvalue())
    first = int.from_bytes(content[4:8], "little")
    count = int.from_bytes(content[first : first + 2], "little")
    content[first + 2 + 12 * count : first + 6 + 12 * count] = struct.pack("<I", first)
    return _frames_call(whole, folder, bytes(content), ".png")


@hostile
def png_with_a_huge_text(whole: Path, folder: Path) -> Call:
    """A compressed comment that unpacks to 256 MB."""
    body = b"Comment\0\0" + zlib.compress(bytes(1 << 28), 1)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    small = _png(64, 64)
    return _frames_call(whole, folder, small[:33] + chunk + small[33:], ".png")


@hostile
def tiff_that_claims_60000_squared(whole: Path, folder: Path) -> Call:
    """A directory alone."""
    file = io.BytesIO()
    Image.fromarray(draw(1)[0]).save(file, "TIFF")
    content = bytearray(file.getvalue())
    first = int.from_bytes(content[4:8], "little")
    for entry in range(first + 2, len(content) - 12, 12):
        if int.from_bytes(content[entry : entry + 2], "little") in (256, 257):  # width and height
            content[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, 60_000)
    return _frames_call(whole, folder, bytes(content), ".tif")


@hostile
def tiff_that_follows_itself(whole: Path, folder: Path) -> Call:
    """A directory that is its own successor."""
    made = frames_that_are_tiff(whole, folder)
    for path in (folder / "broken").iterdir():
        path.rename(path.with_suffix(".tif"))
    return made


@hostile
def orientation_that_is_no_number(whole: Path, folder: Path) -> Call:
    """EXIF whose orientation is text, and a directory that points outside."""
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x02\x01\x12\0\x02\0\0\0\x04six\0\x87i\0\x04\0\0\0\x01\xff\xff\xff\xf0\0\0\0\0"
    whole_frame = (whole / "frames.jpg/frame000001.jpg").read_bytes()
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    return _frames_call(whole, folder, whole_frame[:2] + segment + whole_frame[2:], ".jpg")


def _bounds_call(whole: Path, folder: Path, bounds: bytes | None) -> Call:
    shutil.copytree(whole / "dataset", folder / "dataset")
    if bounds is not None:
        (folder / "dataset/tvl1_flow/u/broken.bin").write_bytes(bounds)
    arguments = ("explain", "broken", "good", "-d", "dataset", "-w", str(whole / "flow.pkl"), "-n", "8", "--json")
    return Call(arguments, has_good=True)


@hostile
def bounds_that_are_no_numbers(whole: Path, folder: Path) -> Call:
    """NaN."""
    return _bounds_call(whole, folder, np.full((11, 4), np.nan, "<f4").tobytes())


@hostile
def bounds_at_the_end_of_float32(whole: Path, folder: Path) -> Call:
    """Their difference is no float32."""
    return _bounds_call(whole, folder, np.tile(np.array([-3e38, 3e38], "<f4"), 22).tobytes())


@hostile
def bounds_of_gigabytes(whole: Path, folder: Path) -> Call:
    """Four of them; they take no room on disk."""
    made = _bounds_call(whole, folder, None)
    os.truncate(folder / "dataset/tvl1_flow/u/broken.bin", 4 << 30)
    return made


@hostile
def folder_of_many_series(whole: Path, folder: Path) -> Call:
    """Ten thousand names with nothing in common, and numbers that are all over the place."""
    frame = (whole / "frames.png/frame000001.png").read_bytes()
    (folder / "broken").mkdir()
    first = folder / "broken/a-1-b-2-c-3.png"
    first.write_bytes(frame)
    for number in range(10_000):
        os.link(first, folder / f"broken/{number % 7}-{number * 7919 % 10_007}-{'x' * (number % 50)}-{number}.png")
    shutil.copytree(whole / "frames.png", folder / "good")
    return Call(("predict", "good", "-w", str(whole / "rgb.pth"), "--json", "./broken"))


@hostile
def folder_of_folders_in_a_circle(whole: Path, folder: Path) -> Call:
    """Links that lead back, many times over."""
    for name in ("broken", "broken/a", "broken/a/b"):
        (folder / name).mkdir()
        for number in range(9):
            (folder / name / f"link{number}").symlink_to(folder / "broken")
    shutil.copytree(whole / "frames.png", folder / "good")
    return Call(("predict", "broken", "good", "-w", str(whole / "rgb.pth"), "--json"), has_good=True)


@hostile
def folder_of_many_frames(whole: Path, folder: Path) -> Call:
    """Names whose numbers have more digits than Python reads."""
    write_images(folder / "broken", draw(3), ".png")
    (folder / "broken/frame000002.png").rename(folder / f"broken/{'1' * 240}.png")
    shutil.copytree(whole / "frames.png", folder / "good")
    return Call(("predict", "broken", "good", "-w", str(whole / "rgb.pth"), "--json"), has_good=True)
