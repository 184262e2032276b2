"""Boxes around what acts in a video, as UCF-101-24 has them, as masks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gbvis.videos.masks import FrameMask, FrameMasks
from gbvis.videos.video import Video

UCF_101 = (240, 320)
"""Rows and columns of the frames of UCF-101, which files of its boxes do not tell."""


@dataclass(frozen=True)
class Box:
    """A box that stays where it is for some frames.

    Attributes:
        first: The first frame, counted from 0.
        last: The last one.
        left: In pixels of the annotated frame, from its left edge.
        top: From its upper edge.
        right: As `left`.
        bottom: As `top`.
    """

    first: int
    last: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Boxes:
    """The boxes of one video.

    Attributes:
        all: In no order.
        size: Rows and columns of the frames in whose pixels they are.
    """

    all: Sequence[Box]
    size: tuple[int, int] = UCF_101


class BoxMasks(FrameMasks):
    """Boxes as masks: a pixel is of the object where its middle lies in a box."""

    def __init__(self, boxes: Boxes, fingerprint: str, video: Video) -> None:
        """Name the parts.

        Args:
            boxes: Of this video.
            fingerprint: The SHA-256 of the file that they are from.
            video: Whose frames they are in.
        """
        super().__init__(video)
        self._boxes, self._fingerprint = boxes, fingerprint

    @property
    def recipe(self) -> dict[str, Any]:
        """The content of the file."""
        return {"kind": "boxes", "content": self._fingerprint}

    def read(self, number: int) -> FrameMask:
        """Return the boxes of frame `number`, none where nothing acts: bool (H, W) of the annotated size."""
        height, width = self._boxes.size
        mask = np.zeros((height, width), np.bool_)
        for box in self._boxes.all:
            if box.first <= number <= box.last:
                rows, columns = _span(box.top, box.bottom, height), _span(box.left, box.right, width)
                mask[rows, columns] = True
        return mask


def _span(low: float, high: float, size: int) -> slice:
    """Return the pixels of a side whose middles lie from `low` on and before `high`."""
    first, behind = (int(np.clip(np.ceil(edge - 0.5), 0, size)) for edge in (low, high))
    return slice(first, max(first, behind))
