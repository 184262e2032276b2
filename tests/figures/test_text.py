import time
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gbvis.errors import UsageError
from gbvis.figures.text import check_font, draw_text, fit_text, fit_title, letter_size, text_width


@pytest.mark.parametrize("text", ["short", "é 漢字 \x1b[31m\n", "x" * 500, "", "\u202e"])
def test_text_stays_in_its_place(text: str) -> None:
    canvas = Image.new("RGB", (300, 30))
    draw_text(canvas, (10, 5), text, 14, 150)
    pixels = np.asarray(canvas)
    assert pixels.any() == bool(text)
    assert not pixels[:, 161:].any() and not pixels[:, :9].any()


@pytest.mark.parametrize("line", [14, 18, 20, 40])
def test_letters_fit_their_line(line: int) -> None:
    canvas = Image.new("RGB", (300, 3 * line))
    draw_text(canvas, (4, line), "ÅÉjgpqyЩΞ(|)", letter_size(line), 290)
    rows = np.flatnonzero(np.asarray(canvas).any((1, 2)))
    assert line <= rows[0] and rows[-1] < 2 * line


def test_latin_greek_and_cyrillic_are_there() -> None:
    text = "Ångström über Ναί щука naïve façade \\ 50 %"
    assert fit_text(text, 12, 1000) == text


@pytest.mark.parametrize(
    ("text", "shown"), [("漢", "\\u6f22"), ("\x1b[31m", "\\x1b[31m"), ("a\nb", "a\\nb"), ("\U0001f600", "\\U0001f600")]
)
def test_what_the_font_lacks_shows_as_escapes(text: str, shown: str) -> None:
    assert fit_text(text, 12, 1000) == shown


def test_what_is_too_long_ends_in_an_ellipsis() -> None:
    shown = fit_text("a long name of a video", 12, 60)
    assert shown.endswith("\N{HORIZONTAL ELLIPSIS}") and "a long name".startswith(shown[:-1])
    assert fit_text("abc", 12, 3) == ""


def test_another_font(tmp_path: Path) -> None:
    bold = Path(str(resources.files("ttf_opensans") / "ttf/OpenSans-ExtraBold.ttf"))
    check_font(bold)
    plain, fat = (Image.new("RGB", (100, 20)) for _ in range(2))
    draw_text(plain, (0, 0), "text", 14, 100)
    draw_text(fat, (0, 0), "text", 14, 100, font=bold)
    assert np.asarray(fat).sum() > 1.2 * np.asarray(plain).sum()
    (tmp_path / "no.ttf").write_text("no font")
    for path in (tmp_path / "no.ttf", tmp_path / "gone.ttf"):
        with pytest.raises(UsageError, match="cannot use the font"):
            check_font(path)


def test_a_long_name_loses_its_middle_and_no_fact() -> None:
    name, facts = "v_a_very_long_name_of_a_video_g01_c02", "rgb   FC   class 3"
    assert fit_title([("", "short"), facts], 12, 400) == f"short   {facts}"
    shown = fit_title([("", name), facts], 12, 200)
    assert text_width(shown, 12) <= 200
    assert shown.endswith(facts) and shown.startswith("v_") and "\N{HORIZONTAL ELLIPSIS}" in shown
    assert fit_title([("", name), facts], 12, 60).startswith("rgb")


@pytest.mark.parametrize(
    "text", ["e" + "\u0301\u0302\u0335\u0489" * 40, "\u0301" * 40, "\u05d0\u0627 1 \u202e2", "\u0e01\u0e49\u0e4d"]
)
def test_marks_that_combine_reach_into_no_other_line(text: str) -> None:
    canvas = Image.new("RGB", (300, 60))
    draw_text(canvas, (4, 20), text, letter_size(20), 290)
    rows = np.flatnonzero(np.asarray(canvas).any((1, 2)))
    assert rows[0] >= 20 and rows[-1] < 40


def test_a_text_of_any_length_is_drawn_at_once() -> None:
    text = "W\u0301i" * 100_000
    started = time.process_time()
    line = fit_title([("", text), text], 14, 400)
    draw_text(Image.new("RGB", (400, 20)), (0, 0), text, 14, 400)
    assert text_width(line, 14) <= 400
    assert time.process_time() - started < 5
