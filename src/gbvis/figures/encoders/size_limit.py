"""How large a picture each format holds; to be asked before anything is drawn."""

from collections.abc import Callable
from dataclasses import dataclass

_READABLE = 178_956_970
"""Pixels of a frame; Pillow, and with it most Python programs, opens nothing larger (`DecompressionBombError`)."""

_MARGIN, _WITH_MARGIN = 128, 1 << 28
"""FFmpeg counts a margin around a frame (`av_image_check_size2`): of a narrow picture it takes fewer pixels."""

_BLOCK = 16


@dataclass(frozen=True)
class SizeLimit:
    """How large a format's frames may be.

    Attributes:
        side: Pixels of a side.
        blocks: Squares of 16 pixels a side that cover a frame, where the format counts them; else None.
        name: What sets the limit, for messages.
    """

    side: int
    name: str
    blocks: int | None = None

    def holds(self, width: int, height: int) -> bool:
        """Return whether a frame of this size fits."""
        blocks = -(-width // _BLOCK) * -(-height // _BLOCK)
        is_within = max(width, height) <= self.side and blocks <= (self.blocks or blocks)
        with_margin = (width + _MARGIN) * (height + _MARGIN)
        return is_within and width * height <= _READABLE and with_margin < _WITH_MARGIN

    def describe(self, width: int, height: int) -> str:
        """Return in words which limit a frame of this size breaks."""
        if max(width, height) > self.side:
            return f"{self.name} holds {self.side:,} pixels a side"
        pixels = _READABLE if self.blocks is None else min(_READABLE, self.blocks * _BLOCK**2)
        return (
            f"{self.name} holds {pixels:,} pixels a frame"
            if self.blocks
            else f"programs read {pixels:,} pixels at most"
        )


SIZE_LIMITS = {
    "gif": SizeLimit(0xFFFF, "GIF"),
    "mp4": SizeLimit(16_384, "H.264", 139_264),
    "webp": SizeLimit(16_383, "WebP"),
    "apng": SizeLimit(0x7FFFFFFF, "PNG"),
    "png": SizeLimit(0x7FFFFFFF, "PNG"),
}
"""By format. H.264: the frame of level 6.2, its highest, and the sides that x264 takes."""

_SMALLEST_PANEL = 56
"""Pixels of a panel's side: the least that `--size` takes."""


def find_largest_size(too_large: int, fits: Callable[[int], bool]) -> int | None:
    """Return the largest side of a panel, pixels, with which a picture fits; None where none does.

    Args:
        too_large: A side that does not fit.
        fits: Whether it fits with a side; if it does, it also does with every smaller one.
    """
    if not fits(_SMALLEST_PANEL):
        return None
    low, high = _SMALLEST_PANEL, too_large
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
