"""Folders of numbered image files, one frame each."""

import os
import re
import warnings
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gbvis.errors import VideoError
from gbvis.provenance import hash_files
from gbvis.videos.video import LARGEST_FRAME, Frame, Video, VideoShape

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")

_FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
"""What these may hold. Pillow knows dozens more whatever the suffix; PostScript is a program that Ghostscript runs."""

_MOST_SCANS = 200
"""Of a JPEG; a progressive one has ten, and each, a few bytes in the file, goes over the whole picture."""


class FrameFolder(Video):
    """A video whose frames are image files; one folder gives RGB, two folders give u and v."""

    def __init__(self, name: str, modality: str, folders: tuple[Path, ...], is_numbered: bool = False) -> None:
        """Name the folders.

        Args:
            name: The video's name.
            modality: `rgb` or `flow`.
            folders: One, or those of u and v.
            is_numbered: True where a gap in the file names' numbers means that a frame is lost.
        """
        super().__init__(name, str(folders[0].absolute()), modality)
        self._folders, self._is_numbered = folders, is_numbered

    @cached_property
    def _files(self) -> list[tuple[Path, ...]]:
        """Per frame its files: one, or u and v."""
        channels = [list_frames(folder) for folder in self._folders]
        for folder, files in zip(self._folders, channels, strict=True):
            if not files:
                raise VideoError(
                    f"no frames in {folder}: expected {', '.join(suffix[1:] for suffix in SUFFIXES)} files",
                    "point to the folder that holds the frames themselves",
                )
            if self._is_numbered:
                _check_numbers(files)
        first, last = channels[0], channels[-1]
        if [path.stem for path in first] != [path.stem for path in last]:
            odd = sorted({path.stem for path in first} ^ {path.stem for path in last}, key=_natural_order)
            raise VideoError(
                f"{first[0].parent} holds {len(first)} frames and {last[0].parent} holds {len(last)}: "
                f"{odd[0]} is in one of them only",
                "u and v must have the same frames; extract this video's flow again",
            )
        return list(zip(*channels, strict=True))

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 over the frame files' contents in order."""
        try:
            return hash_files(path for frame in self._files for path in frame)
        except OSError as error:
            raise VideoError(
                f"cannot read the frames of {self.location}: {error.strerror}", "check their permissions"
            ) from error

    @cached_property
    def shape(self) -> VideoShape:
        """Frame count and size; image files tell no rate."""
        height, width = self.read(0).shape[:2]
        return VideoShape(len(self._files), None, width, height)

    def read(self, number: int) -> Frame:
        """Return frame `number`: uint8 (height, width, 3 or 2)."""
        files = self._files[number]
        if len(files) == 1:
            return _read_image(files[0], "RGB")
        channels = [_read_image(path, "L") for path in files]
        if channels[0].shape != channels[1].shape:
            raise VideoError(
                f"{files[0]} and {files[1]} differ in size", "extract this video's flow again: u and v must match"
            )
        return np.stack(channels, axis=-1)


def list_frames(folder: Path) -> list[Path]:
    """Return the image files of `folder` in natural order: frame 2 before frame 10.

    Raises:
        GbvisError: The folder cannot be listed.
    """
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.name.lower().endswith(SUFFIXES) and _is_frame(entry)]
    except OSError as error:
        raise VideoError(f"cannot list {folder}: {error.strerror}", "check the folder's permissions") from error
    visible = [name for name in names if not name.startswith(".")]  # macOS leaves `._frame.jpg` about
    return [folder / name for name in sorted(visible, key=_natural_order)]


def _is_frame(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a file; a link that leads nowhere is a frame that is lost, and not one fewer."""
    if not entry.is_symlink():
        return entry.is_file()
    path = Path(entry.path)
    return path.is_file() or not path.exists()


def _check_numbers(files: list[Path]) -> None:
    """Check that the numbers at the ends of the names have no gap: what follows a lost frame would shift."""
    matches = [re.search(r"(\d+)$", path.stem) for path in files]
    numbers = [int(match[1]) for match in matches if match]
    for before, after in pairwise(numbers):
        if after != before + 1:
            raise VideoError(
                f"frame {before + 1} is missing in {files[0].parent}: {before} is followed by {after}",
                "extract this video again",
            )


def _natural_order(name: str) -> list[tuple[bool, int, str]]:
    parts = re.split(r"([0-9]+)", name.lower())
    return [(bool(place % 2), int(part) if place % 2 else 0, part) for place, part in enumerate(parts)]


def _check_size(path: Path) -> None:
    """Check, before it is decoded, that an image is no larger than a frame can be, and takes no longer.

    Raises:
        GbvisError: It is.
        OSError: As Pillow: it is no image of the formats expected.
    """
    from PIL import Image

    with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):  # ours is the lower limit
        image = Image.open(path, formats=_FORMATS)
    with image:
        width, height = image.size
        is_jpeg = image.format in ("JPEG", "MPO")
    if is_jpeg and path.read_bytes().count(b"\xff\xda") > _MOST_SCANS:  # inside a scan, 0 follows each 255
        raise VideoError(f"frame {path} goes over its pixels more than {_MOST_SCANS} times", "write this frame again")
    if width * height > LARGEST_FRAME:
        raise VideoError(
            f"frame {path} has {width}x{height} pixels, and gbvis reads up to {LARGEST_FRAME:,} of them",
            "scale it down, or write it again where that is not its size",
        )


def _read_image(path: Path, mode: str) -> NDArray[np.uint8]:
    """Return an image file: uint8 (H, W, 3) for mode `RGB`, (H, W) for `L`."""
    import imageio.v3 as imageio  # here: a cached run reads no frame
    from PIL import Image

    try:
        _check_size(path)
        is_deep = imageio.improps(path, plugin="pillow", index=0).dtype == np.uint16
        # Pillow cuts 16 bits off at 255 where it should scale them
        image: NDArray[np.uint8] = imageio.imread(path, plugin="pillow", mode=None if is_deep else mode, index=0)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is broken, or no image"
        raise VideoError(f"cannot read frame {path}: {why}", "write this frame again") from error
    if is_deep:
        grey = np.rint(image / 257).astype(np.uint8)
        return grey if mode == "L" else np.stack([grey] * 3, axis=-1)
    return image
