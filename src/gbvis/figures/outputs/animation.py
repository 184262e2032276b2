"""Animations and stills: a layout drawn, and encoded in one of the formats that `encoders/` writes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from gbvis.errors import OutputError, UsageError
from gbvis.figures.encoders.size_limit import SIZE_LIMITS
from gbvis.figures.layout import Groups, Layout
from gbvis.figures.layouts import LAYOUTS
from gbvis.figures.notes import make_notes
from gbvis.figures.output import FileWriter, Output
from gbvis.figures.outputs.fit import what_fits
from gbvis.figures.outputs.still import Stills
from gbvis.figures.picture import Picture
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style

_ENCODERS = {"gif": "pillow", "png": "pillow", "mp4": "ffmpeg", "webp": "ffmpeg", "apng": "ffmpeg"}
"""The file of `encoders/` that writes a format, imported when something is written."""


class Animation(Output):
    """A layout in one picture format.

    Attributes:
        name: The format's name.
    """

    def __init__(self, name: str, takes_stills: bool = False) -> None:
        """Name the format, and say whether it holds a single frame."""
        self.name = name
        self.suffix = f".{name}"  # type: ignore[misc]
        self.takes_stills = takes_stills  # type: ignore[misc]

    def layout(self, style: Style) -> Layout:
        """Return the layout asked for, or what suits the format."""
        return LAYOUTS.load(self.layout_name(style)).of(style)

    def layout_name(self, style: Style) -> str:
        """Return the name of that layout."""
        return style.layout or ("sheet" if self.takes_stills and not style.at else "strip")

    def check(self, style: Style) -> None:
        """Check that the format can hold the layout.

        Raises:
            UsageError: It cannot.
        """
        super().check(style)
        if style.at and not self.layout(style).is_moving:
            raise UsageError(
                "--at chooses one frame of a layout that moves, and the layout "
                f"{self.layout_name(style)} shows all at once",
                "leave out --at, or choose another layout, such as --layout strip",
            )

    def group(self, views: Sequence[RunView], style: Style) -> Groups:
        """Return which runs the layout shows together."""
        return self.layout(style).group(views)

    def name_parts(self, views: Sequence[RunView], style: Style) -> tuple[str, ...]:
        """Return the parts of the file name that follow the video's name."""
        return self.layout(style).name_parts(views)

    def pages(self, views: Sequence[RunView], style: Style) -> Sequence[FileWriter]:
        """Return the pages that the layout makes; of one that moves, in a format that does not, the stills.

        Raises:
            GbvisError: The format cannot hold them.
        """
        layout = self.layout(style)
        pictures = layout.lay_out(views, style)
        for picture in pictures:
            self._check_size(picture, views, style)
        write = partial(self._encode, views)
        if layout.is_moving and self.takes_stills:
            return Stills(layout, views, pictures).pages(style, write)
        return [partial(write, style, picture) for picture in pictures]

    def write(self, views: Sequence[RunView], style: Style, path: Path) -> Mapping[str, Any]:
        """Write the only page.

        Raises:
            GbvisError: There are several.
        """
        pages = self.pages(views, style)
        if len(pages) > 1:
            raise OutputError(f"{path} is one file, and there are {len(pages)} pages", "write them one by one: `pages`")
        return pages[0](path)

    def _check_size(self, picture: Picture, views: Sequence[RunView], style: Style) -> None:
        limit, size = SIZE_LIMITS[self.name], (picture.width, picture.height)
        if not limit.holds(*size):
            raise OutputError(
                f"the {self.layout_name(style)} of {views[0].video} would be {size[0]}x{size[1]} pixels, and "
                f"{limit.describe(*size)}",
                what_fits(self.layout(style), views, style, picture, self.name),
            )

    def _encode(self, views: Sequence[RunView], style: Style, picture: Picture, path: Path) -> dict[str, Any]:
        notes = make_notes(views, style, self.layout_name(style), self.name)
        encoders = import_module(f"gbvis.figures.encoders.{_ENCODERS[self.name]}")
        getattr(encoders, f"write_{self.name}")(replace(picture, notes=notes), path)
        size = {"frames": picture.frame_count, "width": picture.width, "height": picture.height}
        return {"layout": self.layout_name(style), **size}


GIF, MP4, WEBP, APNG = (Animation(name) for name in ("gif", "mp4", "webp", "apng"))
PNG = Animation("png", takes_stills=True)
