"""Video files opened through PyAV: limits, the stream that is the film, and what is said of a file that is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from gbvis.errors import GbvisError, VideoError
from gbvis.videos.readers.film_stream import Counts, count_packets, describe_choice, find_films
from gbvis.videos.video import LARGEST_FRAME

if TYPE_CHECKING:  # what the store knows is not decoded, and then PyAV need not be loaded
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_LIMITS = {"max_pixels": str(LARGEST_FRAME)}

_LISTS = {"concat", "hls", "dash", "webm_dash_manifest", "image2", "sdp", "rtsp", "rtp", "sap", "lavfi"}
"""Formats that hold no frames but say where to get them: from any other file, itself too, or from the network."""


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open `path` for decoding, and give its container and the stream that is the film.

    Raises:
        GbvisError: It is no video, or one that cannot be read.
    """
    with _open(path) as container:
        stream = _find_films(container, path)[0]
        _check_codec(stream, path)
        stream.codec_context.options = dict(_LIMITS)
        yield container, stream


def tell_choice(container: InputContainer, path: Path) -> str | None:
    """Return which film of several is taken, in a sentence, or None where there is one."""
    choice = describe_choice(_find_films(container, path))
    return f"{path}: {choice}" if choice else None


def _open(path: Path) -> InputContainer:
    import av

    options = {**_LIMITS, "format_whitelist": _self_contained_formats()}
    with _naming(path, "is no video that can be read", "check that the file plays and was copied whole"):
        # `file:` keeps FFmpeg from reading a colon in the name as a protocol
        return av.open(f"file:{path.absolute()}", metadata_errors="replace", options=options)


def _find_films(container: InputContainer, path: Path) -> list[VideoStream]:
    def count() -> Counts:
        with naming_damage(path):
            stat = path.stat()
            return _count_packets(path, stat.st_size, stat.st_mtime_ns)

    films = find_films(container, count)
    if not films:
        raise VideoError(f"{path} holds {_list_contents(container)} and no video", "give a file with moving pictures")
    return films


@lru_cache(maxsize=256)
def _count_packets(path: Path, size: int, changed: int) -> Counts:  # the last two tell another file of this name
    with _open(path) as container:
        return count_packets(container)


def _list_contents(container: InputContainer) -> str:
    """Return in words what is in a file that holds no video."""
    kinds = (
        ("sound", container.streams.audio),
        ("a cover picture", container.streams.video),
        ("subtitles", container.streams.subtitles),
    )
    return ", ".join(name for name, streams in kinds if streams) or "something else"


def _check_codec(stream: VideoStream, path: Path) -> None:
    context = stream.codec_context
    if context is None:
        raise VideoError(f"{path} is of a codec that FFmpeg does not know", "write the video again, as H.264 say")
    if context.width * context.height > LARGEST_FRAME:
        claimed = f"{context.width}x{context.height} pixels, and gbvis reads up to {LARGEST_FRAME:,} of them"
        hint = "scale the video down, or copy it again where that is not its size"
        raise VideoError(f"{path} claims frames of {claimed}", hint)


@cache
def _self_contained_formats() -> str:
    """Return the formats that FFmpeg reads, without those that are lists of other files or addresses."""
    import av

    return ",".join(sorted(av.formats_available - _LISTS))


def seek(container: InputContainer, stream: VideoStream, time: int) -> None:
    """Go to a key frame before a time.

    Raises:
        GbvisError: The file is too damaged for that, or its format knows no seeking.
    """
    import av

    try:
        container.seek(time, stream=stream)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"time {time} cannot be found", "read from the beginning") from error


def read_packets(container: InputContainer, stream: VideoStream, path: Path) -> Iterator[Packet[VideoStream]]:
    """Yield the packets of the film in the order of the file, an empty one at the end."""
    with naming_damage(path):
        for packet in container.demux(stream):
            if packet.size or packet.dts is None:  # an empty one in between repeats a picture, and decodes to none
                yield packet


def decode(container: InputContainer, stream: VideoStream, path: Path) -> Iterator[VideoFrame]:
    """Yield the frames from where the container stands, in the order in which they are shown."""
    yield from decode_packets(read_packets(container, stream, path), stream, path)


def decode_packets(packets: Iterator[Packet[VideoStream]], stream: VideoStream, path: Path) -> Iterator[VideoFrame]:
    """Yield the frames of packets; those before the first that can be decoded, as a recording begins, are left out.

    Raises:
        GbvisError: One cannot be decoded.
    """
    import av

    failed: av.FFmpegError | None = None
    has_begun = False
    with naming_damage(path):
        for packet in packets:
            try:
                frames = packet.decode()
            except av.InvalidDataError as error:
                if has_begun:
                    raise
                failed, frames = error, []
            has_begun = has_begun or bool(frames)
            yield from frames
    if failed and not has_begun:
        raise _undecodable(stream, path, failed.strerror)


def _undecodable(stream: VideoStream, path: Path, why: str | None) -> GbvisError:
    """Return the error for a file of which no picture at all can be decoded, which may be whole."""
    codec, form = stream.codec_context.name, stream.container.format.name.split(",")[0].removesuffix("_pipe")
    found = f"{codec} in {form}" if codec != form else f"{'animated ' if codec == 'webp' else ''}{codec}"
    return VideoError(
        f"{path} is {found}, and this FFmpeg decodes no picture of it: {why}",
        "check that the file plays; if it does, write it again as H.264 in MP4, or as a folder of frames",
    )


@contextmanager
def _naming(path: Path, what: str, hint: str) -> Iterator[None]:
    """Have errors of FFmpeg's and the system's name the file, in their own words without numbers and call names."""
    import av

    try:
        yield
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise VideoError(f"{path} {what}: {reason}", hint) from error


def naming_damage(path: Path) -> AbstractContextManager[None]:
    """Have errors of decoding name the file."""
    return _naming(path, "cannot be decoded", "the file is damaged: encode or copy the video again")
