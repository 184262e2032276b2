"""Clips: what networks saw. The runs of one video and modality share them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gbvis.provenance import digest_of
from gbvis.store.array import StoredArray
from gbvis.store.group import StoredGroup
from gbvis.store.keys import clips_key
from gbvis.store.storage import Storage
from gbvis.store.transaction import transaction
from gbvis.videos.clip import ClipFormat, ClipPixels, fingerprint_for
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
        source_size: Its height and width, pixels.
        source_box: The clips' square in the source's pixels: left, top, right, bottom.
        flow: How motion came about, where more was done than reading it.
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

    def __post_init__(self) -> None:
        pixels, numbers = self.arrays["pixels"], {number for clip in self.frames for number in clip}
        count, time, side = pixels.shape[:3]
        is_whole = pixels.chunks and count == len(self.frames) and {len(clip) for clip in self.frames} == {time}
        if not is_whole or pixels.shape[3:] != (side, 3 if self.modality == "rgb" else 2):
            raise ValueError("its frames and pixels do not go together")
        left, top, right, bottom = self.source_box
        if not (min(numbers) >= 0 and max(numbers) < self.frame_count < _LONGEST and left < right and top < bottom):
            raise ValueError("its frames are of no video")

    @property
    def own_key(self) -> str:
        """The key of clips with these attributes."""
        return _key_of(self.video, self.fingerprint, self.modality, self.frames, self.geometry, self.flow)

    @property
    def digest(self) -> str:
        """The last part of the key."""
        return self.key.rsplit("/", 1)[1]

    @property
    def video_shape(self) -> VideoShape:
        """What the video is like."""
        height, width = self.source_size
        return VideoShape(self.frame_count, self.rate, width, height)

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
) -> None:
    """Write clips, taken one at a time, as a group of the store.

    Raises:
        GbvisError: A frame cannot be read, or the store cannot be written.
    """
    key = key_of_clips(video, clip_format, frames)
    with transaction(storage, key, None if force else StoredClips) as group:
        shape = (len(frames), len(frames[0]), clip_format.crop, clip_format.crop, clip_format.channels)
        group.add_array("pixels", StoredArray(shape, clip_format.dtype, PIXEL_AXES))
        for clip in clips:
            group.write("pixels", clip)
        source = video.shape
        group.attributes = {
            "video": video.name,
            "modality": video.modality,
            "fingerprint": fingerprint_for(video, clip_format),
            "frames": frames,
            "geometry": clip_format.geometry,
            "flow": video.flow_recipe,
            "location": video.location,
            "frame_count": source.frame_count,
            "rate": source.rate,
            "source_size": [source.height, source.width],
            "source_box": list(clip_format.source_box(source)),
        }
