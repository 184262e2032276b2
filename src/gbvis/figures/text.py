"""Text in pictures."""

import math
from functools import cache
from importlib import resources
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from gbvis.errors import UsageError
from gbvis.figures.style import TEXT

_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def check_font(path: Path) -> None:
    """Check that `path` is a font.

    Raises:
        UsageError: It is none, or cannot be read.
    """
    try:
        ImageFont.truetype(str(path), 12)
    except OSError as error:
        why = error.strerror or "it is no TrueType or OpenType font"
        raise UsageError(f"cannot use the font {path}: {why}", "give a .ttf or .otf file") from error


def draw_text(
    canvas: Image.Image,
    place: tuple[int, int],
    text: str,
    size: int,
    width: int,
    color: tuple[int, int, int] = TEXT,
    font: Path | None = None,
) -> None:
    """Write one line, `size` pixels high, cut with an ellipsis where it is wider than `width`.

    Args:
        canvas: Where to write.
        place: Left and top of the line.
        text: Anything; what the font lacks, and what is not printable, shows as escapes.
        size: Of the font, pixels.
        width: What the line may take.
        color: RGB.
        font: A font file, or None for the one that comes along.
    """
    loaded = _load_font(font, size)
    line = fit_text(text, size, width, font)
    ImageDraw.Draw(canvas).text(place, line, fill=color, font=loaded)


def letter_size(line: int) -> int:
    """Return the size of letters, pixels, for a line of that height: nothing of them is cut off above or below."""
    return round(0.7 * line)


def text_width(text: str, size: int, font: Path | None = None) -> int:
    """Return how wide the text is as it is shown, pixels."""
    return math.ceil(_load_font(font, size).getlength("".join(_showable(character, font) for character in text)))


def fit_name(name: str, facts: str, size: int, width: int, font: Path | None = None) -> str:
    """Return a name and facts about it in one line of `width` pixels; where it is too long, the name's middle goes."""
    if len(name) + len(facts) <= width and text_width(f"{name}   {facts}", size, font) <= width:
        return f"{name}   {facts}"
    kept, facts = min(len(name) // 2, width), facts[:width]  # no letter is narrower than a pixel
    while kept > 1 and text_width(_shortened(name, kept, facts), size, font) > width:
        kept -= 1
    shortened = _shortened(name, kept, facts) if kept > 1 else facts
    return fit_text(shortened, size, width, font)


def _shortened(name: str, kept: int, facts: str) -> str:
    return f"{name[:kept]}{_ELLIPSIS}{name[-kept:]}   {facts}"


def fit_text(text: str, size: int, width: int, font: Path | None = None) -> str:
    """Return the text as it can be shown in `width` pixels."""
    loaded = _load_font(font, size)
    line = "".join(_showable(character, font) for character in text[: width + 1])  # a name may have any length
    if loaded.getlength(line) <= width:
        return line
    while line and loaded.getlength(line + _ELLIPSIS) > width:
        line = line[:-1]
    return line + _ELLIPSIS if line else ""


@cache
def _load_font(path: Path | None, size: int) -> ImageFont.FreeTypeFont:
    if path is None:  # Open Sans: Latin, Greek, Cyrillic
        path = Path(str(resources.files("ttf_opensans") / "ttf/OpenSans-Regular.ttf"))
    return ImageFont.truetype(str(path), size)


@cache
def _showable(character: str, font: Path | None) -> str:
    """Return the character, or escapes where it is not printable or the font has no glyph for it."""
    is_there = character == " " or (character.isprintable() and _draw(character, font) != _draw("\U0010ffff", font))
    return character if is_there else character.encode("unicode_escape").decode("ascii")


@cache
def _draw(character: str, font: Path | None) -> tuple[tuple[int, int], bytes]:
    """Return how a character looks; what a font lacks looks like what no font has."""
    mask = _load_font(font, 24).getmask(character)
    return mask.size, bytes(mask)
