"""Animated PNG, through PyAV: every pixel as it is."""

from pathlib import Path

from gbvis.figures import Picture
from gbvis.figures.encoders.mp4 import encode

CAN_MOVE = True


def write(picture: Picture, path: Path) -> None:
    """Write the picture as an animated PNG."""
    encode(picture, path, "apng", "apng", "rgb24", {"plays": str(picture.loops or 0)}, {"pred": "sub"})
