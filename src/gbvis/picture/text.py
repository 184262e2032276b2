"""Text in pictures."""

from functools import cache
from importlib import resources
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from gbvis.errors import GbvisError
from gbvis.picture.style import TEXT

_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def check_font(path: Path) -> None:
    """Check that `path` is a font.

    Raises:
        GbvisError: It is none, or cannot be read (exit code 2).
    """
    try:
        ImageFont.truetype(str(path), 12)
    except OSError as error:
        why = error.strerror or "it is no TrueType or OpenType font"
        raise GbvisError(f"cannot use the font {path}: {why}", "give a .ttf or .otf file", exit_code=2) from error


def draw_text(
    canvas: Image.Image,
    place: tuple[int, int],
    text: str,
    size: int,
    width: int,
    color: tuple[int, int, int] = TEXT,
    font: Path | None = None,
    anchor: str = "left",
) -> None:
    """Write one line, `size` pixels high, cut with an ellipsis where it is wider than `width`.

    Args:
        canvas: Where to write.
        place: Left and top of the line; right and top where `anchor` is `right`.
        text: Anything; what the font lacks, and what is not printable, shows as escapes.
        size: Of the font, pixels.
        width: What the line may take.
        color: RGB.
        font: A font file, or None for the one that comes along.
        anchor: `left` or `right`.
    """
    loaded = _load_font(font, size)
    line = fit_text(text, size, width, font)
    left = place[0] - (loaded.getlength(line) if anchor == "right" else 0)
    ImageDraw.Draw(canvas).text((left, place[1]), line, fill=color, font=loaded)


def letter_size(line: int) -> int:
    """Return the size of letters, pixels, for a line of that height: nothing of them is cut off above or below."""
    return round(0.7 * line)


def fit_text(text: str, size: int, width: int, font: Path | None = None) -> str:
    """Return the text as it can be shown in `width` pixels."""
    loaded = _load_font(font, size)
    line = "".join(_showable(character, font) for character in text)
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
