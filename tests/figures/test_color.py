import numpy as np
import pytest

from gbvis.figures.color import DIVERGING, LEVELS, SEQUENTIAL, color_map, color_wheel


def luminance(colors: np.ndarray) -> np.ndarray:
    return colors @ np.array([0.2126, 0.7152, 0.0722])


def test_the_diverging_map_is_grey_in_the_middle_and_even_on_both_sides() -> None:
    colors = color_map(DIVERGING).astype(float)
    assert colors.shape == (LEVELS, 3) and LEVELS % 2 == 1
    middle = colors[LEVELS // 2]
    assert np.ptp(middle) <= 1
    assert colors[0, 2] > colors[0, 0] and colors[-1, 0] > colors[-1, 2]  # blue below, red above
    assert (np.diff(luminance(colors)[: LEVELS // 2]) >= -0.5).all()
    assert (np.diff(luminance(colors)[LEVELS // 2 :]) <= 0.5).all()


def test_the_sequential_map_rises_from_black() -> None:
    colors = color_map(SEQUENTIAL)
    assert colors[0].max() < 10
    assert (np.diff(luminance(colors.astype(float))) > -0.5).all()


def color_slowly(u: float, v: float) -> np.ndarray:
    """colorcode.cpp, transcribed line by line: a table of 55 hues, two neighbours mixed by the angle."""
    table = []
    for count, start, axis, is_rising in (
        (15, (255, 0, 0), 1, True),
        (6, (255, 255, 0), 0, False),
        (4, (0, 255, 0), 2, True),
        (11, (0, 255, 255), 1, False),
        (13, (0, 0, 255), 0, True),
        (6, (255, 0, 255), 2, False),
    ):
        for step in range(count):
            color = list(start)
            color[axis] = 255 * step // count if is_rising else 255 - 255 * step // count
            table.append(color)
    radius = np.hypot(u, v)
    place = (np.arctan2(-v, -u) / np.pi + 1) / 2 * 54
    first = int(place)
    fraction = place - first
    mixed = [(1 - fraction) * table[first][c] / 255 + fraction * table[(first + 1) % 55][c] / 255 for c in range(3)]
    return np.array([255 * ((1 - radius * (1 - c)) if radius <= 1 else 0.75 * c) for c in mixed])


def test_the_wheel_is_the_one_of_baker_et_al(random: np.random.Generator) -> None:
    """To a few levels: the program spreads the circle over 54 steps of its table of 55."""
    motion = random.uniform(-1.2, 1.2, (200, 2)).astype(np.float32)
    expected = np.array([color_slowly(float(u), float(v)) for u, v in motion])
    assert np.abs(color_wheel(motion, bound=1.0) - expected).mean() < 6


def test_the_wheels_main_directions() -> None:
    motion = np.array([[0, 0], [5, 0], [-5, 0], [0, 5], [0, -5]], np.float32)
    rest, right, left, down, up = color_wheel(motion, bound=5.0).astype(int)
    assert rest.tolist() == [255, 255, 255]
    assert right[0] == 255 and right[1:].max() < 20  # red
    assert left[1] > 150 and left[2] > 200 and left[0] < 20  # cyan to blue
    assert down[0] > 200 and down[1] > 200 and down[2] < 30  # yellow
    assert up[2] > 200 and up[0] > 60 and up[1] < 30  # violet


@pytest.mark.parametrize("shape", [(3, 4), ()])
def test_any_shape(shape: tuple[int, ...]) -> None:
    assert color_wheel(np.zeros((*shape, 2), np.float32), 1.0).shape == (*shape, 3)
