"""PNG, a single frame, through imageio."""

from pathlib import Path

import imageio.v3 as imageio

from gbvis.figures import Picture

CAN_MOVE = False


def write(picture: Picture, path: Path) -> None:
    """Write the picture's only frame as a PNG."""
    (frame,) = picture.frames()
    imageio.imwrite(path, frame, plugin="pillow", extension=".png")
