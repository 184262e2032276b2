"""Videos of a two-stream data set, by bare name."""

import hashlib
import os
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gbvis.errors import GbvisError, VideoError
from gbvis.provenance import hash_file
from gbvis.videos.motion import Motion, decode_motion
from gbvis.videos.readers.frame_folder import FrameFolder, ImageFiles, match_flow, read_flow
from gbvis.videos.readers.frame_layout import Channel, find_channel, find_frames
from gbvis.videos.two_stream import TwoStreamDataset, find_dataset, find_video_folder, is_video_name
from gbvis.videos.video import Video, video_name

_LARGEST_MOTION = 1e6
"""Pixels a frame; no frame is as wide."""


class FlowFolders(ImageFiles):
    """The flow of a video: a folder for u and one for v, and perhaps the bounds of their encoding in `u/<name>.bin`."""

    def __init__(self, name: str, u: Path, v: Path, rgb: Path | None) -> None:
        """Name the folders of u, of v, and of the RGB frames where the data set has them."""
        super().__init__(name, str(u.absolute()), "flow")
        self._folders, self._rgb = (u, v), rgb
        self._bounds_file = u.with_name(f"{u.name}.bin")

    def find_channels(self) -> tuple[Channel, ...]:
        """Return the files of u and v."""
        u, v = map(find_channel, self._folders)
        return match_flow(u, v, find_frames(self._rgb) if self._rgb else None)

    @property
    def _has_bounds(self) -> bool:
        return os.path.isfile(self._bounds_file)  # False where the name is too long for a file  # noqa: PTH113

    @cached_property
    def motion_fingerprint(self) -> str:
        """The SHA-256 over the frame files' contents in order, and over the bounds where there are any."""
        if not self._has_bounds:
            return self.fingerprint
        try:
            self._check_bounds_size()
            return hashlib.sha256(f"{self.fingerprint}{hash_file(self._bounds_file)}".encode()).hexdigest()
        except OSError as error:
            raise self._unreadable(error.strerror or str(error)) from error

    @cached_property
    def _bounds(self) -> NDArray[np.float32] | None:
        """Per frame the motion that 0 and 255 stand for: float32 (N, 4), u low, u high, v low, v high, in pixels."""
        if not self._has_bounds:
            return None
        try:
            self._check_bounds_size()
            bounds = np.frombuffer(self._bounds_file.read_bytes(), "<f4").reshape(-1, 4)
        except (OSError, ValueError) as error:
            raise self._unreadable("it cannot be read whole") from error
        if not (np.abs(bounds) <= _LARGEST_MOTION).all():
            raise self._unreadable("a bound in it is no motion in pixels")
        if not (bounds[:, 0::2] <= bounds[:, 1::2]).all():
            raise self._unreadable("a lower bound in it lies above the upper one")
        return bounds

    def _check_bounds_size(self) -> None:
        """Check that there are as many bounds as frames: from the file's size, so that too large a one is not read."""
        size, count = self._bounds_file.stat().st_size, len(self._files)
        if size != 16 * count:
            raise self._unreadable(f"it holds {size:,} bytes, and {count} flow frames need {16 * count:,}")

    def read_motion(self, number: int) -> Motion:
        """Return flow frame `number` in pixels: float32 (height, width, 2)."""
        if self._bounds is None:
            return super().read_motion(number)
        levels = self.read(number)
        low_u, high_u, low_v, high_v = (float(bound) for bound in self._bounds[number])
        u, v = decode_motion(levels[..., 0], low_u, high_u), decode_motion(levels[..., 1], low_v, high_v)
        return np.stack([u, v], axis=-1)

    def _unreadable(self, why: str) -> GbvisError:
        return VideoError(
            f"cannot read the bounds of the flow in {self._bounds_file}: {why}",
            "expected 4 float32 a flow frame, u low, u high, v low, v high; extract this video's flow again",
        )


def read(location: str, modality: str, dataset: Path) -> Video | None:
    """Return the video of the data set that `location` names, or None where there is no such video.

    The name is as the folders have it; a list's `Class/v_name.avi` means the same. The flow of a video file is looked
    for here too, under the file's stem.

    Raises:
        GbvisError: The data set holds one flow channel of the video and not the other.
    """
    name = video_name(location)
    folders = find_dataset(dataset)
    if not (folders.rgb or folders.u or folders.v):
        return _read_below(location, modality, dataset)
    rgb = find_video_folder(folders.rgb, name) if folders.rgb else None
    path = Path(location)
    if path.exists():  # the file or folder itself is the RGB stream, and gives the video its name
        frames = path if path.is_dir() else rgb
        return None if modality == "rgb" else _read_flow(folders, name, name, frames, dataset)
    if modality == "rgb":
        return FrameFolder(rgb.name, rgb, is_in_dataset=True) if rgb else None
    return _read_flow(folders, name, rgb.name if rgb else None, rgb, dataset)


def _read_below(location: str, modality: str, dataset: Path) -> Video | None:
    """Return the video of a data set that has one folder a video, `[CLASS/]VIDEO/`, for all that belongs to it."""
    path = Path(location)
    if path.exists() or path.is_absolute() or not all(map(is_video_name, path.parts)):
        return None
    folder = path.with_name(video_name(location))
    below = next((dataset / one for one in (path, folder) if one.parts and (dataset / one).is_dir()), None)
    if below is None:
        return None
    if modality == "flow":
        return read_flow(below.name, below)
    return FrameFolder(below.name, below)


def _read_flow(
    folders: TwoStreamDataset, name: str, called: str | None, rgb: Path | None, dataset: Path
) -> Video | None:
    """Return the flow of video `name`; it is `called` as its RGB stream is, so that both go by one name."""
    u = find_video_folder(folders.u, name) if folders.u else None
    v = find_video_folder(folders.v, name) if folders.v else None
    if u and v:
        return FlowFolders(called or u.name, u, v, rgb)
    if u or v:
        there, lacking = ("u", "v") if u else ("v", "u")
        raise VideoError(
            f"{name} has a flow folder {there} and no {lacking} in {dataset}",
            f"expected {lacking}/{name} beside {there}/{name}; extract this video's flow again",
        )
    return read_flow(called or name, rgb) if rgb else None
