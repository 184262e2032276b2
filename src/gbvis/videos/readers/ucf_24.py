"""The boxes of UCF-101-24 in one file of MATLAB's, as corrected by Singh et al. 2017 (`finalAnnots.mat`).

`annot` is a structure a video: `name`, as `Biking/v_Biking_g01_c01`, and `tubes`, a structure a person while it acts:
frames `sf` to `ef`, counted from 1, and `boxes`, a row x, y, width, height a frame, counted from 1. Pickles of the same
content (`pyannot.pkl`) are not read: a pickle is a program. https://github.com/gurkirt/corrected-UCF101-Annots
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from gbvis.errors import VideoError
from gbvis.videos.readers.boxes import Box, Boxes
from gbvis.videos.readers.matlab_file import read_matlab

_LARGEST_NUMBER = 1e6


def read_ucf_24(path: Path, name: str) -> Boxes:
    """Return the boxes of one video.

    Args:
        path: Of the file.
        name: The video's, without its class.

    Raises:
        VideoError: The file cannot be read, or does not have the video.
    """
    videos = _read(path, path.stat().st_mtime_ns)
    video = videos.get(name) or videos.get(name.lower())
    if video is None:
        raise VideoError(
            f"{path} has no boxes of {name}", f"it has those of {len(videos)} videos, {next(iter(videos))} among them"
        )
    try:
        return Boxes(list(_find_boxes(video["tubes"])))
    except (KeyError, ValueError, TypeError, IndexError, OverflowError) as error:
        raise _no_boxes(path) from error


@lru_cache(maxsize=1)  # a call may be of all its videos
def _read(path: Path, changed: int) -> dict[str, dict[str, Any]]:
    """Return the structures of a file's videos by their names, and by those in small letters."""
    variables = read_matlab(path).values()
    lists = [one for one in variables if isinstance(one, list)]
    videos = [one for entries in lists for one in entries if isinstance(one, dict) and "tubes" in one]
    named = {one["name"].rpartition("/")[2]: one for one in videos if isinstance(one.get("name"), str)}
    if not named:
        raise _no_boxes(path)
    return {name.lower(): one for name, one in named.items()} | named


def _find_boxes(tubes: list[dict[str, Any]]) -> Iterator[Box]:
    for tube in tubes:
        first, boxes = int(tube["sf"].item()) - 1, np.asarray(tube["boxes"], np.float64)
        if boxes.ndim != 2 or boxes.shape[1] != 4 or not (np.abs(boxes) <= _LARGEST_NUMBER).all():
            raise ValueError("boxes are none")
        for number, (x, y, width, height) in enumerate(boxes.tolist(), start=first):
            yield Box(number, number, x - 1, y - 1, x - 1 + width, y - 1 + height)


def _no_boxes(path: Path) -> VideoError:
    return VideoError(
        f"{path} holds no boxes as UCF-101-24 has them",
        "expected structures with name and tubes, each of these with sf, ef and boxes, as in finalAnnots.mat",
    )
