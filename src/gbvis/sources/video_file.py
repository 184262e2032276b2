"""Video files, through PyAV: any container and codec that FFmpeg reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from gbvis.errors import GbvisError
from gbvis.fingerprint import hash_file
from gbvis.video import Frame, Video, VideoShape

if TYPE_CHECKING:  # what the store knows is not decoded, and then PyAV need not be loaded
    from av.container import InputContainer
    from av.video.frame import VideoFrame

_WORTH_DECODING = 64
"""Frames; a frame no further ahead is reached by decoding on, not by seeking."""

_SMALLEST_FRAME = 16
"""Bytes; an MPEG-4 packet below that is a placeholder for a frame that was coded in another packet, or for none."""


class VideoFile(Video):
    """A video file, decoded from the nearest key frame on.

    Frames are numbered in the order in which they are shown. Where the container tells each frame's time, the times
    are read without decoding and lead to any frame by seeking. AVI tells none, and with B-frames the times that FFmpeg
    makes up for it are wrong (HMDB-51 and UCF-101 have such files): these are counted by decoding them once and read
    from their beginning.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path.stem, str(path.absolute()), "rgb")
        self._path = path
        self._reader: _Reader | None = None

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the file."""
        try:
            return hash_file(self._path)
        except OSError as error:
            raise GbvisError(f"cannot read {self._path}: {error.strerror}", "check the file's permissions") from error

    @cached_property
    def shape(self) -> VideoShape:
        """Frame count, rate and upright size, from the container and the first frame."""
        with _opened(self._path) as container:
            stream = container.streams.video[0]
            rate = float(stream.average_rate) if stream.average_rate else None
            first = next(iter(_decode(container, self._path)), None)
        if first is None:
            raise GbvisError(f"{self._path} holds no frame that can be decoded", "check that the file plays")
        height, width = _upright(first).shape[:2]
        count = len(self._times) if self._times else sum(1 for _ in self._decode_from_start())
        return VideoShape(count, rate, width, height)

    @cached_property
    def _times(self) -> list[int]:
        """The frames' presentation times in order, in the stream's units; empty where they cannot be trusted."""
        promised, size = _promised_size(self._path), self._path.stat().st_size
        if promised is not None and size < promised:
            raise _cut_short(self._path, f"{size:,} of {promised:,} bytes are there")
        times: list[int | None] = []
        smallest, is_cut = _SMALLEST_FRAME, True
        with _opened(self._path) as container:
            has_times = container.format.name != "avi"
            for packet in container.demux(container.streams.video[0]):
                if packet.size:
                    is_cut = packet.is_corrupt  # of the last one, in the end
                    smallest = min(smallest, packet.size)
                    times += [] if packet.is_discard else [packet.pts]
        if is_cut:
            raise _cut_short(self._path, f"it ends within frame {len(times)}")
        known = [time for time in times if time is not None]
        is_plain = known == sorted(known) and smallest >= _SMALLEST_FRAME
        if len(known) == len(times) == len(set(known)) and (has_times or is_plain):
            return sorted(known)
        return []

    def read(self, number: int) -> Frame:
        """Return frame `number`: uint8 (height, width, 3), RGB.

        Reading on where the last call stopped costs no seek, so clips in order are decoded once.
        """
        frame = self._reader.go_to(number) if self._reader and self._reader.can_reach(number) else None
        if frame is None:  # too far away, or damage lies between: seek
            self._reader = _Reader(self._path, self._times, number)
            frame = self._reader.go_to(number)
        if frame is None:
            raise GbvisError(
                f"frame {number} of {self._path} cannot be decoded",
                "the file is damaged there: choose other frames with --start, or encode the video again",
            )
        return _upright(frame)

    def _decode_from_start(self) -> Iterator[VideoFrame]:
        with _opened(self._path) as container:
            yield from _decode(container, self._path)


class _Reader:
    """A decoder on its way through a file; it goes forward only."""

    def __init__(self, path: Path, times: list[int], number: int) -> None:
        self._is_seekable = bool(times)
        self._position = -1
        self._is_damaged = False
        self._frames = _number_frames(path, times, number)

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


def _number_frames(path: Path, times: list[int], number: int) -> Iterator[tuple[int, VideoFrame]]:
    """Yield frames and their numbers, from the last key frame before `number` on; from the beginning without times.

    Containers index decoding times, which lie before the times of showing, so that a seek may land behind the frame:
    then go further back.
    """
    number_of = {time: index for index, time in enumerate(times)}
    back = 0 if times else number
    while True:
        with _opened(path) as container:
            if back < number:
                container.seek(times[number - back], stream=container.streams.video[0])
            decoded = _decode(container, path)
            known = ((number_of[f.pts], f) for f in decoded if f.pts is not None and f.pts in number_of)
            frames = known if times else enumerate(decoded)
            first = next(frames, None)
            if back >= number or (first is not None and first[0] <= number):
                yield from chain([first] if first else [], frames)
                return
        back = 2 * back + 1


def read(location: str, modality: str, dataset: Path | None) -> Video | None:
    """Return the video file at `location`, or None where there is no file, or flow is wanted.

    Raises:
        GbvisError: It is a file, and empty.
    """
    path = Path(location)
    if modality == "flow" or not path.is_file():
        return None
    if path.stat().st_size == 0:
        raise GbvisError(f"{location} is empty: 0 bytes", "copy or encode the video again")
    return VideoFile(path)


def _promised_size(path: Path) -> int | None:
    """Return the size in bytes that a file's own headers give it, or None where they give none.

    AVI: the size of the first RIFF chunk. MP4 and MOV: the end of the last box. Matroska: the end of the Segment,
    whose size is an EBML number of up to 8 bytes; its first byte's leading zeros tell its length, all ones mean
    unknown (RFC 8794, part 4; RFC 9559, part 4.5).
    """
    with path.open("rb") as file:
        head = file.read(4096)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            return _end_of_boxes(file)
    if head[:4] == b"RIFF":
        size = int.from_bytes(head[4:8], "little")
        return 8 + size if 0 < size < 0xFFFFFFFF else None
    place = head.find(b"\x18\x53\x80\x67") + 4
    if head[:4] == b"\x1a\x45\xdf\xa3" and 4 <= place < len(head) - 8 and head[place]:
        length = 9 - head[place].bit_length()
        size = int.from_bytes(head[place : place + length]) & (1 << 7 * length) - 1
        return place + length + size if size != (1 << 7 * length) - 1 else None
    return None


def _end_of_boxes(file: BinaryIO) -> int | None:
    """Return where the last top-level box of an ISO media file ends (ISO/IEC 14496-12, part 4.2)."""
    place = 0
    while True:
        file.seek(place)
        header = file.read(16)
        if len(header) < 8:
            return place + len(header) if header else place
        size = int.from_bytes(header[:4])
        if size == 1:  # the size is too large for 4 bytes
            size = int.from_bytes(header[8:])
        if size < 8:  # 0: up to the end, wherever that is
            return None
        place += size


def _cut_short(path: Path, found: str) -> GbvisError:
    return GbvisError(f"{path} is cut short: {found}", "copy the video again whole")


def _reason(error: Exception) -> str:
    """Return FFmpeg's or the system's words, without its numbers and call names."""
    return getattr(error, "strerror", None) or str(error)


def _opened(path: Path) -> InputContainer:
    """Open `path` for decoding; `file:` keeps FFmpeg from reading a colon in the name as a protocol."""
    import av

    try:
        container = av.open(f"file:{path.absolute()}", metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise GbvisError(
            f"{path} is no video that can be read: {_reason(error)}",
            "check that the file plays and was copied whole",
        ) from error
    if not container.streams.video:
        container.close()
        raise GbvisError(f"{path} holds no video stream", "give a file with pictures in it")
    return container


def _decode(container: InputContainer, path: Path) -> Iterator[VideoFrame]:
    import av

    try:
        yield from container.decode(video=0)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise GbvisError(
            f"{path} cannot be decoded: {_reason(error)}",
            "the file is damaged: encode or copy the video again",
        ) from error


def _upright(frame: VideoFrame) -> Frame:
    """Return the picture as a player shows it: uint8 (height, width, 3), RGB."""
    return np.rot90(frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False), round(frame.rotation / 90))
