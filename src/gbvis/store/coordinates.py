"""Coordinates of a run's numbers: where each lies in the source."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.networks.grid import GRID_AXES, Grid
from gbvis.store.clips import StoredClips
from gbvis.videos.clip import Size

Coordinate = tuple[str | tuple[str, ...], NDArray[Any]]
"""Along which axes it differs, and its numbers."""


def find_coordinates(
    clips: StoredClips, axes: Sequence[str], shape: Sequence[int], grid: Grid | None
) -> dict[str, Coordinate]:
    """Return the coordinates of all clips of a run, by their names; see `StoredRun.to_xarray`.

    Args:
        clips: What it was computed from.
        axes: Of its numbers, `clip` among them.
        shape: Of its numbers.
        grid: Where its cells lie; None where its numbers are in line with pixels, or are equal parts of the clips.
    """
    sizes = dict(zip(axes, shape, strict=True))
    found: dict[str, Coordinate] = {}
    for place, (axis, name) in enumerate((("x", "source_column"), ("y", "source_row"))):
        if axis in sizes:
            found[name] = _find_places(clips, axis, place, _find_shares(clips, axis, sizes[axis], grid))
    if sizes.get("channel") in (2, 3):
        found["channel"] = "channel", np.array(["red", "green", "blue"] if sizes["channel"] == 3 else ["u", "v"])
    frames = np.array(clips.frames)
    if grid or sizes.get("time") == frames.shape[1]:
        at = grid.centres(0, sizes["time"]) if grid else np.arange(frames.shape[1])
        found["frame"] = ("clip", "time"), _pick(frames, at)
        seconds = [clips.seconds_of(clip) for clip in range(len(frames))]
        if None not in seconds:
            found["seconds"] = ("clip", "time"), _pick(np.array(seconds), at)
    return found


def _find_shares(clips: StoredClips, axis: str, count: int, grid: Grid | None) -> NDArray[np.float64]:
    """Return where pixels or cells are centred along `y` or `x`, as shares of the clips' square: float64 (count,)."""
    if grid is None:
        return (np.arange(count, dtype=np.float64) + 0.5) / count
    return (grid.centres(GRID_AXES.index(axis), count) + 0.5) / clips.side


def _find_places(clips: StoredClips, axis: str, place: int, shares: NDArray[np.float64]) -> Coordinate:
    """Return where pixels or cells are centred among the pixels of the source, and along which axes that differs.

    Args:
        clips: What they were computed from.
        axis: `x` or `y`.
        place: The lower end's place in a box; the upper one's is 2 further.
        shares: Where they are centred, as shares of the box.
    """

    def of(size: Size) -> NDArray[np.float64]:
        box = clips.box_of(size)
        return box[place] + shares * (box[place + 2] - box[place]) - 0.5

    if not clips.source_sizes:
        return axis, of(clips.source_size)
    found = [[of(size) for size in clips.sizes_of(clip)] for clip in range(len(clips.frames))]
    return ("clip", "time", axis), np.array(found)


def _pick(numbers: NDArray[Any], at: NDArray[Any]) -> NDArray[Any]:
    """Return what rows of numbers, (clip, time), have at some places along time; between two of them, in proportion."""
    if at.dtype.kind == "i":
        return numbers[:, at]
    return np.array([np.interp(at, np.arange(len(row)), row) for row in numbers])
