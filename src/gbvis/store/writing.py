"""What is written into a group of a store before it gets its name."""

from collections.abc import Mapping
from typing import Any

from gbvis.attribution.attribution import Attribution
from gbvis.provenance import digest_of
from gbvis.store.array import ArrayFormat
from gbvis.store.transaction import GroupWriter
from gbvis.videos.clip import ClipFormat, fingerprint_for
from gbvis.videos.video import Video

GRADIENT_AXES = ("clip", "channel", "time", "y", "x")
PIXEL_AXES = ("clip", "time", "y", "x", "channel")
MOTION_AXES = ("pair", "y", "x", "channel")


class RunWriter:
    """Writes the gradients and values of one run, clip by clip.

    Attributes:
        values: The target's value per clip, as far as written.
        attributes: What else to keep with the run; may be set until the context of `Store.writing` ends.
    """

    def __init__(self, group: GroupWriter, shape: tuple[int, ...]) -> None:
        self._group = group
        self._gradient = group.create_array("gradient", ArrayFormat.create(shape, "float32", GRADIENT_AXES))
        self._value = group.create_array("value", ArrayFormat.create(shape[:1], "float32", ("clip",), True))
        self.values: list[float] = []
        self.attributes: dict[str, Any] = {}

    def write(self, attribution: Attribution) -> None:
        """Write the next clip's gradient, and remember its value.

        Raises:
            GbvisError: It holds what is no number: such a run is given up, and never in the store.
        """
        attribution.check_numbers(len(self.values))
        self._gradient.write(attribution.gradient)
        self.values.append(attribution.value)

    def give_up(self) -> None:
        """Leave nothing of the run, when the context ends."""
        self._group.is_given_up = True

    def finish(self) -> None:
        """Write the values."""
        self._value.write(self.values)


def digest_of_clips(attributes: Mapping[str, Any]) -> str:
    """Return the digest of all that decides the pixels of a set of clips, of its attributes."""
    flow = {"flow": attributes["flow"]} if "flow" in attributes else {}
    return digest_of(
        {
            "video": attributes["fingerprint"],
            "frames": attributes["frames"],
            "modality": attributes["modality"],
            **attributes["geometry"],
            **flow,
        }
    )


def digest_of_flow(attributes: Mapping[str, Any]) -> str:
    """Return the digest of all that decides the estimated motion of a video, of its attributes."""
    return digest_of({name: attributes[name] for name in ("fingerprint", "estimation")})


def identify_clips(video: Video, clip_format: ClipFormat, frames: list[list[int]]) -> dict[str, Any]:
    """Return the attributes of a set of clips that decide its pixels; nothing of the video has to be decoded."""
    return {
        "fingerprint": fingerprint_for(video, clip_format),
        "modality": video.modality,
        "frames": frames,
        "geometry": clip_format.geometry,
        **({"flow": video.flow_recipe} if video.flow_recipe else {}),
    }


def describe_clips(video: Video, clip_format: ClipFormat) -> dict[str, Any]:
    """Return the other attributes of a set of clips: where they come from, and the way back to the source's pixels."""
    shape = video.shape
    return {
        "video": video.name,
        "location": video.location,
        "frame_count": shape.frame_count,
        "rate": shape.rate,
        "source_size": [shape.height, shape.width],
        "source_box": list(clip_format.source_box(shape)),
        "state": "complete",
    }
