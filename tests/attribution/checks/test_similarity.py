"""Similarity: equal to SciPy's and scikit-image's."""

import numpy as np
import pytest

from gbvis.attribution.checks.check import find_relevance
from gbvis.attribution.checks.similarity import (
    Appearance,
    correlate,
    describe_gradients,
    find_ssim,
    measure_similarity,
    rank,
)

SHAPES = [(3, 8, 72, 72), (2, 5, 41, 60), (2, 16, 112, 112)]


def make_appearance(random: np.random.Generator, shape: tuple[int, ...]) -> Appearance:
    """Return a smooth signed attribution, much of it 0, as guided gradients are."""
    noise = random.standard_normal(shape).astype(np.float32)
    values = noise + np.roll(noise, 1, -1) + np.roll(noise, 1, -2)
    values[np.abs(values) < 1] = 0
    return Appearance(values, find_relevance(values, "signed"))


@pytest.mark.parametrize("shape", SHAPES)
def test_spearman_is_scipys(random: np.random.Generator, shape: tuple[int, ...]) -> None:
    from scipy.stats import spearmanr

    one, other = (make_appearance(random, shape) for _ in range(2))
    other = Appearance(one.values + other.values, find_relevance(one.values + other.values, "signed"))
    found = measure_similarity(one, other)
    assert found["spearman"] == pytest.approx(spearmanr(one.values, other.values, axis=None).statistic, abs=1e-9)
    absolute = spearmanr(one.relevance, other.relevance, axis=None).statistic
    assert found["absolute"] == pytest.approx(absolute, abs=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_ssim_is_scikit_images(random: np.random.Generator, shape: tuple[int, ...]) -> None:
    metrics = pytest.importorskip("skimage.metrics")
    one, other = (make_appearance(random, shape) for _ in range(2))
    pairs = list(zip(one.scaled, one.scaled * 0.7 + other.scaled * 0.3, strict=True))
    expected = [metrics.structural_similarity(first, second, data_range=1) for first, second in pairs]
    found = find_ssim(*(np.stack(part) for part in zip(*pairs, strict=True)))
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_hogs_are_scikit_images(random: np.random.Generator, shape: tuple[int, ...]) -> None:
    from scipy.stats import pearsonr

    feature = pytest.importorskip("skimage.feature")
    one, other = (make_appearance(random, shape) for _ in range(2))
    expected = [[feature.hog(frame) for frame in frames.scaled] for frames in (one, other)]
    for found, theirs in zip((one, other), expected, strict=True):
        np.testing.assert_allclose(describe_gradients(found.scaled), theirs, atol=1e-6)  # it sums in float32
    similarities = [pearsonr(*frames).statistic for frames in zip(*expected, strict=True)]
    assert measure_similarity(one, other)["hog"] == pytest.approx(np.mean(similarities), abs=1e-7)


@pytest.mark.parametrize("side", [3, 6, 20])
def test_small_clips(random: np.random.Generator, side: int) -> None:
    one, other = (make_appearance(random, (3, 4, side, side + 1)) for _ in range(2))
    assert measure_similarity(one, one) == pytest.approx(dict.fromkeys(measure_similarity(one, one), 1.0))
    assert np.isfinite(list(measure_similarity(one, other).values())).all()


def test_the_size_of_an_attribution_does_not_matter(random: np.random.Generator) -> None:
    one = make_appearance(random, (3, 4, 40, 40))
    larger = Appearance(one.values * 1024, one.relevance * 1024)
    assert measure_similarity(one, larger) == pytest.approx(dict.fromkeys(measure_similarity(one, one), 1.0))


def test_nothing_is_like_nothing_alone(random: np.random.Generator) -> None:
    one = make_appearance(random, (3, 4, 40, 40))
    nothing = Appearance(np.zeros_like(one.values), np.zeros_like(one.relevance))
    assert measure_similarity(nothing, nothing) == dict.fromkeys(measure_similarity(one, one), 1.0)
    found = measure_similarity(one, nothing)
    assert found["spearman"] == found["absolute"] == found["hog"] == 0
    assert found["ssim"] < 1


def test_correlation_of_what_hardly_varies() -> None:
    assert correlate(np.full(5, 0.1), np.arange(5.0)) == 0
    assert correlate(np.arange(5.0), 3 * np.arange(5.0) - 7) == pytest.approx(1)
    assert list(rank(np.array([3.0, 1, 3, 2]))) == [3.5, 1, 3.5, 2]
