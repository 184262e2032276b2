"""Text in pictures."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from gbvis.errors import UsageError
from gbvis.figures.style import TEXT

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


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


Part = str | tuple[str, str]
"""A part of a title: words that stay, or words that stay and a name that may lose its middle."""


def fit_title(parts: Sequence[Part], size: int, width: int, font: Path | None = None) -> str:
    """Return a title in one line of `width` pixels: the longest names lose their middle first, then whole names go."""
    bounded = [part[: width + 1] if isinstance(part, str) else part for part in parts]
    names = [part[1] for part in bounded if not isinstance(part, str)]
    longest = min(max(map(len, names), default=0), width)  # no letter is narrower than a pixel

    def make(kept: int) -> str:
        words = (part if isinstance(part, str) else part[0] + shorten(part[1], kept) for part in bounded)
        return "   ".join(filter(None, words))

    for kept in _most_first(longest):
        if text_width(make(kept), size, font) <= width:
            return make(kept)
    if not names:
        return fit_text(make(0), size, width, font)
    first = next(number for number, part in enumerate(bounded) if not isinstance(part, str))
    stays = bounded[first][0].rstrip()
    return fit_title([*bounded[:first], *filter(None, [stays]), *bounded[first + 1 :]], size, width, font)


def fit_label(make: Callable[[str], str], name: str, size: int, width: int, font: Path | None = None) -> str:
    """Return a sentence about a name in one line of `width` pixels; where it is too long, the name's middle goes."""
    for kept in _most_first(min(len(name), width)):
        text = make(shorten(name, kept))
        if text_width(text, size, font) <= width:
            return text
    return fit_text(make(shorten(name, _FEWEST)), size, width, font)


def fit_first(texts: Sequence[str], size: int, width: int, font: Path | None = None) -> str:
    """Return the first of some texts that fits in `width` pixels; the last one cut where none does."""
    return next((text for text in texts if text_width(text, size, font) <= width), None) or fit_text(
        texts[-1], size, width, font
    )


def wrap_text(text: str, size: int, width: int, lines: int, font: Path | None = None) -> list[str]:
    """Return a text in at most so many lines of `width` pixels, broken between words."""
    made = [""]
    for word in text.split(" "):
        longer = f"{made[-1]} {word}".strip()
        if text_width(longer, size, font) <= width or not made[-1] or len(made) == lines:
            made[-1] = longer
        else:
            made.append(word)
    return made


_FEWEST = 5
"""Letters that a name keeps at least."""


def shorten(name: str, kept: int) -> str:
    """Return a name of at most `kept` letters, an ellipsis in place of its middle."""
    if len(name) <= kept:
        return name
    head, tail = kept // 2, (kept - 1) // 2
    return f"{name[:head]}{ELLIPSIS}{name[-tail:] if tail else ''}"


def _most_first(longest: int) -> Iterator[int]:
    """Yield how many letters may be kept, from all to the fewest; in steps where there are many."""
    while longest > _FEWEST:
        yield longest
        longest = min(longest - 1, round(0.97 * longest))
    yield min(_FEWEST, max(longest, 0))


def fit_text(text: str, size: int, width: int, font: Path | None = None) -> str:
    """Return the text as it can be shown in `width` pixels."""
    loaded = _load_font(font, size)
    line = "".join(_showable(character, font) for character in text[: width + 1])  # a name may have any length
    if loaded.getlength(line) <= width:
        return line
    while line and loaded.getlength(line + ELLIPSIS) > width:
        line = line[:-1]
    return line + ELLIPSIS if line else ""


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
