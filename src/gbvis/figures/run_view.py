"""Exhibit: a run as a layout shows it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.attribution import Gradient
from gbvis.figures.picture import Pixels
from gbvis.videos.clip import ClipPixels

Box = tuple[float, float, float, float]
"""A rectangle in a frame's own pixels: left, top, right, bottom."""


@dataclass(frozen=True)
class ClipView:
    """One clip of a run and what was found in it.

    Attributes:
        frames: The frame numbers.
        pixels: (T, H, W, C), what the network saw before normalisation.
        gradient: float32 (C, T, H, W).
        value: The target's value.
    """

    frames: list[int]
    pixels: ClipPixels
    gradient: Gradient
    value: float

    @property
    def importance(self) -> NDArray[np.float64]:
        """How much of the gradient there is in each frame: float64 (T,), |g| summed over channels and places."""
        steps = range(self.gradient.shape[1])
        return np.array([np.abs(self.gradient[:, step]).sum(dtype=np.float64) for step in steps])


@dataclass(frozen=True)
class SourceFrames:
    """The frames that clips were cut from, at their own size.

    Attributes:
        width: Pixels.
        height: Pixels.
        box: Where the clips' square lies in them.
        read: Returns a frame by its number: uint8 (height, width, 3), RGB.
    """

    width: int
    height: int
    box: Box
    read: Callable[[int], Pixels]


@dataclass(frozen=True)
class RunView:
    """A run as a layout shows it.

    Attributes:
        video: The video's name.
        endpoint: The endpoint's name.
        target: What the gradient is of, less its value.
        value_name: What the target's value is: a score, a logit, an activation.
        modality: `rgb` or `flow`.
        frames: The frame numbers of each clip.
        rate: The video's frames per second, or None.
        clips: Reads the clips anew, one by one.
        source: The frames at their own size, for layouts that want them.
        flow: How the motion came about, in a word or two, where more was done than reading it.
    """

    video: str
    endpoint: str
    target: str
    value_name: str
    modality: str
    frames: list[list[int]]
    rate: float | None
    clips: Callable[[], Iterator[ClipView]]
    source: SourceFrames | None = None
    flow: str = ""

    def describe(self, value: float) -> str:
        """Return what is shown in words, less the video's name, for a clip whose target has this value."""
        return f"{self.stream}   {self.endpoint}   {self.target}   {self.value_name} {value:.4g}"

    @property
    def stream(self) -> str:
        """The modality, and how its motion came about."""
        return f"{self.modality} ({self.flow})" if self.flow else self.modality

    @property
    def clip_count(self) -> int:
        """The number of clips."""
        return len(self.frames)

    @property
    def frames_per_clip(self) -> int:
        """T."""
        return len(self.frames[0])
