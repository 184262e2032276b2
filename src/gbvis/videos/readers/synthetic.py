"""Samples, `sample:turn-left-3`: videos that gbvis draws, and whose flow it knows."""

import hashlib
from functools import cached_property
from pathlib import Path

from gbvis.videos.motion import Motion, encode_motion
from gbvis.videos.synthetic import RATE, Sample, draw_sample, read_sample_name
from gbvis.videos.video import SAMPLE_PREFIX, Frame, Video, VideoShape


class SyntheticVideo(Video):
    """One stream of a sample; drawn when something of it is first asked for."""

    def __init__(self, name: str, modality: str) -> None:
        super().__init__(name, f"{SAMPLE_PREFIX}{name}", modality)
        self._motion, self._seed = read_sample_name(name)

    @cached_property
    def _sample(self) -> Sample:
        return draw_sample(self._motion, self._seed)

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of what is drawn."""
        drawn = self._sample.frames if self.modality == "rgb" else self._sample.flow
        return hashlib.sha256(drawn.tobytes()).hexdigest()

    @property
    def shape(self) -> VideoShape:
        """As all samples."""
        drawn = self._sample.frames if self.modality == "rgb" else self._sample.flow
        return VideoShape(len(drawn), RATE, drawn.shape[2], drawn.shape[1])

    def read(self, number: int) -> Frame:
        """Return frame `number`: uint8 (height, width, 3 or 2)."""
        return self._sample.frames[number] if self.modality == "rgb" else encode_motion(self._sample.flow[number])

    def read_motion(self, number: int) -> Motion:
        """Return the true flow: float32 (height, width, 2), pixels."""
        motion: Motion = self._sample.flow[number]
        return motion


def read(location: str, modality: str, dataset: Path | None) -> Video | None:
    """Return the sample that `location` names, or None where it names something else.

    Raises:
        GbvisError: There is no such class, or no such seed.
    """
    if not location.startswith(SAMPLE_PREFIX):
        return None
    return SyntheticVideo(location.removeprefix(SAMPLE_PREFIX), modality)
