"""The strip: frame, gradient, positive and negative saliency side by side, moving; clips follow one another."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from gbvis.picture import (
    BACKGROUND,
    FAINT_TEXT,
    Exhibit,
    ExhibitClip,
    Picture,
    Pixels,
    Style,
    count_rows,
    describe_scale,
    draw_text,
    make_panels,
    resize_panel,
)

IS_MOVING = True

_SIDE = 224


def lay_out(exhibit: Exhibit, style: Style) -> Picture:
    """Return the picture, one frame for every frame of every clip."""
    side = style.size or _SIDE
    gap, line = _spacing(side)
    width = len(style.panels) * (side + gap) - gap
    height = 2 * line + count_rows(exhibit.modality, style) * (side + line)

    def frames() -> Iterator[Pixels]:
        for number, clip in enumerate(exhibit.clips(), start=1):
            yield from _draw_clip(exhibit, style, clip, number, (width, height))

    return Picture(width, height, exhibit.clip_count * exhibit.frames_per_clip, style.rate, frames)


def _draw_clip(
    exhibit: Exhibit, style: Style, clip: ExhibitClip, number: int, size: tuple[int, int]
) -> Iterator[Pixels]:
    side = style.size or _SIDE
    gap, line = _spacing(side)
    width, height = size
    rows = make_panels(clip, exhibit.modality, style)
    still = _draw_titles(exhibit, clip, [[panel.name for panel in panels] for panels in rows], side, size)
    scale = describe_scale(clip, style)
    draw_text(still, (width // 2, height - line + 2), scale, line - 5, width // 2 - 4, FAINT_TEXT)
    for step, frame in enumerate(clip.frames):
        canvas = still.copy()
        for row, panels in enumerate(rows):
            for column, panel in enumerate(panels):
                place = (column * (side + gap), 2 * line + row * (side + line))
                canvas.paste(resize_panel(panel.images[step], side), place)
        seconds = f"   {frame / exhibit.rate:.2f} s" if exhibit.rate else ""
        where = f"frame {frame}{seconds}   {step + 1}/{len(clip.frames)}   clip {number}/{exhibit.clip_count}"
        draw_text(canvas, (4, height - line + 2), where, line - 5, width // 2 - 8)
        yield np.asarray(canvas)


def _draw_titles(
    exhibit: Exhibit, clip: ExhibitClip, names: list[list[str]], side: int, size: tuple[int, int]
) -> Image.Image:
    """Return a canvas with all that stays the same through a clip."""
    gap, line = _spacing(side)
    canvas = Image.new("RGB", size, BACKGROUND)
    title = f"{exhibit.title}   {exhibit.target}   {exhibit.value_name} {clip.value:.4g}"
    draw_text(canvas, (4, 2), title, line - 5, size[0] - 8)
    for row, panels in enumerate(names):
        for column, name in enumerate(panels):
            place = (column * (side + gap) + 4, line + row * (side + line) + 2)
            draw_text(canvas, place, name, line - 5, side - 8, FAINT_TEXT)
    return canvas


def _spacing(side: int) -> tuple[int, int]:
    """Return the gap between panels and the height of a line of text."""
    return max(2, side // 28), max(14, side // 12)
