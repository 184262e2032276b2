"""GIF, through Pillow's encoder, frame by frame."""

from pathlib import Path

import numpy as np
from PIL import GifImagePlugin, Image

from gbvis.picture import Picture, Pixels

CAN_MOVE = True

_SAMPLES = 5
_MANY = 2000
"""Colours in the samples of a picture beyond which it is taken for a photograph."""

_UNCHANGED = 255
"""The index that stands for "as in the frame before"; the palette has one colour fewer for it."""


def write(picture: Picture, path: Path) -> None:
    """Write the picture as a GIF; only one frame is held at a time.

    All frames share one palette, and nothing is dithered: the same colour is the same index in every frame, so
    nothing flickers. Of each frame only what has changed is written. GIF counts time in hundredths of a second.
    """
    palette = _choose_palette(picture)
    colors = palette.getpalette() or []
    timing = {"duration": max(2, round(100 / picture.rate)) * 10}
    before: Pixels | None = None
    with path.open("wb") as file:
        for frame in picture.frames():
            image = Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE)
            index = np.asarray(image)
            if before is None:
                file.writelines(GifImagePlugin.getheader(image, info=_describe_loops(picture))[0])
                file.writelines(GifImagePlugin.getdata(image, (0, 0), **timing))
            else:
                change = Image.fromarray(np.where(index == before, np.uint8(_UNCHANGED), index))
                change.putpalette(colors)
                options = {"transparency": _UNCHANGED, "disposal": 1, "include_color_table": False, **timing}
                file.writelines(GifImagePlugin.getdata(change, (0, 0), **options))
            before = index
        file.write(b";")


def _describe_loops(picture: Picture) -> dict[str, int]:
    """Return what GIF says of repetition: how often after the first time, 0 being for ever."""
    if picture.loops is None:
        return {"loop": 0}
    return {"loop": picture.loops - 1} if picture.loops > 1 else {}


def _choose_palette(picture: Picture) -> Image.Image:
    """Return a paletted image with the colours that suit some frames spread over the picture.

    For photographs the octree is the quickest and comes closest. Where there are few colours, as in flow, it throws
    neighbours together; the slower way with a round of k-means keeps them apart.
    """
    step = max(1, picture.frame_count // _SAMPLES)
    samples = np.concatenate([frame[::4, ::4] for frame in picture.frames(step)])
    colors = np.unique(samples.reshape(-1, 3).astype(np.int32) @ np.array([65536, 256, 1], np.int32))
    if colors.size > _MANY:
        return Image.fromarray(samples).quantize(_UNCHANGED, Image.Quantize.FASTOCTREE)
    return Image.fromarray(samples).quantize(_UNCHANGED, Image.Quantize.MAXCOVERAGE, kmeans=1)
