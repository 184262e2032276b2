"""Folders of numbered image files, one frame each."""

from abc import abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from gbvis.errors import UsageError, VideoError
from gbvis.provenance import hash_files
from gbvis.videos.readers.frame_layout import Channel, find_flow, find_frames, no_frames
from gbvis.videos.readers.frame_numbers import describe_ranges, find_ranges
from gbvis.videos.readers.frame_series import natural_order
from gbvis.videos.readers.image_file import read_image
from gbvis.videos.video import Frame, Video, VideoShape


class ImageFiles(Video):
    """A video whose frames are image files: one a frame, or one for u and one for v."""

    @abstractmethod
    def find_channels(self) -> tuple[Channel, ...]:
        """Return the files of RGB, or those of u and v.

        Raises:
            GbvisError: There are none, or two series of pictures may be them, or some are missing.
        """

    @cached_property
    def _channels(self) -> tuple[Channel, ...]:
        with _failing_alone():
            return self.find_channels()

    @property
    def notices(self) -> tuple[str, ...]:
        """What was left out, and what is missing."""
        return tuple(text for channel in self._channels for text in channel.notices)

    @cached_property
    def _files(self) -> list[tuple[Path, ...]]:
        """Per frame its files: one, or u and v."""
        return list(zip(*(channel.files for channel in self._channels), strict=True))

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

    def find_channels(self) -> tuple[Channel, ...]:
        """Return the files of RGB."""
        frames = find_frames(self._folder)
        if frames is None:
            raise no_frames(self._folder)
        if self._is_in_dataset:
            _check_gaps(frames)
        return (frames,)


class FlowInFolder(ImageFiles):
    """The flow that lies with a video's frames in one folder."""

    def __init__(self, name: str, folder: Path, flow: tuple[Channel, Channel]) -> None:
        super().__init__(name, str(folder.absolute()), "flow")
        self._folder, self._flow = folder, flow

    def find_channels(self) -> tuple[Channel, ...]:
        """Return the files of u and v."""
        return match_flow(*self._flow, find_frames(self._folder))


def read_flow(name: str, folder: Path) -> FlowInFolder | None:
    """Return the flow that lies with a video's frames in `folder`; None where there is none.

    Raises:
        VideoError: Two series of pictures may be it, or a folder cannot be listed.
    """
    with _failing_alone():
        flow = find_flow(folder)
    return FlowInFolder(name, folder, flow) if flow else None


@contextmanager
def _failing_alone() -> Iterator[None]:
    """Have what is wrong with one folder end no call: the other videos go on."""
    try:
        yield
    except UsageError as error:
        raise VideoError(error.problem, error.hint) from error


def match_flow(u: Channel, v: Channel, frames: Channel | None) -> tuple[Channel, Channel]:
    """Return u and v, checked to be whole and to belong to the RGB frames, where these are known: number by number.

    N frames have N - 1 flow frames; one more, for the last, is left as it is.

    Raises:
        VideoError: Frames are missing.
    """
    for channel in (u, v):
        _check_gaps(channel, "flow frame", [u, v])
    lost = [(v, {*_ids(u)} - {*_ids(v)}), (u, {*_ids(v)} - {*_ids(u)})]
    if any(ids for _, ids in lost):
        lacking = [f"{_place(one, [u, v])} lacks {_describe_ids(ids)}" for one, ids in lost if ids]
        raise VideoError(
            f"{_place(u, [u, v])} holds {len(u.series)} frames and {_place(v, [u, v])} holds {len(v.series)}: "
            f"{', and '.join(lacking)}",
            "u and v must have the same frames; extract this video's flow again",
        )
    if frames is None:
        return u, v
    if _is_counted_apart(u, frames):
        place = _place(frames, [u])
        told = f"{place}: flow counts from 0, pictures from 1: flow frame 0 is taken for pictures 1 and 2"
        return replace(u, told=(told,)), v
    _check_pictures(u, v, frames)
    return u, v


def _check_gaps(channel: Channel, noun: str = "frame", beside: Sequence[Channel] = ()) -> None:
    """Check that no number is missing between the first and the last: what follows a lost frame would shift.

    Args:
        channel: What is checked.
        noun: What one of its files is.
        beside: What errors must tell it from.

    Raises:
        VideoError: One is.
    """
    numbers = channel.series.numbers or ()
    lost = [(before + 1, after - 1) for before, after in pairwise(numbers) if after > before + 1]
    if lost:
        is_one = lost[0][0] == lost[-1][1]
        raise VideoError(
            f"{noun if is_one else noun + 's'} {describe_ranges(lost)} {'is' if is_one else 'are'} missing in "
            f"{_place(channel, beside)}, which goes from {numbers[0]} to {numbers[-1]}",
            f"extract this video's {'flow' if beside else 'frames'} again",
        )


def _place(channel: Channel, beside: Sequence[Channel]) -> str:
    """Return where a channel is: its folder, and what its files are called where others lie there too."""
    is_shared = any(one.folder == channel.folder and one.series != channel.series for one in beside)
    return str(channel.folder / channel.series.pattern if is_shared else channel.folder)


def _ids(channel: Channel) -> list[str]:
    series = channel.series
    return [str(number) for number in series.numbers] if series.numbers else [Path(name).stem for name in series.names]


def _describe_ids(ids: Collection[str]) -> str:
    if all(one.isdecimal() for one in ids):
        return describe_ranges(find_ranges(map(int, ids)))
    first, *rest = sorted(ids, key=natural_order)
    return f"{first} and {len(rest)} more" if rest else first


def _is_counted_apart(flow: Channel, frames: Channel) -> bool:
    """Return whether one program counted flow from 0, and another pictures from 1, and none is lost."""
    there, pictures = flow.series.numbers, frames.series.numbers
    if not there or not pictures:
        return False
    return (there[0], pictures[0]) == (0, 1) and len(there) == len(pictures) - 1 == pictures[-1] - 1


def _check_pictures(u: Channel, v: Channel, frames: Channel) -> None:
    there, pictures = u.series.numbers, frames.series.numbers
    flow, rgb = _place(u, [v, frames]), _place(frames, [u])
    flow += f", like {v.series.pattern}," if u.folder == v.folder else ""
    if there is None or pictures is None:
        if not 0 <= len(frames.series) - len(u.series) <= 1:
            found = f"{flow} holds {len(u.series)} flow frames, and {rgb} holds {len(frames.series)} pictures"
            raise _mismatch(found, "flow")
        return
    missing, surplus = {*pictures[:-1]} - {*there}, {*there} - {*pictures}
    held = describe_ranges(find_ranges(pictures))
    if missing:
        lost = describe_ranges(find_ranges(missing))
        raise _mismatch(f"{flow} lacks the flow frames {lost}, and {rgb} holds pictures {held}", "flow")
    if surplus:
        found = describe_ranges(find_ranges(surplus))
        problem = f"{flow} holds the flow frames {found}, and {rgb} holds no such pictures, but {held}"
        raise _mismatch(problem, "pictures")


def _mismatch(problem: str, lost: str) -> VideoError:
    return VideoError(
        f"{problem}: flow frame k is the motion from picture k to k + 1",
        f"extract this video's {lost} again, or let flow be computed: --flow-algorithm tvl1",
    )
