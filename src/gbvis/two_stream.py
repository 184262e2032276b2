"""Folders and file names of the two-stream data set (Simonyan & Zisserman 2014, as Feichtenhofer shared it).

```
<dataset>/<set>_jpegs_256/jpegs_256/<video>/frame000001.jpg            N RGB frames
<dataset>/<set>_tvl1_flow/tvl1_flow/{u,v}/<video>/frame000001.jpg      N - 1 flow frames
```
Either the outer or the inner of the two folders may be missing.
"""

import os
from dataclasses import dataclass
from pathlib import Path

RGB_FOLDER = "jpegs_256"
FLOW_FOLDER = "tvl1_flow"


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
