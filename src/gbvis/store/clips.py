"""The clips that runs of one video and modality share, in a store."""

from typing import ClassVar

from gbvis.store.group import StoredGroup
from gbvis.store.keys import clips_key
from gbvis.store.metadata import ABSENT, NUMBER
from gbvis.store.writing import digest_of_clips
from gbvis.videos.clip import ClipPixels
from gbvis.videos.video import VideoShape


class StoredClips(StoredGroup):
    """The clips that runs of one video and modality share."""

    FORM: ClassVar = {
        "video": str,
        "modality": str,
        "fingerprint": str,
        "frames": [[int]],
        "frame_count": int,
        "rate": (None, *NUMBER),
        "source_size": [int],
        "source_box": [NUMBER],
        "geometry": dict,
        "flow": (ABSENT, dict),
    }
    ARRAYS: ClassVar = ("pixels",)

    @property
    def own_key(self) -> str:
        """The key of clips with these attributes."""
        return clips_key(self.attributes["video"], self.attributes["modality"], digest_of_clips(self.attributes))

    def _find_damage(self, is_thorough: bool) -> str | None:
        damage = super()._find_damage(is_thorough)
        if damage:
            return damage
        pixels = self._array("pixels")
        is_whole = pixels is not None and pixels.chunk_count == len(self.frames) > 0 and all(self.frames)
        is_placed = (len(self.attributes["source_size"]), len(self.attributes["source_box"])) == (2, 4)
        return None if is_whole and is_placed else "its frames and pixels do not go together"

    @property
    def digest(self) -> str:
        """The last part of the key."""
        return self.key.rsplit("/", 1)[1]

    @property
    def frames(self) -> list[list[int]]:
        """Per clip its frame numbers."""
        frames: list[list[int]] = self.attributes["frames"]
        return frames

    @property
    def video_shape(self) -> VideoShape:
        """What the video is like."""
        height, width = self.attributes["source_size"]
        return VideoShape(self.attributes["frame_count"], self.attributes["rate"], width, height)

    def pixels(self, clip: int) -> ClipPixels:
        """Return what the network saw before normalisation: (time, y, x, channel), uint8 or, for motion, float32."""
        return self._read("pixels", clip)
