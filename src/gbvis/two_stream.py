"""Folders and file names of the two-stream data set (Simonyan & Zisserman 2014, as Feichtenhofer shared it).

```
<dataset>/<set>_jpegs_256/jpegs_256/<video>/frame000001.jpg            N RGB frames
<dataset>/<set>_tvl1_flow/tvl1_flow/{u,v}/<video>/frame000001.jpg      N - 1 flow frames
```
Either the outer or the inner of the two folders may be missing.
"""

import filecmp
import os
import shutil
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gbvis.errors import GbvisError

RGB_FOLDER = "jpegs_256"
FLOW_FOLDER = "tvl1_flow"
JPEG_QUALITY = 95


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


def find_video_folder(parent: Path, name: str) -> Path | None:
    """Return the folder of video `name` below `parent`, or None.

    A name that differs in case alone is the same video: UCF-101's folders say `HandstandPushups` where its AVIs say
    `HandStandPushups`. Names are compared, never globbed: HMDB-51's hold `[` and worse.
    """
    if name in ("", ".", "..") or Path(name).name != name:  # a name leads nowhere but into the folder
        return None
    exact = parent / name
    if exact.is_dir():
        return exact
    wanted = name.casefold()
    with os.scandir(parent) as entries:
        matches = sorted(entry.name for entry in entries if entry.name.casefold() == wanted and entry.is_dir())
    return parent / matches[0] if matches else None


def write_frames(folder: Path, images: Iterable[Any]) -> None:
    """Write a video's frames, or one channel of its flow, as the JPEGs of one folder, which is whole or not there.

    A folder that holds the very same frames is left alone.

    Args:
        folder: Of this video and channel.
        images: uint8 (H, W, 3) or (H, W).

    Raises:
        GbvisError: The folder holds something else, or cannot be written.
    """
    import imageio.v3 as imageio  # here: who only looks for videos writes none

    partial = folder.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        partial.mkdir(parents=True)
        for number, image in enumerate(images, start=1):
            imageio.imwrite(partial / f"frame{number:06d}.jpg", image, quality=JPEG_QUALITY)
        try:
            partial.rename(folder)
        except OSError:  # it is there already, perhaps since a moment ago
            if not folder.is_dir():
                raise
            if not _are_equal(partial, folder):
                raise GbvisError(f"{folder} is there already, and differs", "choose another folder") from None
    except OSError as error:
        raise GbvisError(f"cannot write {folder}: {error.strerror}", "choose a place you may write to") from error
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
        outers = sorted(entry.name for entry in entries if entry.name.endswith(f"_{inner}") and entry.is_dir())
    candidates = [folder / inner]
    for outer in outers:
        candidates += [folder / outer / inner, folder / outer]
    if folder.name == inner or folder.name.endswith(f"_{inner}"):
        candidates.append(folder)
    return next((candidate for candidate in candidates if candidate.is_dir()), None)


def _existing(folder: Path) -> Path | None:
    return folder if folder.is_dir() else None
