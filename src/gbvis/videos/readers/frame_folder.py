"""Folders of numbered image files, one frame each."""

from abc import abstractmethod
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from gbvis.errors import UsageError, VideoError
from gbvis.provenance import hash_files
from gbvis.videos.readers.frame_layout import Channel, find_flow, find_frames, no_frames
from gbvis.videos.readers.frame_series import describe_ranges, find_ranges, natural_order
from gbvis.videos.readers.image_file import read_image
from gbvis.videos.video import Frame, Video, VideoShape


class ImageFiles(Video):
    """A video whose frames are image files: one a frame, or one for u and one for v."""

    @property
    @abstractmethod
    def channels(self) -> tuple[Channel, ...]:
        """The files of RGB, or those of u and v.

        Raises:
            GbvisError: There are none, or two series of pictures may be them, or some are missing.
        """

    @property
    def notices(self) -> tuple[str, ...]:
        """What was left out, and what is missing."""
        return tuple(text for channel in self.channels for text in channel.notices)

    @cached_property
    def _files(self) -> list[tuple[Path, ...]]:
        """Per frame its files: one, or u and v."""
        return list(zip(*(channel.files for channel in self.channels), strict=True))

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
            return read_image(files[0], "RGB")
        u, v = (read_image(path, "L") for path in files)
        if u.shape != v.shape:
            raise VideoError(
                f"{files[0]} and {files[1]} differ in size", "extract this video's flow again: u and v must match"
            )
        return np.stack([u, v], axis=-1)


class FrameFolder(ImageFiles):
    """The RGB frames in a folder."""

    def __init__(self, name: str, folder: Path, is_in_dataset: bool = False) -> None:
        """Name the folder.

        Args:
            name: The video's name.
            folder: Where the frames are.
            is_in_dataset: True where a gap in the files' numbers means that a frame is lost.
        """
        super().__init__(name, str(folder.absolute()), "rgb")
        self._folder, self._is_in_dataset = folder, is_in_dataset

    @cached_property
    def channels(self) -> tuple[Channel, ...]:
        """The files of RGB."""
        try:
            frames = find_frames(self._folder)
        except UsageError as error:  # a call for this folder was refused by then; here the other videos go on
            raise VideoError(error.problem, error.hint) from error
        if frames is None:
            raise no_frames(self._folder)
        if self._is_in_dataset:
            check_gaps(frames)
        return (frames,)


class FlowInFolder(ImageFiles):
    """The flow that lies with a video's frames in one folder."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name, str(folder.absolute()), "flow")
        self._folder = folder

    @cached_property
    def channels(self) -> tuple[Channel, ...]:
        """The files of u and v."""
        try:
            flow, frames = find_flow(self._folder), find_frames(self._folder)
        except UsageError as error:
            raise VideoError(error.problem, error.hint) from error
        if flow is None:
            raise no_frames(self._folder)
        check_flow(*flow, frames)
        return flow


def check_flow(u: Channel, v: Channel, frames: Channel | None) -> None:
    """Check that u and v are whole, and belong to the RGB frames, where these are known: number by number.

    N frames have N - 1 flow frames; one more, for the last, is left as it is.

    Raises:
        VideoError: Frames are missing.
    """
    for channel in (u, v):
        check_gaps(channel)
    odd = sorted({*_ids(u)} ^ {*_ids(v)}, key=natural_order)
    if odd:
        raise VideoError(
            f"{u.folder} holds {len(u.series)} frames and {v.folder} holds {len(v.series)}: "
            f"{odd[0]} is in one of them only",
            "u and v must have the same frames; extract this video's flow again",
        )
    if frames is not None:
        _check_pictures(u, frames)


def check_gaps(channel: Channel) -> None:
    """Check that no number is missing between the first and the last: what follows a lost frame would shift.

    Raises:
        VideoError: One is.
    """
    for before, after in pairwise(channel.series.numbers or ()):
        if after != before + 1:
            raise VideoError(
                f"frame {before + 1} is missing in {channel.folder}: {before} is followed by {after}",
                "extract this video again",
            )


def _ids(channel: Channel) -> list[str]:
    series = channel.series
    return [str(number) for number in series.numbers] if series.numbers else [Path(name).stem for name in series.names]


def _check_pictures(flow: Channel, frames: Channel) -> None:
    there, pictures = flow.series.numbers, frames.series.numbers
    if there is None or pictures is None:
        if not 0 <= len(frames.series) - len(flow.series) <= 1:
            raise _lost(flow, frames, f"holds {len(flow.series)} flow frames", f"{len(frames.series)} pictures")
        return
    if len(there) == len(pictures) - 1 and there[0] == 0 and pictures[0] == 1:
        return  # counted from 0 by one program, and from 1 by another: none is lost
    missing = {*pictures[:-1]} - {*there}
    if missing:
        lost = f"lacks the flow frames {describe_ranges(find_ranges(missing))}"
        raise _lost(flow, frames, lost, f"pictures {describe_ranges(find_ranges(pictures))}")
    surplus = {*there} - {*pictures}
    if surplus:
        found = f"holds the flow frames {describe_ranges(find_ranges(surplus))}"
        raise _lost(flow, frames, found, f"no such pictures, but {describe_ranges(find_ranges(pictures))}")


def _lost(flow: Channel, frames: Channel, found: str, expected: str) -> VideoError:
    return VideoError(
        f"{flow.folder} {found}, and {frames.folder} holds {expected}: flow frame k is the motion from picture k to "
        "k + 1",
        "extract this video's flow again, or let it be computed: --flow-algorithm tvl1",
    )
