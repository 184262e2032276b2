"""The sheet: the old script's figure. A row for each panel, a column for each frame; clips below each other."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from gbvis.errors import GbvisError
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

IS_MOVING = False

_SIDE = 112
_LINE = 20
_TEXT = 14
_GAP = 2
_MARGIN = 92
_TALLEST = 16_000


def lay_out(exhibit: Exhibit, style: Style) -> Picture:
    """Return the picture, a single frame that shows every frame of every clip.

    Raises:
        GbvisError: So many clips make a sheet that nothing can show.
    """
    side = style.size or _SIDE
    width = _MARGIN + exhibit.frames_per_clip * (side + _GAP)
    clip_height = 2 * _LINE + count_rows(exhibit.modality, style) * len(style.panels) * (side + _GAP)
    height = _LINE + exhibit.clip_count * clip_height
    if max(width, height) > _TALLEST:
        raise GbvisError(
            f"a sheet of {exhibit.clip_count} clips would be {width}x{height} pixels",
            f"at most {_TALLEST} a side: choose a smaller --size, or --layout strip",
        )

    def frames() -> Iterator[Pixels]:
        canvas = Image.new("RGB", (width, height), BACKGROUND)
        draw_text(canvas, (4, 2), f"{exhibit.title}   {exhibit.target}", _TEXT, width - 8)
        for index, clip in enumerate(exhibit.clips()):
            _draw_clip(canvas, exhibit, style, clip, _LINE + index * clip_height)
        yield np.asarray(canvas)

    return Picture(width, height, 1, style.rate, frames)


def _draw_clip(canvas: Image.Image, exhibit: Exhibit, style: Style, clip: ExhibitClip, top: int) -> None:
    side = style.size or _SIDE
    about = f"{exhibit.value_name} {clip.value:.4g}   {describe_scale(clip, style)}"
    draw_text(canvas, (4, top + 2), about, _TEXT, canvas.width - 8, FAINT_TEXT)
    for column, frame in enumerate(clip.frames):
        place = (_MARGIN + column * (side + _GAP), top + _LINE + 2)
        draw_text(canvas, place, f"frame {frame}", _TEXT, side - 4, FAINT_TEXT)
    panels = [panel for row in make_panels(clip, exhibit.modality, style) for panel in row]
    for row, panel in enumerate(panels):
        y = top + 2 * _LINE + row * (side + _GAP)
        draw_text(canvas, (4, y + side // 2 - _TEXT // 2), panel.name, _TEXT, _MARGIN - 8)
        for column, image in enumerate(panel.images):
            canvas.paste(resize_panel(image, side), (_MARGIN + column * (side + _GAP), y))
