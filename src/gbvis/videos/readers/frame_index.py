"""The frames of a video file: how many there are, when each is shown, and whether its time leads to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from gbvis.errors import GbvisError, VideoError
from gbvis.videos.readers.coded_picture import INSPECTED, ONE_A_PACKET, count_shown, is_shown_later, jpeg_size
from gbvis.videos.readers.container import decode, opened, read_packets, tell_choice
from gbvis.videos.readers.container_headers import check_headers

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

_TELLING = {"mov", "matroska", "mpegts", "mpeg", "flv", "live_flv", "ogg", "nut", "ivf", "gif", "apng"}
"""Containers that store when a frame is shown. AVI, ASF, MXF and others store when it is decoded, bare streams
nothing: there, FFmpeg makes the times up, and they are wrong where frames are stored in another order."""

_TRIED = 24
"""Frames at the beginning that are decoded to see whether they come as the packets say."""

_STEADY = 0.001
"""Seconds; containers that count milliseconds round each time."""

_SLOWEST, _FASTEST = 1e-3, 1000.0
"""Frames per second that a rate can be believed to be."""

_JUMP, _JUMP_TIMES = 1.0, 10
"""Seconds, and times the second-longest step: a step in time above both is a jump."""


Place = tuple[int | None, int | None]
"""Of a packet: its first byte in the file, and its time."""


@dataclass(frozen=True)
class FrameIndex:
    """The frames of a video file, in the order in which they are shown.

    Attributes:
        count: How many there are.
        times: Their times in the stream's units, rising; empty where these do not lead to the frames.
        keys: The times at which decoding can begin, rising.
        places: Of each packet its place in the file and its time, as they are when the file is read from its beginning;
            empty where a packet has no place of its own: its time was counted on from one before; or where what is
            decoded depends on where decoding begins.
        rate: Frames per second, or None.
        seconds: Their times in seconds after the first; None where they follow from the rate.
        notices: What a user should know of them, a sentence each.
    """

    count: int
    times: tuple[int, ...]
    keys: tuple[int, ...]
    places: frozenset[Place]
    rate: float | None
    seconds: tuple[float, ...] | None
    notices: tuple[str, ...] = ()

    @cached_property
    def number_of(self) -> dict[int, int]:
        """The number of the frame at each time."""
        return {time: number for number, time in enumerate(self.times)}


@dataclass
class _Packets:
    """What the packets of a file say.

    Attributes:
        times: Of the packets that show a frame.
        decoding_times: Of all packets that have one, in the order of the file.
        keys: The times of key frames.
        places: Where packets lie.
        is_plain: True where each packet is known to show one frame or none.
        is_in_order: True where no packet can be shown before one that is stored earlier.
        is_cut: True where the last one is not whole.
        sizes: Of the pictures, where the decoder's state depends on them.
    """

    times: list[int | None] = field(default_factory=list)
    decoding_times: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    places: set[Place] = field(default_factory=set)
    is_plain: bool = True
    is_in_order: bool = True
    is_cut: bool = True
    sizes: set[bytes] = field(default_factory=set)

    @property
    def are_sound(self) -> bool:
        """Whether each frame has a time of its own, and the file does not go back in time."""
        known = [time for time in self.times if time is not None]
        is_unique = len(known) == len(self.times) == len(set(known))
        return is_unique and all(before <= after for before, after in pairwise(self.decoding_times))


def make_index(path: Path) -> FrameIndex:
    """Return the frames of a video file; most files need not be decoded for it.

    Times are believed where the container stores them or the codec keeps the order of the file, and where the first
    frames come out of the decoder at the times of the first packets. Otherwise all frames are decoded once.

    Raises:
        GbvisError: The file is cut short or damaged, or holds no frame.
    """
    check_headers(path)
    with opened(path) as (container, stream):
        choice = tell_choice(container, path)
        packets = _scan(container, stream, path)
        is_telling = container.format.name.split(",")[0] in _TELLING
        is_avi = container.format.name == "avi"
        base, rates = stream.time_base or Fraction(1), (stream.average_rate, stream.guessed_rate)
    if packets.is_cut:
        found = f"it ends within frame {len(packets.times)}"
        raise VideoError(f"{path} is cut short: {found}", "copy the video again whole")
    times: list[int] | None = None
    if packets.is_plain and packets.are_sound and (is_telling or packets.is_in_order):
        times = _try(path, sorted(time for time in packets.times if time is not None))
    count, times = (len(times), times) if times is not None else _decode_all(path, is_telling)
    shown_at = None if is_avi or not times else [float((time - times[0]) * base) for time in times]
    rate = _choose_rate(rates, shown_at)
    keys = tuple(sorted(packets.keys))
    are_placed = all(place is not None for place, _ in packets.places) and len(packets.sizes) < 2
    places = frozenset(packets.places if are_placed else ())
    notices = tuple(notice for notice in (choice, _tell_jump(shown_at or [], path)) if notice)
    return FrameIndex(count, tuple(times), keys, places, rate, _own_seconds(shown_at, rate), notices)


def _scan(container: InputContainer, stream: VideoStream, path: Path) -> _Packets:
    """Read all packets without decoding them."""
    codec = stream.codec_context.codec
    found = _Packets(is_plain=codec.name in ONE_A_PACKET)
    for packet in read_packets(container, stream, path):
        if packet.size:
            found.is_cut = packet.is_corrupt  # of the last one, in the end
            _note(found, packet, codec.name, codec.reorder)
    return found


def _note(found: _Packets, packet: Packet[VideoStream], codec: str, can_reorder: bool) -> None:
    data = bytes(packet) if codec in INSPECTED else b""
    shown = count_shown(codec, data) if found.is_plain else None
    found.is_plain = shown is not None
    found.is_in_order = found.is_in_order and not (can_reorder and is_shown_later(codec, data))
    if codec == "mjpeg":
        found.sizes.add(jpeg_size(data))
    found.places.add((packet.pos, packet.pts))
    if packet.dts is not None:
        found.decoding_times.append(packet.dts)
    if shown != 0 and not packet.is_discard:
        found.times.append(packet.pts)
    if packet.is_keyframe and packet.pts is not None:
        found.keys.append(packet.pts)


def _try(path: Path, times: list[int]) -> list[int] | None:
    """Return the times of what is shown, or None where the first frames do not come at these times.

    What a recording begins with may need frames before it, and is not shown.
    """
    first: list[int | None] = []
    try:
        with opened(path) as (container, stream):
            first.extend(frame.pts for frame in islice(decode(container, stream, path), _TRIED))
        is_end = len(first) < _TRIED
    except GbvisError:  # a damaged frame is a frame too: who asks for it is told
        is_end = False
        if not first:
            raise
    if not first:
        raise no_frame(path)
    times = times[times.index(first[0]) if first[0] in times else 0 :]
    return times if first == (times if is_end else times[: len(first)]) else None


def _decode_all(path: Path, is_telling: bool) -> tuple[int, list[int]]:
    """Return how many frames there are, and their times where they come in order: then they lead to the frames."""
    with opened(path) as (container, stream):
        found = [frame.pts for frame in decode(container, stream, path)]
        is_delayed = stream.codec_context.has_b_frames
    if not found:
        raise no_frame(path)
    times = [time for time in found if time is not None]
    is_rising = len(times) == len(found) and all(before < after for before, after in pairwise(times))
    return len(found), times if is_rising and (is_telling or not is_delayed) else []


def no_frame(path: Path) -> VideoError:
    """Return the error for a file without a frame."""
    return VideoError(f"{path} holds no frame that can be decoded", "check that the file plays")


def _choose_rate(rates: Iterable[Fraction | None], shown_at: list[float] | None) -> float | None:
    """Return frames per second: FFmpeg's average, else its guess, else what the frames' times make.

    A rate that is twice or half of what the times make is none.
    """
    length = shown_at[-1] if shown_at else 0
    measured = (len(shown_at) - 1) / length if shown_at and length > 0 else None
    low, high = (measured / 2, measured * 2) if measured else (_SLOWEST, _FASTEST)
    believed = [float(rate) for rate in rates if rate and low <= rate <= high]
    return believed[0] if believed else measured


def _own_seconds(shown_at: list[float] | None, rate: float | None) -> tuple[float, ...] | None:
    if shown_at is None:
        return None
    is_steady = rate and all(abs(time - number / rate) <= _STEADY for number, time in enumerate(shown_at))
    return None if is_steady else tuple(shown_at)


def _tell_jump(shown_at: list[float], path: Path) -> str | None:
    """Return a sentence about the one step in time that is far longer than all others; None where there is none.

    Where the rate varies, as in recordings of screens, there are long steps of many lengths.
    """
    steps = sorted((after - before, number) for number, (before, after) in enumerate(pairwise(shown_at)))
    if len(steps) < 2 or steps[-1][0] <= max(_JUMP, _JUMP_TIMES * steps[-2][0]):
        return None
    jump, number = steps[-1]
    return f"{path}: between frames {number} and {number + 1} its time jumps by {jump:.1f} s"
