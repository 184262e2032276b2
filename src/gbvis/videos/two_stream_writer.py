"""Writes one stream of a video into a two-stream data set, where it is whole or not there.

```
<dataset>/jpegs_256/.<video>.partial/frame000001.jpg      while it is written
<dataset>/jpegs_256/<video>/                              when it is whole
<dataset>/extracted/<video>.rgb.json                      what it was made from, and how; `.pending` until then
```
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.atomic_file import replace_file
from gbvis.errors import UsageError, VideoError
from gbvis.videos.motion import BOUND
from gbvis.videos.two_stream import PARTIAL, REMOVED, frame_name, is_video_name, place_parts, write_frame

RECORDS = "extracted"
"""The folder of a data set that says how its videos were made."""

BOUNDS = ".bin"
"""What the file beside a video's u is named after it: no video whose own name ends so has room for its flow."""

_LONGEST = 230
"""Bytes of a video's name: file systems have room for 255, and the names of records and locks are longer."""


def check_parts(dataset: Path) -> None:
    """Check that what is to be written into a data set stays below its folder.

    Raises:
        UsageError: One of its parts is a symbolic link that leads out of it.
    """
    parts = [dataset / RECORDS, *place_parts(dataset, "rgb"), *place_parts(dataset, "flow")]
    for part in parts:
        place = Path(os.path.realpath(part))  # `resolve` raises where a link goes in a circle
        if not place.is_relative_to(os.path.realpath(dataset)):
            raise UsageError(
                f"{part} leads out of {dataset}, to {place}",
                "name the folder that everything is to lie in with -o",
            )


