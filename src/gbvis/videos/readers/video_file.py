"""Video files, through PyAV: any container and codec that FFmpeg reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gbvis.errors import GbvisError, VideoError
from gbvis.provenance import hash_file
from gbvis.videos.readers.container_headers import check_headers
from gbvis.videos.video import LARGEST_FRAME, Frame, Video, VideoShape

if TYPE_CHECKING:  # what the store knows is not decoded, and then PyAV need not be loaded
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_WORTH_DECODING = 64
"""Frames; a frame no further ahead is reached by decoding on, not by seeking."""

_LISTS = {"concat", "hls", "dash", "webm_dash_manifest", "image2", "sdp", "rtsp", "rtp", "sap", "lavfi"}
"""Formats that hold no frames but say where to get them: from any other file, itself too, or from the network."""

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
            raise VideoError(f"cannot read {self._path}: {error.strerror}", "check the file's permissions") from error

    @cached_property
    def shape(self) -> VideoShape:
        """Frame count, rate and upright size, from the container and the first frame."""
        times = self._times  # they know first whether the file is whole
        with _opened(self._path) as container:
            stream = container.streams.video[0]
            rate = float(stream.average_rate) if stream.average_rate else None
            first = next(iter(_decode(container, self._path)), None)
        if first is None:
            raise VideoError(f"{self._path} holds no frame that can be decoded", "check that the file plays")
        height, width = _upright(first, self._path).shape[:2]
        count = len(times) if times else sum(1 for _ in self._decode_from_start())
        return VideoShape(count, rate, width, height)

    @cached_property
    def _times(self) -> list[int]:
        """The frames' presentation times in order, in the stream's units; empty where they cannot be trusted."""
        check_headers(self._path)
        times: list[int | None] = []
        smallest, is_cut = _SMALLEST_FRAME, True
        with _opened(self._path) as container:
            has_times = container.format.name != "avi"
            for packet in _read_packets(container, self._path):
                if packet.size:
                    is_cut = packet.is_corrupt  # of the last one, in the end
                    smallest = min(smallest, packet.size)
                    times += [] if packet.is_discard else [packet.pts]
        if is_cut:
            found = f"it ends within frame {len(times)}"
            raise VideoError(f"{self._path} is cut short: {found}", "copy the video again whole")
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
            raise VideoError(
                f"frame {number} of {self._path} cannot be decoded",
                "the file is damaged there: choose other frames with --start, or encode the video again",
            )
        return _upright(frame, self._path)

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
                _seek(container, times[number - back])
            decoded = _decode(container, path)
            known = ((number_of[f.pts], f) for f in decoded if f.pts is not None and f.pts in number_of)
            frames = known if times else enumerate(decoded)
            first = next(frames, None)
            if back >= number or (first is not None and first[0] <= number):
                yield from chain([first] if first else [], frames)
                return
        back = 2 * back + 1


def read(path: Path) -> VideoFile:
    """Return the video file at `path`.

    Raises:
        GbvisError: It is empty.
        OSError: It is not there.
    """
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty: 0 bytes", "copy or encode the video again")
    return VideoFile(path)


@contextmanager
def _naming(path: Path, what: str, hint: str) -> Iterator[None]:
    """Have errors of FFmpeg's and the system's name the file, in their own words without numbers and call names."""
    import av

    try:
        yield
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise VideoError(f"{path} {what}: {reason}", hint) from error


def _naming_damage(path: Path) -> AbstractContextManager[None]:
    return _naming(path, "cannot be decoded", "the file is damaged: encode or copy the video again")


def _opened(path: Path) -> InputContainer:
    """Open `path` for decoding; `file:` keeps FFmpeg from reading a colon in the name as a protocol."""
    import av

    limits = {"max_pixels": str(LARGEST_FRAME)}
    options = {**limits, "format_whitelist": _self_contained_formats()}
    with _naming(path, "is no video that can be read", "check that the file plays and was copied whole"):
        container = av.open(f"file:{path.absolute()}", metadata_errors="replace", options=options)
    if not container.streams.video:
        container.close()
        raise VideoError(f"{path} holds no video stream", "give a file with pictures in it")
    context = container.streams.video[0].codec_context
    if context is None:
        container.close()
        raise VideoError(f"{path} is of a codec that FFmpeg does not know", "write the video again, as H.264 say")
    if context.width * context.height > LARGEST_FRAME:
        container.close()
        claimed = f"{context.width}x{context.height} pixels, and gbvis reads up to {LARGEST_FRAME:,} of them"
        hint = "scale the video down, or copy it again where that is not its size"
        raise VideoError(f"{path} claims frames of {claimed}", hint)
    context.options = limits
    return container


@cache
def _self_contained_formats() -> str:
    """Return the formats that FFmpeg reads, without those that are lists of other files or addresses."""
    import av

    return ",".join(sorted(av.formats_available - _LISTS))


def _seek(container: InputContainer, time: int) -> None:
    """Go to the last key frame before a time; where the file is too damaged for that, the beginning leads there too."""
    import av

    with suppress(av.FFmpegError, OSError, ValueError):
        container.seek(time, stream=container.streams.video[0])


def _read_packets(container: InputContainer, path: Path) -> Iterator[Packet[VideoStream]]:
    """Yield the packets of the pictures, in the order of the file, an empty one at the end."""
    with _naming_damage(path):
        yield from container.demux(container.streams.video[0])


def _decode(container: InputContainer, path: Path) -> Iterator[VideoFrame]:
    with _naming_damage(path):
        yield from container.decode(video=0)


def _upright(frame: VideoFrame, path: Path) -> Frame:
    """Return the picture as a player shows it: uint8 (height, width, 3), RGB."""
    with _naming_damage(path):
        pixels = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
    return np.rot90(pixels, round(frame.rotation / 90))
