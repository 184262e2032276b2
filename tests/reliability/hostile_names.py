"""Labels and lists that never end, or hold what no name holds."""

import os
import shutil
from pathlib import Path

from cases import Call
from hostile import hostile


@hostile
def labels_of_one_line(whole: Path, folder: Path) -> Call:
    """Two gigabytes without an end of line; they take no room on disk."""
    with (folder / "labels.txt").open("wb") as file:
        os.truncate(file.fileno(), 2 << 30)
    return Call(
        ("predict", str(whole / "dataset/jpegs_256/good"), "-w", str(whole / "rgb.pth"), "--labels", "labels.txt")
    )


@hostile
def labels_without_end(whole: Path, folder: Path) -> Call:
    """A device that never ends."""
    return Call(
        ("predict", str(whole / "dataset/jpegs_256/good"), "-w", str(whole / "rgb.pth"), "--labels", "/dev/zero")
    )


@hostile
def labels_with_long_numbers(whole: Path, folder: Path) -> Call:
    """More digits than Python turns into a number."""
    (folder / "labels.txt").write_text(f"{'9' * 5000} one\n" * 101)
    return Call(
        ("predict", str(whole / "dataset/jpegs_256/good"), "-w", str(whole / "rgb.pth"), "--labels", "labels.txt")
    )


def _list_call(whole: Path, folder: Path, content: bytes | None, name: str = "list.txt") -> Call:
    shutil.copy(whole / "video.mp4", folder / "good.mp4")
    if content is not None:
        (folder / name).write_bytes(content)
    return Call(("explain", "good.mp4", "-w", str(whole / "rgb.pth"), "--videos-from", name, "--json"))


@hostile
def list_with_nul(whole: Path, folder: Path) -> Call:
    """Names that no system takes."""
    return _list_call(
        whole, folder, b"a\0b.mp4\n\0\ngood.mp4\0 3\n" + b"x" * 5000 + b"\n" + b"a/" * 3000 + b"\n\xff\xfe.mp4\n"
    )


@hostile
def list_with_long_numbers(whole: Path, folder: Path) -> Call:
    """A class with more digits than Python turns into a number."""
    return _list_call(whole, folder, b"good.mp4 " + b"1" * 5000 + b"\n")


@hostile
def list_that_begins_as_utf_16(whole: Path, folder: Path) -> Call:
    """A byte order mark, and an odd number of bytes, half of a pair among them."""
    return _list_call(whole, folder, b"\xff\xfe" + "good.mp4 3\n".encode("utf-16-le") + b"\x00\xd8\n")


@hostile
def list_of_many_columns(whole: Path, folder: Path) -> Call:
    """Quotes that never end, and a line of nothing but what divides columns."""
    lines = [b"video,label", b'"good.mp4,3', b'",' * 5000, b"," * 16_000, b" a" * 8000, b"good.mp4,3,,,,", b"=cmd(),1"]
    return _list_call(whole, folder, b"\n".join(lines))


@hostile
def list_of_places_elsewhere(whole: Path, folder: Path) -> Call:
    """Patterns, homes, devices and URLs."""
    lines = ["/**/*.mp4", "~root/.ssh/id_rsa 3", "/dev/zero 3", "zip://x::http://localhost/a.zip 3", "*", "sample:x 3"]
    return _list_call(whole, folder, "\n".join(lines).encode())


@hostile
def list_without_end(whole: Path, folder: Path) -> Call:
    """A device that never ends."""
    return _list_call(whole, folder, None, "/dev/zero")


@hostile
def list_of_one_line(whole: Path, folder: Path) -> Call:
    """Two gigabytes without an end of line; they take no room on disk."""
    with (folder / "list.txt").open("wb") as file:
        os.truncate(file.fileno(), 2 << 30)
    return _list_call(whole, folder, None)