class TwoStreamWriter:
    """One stream of a video in a data set: which frames are there, and how the others are written.

    Attributes:
        folders: Where its frames lie once it is whole: one folder for RGB, those of u and v for flow.
    """

    def __init__(self, dataset: Path, name: str, modality: str, suffix: str, recipe: Mapping[str, Any]) -> None:
        """Name it; nothing is written yet.

        Args:
            dataset: The data set's folder.
            name: The video's name.
            modality: `rgb` or `flow`.
            suffix: Of the frames' files, `.jpg` or `.png`.
            recipe: All that decides the frames, as plain data.

        Raises:
            GbvisError: No folder of a data set can have that name.
        """
        _check_name(name, modality)
        self.folders = tuple(parent / name for parent in place_parts(dataset, modality))
        self._recipe = {**recipe, "suffix": suffix}
        self._suffix, self._modality = suffix, modality
        self._record = dataset / RECORDS / f"{name}.{modality}.json"
        self._pending = self._record.with_suffix(".pending")
        self._partial = tuple(folder.with_name(f".{folder.name}{PARTIAL}") for folder in self.folders)
        self._bounds = self.folders[0].with_name(f"{name}{BOUNDS}") if modality == "flow" else None

    @property
    def frame_count(self) -> int | None:
        """The number of frames of the whole stream; None where it is not whole, or not made by this recipe."""
        about = _read_record(self._record)
        count = about.get("frames")
        if about.get("recipe") != self._recipe or not isinstance(count, int):
            return None
        is_whole = all(len(_list_frames(folder, self._suffix)) == count for folder in self.folders)
        has_bounds = self._bounds is None or (self._bounds.is_file() and self._bounds.stat().st_size == 16 * count)
        return count if is_whole and has_bounds else None

    def begin(self, is_forced: bool) -> None:
        """Make room for the frames; what an interrupted call with the same recipe left there is kept.

        Args:
            is_forced: Take the place of what is there, whatever it is, once all is written.

        Raises:
            GbvisError: Another video, or the same made in another way, is there already.
            OSError: The data set cannot be written.
        """
        pending = _read_record(self._pending)
        if pending.get("recipe") == self._recipe:
            for partial in () if pending.get("is_written") else self._partial:
                _make_folder(partial)
            return
        taken = next((folder for folder in self.folders if os.path.lexists(folder)), None)
        is_ours = _read_record(self._record).get("recipe") == self._recipe
        is_damaged = is_ours and not any(folder.is_symlink() for folder in self.folders)  # a part of it is lost
        if taken and not is_forced and not is_damaged:
            raise VideoError(
                f"{taken} is there already, from another video or made in another way",
                "choose another folder with -o, or overwrite it with --force",
            )
        for folder, partial in zip(self.folders, self._partial, strict=True):
            _remove(partial)
            if is_damaged and not is_forced and folder.exists():
                folder.rename(partial)  # what is left of it need not be made again
            _make_folder(partial)
        _write_record(self._pending, {"recipe": self._recipe})

    def clear(self) -> None:
        """Take away what an interrupted `--force` left of a stream that is whole.

        Raises:
            OSError: The data set cannot be written.
        """
        if self._pending.exists():
            for partial in self._partial:
                _remove(partial)
            self._pending.unlink(missing_ok=True)

    def missing(self, count: int) -> list[int]:
        """Return the numbers of the frames, of `count`, that are not written yet, rising."""
        if _read_record(self._pending).get("is_written"):
            return []
        there = [_list_frames(partial, self._suffix) for partial in self._partial]
        return [number for number in range(count) if not all(frame_name(number, self._suffix) in one for one in there)]

    def write(self, number: int, frame: NDArray[np.uint8]) -> None:
        """Write a frame: uint8 (H, W, 3) for RGB, (H, W, 2) for flow. Any thread may call this.

        Raises:
            OSError: It cannot be written.
        """
        channels = [frame] if self._modality == "rgb" else [frame[..., 0], frame[..., 1]]
        for folder, channel in zip(self._partial, channels, strict=True):
            unfinished = folder / f"unfinished-{number}{self._suffix}"
            unfinished.unlink(missing_ok=True)  # a link would be written through
            write_frame(unfinished, np.ascontiguousarray(channel))
            unfinished.replace(folder / frame_name(number, self._suffix))

    def finish(self, count: int, about: Mapping[str, Any]) -> None:
        """Give the folders their names, and beside those of u the bounds of the encoding.

        Args:
            count: Frames.
            about: What else to record.

        Raises:
            OSError: The data set cannot be written.
        """
        _write_record(self._pending, {"recipe": self._recipe, "is_written": True})
        self._record.unlink(missing_ok=True)  # of what is there until now: u and v change one after the other
        if self._bounds:
            bounds = np.tile(np.array([-BOUND, BOUND, -BOUND, BOUND], "<f4"), count)
            replace_file(self._bounds, bounds.tobytes())
        for folder, partial in zip(self.folders, self._partial, strict=True):
            for left_over in partial.glob("unfinished-*"):
                left_over.unlink()
            if partial.exists():
                _remove(folder)
                partial.rename(folder)
        _write_record(self._record, {"recipe": self._recipe, "frames": count, **about})
        self._pending.unlink(missing_ok=True)


def _check_name(name: str, modality: str) -> None:
    if not is_video_name(name):
        what = "no video named"
    elif len(os.fsencode(name)) > _LONGEST:
        what = "no name as long as"
    elif modality == "flow" and name.endswith(BOUNDS):
        what = "no flow of a video named"
    else:
        return
    raise VideoError(f"a data set can hold {what} {name!r}", "give the video another name")


def _list_frames(folder: Path, suffix: str) -> set[str]:
    """Return the names of the frames in a folder; an empty file, as a power cut leaves it, is none."""
    if not folder.is_dir():
        return set()
    with os.scandir(folder) as entries:
        return {
            entry.name
            for entry in entries
            if entry.name.startswith("frame") and entry.name.endswith(suffix) and _has_content(entry)
        }


def _has_content(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file() and entry.stat().st_size > 0
    except OSError:  # a link that leads nowhere
        return False


def _make_folder(folder: Path) -> None:
    """Make a folder if there is none; a link to one is taken away: nothing is written through it."""
    if folder.is_symlink():
        folder.unlink()
    folder.mkdir(parents=True, exist_ok=True)


def _remove(folder: Path) -> None:
    """Take a folder away: at once for those who look for it, then its files; of a link, the link alone."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        doomed = folder.with_name(f".{folder.name.removeprefix('.')}{REMOVED}")
        shutil.rmtree(doomed, ignore_errors=True)
        folder.rename(doomed)
        shutil.rmtree(doomed)


def _read_record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _write_record(path: Path, record: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, json.dumps(record, indent=1).encode())
