"""Animated WebP, through PyAV."""

from pathlib import Path

from gbvis.figures import Picture
from gbvis.figures.encoders.mp4 import encode

CAN_MOVE = True


def write(picture: Picture, path: Path) -> None:
    """Write the picture as a WebP."""
    container = {"loop": str(picture.loops or 0)}
    encode(picture, path, "webp", "libwebp_anim", "yuv420p", container, {"quality": "85"})
