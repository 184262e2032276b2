"""GIF, frame by frame, and PNG, through Pillow."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from PIL import GifImagePlugin, Image, PngImagePlugin

from gbvis.figures.notes import as_comment
from gbvis.figures.picture import Picture, Pixels

_SAMPLES = 5
_GREYS = 64
_MANY = 2000
"""Colours in the samples of a picture beyond which it is taken for a photograph."""

_UNCHANGED = 255
"""The index that stands for "as in the frame before"; the palette has one colour fewer for it."""

_NEAR, _FAR = 5, 7
"""Levels in every channel to which an entry of the palette stands for colours that are to be kept: if they leave half
of the palette for the rest the finer ones, which maps in panels gain from; else the coarser."""

_SAME = 3
"""Levels to which such an entry stands for what is in the panels."""

_FARTHEST = 8
"""Levels that such a colour may come out from itself."""


def write_gif(picture: Picture, path: Path) -> None:
    """Write the picture as a GIF; only one frame is held at a time.

    All frames share one palette, and nothing is dithered: the same colour is the same index in every frame, so
    nothing flickers. Of each frame only what has changed is written.
    """
    palette = _choose_palette(picture)
    colors = palette.getpalette() or []
    before: Pixels | None = None
    with path.open("wb") as file:
        for frame, delay in zip(picture.frames(), _delays(picture), strict=False):
            image = Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE)
            index = np.asarray(image)
            if before is None:
                file.writelines(GifImagePlugin.getheader(image, info=_describe_file(picture))[0])
                file.writelines(GifImagePlugin.getdata(image, (0, 0), duration=delay))
            else:
                change = Image.fromarray(np.where(index == before, np.uint8(_UNCHANGED), index))
                change.putpalette(colors)
                options = {"transparency": _UNCHANGED, "disposal": 1, "include_color_table": False, "duration": delay}
                file.writelines(GifImagePlugin.getdata(change, (0, 0), **options))
            before = index
        file.write(b";")


def _describe_file(picture: Picture) -> dict[str, Any]:
    """Return what a GIF says of itself: its notes, and how often it repeats after the first time, 0 being for ever."""
    comment = {"comment": as_comment(picture.notes).encode()} if picture.notes else {}
    if picture.loops is None:
        return {"loop": 0, **comment}
    return {"loop": picture.loops - 1, **comment} if picture.loops > 1 else comment


def _delays(picture: Picture) -> Iterator[int]:
    """Yield how long each frame stays, milliseconds: GIF counts hundredths of a second, and viewers want at least two.

    Delays are mixed so that their sum keeps to the picture's rate.
    """
    for number in count():
        yield 10 * max(2, round(100 * (number + 1) / picture.rate) - round(100 * number / picture.rate))


def _choose_palette(picture: Picture) -> Image.Image:
    """Return a paletted image with the colours that suit some frames spread over the picture.

    What the picture wants to be kept, such as its legend, comes to within 8 levels of itself, in every channel. Greys
    that occur keep entries of their own, so that flow, which is grey, is never tinted. For photographs the octree is
    the quickest and comes closest. Where there are few colours, as in flow, it throws neighbours together; the slower
    way with a round of k-means keeps them apart.
    """
    kept = np.zeros((0, 3), np.uint8) if picture.kept is None else picture.kept
    covering = _cover(kept, _NEAR)
    covering = covering if len(covering) <= _UNCHANGED // 2 else _cover(kept, _FAR)
    samples = _leave_out(np.concatenate(_sample_frames(picture)), covering)
    colors = np.unique(samples.reshape(-1, 3).astype(np.int32) @ np.array([65536, 256, 1], np.int32))
    is_photograph = colors.size > _MANY
    room = _UNCHANGED - len(covering)
    greys = _common_greys(samples, min(_GREYS, room // 3))
    how = Image.Quantize.FASTOCTREE if is_photograph else Image.Quantize.MAXCOVERAGE
    chosen = Image.fromarray(samples).quantize(room - len(greys), how, kmeans=0 if is_photograph else 1)
    others = np.array((chosen.getpalette() or [])[: 3 * (room - len(greys))], np.uint8).reshape(-1, 3)
    others = np.concatenate([others, np.array(greys, np.uint8)[:, None].repeat(3, axis=1)])
    return _keep(kept, covering, others)


def _cover(colors: Pixels, reach: int) -> Pixels:
    """Return few of these colours, within reach of one of which each of them lies: uint8 (any, 3).

    Neighbours are expected to follow each other, as in a map: the last one that reaches back is taken.
    """
    is_left = np.ones(len(colors), bool)
    chosen: list[int] = []
    while is_left.any():
        reaching = np.flatnonzero((_distances(colors, colors[is_left.argmax()]) <= reach) & is_left)
        chosen.append(int(reaching[-1]))
        is_left &= _distances(colors, colors[chosen[-1]]) > reach
    return colors[chosen]


def _distances(colors: Pixels, others: Pixels) -> Pixels:
    """Return in how many levels colours differ, in the channel where it is most: uint8 (...)."""
    difference = np.maximum(colors, others) - np.minimum(colors, others)
    red, green, blue = (difference[..., channel] for channel in range(3))
    largest: Pixels = np.maximum(np.maximum(red, green), blue)  # ten times as fast as max(-1)
    return largest


def _leave_out(samples: Pixels, covering: Pixels) -> Pixels:
    """Return those pixels of the samples that no colour of a palette stands for: uint8 (1, any, 3), never empty."""
    if not len(covering):
        return samples
    image = Image.fromarray(samples).quantize(palette=_make_palette(covering), dither=Image.Dither.NONE)
    left = samples[_distances(covering[np.asarray(image)], samples) > _SAME]
    return left[None] if left.size else samples[:1]


def _keep(kept: Pixels, covering: Pixels, others: Pixels) -> Image.Image:
    """Return a palette of both, less what would draw colours that are to be kept too far from themselves."""
    while True:
        entries = np.concatenate([covering, others])
        palette = _make_palette(entries)
        if not len(kept):
            return palette
        found = np.asarray(Image.fromarray(kept[None]).quantize(palette=palette, dither=Image.Dither.NONE))[0]
        lost = kept[_distances(entries[found], kept) > _FARTHEST]
        if not len(lost) or not len(others):
            return palette
        added = _cover(lost, _FAR)[: len(others)]
        for color in added:  # in place of what drew it away
            nearest = np.square(others.astype(np.int32) - color).sum(-1).argmin()
            others = np.delete(others, nearest, axis=0)
        covering = np.concatenate([covering, added])


def _make_palette(colors: Pixels) -> Image.Image:
    palette = Image.new("P", (1, 1))
    palette.putpalette(colors.reshape(-1).tolist())
    return palette


def _sample_frames(picture: Picture) -> list[Pixels]:
    """Return every fourth row and column of some frames, spread over the picture however many clips it has."""
    kept: list[Pixels] = []
    every = 1
    for number, frame in enumerate(picture.frames(max(1, picture.frame_count // _SAMPLES))):
        if number % every == 0:
            kept.append(frame[::4, ::4].copy())  # a view would keep the whole frame
        if len(kept) > 4 * _SAMPLES:
            kept, every = kept[::2], 2 * every
    return kept


def _common_greys(samples: Pixels, most: int) -> list[int]:
    """Return at most so many grey levels that occur often, spread over all that do."""
    is_grey = (samples[..., 0] == samples[..., 1]) & (samples[..., 1] == samples[..., 2])
    often = np.flatnonzero(np.bincount(samples[is_grey][:, 0], minlength=256) > samples[..., 0].size / 5000)
    places = np.linspace(0, len(often) - 1, min(most, len(often))).round().astype(np.intp)
    return [int(grey) for grey in often[places]]


def write_png(picture: Picture, path: Path) -> None:
    """Write the picture's only frame as a PNG; the notes are texts in it."""
    (frame,) = picture.frames()
    texts = PngImagePlugin.PngInfo()
    for name, text in picture.notes.items():
        texts.add_itxt(name, text.encode(errors="backslashreplace").decode())
    Image.fromarray(frame).save(path, "PNG", pnginfo=texts)
