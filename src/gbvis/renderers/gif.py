"""GIF, through Pillow."""

from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from gbvis.picture import Picture

CAN_MOVE = True

_SAMPLES = 8


def write(picture: Picture, path: Path) -> None:
    """Write the picture as a GIF that loops forever.

    All frames share one palette, and nothing is dithered: the same colour is the same index in every frame, so
    nothing flickers. GIF counts time in hundredths of a second.
    """
    palette = _choose_palette(picture)
    frames = (Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in picture.frames())
    milliseconds = max(2, round(100 / picture.rate)) * 10
    next(frames).save(
        path, format="GIF", save_all=True, append_images=frames, duration=milliseconds, loop=0, optimize=False
    )


def _choose_palette(picture: Picture) -> Image.Image:
    """Return a paletted image with the 256 colours that suit some frames spread over the picture."""
    step = max(1, picture.frame_count // _SAMPLES)
    samples = [frame[::2, ::2] for frame in islice(picture.frames(), 0, None, step)]
    return Image.fromarray(np.concatenate(samples)).quantize(256, Image.Quantize.MEDIANCUT)
