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
def list_without_end(whole: Path, folder: Path) -> Call:
    """A device that never ends."""
    return _list_call(whole, folder, None, "/dev/zero")


@hostile
def list_of_one_line(whole: Path, folder: Path) -> Call:
    """Two gigabytes without an end of line; they take no room on disk."""
    with (folder / "list.txt").open("wb") as file:
        os.truncate(file.fileno(), 2 << 30)
    return _list_call(whole, folder, None)
