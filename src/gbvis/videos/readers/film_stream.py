"""Which of a file's streams of pictures is the film: not a cover, a thumbnail, or a preview beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_MOST_PICTURES = 3
"""A stream of so many pictures or fewer is no film where there is one with more."""

_MOST_COUNTED = 1000
"""Packets of a film; what has `_MOST_PICTURES` or fewer by then is none."""

_MOST_READ = 1_000_000
"""Packets of anything that are looked at."""

_PICTURE_CODECS = {"mjpeg", "png", "bmp", "webp", "tiff", "jpeg2000"}
"""What covers of sound files are coded in."""

Counts = Mapping[int, int]
"""By a stream's number in the file its packets, counted until that is enough."""


def find_films(container: InputContainer, count: Callable[[], Counts]) -> list[VideoStream]:
    """Return the streams that may be the film, the one that is taken first; none where there are only covers.

    Of several, those marked as default go first, then larger pictures, then the first.

    Args:
        container: The file.
        count: Counts the packets; called where the container does not tell enough.
    """
    from av.stream import Disposition

    beside = Disposition.attached_pic | Disposition.timed_thumbnails
    films = [stream for stream in container.streams.video if not stream.disposition & beside]
    if container.streams.audio and len(films) == 1 and _is_picture(films[0]):
        films = films if films[0].frames > 1 or count().get(films[0].index, 0) > 1 else []
    if len(films) > 1 and any(film.frames <= _MOST_PICTURES for film in films):
        counts = count()
        longer = [film for film in films if max(film.frames, counts.get(film.index, 0)) > _MOST_PICTURES]
        films = longer or films
    return sorted(films, key=lambda film: (not film.disposition & Disposition.default, -_size(film), film.index))


def count_packets(container: InputContainer) -> Counts:
    """Count the packets of all streams of pictures until it is clear which of them hold more than a few."""
    counts = {stream.index: 0 for stream in container.streams.video}
    for number, packet in enumerate(container.demux(*container.streams.video)):
        if packet.size:
            counts[packet.stream_index] += 1
        is_clear = min(counts.values()) > _MOST_PICTURES or max(counts.values()) >= _MOST_COUNTED
        if is_clear or number >= _MOST_READ:
            break
    return counts


def describe_choice(films: list[VideoStream]) -> str | None:
    """Return in words which of several films is taken, or None where there is one."""
    if len(films) < 2:
        return None
    taken = films[0]
    others = ", ".join(f"stream {film.index}, {film.width}x{film.height}" for film in films[1:4])
    more = ", ..." if len(films) > 4 else ""
    return (
        f"it holds {len(films)} films; the one taken is stream {taken.index}, {taken.width}x{taken.height} "
        f"(not {others}{more})"
    )


def _is_picture(film: VideoStream) -> bool:
    return film.codec_context is not None and film.codec_context.name in _PICTURE_CODECS


def _size(film: VideoStream) -> int:
    context = film.codec_context
    return context.width * context.height if context is not None else 0
