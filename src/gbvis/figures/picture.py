"""Picture: frames to be written as an animation or as a still."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


class Frames(Protocol):
    """Makes a picture's frames."""

    def __call__(self, step: int = 1) -> Iterator[Pixels]:
        """Yield every `step`-th frame, made anew: uint8 (height, width, 3), RGB."""


@dataclass(frozen=True)
class Picture:
    """What an encoder writes.

    Attributes:
        width: Pixels.
        height: Pixels.
        frame_count: 1 for a still picture.
        rate: Frames per second.
        frames: Makes the frames, one by one and as often as asked.
        loops: How often it plays; None means without end.
        kept: Colours that an encoder with few of them keeps to a few levels, such as a legend's: uint8 (any, 3).
        notes: What the file says of itself, by name; see `figures/notes`.
    """

    width: int
    height: int
    frame_count: int
    rate: float
    frames: Frames
    loops: int | None = None
    kept: Pixels | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
