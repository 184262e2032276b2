"""The clips that runs of one video and modality share, in a store."""

from gbvis.clip import ClipPixels
from gbvis.store.group import StoredGroup
from gbvis.store.key import clips_key
from gbvis.store.writing import digest_of_clips
from gbvis.video import VideoShape


class StoredClips(StoredGroup):
    """The clips that runs of one video and modality share."""

    NAMES = (
        "video",
        "modality",
        "fingerprint",
        "frames",
        "frame_count",
        "rate",
        "source_size",
        "source_box",
        "geometry",
    )
    ARRAYS = ("pixels",)

    @property
    def own_key(self) -> str:
        """The key of clips with these attributes."""
        return clips_key(self.attributes["video"], self.attributes["modality"], digest_of_clips(self.attributes))

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
