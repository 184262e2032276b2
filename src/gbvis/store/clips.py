"""Clips: what networks saw. The runs of one video and modality share them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from gbvis.provenance import digest_of
from gbvis.store.array import StoredArray
from gbvis.store.group import StoredGroup
from gbvis.store.keys import clips_key
from gbvis.store.storage import Storage
from gbvis.store.transaction import transaction
from gbvis.videos.clip import ClipFormat, ClipPixels, Size, fingerprint_for
from gbvis.videos.video import Video, VideoShape

_LONGEST = 1 << 26
"""Frames, three weeks of video: so that no record makes `--clips all` fill the memory."""

PIXEL_AXES = ("clip", "time", "y", "x", "channel")


@dataclass(kw_only=True)
class StoredClips(StoredGroup):
    """A set of clips of a store.

    Attributes:
        video: The video's true name.
        modality: `rgb` or `flow`.
        fingerprint: Of what the network sees of the video.
        frames: Per clip its frame numbers.
        geometry: How frames became pixels.
        location: Where it was read from.
        frame_count: Its number of frames.
        rate: Its frames per second, or None.
        source_size: Height and width of the first clip's first frame, pixels.
        source_box: The clips' square in that frame's pixels: left, top, right, bottom.
        flow: How motion came about, where more was done than reading it.
        source_sizes: Per clip and frame its height and width, where not all are of one size.
        seconds: Per clip and frame when it is shown, counted from the video's first, where the rate does not tell it.
    """

    video: str
    modality: str
    fingerprint: str
    frames: list[list[int]]
    geometry: dict[str, Any]
    location: str
    frame_count: int
    rate: float | None
    source_size: tuple[int, int]
    source_box: tuple[float, float, float, float]
    flow: dict[str, Any] = field(default_factory=dict)
    source_sizes: list[list[Size]] = field(default_factory=list)
    seconds: list[list[float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        pixels, numbers = self.arrays["pixels"], {number for clip in self.frames for number in clip}
        count, time, side = pixels.shape[:3]
        is_whole = pixels.chunks and count == len(self.frames) and {len(clip) for clip in self.frames} == {time}
        if not is_whole or pixels.shape[3:] != (side, 3 if self.modality == "rgb" else 2):
            raise ValueError("its frames and pixels do not go together")
        left, top, right, bottom = self.source_box
        if not (min(numbers) >= 0 and max(numbers) < self.frame_count < _LONGEST and left < right and top < bottom):
            raise ValueError("its frames are of no video")
        for known in (self.source_sizes, self.seconds):
            if known and [len(clip) for clip in known] != [len(clip) for clip in self.frames]:
                raise ValueError("what is known of its frames is of others")
        if any(height < 1 or width < 1 for height, width in (self.source_size, *chain(*self.source_sizes))):
            raise ValueError("its frames have no pixels")

    @property
    def own_key(self) -> str:
        """The key of clips with these attributes."""
        return _key_of(self.video, self.fingerprint, self.modality, self.frames, self.geometry, self.flow)

    @property
    def digest(self) -> str:
        """The last part of the key."""
        return self.key.rsplit("/", 1)[1]

    @property
    def side(self) -> int:
        """Rows, and columns, of a clip."""
        return self.arrays["pixels"].shape[2]

    @property
    def video_shape(self) -> VideoShape | None:
        """What the video is like, or None where that is not known: when each of its frames is shown."""
        height, width = self.source_size
        return None if self.seconds else VideoShape(self.frame_count, self.rate, width, height)

    def box_of(self, size: Size) -> tuple[float, float, float, float]:
        """Return the clips' square in a frame of this height and width: left, top, right, bottom."""
        left, top, right, bottom = self.source_box
        if "shorter_side" in self.geometry:  # a square in the middle, of one share of the shorter side
            side = (right - left) * min(size) / min(self.source_size)
            top, left = ((length - side) / 2 for length in size)
            return left, top, left + side, top + side
        down, across = (new / old for new, old in zip(size, self.source_size, strict=True))
        return left * across, top * down, right * across, bottom * down

    def sizes_of(self, clip: int) -> list[Size]:
        """Return the height and width of each frame of a clip."""
        return self.source_sizes[clip] if self.source_sizes else [self.source_size] * len(self.frames[clip])

    def seconds_of(self, clip: int) -> list[float] | None:
        """Return when each frame of a clip is shown; None where nothing tells it."""
        if self.seconds:
            return self.seconds[clip]
        return [number / self.rate for number in self.frames[clip]] if self.rate else None

    def pixels(self, clip: int) -> ClipPixels:
        """Return what the network saw before normalisation: (time, y, x, channel), uint8 or, for motion, float32.

        Raises:
            GbvisError: It is missing or damaged.
        """
        return self._read_chunk("pixels", clip)


def key_of_clips(video: Video, clip_format: ClipFormat, frames: list[list[int]]) -> str:
    """Return the key of clips with these frames; nothing of the video has to be decoded."""
    fingerprint = fingerprint_for(video, clip_format)
    return _key_of(video.name, fingerprint, video.modality, frames, clip_format.geometry, video.flow_recipe)


def _key_of(
    video: str, fingerprint: str, modality: str, frames: list[list[int]], geometry: dict[str, Any], flow: dict[str, Any]
) -> str:
    decisive = {"video": fingerprint, "modality": modality, "frames": frames, "geometry": geometry, "flow": flow}
    return clips_key(video, modality, digest_of(decisive))


def write_clips(
    storage: Storage,
    video: Video,
    clip_format: ClipFormat,
    frames: list[list[int]],
    clips: Iterator[ClipPixels],
    force: bool,
    sizes: Mapping[int, Size],
) -> None:
    """Write clips, taken one at a time, as a group of the store.

    Args:
        storage: The store's files.
        video: What they are cut from.
        clip_format: How.
        frames: Per clip its frame numbers.
        clips: The clips.
        force: Replace clips that another process has made meanwhile.
        sizes: Of frames that are not of the video's own size, or of all; it may be filled while clips are taken.

    Raises:
        GbvisError: A frame cannot be read, or the store cannot be written.
    """
    key = key_of_clips(video, clip_format, frames)
    with transaction(storage, key, None if force else StoredClips) as group:
        shape = (len(frames), len(frames[0]), clip_format.crop, clip_format.crop, clip_format.channels)
        group.add_array("pixels", StoredArray(shape, clip_format.dtype, PIXEL_AXES))
        for clip in clips:
            group.write("pixels", clip)
        group.attributes = _describe(video, clip_format, frames, sizes)


def _describe(
    video: Video, clip_format: ClipFormat, frames: list[list[int]], sizes: Mapping[int, Size]
) -> dict[str, Any]:
    """Return the attributes of clips."""
    source = video.shape
    known = [[sizes.get(number, (source.height, source.width)) for number in clip] for clip in frames]
    height, width = known[0][0]
    attributes = {
        "video": video.name,
        "modality": video.modality,
        "fingerprint": fingerprint_for(video, clip_format),
        "frames": frames,
        "geometry": clip_format.geometry,
        "flow": video.flow_recipe,
        "location": video.location,
        "frame_count": source.frame_count,
        "rate": source.rate,
        "source_size": [height, width],
        "source_box": list(clip_format.source_box(replace(source, width=width, height=height))),
    }
    if len(set(chain(*known))) > 1:
        attributes["source_sizes"] = known
    if source.seconds:
        attributes["seconds"] = [[source.seconds[number] for number in clip] for clip in frames]
    return attributes
