"""Video files, through PyAV: any container and codec that FFmpeg reads."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator, Iterator
from contextlib import suppress
from functools import cached_property
from itertools import chain, dropwhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gbvis.errors import GbvisError, VideoError
from gbvis.provenance import hash_file
from gbvis.videos.readers.container import decode, decode_packets, naming_damage, opened, read_packets, seek
from gbvis.videos.readers.frame_index import FrameIndex, make_index, no_frame
from gbvis.videos.readers.upright import turn_by_matrix
from gbvis.videos.video import Frame, Video, VideoShape

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_WORTH_DECODING = 64
"""Frames; a frame no further ahead is reached by decoding on, not by seeking."""


class VideoFile(Video):
    """A video file, decoded from the nearest key frame on.

    Frames are numbered in the order in which they are shown. Where their times can be believed (`make_index`), any
    frame is reached by seeking; else frames are counted from the beginning.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path.stem, str(path.absolute()), "rgb")
        self._path = path
        self._reader: _Reader | None = None
        self._has_strayed = False

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the file."""
        try:
            return hash_file(self._path)
        except OSError as error:
            raise VideoError(f"cannot read {self._path}: {error.strerror}", "check the file's permissions") from error

    @property
    def notices(self) -> tuple[str, ...]:
        """What was found when the file was read; nothing before, since what the store knows is not read."""
        return self._index.notices if "_index" in vars(self) else ()

    @cached_property
    def shape(self) -> VideoShape:
        """Frame count, rate, seconds, and the upright size of the first frame."""
        index = self._index
        with opened(self._path) as (container, stream):
            first = next(decode(container, stream, self._path), None)
        if first is None:
            raise no_frame(self._path)
        height, width = _upright(first, self._path).shape[:2]
        return VideoShape(index.count, index.rate, width, height, index.seconds)

    @cached_property
    def _index(self) -> FrameIndex:
        return make_index(self._path)

    def read(self, number: int) -> Frame:
        """Return frame `number`: uint8 (height, width, 3), RGB.

        Reading on where the last call stopped costs no seek, so clips in order are decoded once.
        """
        frame = self._find(number)
        if frame is None:
            raise VideoError(
                f"frame {number} of {self._path} cannot be decoded",
                "the file is damaged there: choose other frames with --start, or encode the video again",
            )
        return _upright(frame, self._path)

    def _find(self, number: int) -> VideoFrame | None:
        try:
            if self._reader and self._reader.can_reach(number):
                frame = self._reader.go_to(number)
                if frame is not None:
                    return frame
            self._reader = self._begin(number)  # too far away, or damage lies between: seek
            return self._reader.go_to(number)
        except _Strayed:  # then do not seek in this file
            self._has_strayed = True
            self._reader = self._begin(number)
            with suppress(_Strayed):
                return self._reader.go_to(number)
            return None

    def _begin(self, number: int) -> _Reader:
        """Return a new reader that reaches frame `number`."""
        index = self._index
        if not index.times:
            return _Reader(_count_frames(self._path), is_seekable=False)
        if self._has_strayed or not index.places:
            return _Reader(_number_frames(self._path, index, None), is_seekable=False)
        return _Reader(_seek_frames(self._path, index, number), is_seekable=True)


class _Strayed(Exception):
    """After seeking, frames come at other times than when the file is read from its beginning."""


class _Reader:
    """A decoder on its way through a file; it goes forward only."""

    def __init__(self, frames: Iterator[tuple[int, VideoFrame]], is_seekable: bool) -> None:
        self._frames, self._is_seekable = frames, is_seekable
        self._position = -1
        self._is_damaged = False

    def can_reach(self, number: int) -> bool:
        """Return whether going on is possible, and cheaper than seeking."""
        distance = number - self._position
        return distance > 0 and (distance <= _WORTH_DECODING or not self._is_seekable)

    def go_to(self, number: int) -> VideoFrame | None:
        """Return frame `number`, or None where it is damaged or never comes."""
        with suppress(GbvisError):  # the caller knows which frame is missed, and that says more
            for position, frame in self._frames:
                self._position = position
                self._is_damaged = frame.is_corrupt or (self._is_damaged and not frame.key_frame)
                if position >= number:
                    return frame if position == number and not self._is_damaged else None
        return None


def _count_frames(path: Path) -> Iterator[tuple[int, VideoFrame]]:
    """Yield all frames from the beginning on, and their numbers."""
    with opened(path) as (container, stream):
        yield from enumerate(decode(container, stream, path))


def _seek_frames(path: Path, index: FrameIndex, number: int) -> Iterator[tuple[int, VideoFrame]]:
    """Yield frames and their numbers, from the last key frame before `number` on.

    Containers index decoding times, which lie before the times of showing, so that a seek may land behind the frame:
    then go further back, in the end to the beginning.
    """
    keys = index.keys[: bisect_right(index.keys, index.times[number])]
    back = 1
    while True:
        time = keys[-back] if back < len(keys) else None  # of the first key frame the beginning is as near
        frames = _number_frames(path, index, time)
        try:
            first = next(frames, None)
        except GbvisError:  # its format knows no seeking, or it is damaged there
            first = None
            if time is None:
                raise
        if time is None or (first is not None and first[0] <= number):
            yield from chain([first] if first else [], frames)
            return
        frames.close()
        back *= 2


def _number_frames(path: Path, index: FrameIndex, time: int | None) -> Generator[tuple[int, VideoFrame]]:
    """Yield the frames from the key frame at a time on, or from the beginning, and their numbers.

    Frames that follow a key frame in the file and are shown before it may need others before it: they are left out.
    """
    number_of = index.number_of
    with opened(path) as (container, stream):
        begin = index.times[0]
        packets = read_packets(container, stream, path)
        if time is not None:
            seek(container, stream, time)
            packets = dropwhile(lambda packet: not packet.is_keyframe, _check_places(packets, index))
            first = next(packets, None)
            if first is None or first.pts is None:
                return
            begin, packets = first.pts, chain([first], packets)
        for frame in decode_packets(packets, stream, path):
            if frame.pts is None or (frame.pts >= begin and frame.pts not in number_of):
                raise _Strayed
            if frame.pts >= begin:
                yield number_of[frame.pts], frame


def _check_places(packets: Iterator[Packet[VideoStream]], index: FrameIndex) -> Iterator[Packet[VideoStream]]:
    """Yield packets as long as they have the times that they have when the file is read from its beginning.

    Where not all packets bring a time, FFmpeg counts on from those that do, and after seeking it may do so otherwise.
    """
    for packet in packets:
        if packet.size and (packet.pos, packet.pts) not in index.places:
            raise _Strayed
        yield packet


def read(path: Path) -> VideoFile:
    """Return the video file at `path`.

    Raises:
        GbvisError: It is empty.
        OSError: It is not there.
    """
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty: 0 bytes", "copy or encode the video again")
    return VideoFile(path)


def _upright(frame: VideoFrame, path: Path) -> Frame:
    """Return the picture as a player shows it: uint8 (height, width, 3), RGB."""
    with naming_damage(path):
        pixels = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
    side_data: Any = frame.side_data  # PyAV types it as a dictionary
    matrices = [bytes(data) for data in side_data if data.type.name == "DISPLAYMATRIX"]
    return turn_by_matrix(pixels, matrices[0] if matrices else None)
