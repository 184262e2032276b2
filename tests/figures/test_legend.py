import numpy as np
import pytest
from PIL import Image

from gbvis.figures.color import DIVERGING, color_map
from gbvis.figures.legend import CURVE, Curve, draw_bar


@pytest.mark.parametrize("width", [56, 80, 112, 224, 400])
@pytest.mark.parametrize("ends", [("\N{MINUS SIGN}1.3e-7", "1.3e-7"), ("0", "0.023"), ("", "each frame its own")])
def test_bars_stay_in_their_place(width: int, ends: tuple[str, str]) -> None:
    line = max(14, width // 12)
    canvas = Image.new("RGB", (width + 100, 3 * line))
    draw_bar(canvas, (50, line), width, line, color_map(DIVERGING), ends, None)
    pixels = np.asarray(canvas)
    assert pixels[line : 2 * line, 50 : 50 + width].any()
    assert not pixels[:, :50].any() and not pixels[:, 52 + width :].any()
    assert not pixels[:line].any() and not pixels[2 * line :].any()


def test_a_bar_goes_from_the_lowest_to_the_highest_colour() -> None:
    canvas = Image.new("RGB", (300, 40))
    colors = color_map(DIVERGING)
    draw_bar(canvas, (0, 10), 300, 20, colors, ("low", "high"), None)
    row = np.asarray(canvas)[17]
    (places,) = np.nonzero((row == colors[0]).all(1))
    (ends,) = np.nonzero((row == colors[-1]).all(1))
    assert places.size and ends.size and places[0] < ends[-1]


def test_a_curve_rises_where_there_is_more() -> None:
    canvas = Image.new("RGB", (120, 60))
    curve = Curve(np.array([0.0, 1.0, 2.0]), (10, 10, 110, 50))
    curve.draw(canvas)
    curve.mark(canvas, 2)
    drawn = (np.asarray(canvas) == CURVE).all(-1)
    assert drawn[10, 108:112].any() and drawn[48:51, 10].any()
    Curve(np.zeros(1), (10, 10, 110, 50)).draw(canvas)  # one frame without anything
