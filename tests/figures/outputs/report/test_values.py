"""Values in 16 bit, and their limits: whatever scale is chosen, the colours are those of the pictures."""

import os
from collections.abc import Callable

import numpy as np
import pytest

from gbvis.figures.color import DIVERGING, SEQUENTIAL, color_map
from gbvis.figures.outputs.report.base85 import decode_base85, encode_base85
from gbvis.figures.outputs.report.limits import find_clip_limits, find_magnitude_limits, offer_percentiles
from gbvis.figures.outputs.report.values import pack_values
from gbvis.figures.panel import divide, paint
from gbvis.figures.scale import Limits
from gbvis.figures.style import Style

PERCENTILES = offer_percentiles(Style(percentile=97.25))

CLIPS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "noise": lambda noise: noise,
    "heavy tails": lambda noise: noise**5,
    "of many sizes": lambda noise: np.exp(3 * noise) * np.sign(noise) * 1e-20,
    "mostly zero": lambda noise: np.where(np.abs(noise) > 2.5, noise, 0),
    "nothing in some frames": lambda noise: noise * (np.arange(noise.shape[1]) % 2)[None, :, None, None],
    "frames of other sizes": lambda noise: noise * 30.0 ** np.arange(noise.shape[1])[None, :, None, None],
    "of one sign": np.abs,
    "of the other sign": lambda noise: -np.abs(noise),
    "of few values": lambda noise: np.select([noise < -1, noise < 0, noise < 1], [-0.77, 0.31, 1.23], 0.05),
    "flat": lambda noise: 0 * noise + 3,
    "zero": lambda noise: 0 * noise,
    "tiny": lambda noise: noise * 1e-37,
}


def make_values(random: np.random.Generator, clip: str, shape: tuple[int, ...] = (2, 4, 64, 64)) -> np.ndarray:
    """Return values: float32 (row, time, y, x)."""
    return CLIPS[clip](random.standard_normal(shape)).astype(np.float32)


@pytest.mark.parametrize("length", [*range(10), 1000, 4099])
def test_base_85_is_what_python_reads_and_can_stand_in_html(length: int) -> None:
    for data in (os.urandom(length), bytes(length), b"\xff" * length):
        text = encode_base85(data)
        assert decode_base85(text) == data
        assert not set(text) & set(b"<\"'\\ \n")
        assert len(text) == -(-length * 5 // 4)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("clip", CLIPS)
def test_limits_are_those_of_pictures(random: np.random.Generator, clip: str, shared: bool) -> None:
    values = make_values(random, clip, (2, 4, 16, 16))
    found = find_clip_limits(values, PERCENTILES, shared)
    for place, percentile in enumerate(PERCENTILES):
        for is_by_frame, ends in ((False, found.clip[place][None]), (True, found.frame[place])):
            limits = Limits.of(values, percentile, is_by_frame, shared)
            expected = np.stack([limits.gradient, limits.positive, limits.negative], axis=-1)
            np.testing.assert_allclose(ends, expected, rtol=1e-6)  # NumPy's releases round differently


def test_the_overlay_ends_where_its_layout_does(random: np.random.Generator) -> None:
    values = make_values(random, "heavy tails")
    found = find_magnitude_limits(values, PERCENTILES)
    for place, percentile in enumerate(PERCENTILES):
        limits = Limits.of(np.abs(values).max(0), percentile, True)
        np.testing.assert_allclose(found.frame[place][:, 0], limits.gradient, rtol=1e-6)


def paint_all(values: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the panels gradient, positive and negative: int (3, row, time, y, x, 3).

    Args:
        values: float32 (row, time, y, x).
        ends: float64 (time or 1, 3).
    """
    steps = range(values.shape[1])
    gradient, positive, negative = (
        np.stack([divide(values, ends[:, side], step) for step in steps], axis=1) for side in range(3)
    )
    places = (0.5 + 0.5 * gradient, DIVERGING), (positive, SEQUENTIAL), (-negative, SEQUENTIAL)
    return np.stack([paint(place, color_map(colors)) for place, colors in places]).astype(int)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("clip", CLIPS)
def test_colors_are_those_of_pictures_at_every_scale(random: np.random.Generator, clip: str, shared: bool) -> None:
    values = make_values(random, clip)
    limits = find_clip_limits(values, PERCENTILES, shared)
    of_all = limits.clip * 1.07 + 1e-30
    packed = pack_values(values, limits, of_all)
    unpacked = packed.unpack()
    for place in range(len(PERCENTILES)):
        for ends in (limits.clip[place][None], limits.frame[place], of_all[place][None]):
            difference = np.abs(paint_all(unpacked, ends) - paint_all(values, ends)).max(-1)
            assert difference.max() <= 4
            assert (difference > 1).mean() <= 0.01


@pytest.mark.parametrize("clip", CLIPS)
def test_an_error_is_small_on_any_scale(random: np.random.Generator, clip: str) -> None:
    values = make_values(random, clip)
    limits = find_clip_limits(values, PERCENTILES, True)
    errors = np.abs(pack_values(values, limits, None).unpack() - values)
    for ends in limits.clip[:, 0]:
        seen = np.abs(values) <= ends  # what lies beyond has the last colour
        assert not seen.any() or errors[seen].max() <= 0.004 * ends


def test_a_frame_alone_can_be_packed(random: np.random.Generator) -> None:
    values = make_values(random, "noise", (1, 1, 7, 5))
    limits = find_clip_limits(values, PERCENTILES, True)
    np.testing.assert_allclose(pack_values(values, limits, None).unpack(), values, rtol=1e-3, atol=1e-3)
