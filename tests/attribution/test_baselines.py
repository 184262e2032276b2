"""Baselines: what a clip is compared with."""

from dataclasses import replace

import numpy as np
import pytest

from gbvis.attribution.baselines import Baseline, blur, make_baseline, settle_baseline
from gbvis.attribution.iterative import Clip
from gbvis.errors import UsageError
from gbvis.videos.clip import ClipFormat, normalise_in_line

RGB = ClipFormat(4, 32, 48, 32, 0, 8, 255.0, (0.5, 0.4, 0.3), (0.25, 0.2, 0.2))
FLOW = ClipFormat(4, 32, 48, 32, 0, 8, 1.0, (127.0, 128.0), (128.0, 64.0))
MOTION = replace(FLOW, mean=(0.5, 0.25), std=(3.0, 5.0), is_motion=True)


def make_clip(random: np.random.Generator, clip_format: ClipFormat) -> Clip:
    shape = (clip_format.frames, clip_format.crop, clip_format.crop, clip_format.channels)
    pixels = random.integers(0, 256, shape, dtype=np.uint8)
    if clip_format.is_motion:
        return Clip(random.normal(0, 3, shape).astype(np.float32), clip_format, "flow")
    return Clip(pixels, clip_format, "rgb" if clip_format.channels == 3 else "flow")


@pytest.mark.parametrize("clip_format", [RGB, FLOW, MOTION])
def test_the_mean_is_0_after_normalisation(random: np.random.Generator, clip_format: ClipFormat) -> None:
    clip = make_clip(random, clip_format)
    baseline = make_baseline("mean", clip)
    assert baseline.dtype == np.float32 and baseline.shape == clip.values.shape and not baseline.any()


@pytest.mark.parametrize(("clip_format", "level"), [(FLOW, 128), (MOTION, 0)])
def test_rest_is_exactly_what_a_clip_without_motion_becomes(
    random: np.random.Generator, clip_format: ClipFormat, level: int
) -> None:
    clip = make_clip(random, clip_format)
    clip.pixels[:2] = level
    difference = clip.values - make_baseline("rest", clip)
    assert not difference[:, :2].any() and difference[:, 2:].any()
    still = normalise_in_line(np.full_like(clip.pixels, level), clip_format)
    np.testing.assert_array_equal(make_baseline("rest", clip), still)


@pytest.mark.parametrize("is_bgr", [False, True])
def test_black_is_what_pixels_of_0_become(random: np.random.Generator, is_bgr: bool) -> None:
    clip = make_clip(random, replace(RGB, is_bgr=is_bgr))
    expected = [-2.0, -2.0, -1.5][:: -1 if is_bgr else 1]  # in line with the pixels
    for channel, value in zip(make_baseline("black", clip), expected, strict=True):
        np.testing.assert_allclose(channel, value, rtol=1e-6)


@pytest.mark.parametrize("clip_format", [RGB, FLOW, MOTION])
def test_blur_is_a_gaussian_in_space_alone(random: np.random.Generator, clip_format: ClipFormat) -> None:
    """Σ_j g(i - j) of the frame, mirrored at its edges, row by row and column by column."""
    clip = make_clip(random, clip_format)
    places = np.arange(-20, 21)
    kernel = np.exp(-(places**2) / (2 * 5.0**2))
    expected = np.pad(clip.values.astype(np.float64), ((0, 0), (0, 0), (20, 20), (20, 20)), mode="symmetric")
    for axis in (2, 3):
        expected = np.apply_along_axis(np.convolve, axis, expected, kernel / kernel.sum(), "valid")
    np.testing.assert_allclose(make_baseline("blur", clip), expected, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("shape", [(3, 2, 112, 112), (2, 1, 7, 60)])
def test_blur_is_scipys_gaussian_filter(random: np.random.Generator, shape: tuple[int, ...]) -> None:
    """Also where a frame is smaller than the Gaussian."""
    from scipy import ndimage

    values = random.standard_normal(shape).astype(np.float32)
    expected = ndimage.gaussian_filter(values.astype(np.float64), (0, 0, 5, 5))
    np.testing.assert_allclose(blur(values), expected, atol=1e-6 * np.abs(expected).max())


def test_a_baseline_is_made_once_for_a_clip(random: np.random.Generator) -> None:
    clip = make_clip(random, RGB)
    assert make_baseline("blur", clip) is make_baseline("blur", clip)
    assert make_baseline("blur", clip) is not make_baseline("black", clip)
    assert make_baseline(None, clip) is make_baseline("mean", clip)


def test_the_modality_decides_where_nothing_is_said() -> None:
    assert settle_baseline(None, "rgb") == "mean" and settle_baseline(None, "flow") == "rest"
    assert settle_baseline("blur", "rgb") == "blur" and settle_baseline("mean", "flow") == "mean"


@pytest.mark.parametrize(
    ("name", "modality", "hint"),
    [
        ("rest", "rgb", "baselines for rgb: mean, black, blur"),
        ("black", "flow", "baselines for flow: rest, mean, blur"),
    ],
)
def test_what_makes_no_sense_says_what_does(name: Baseline, modality: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"the baseline {name} makes no sense for {modality}") as error:
        settle_baseline(name, modality)
    assert error.value.hint == hint
