"""Animated WebP, through Pillow."""

from pathlib import Path

from PIL import Image

from gbvis.picture import Picture

CAN_MOVE = True


def write(picture: Picture, path: Path) -> None:
    """Write the picture as a WebP that loops forever."""
    frames = (Image.fromarray(frame) for frame in picture.frames())
    milliseconds = round(1000 / picture.rate)
    next(frames).save(
        path, format="WEBP", save_all=True, append_images=frames, duration=milliseconds, loop=0, quality=85
    )
