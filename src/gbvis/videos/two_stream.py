"""Folders and file names of the two-stream data set (Simonyan & Zisserman 2014, as Feichtenhofer shared it).

```
<dataset>/<set>_jpegs_256/jpegs_256/<video>/frame000001.jpg            N RGB frames
<dataset>/<set>_tvl1_flow/tvl1_flow/{u,v}/<video>/frame000001.jpg      N - 1 flow frames
```
Either the outer or the inner of the two folders may be missing. Frames are scaled to 256 on the shorter side.
"""

import filecmp
import os
import shutil
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.errors import VideoError

RGB_FOLDER = "jpegs_256"
FLOW_FOLDER = "tvl1_flow"
JPEG_QUALITY = 95
PARTIAL, REMOVED = ".partial", ".removed"
"""What the names of folders end with, behind a dot and the video's name, that are being written or taken away."""


@dataclass(frozen=True)
class TwoStreamDataset:
    """The folders of a data set that hold one folder a video; None where the data set lacks that part."""

    rgb: Path | None
    u: Path | None
    v: Path | None


def find_dataset(folder: Path) -> TwoStreamDataset:
    """Return where below `folder` the RGB frames and the two flow channels lie."""
    flow = _find_part(folder, FLOW_FOLDER)
    return TwoStreamDataset(
        rgb=_find_part(folder, RGB_FOLDER),
        u=_existing(flow / "u") if flow else None,
        v=_existing(flow / "v") if flow else None,
    )


def place_parts(folder: Path, modality: str) -> tuple[Path, ...]:
    """Return the folders below `folder` that videos' RGB frames, or their u and v, are to be written into.

    Where the data set has them already it is those.
    """
    if modality == "rgb":
        return (_find_part(folder, RGB_FOLDER) or folder / RGB_FOLDER,)
    flow = _find_part(folder, FLOW_FOLDER) or folder / FLOW_FOLDER
    return flow / "u", flow / "v"


def frame_name(number: int, suffix: str = ".jpg") -> str:
    """Return the file name of a frame; the first, number 0, is `frame000001.jpg`."""
    return f"frame{number + 1:06d}{suffix}"


def write_frame(path: Path, image: NDArray[np.uint8]) -> None:
    """Write a frame, uint8 (H, W, 3), or one channel of flow, (H, W), as JPEG or PNG, as the suffix says.

    Raises:
        OSError: It cannot be written.
    """
    import imageio.v3 as imageio  # here: who only looks for videos writes none

    options: dict[str, Any] = {"quality": JPEG_QUALITY} if path.suffix == ".jpg" else {}
    imageio.imwrite(path, image, **options)


def find_video_folder(parent: Path, name: str) -> Path | None:
    """Return the folder of video `name` below `parent`, or None.

    A name that differs in case alone is the same video: UCF-101's folders say `HandstandPushups` where its AVIs say
    `HandStandPushups`. Names are compared, never globbed: HMDB-51's hold `[` and worse.

    Raises:
        GbvisError: The name itself is not there, and several differ from it in case alone.
    """
    if not is_video_name(name):
        return None
    exact = parent / name
    if exact.is_dir():
        return exact
    wanted = name.casefold()
    matches = [known for known in list_videos(parent) if known.casefold() == wanted]
    if len(matches) > 1:
        raise VideoError(
            f"{name} may be {' or '.join(matches)} in {parent}", "give the name exactly as the folder has it"
        )
    return parent / matches[0] if matches else None


def list_videos(parent: Path) -> list[str]:
    """Return the names of the videos whose folders lie below `parent`, in order; what is half written is none."""
    with os.scandir(parent) as entries:
        return sorted(entry.name for entry in entries if is_video_name(entry.name) and is_folder(entry))


def is_video_name(name: str) -> bool:
    """Return whether a folder of that name can hold a video: it leads nowhere else, and is not one half written."""
    is_half_written = name.startswith(".") and name.endswith((PARTIAL, REMOVED))
    return name not in ("", ".", "..") and Path(name).name == name and not is_half_written


def write_frames(folder: Path, images: Iterable[Any]) -> None:
    """Write a video's frames, or one channel of its flow, as the JPEGs of one folder, which is whole or not there.

    A folder that holds the very same frames is left alone.

    Args:
        folder: Of this video and channel.
        images: uint8 (H, W, 3) or (H, W).

    Raises:
        GbvisError: The folder holds something else, or cannot be written.
    """
    partial = folder.with_name(f".{uuid.uuid4().hex}{PARTIAL}")
    try:
        partial.mkdir(parents=True)
        for number, image in enumerate(images):
            write_frame(partial / frame_name(number), image)
        try:
            partial.rename(folder)
        except OSError:  # it is there already, perhaps since a moment ago
            if not folder.is_dir():
                raise
            if not _are_equal(partial, folder):
                raise VideoError(f"{folder} is there already, and differs", "choose another folder") from None
    except OSError as error:
        raise VideoError(f"cannot write {folder}: {error.strerror}", "choose a place you may write to") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _are_equal(one: Path, other: Path) -> bool:
    names = sorted(path.name for path in one.iterdir())
    if not other.is_dir() or names != sorted(path.name for path in other.iterdir()):
        return False
    return not any(filecmp.cmpfiles(one, other, names, shallow=False)[1:])


def _find_part(folder: Path, inner: str) -> Path | None:
    """Return the folder of that part: `<set>_inner/inner`, `<set>_inner`, `inner`, or `folder` itself."""
    if not folder.is_dir():
        return None
    with os.scandir(folder) as entries:
        outers = sorted(entry.name for entry in entries if entry.name.endswith(f"_{inner}") and is_folder(entry))
    candidates = [folder / inner]
    for outer in outers:
        candidates += [folder / outer / inner, folder / outer]
    if folder.name == inner or folder.name.endswith(f"_{inner}"):
        candidates.append(folder)
    return next((candidate for candidate in candidates if candidate.is_dir()), None)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder, or a link to one; a link that goes in a circle is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _existing(folder: Path) -> Path | None:
    return folder if folder.is_dir() else None
