"""What packets show, read from their first bits: a packet is not a frame."""

from collections.abc import Callable

ONE_A_PACKET = {
    *("h264", "hevc", "mpeg1video", "mpeg2video", "h263", "h263p", "flv", "msmpeg4v1", "msmpeg4v2", "msmpeg4v3"),
    *("wmv1", "wmv2", "av1", "libdav1d", "theora", "vp6", "vp6f", "vp6a", "gif", "mjpeg", "prores", "dnxhd", "ffv1"),
    *("huffyuv", "ffvhuff", "utvideo", "rawvideo", "dvvideo", "v210", "png", "apng", "jpeg2000", "mpeg4", "vp8", "vp9"),
    "libvpx-vp9",
}
"""Codecs each of whose packets shows one frame, or says that it does not."""

_VOP = b"\0\0\1\xb6"
"""What an MPEG-4 picture begins with; the next 2 bits are 2 for a B-frame (ISO/IEC 14496-2, part 6.2.5)."""

_SMALLEST_MPEG4 = 16
"""Bytes; a packet below that is a placeholder for a frame that was coded in another packet, or for none."""


def count_shown(codec: str, data: bytes) -> int | None:
    """Return how many frames a packet shows, 0 or 1; None where only decoding tells.

    Args:
        codec: FFmpeg's name of it, one of `ONE_A_PACKET`.
        data: The packet, of one that is `INSPECTED`.
    """
    count = _COUNTS.get(codec)
    return count(data) if count and data else 1


def is_shown_later(codec: str, data: bytes) -> bool:
    """Return whether a packet may be shown in another order than it is stored, where the codec allows for that."""
    if codec != "mpeg4":
        return True
    _, _, coded = data.partition(_VOP)
    return bool(coded) and coded[0] >> 6 == 2


def jpeg_size(data: bytes) -> bytes:
    """Return the 4 bytes that are a JPEG's height and width; none where there are none (ITU T.81, annex B).

    FFmpeg takes a picture of less than 3/4 of the height that the container tells for the first half of an interlaced
    one, where decoding begins with it: pictures of a stream whose size changes then come out woven together.
    """
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return data[place + 5 : place + 9]
        place += 1 if marker == 0xFF else 2 + int.from_bytes(data[place + 2 : place + 4])
    return b""


def _count_mpeg4(data: bytes) -> int | None:
    return 1 if len(data) >= _SMALLEST_MPEG4 and data.count(_VOP) < 2 else None


def _count_vp8(data: bytes) -> int:
    """Bit 4 of the first byte says `show_frame` (RFC 6386, part 9.1)."""
    return data[0] >> 4 & 1


def _count_vp9(data: bytes) -> int | None:
    """Count `show_frame` and `show_existing_frame` of the frames in a superframe (VP9 bitstream, part 6.2, annex B)."""
    shown = 0
    for start in _vp9_frames(data):
        bits = f"{data[start]:08b}"
        if bits[:2] != "10":
            return None
        skip = 5 if bits[2:4] == "11" else 4  # profile 3 has a reserved bit
        shown += bits[skip] == "1" or bits[skip + 2 : skip + 3] == "1"
    return shown if shown < 2 else None


def _vp9_frames(data: bytes) -> list[int]:
    """Return where the frames of a superframe begin, or 0 where it is a single one."""
    marker = data[-1]
    count, size = (marker & 7) + 1, (marker >> 3 & 3) + 1
    index = len(data) - 2 - count * size
    if marker >> 5 != 6 or index < 0 or data[index] != marker:
        return [0]
    starts = [0]
    for number in range(count - 1):
        place = index + 1 + number * size
        starts.append(starts[-1] + int.from_bytes(data[place : place + size], "little"))
    return [start for start in starts if start < index]


_COUNTS: dict[str, Callable[[bytes], int | None]] = {
    "mpeg4": _count_mpeg4,
    "vp8": _count_vp8,
    "vp9": _count_vp9,
    "libvpx-vp9": _count_vp9,
}

INSPECTED = {*_COUNTS, "mjpeg"}
"""Codecs whose packets are read here; of others only the codec counts."""
