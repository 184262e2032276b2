"""What is written into a group of a store before it gets its name."""

from typing import TYPE_CHECKING, Any

import numpy as np

from gbvis.attribution import Attribution
from gbvis.clip import ClipFormat, fingerprint_for
from gbvis.fingerprint import digest_of
from gbvis.video import Video

if TYPE_CHECKING:
    import zarr

GRADIENT_AXES = ("clip", "channel", "time", "y", "x")
PIXEL_AXES = ("clip", "time", "y", "x", "channel")
MOTION_AXES = ("pair", "y", "x", "channel")


class RunWriter:
    """Writes the gradients and values of one run, clip by clip.

    Attributes:
        values: The target's value per clip, as far as written.
        attributes: What else to keep with the run; may be set until the context of `Store.writing` ends.
    """

    def __init__(self, group: "zarr.Group", shape: tuple[int, ...]) -> None:
        self._gradient = create_array(group, "gradient", shape, "float32", GRADIENT_AXES)
        self._value = create_array(group, "value", shape[:1], "float32", ("clip",))
        self.values: list[float] = []
        self.attributes: dict[str, Any] = {}

    def write(self, attribution: Attribution) -> None:
        """Write the next clip's gradient and value."""
        clip = len(self.values)
        self._gradient[clip] = attribution.gradient
        self._value[clip] = attribution.value
        self.values.append(attribution.value)


def create_array(
    group: "zarr.Group", name: str, shape: tuple[int, ...], dtype: str, axes: tuple[str, ...], is_flat: bool = False
) -> "zarr.Array[Any]":
    """Create an array with a chunk per clip, checksummed; zeros are written too, so a missing chunk is an error.

    Args:
        group: Where.
        name: The array's name.
        shape: Its shape; the first axis counts the chunks.
        dtype: Of its values.
        axes: Their names.
        is_flat: Put all chunks into one folder: Zarr's default makes a folder for each axis of each chunk.
    """
    from zarr.codecs import BloscCodec, Crc32cCodec

    item = np.dtype(dtype).itemsize
    return group.create_array(
        name,
        shape=shape,
        chunks=(1, *shape[1:]),
        dtype=dtype,
        dimension_names=list(axes),
        chunk_key_encoding={"name": "default", "separator": "." if is_flat else "/"},
        compressors=[BloscCodec(cname="zstd", clevel=1, shuffle="shuffle", typesize=item), Crc32cCodec()],
        config={"write_empty_chunks": True},
    )


def digest_of_clips(video: Video, clip_format: ClipFormat, frames: list[list[int]]) -> str:
    """Return the digest of all that decides the pixels of a set of clips."""
    return digest_of(
        {
            "video": fingerprint_for(video, clip_format),
            "frames": frames,
            "modality": video.modality,
            **clip_format.geometry,
            **_flow_of(video),
        }
    )


def describe_clips(video: Video, clip_format: ClipFormat, frames: list[list[int]]) -> dict[str, Any]:
    """Return the attributes of a set of clips: where they come from, and the way back to the source's pixels."""
    shape = video.shape
    return {
        "video": video.name,
        "location": video.location,
        "fingerprint": fingerprint_for(video, clip_format),
        "modality": video.modality,
        "frames": frames,
        "frame_count": shape.frame_count,
        "rate": shape.rate,
        "source_size": [shape.height, shape.width],
        "source_box": list(clip_format.source_box(shape)),
        "geometry": clip_format.geometry,
        **_flow_of(video),
        "state": "complete",
    }


def _flow_of(video: Video) -> dict[str, Any]:
    return {"flow": video.flow_recipe} if video.flow_recipe else {}
