import numpy as np
import pytest

from gbvis.figures.scale import Limits


def test_the_ends_are_percentiles(random: np.random.Generator) -> None:
    values = random.standard_normal((5, 20, 20)).astype(np.float32)
    limits = Limits.of(values, 90)
    assert limits.gradient == pytest.approx(np.percentile(np.abs(values), 90))
    assert limits.positive == pytest.approx(np.percentile(np.maximum(values, 0), 90))
    assert limits.negative == pytest.approx(np.percentile(np.maximum(-values, 0), 90))
    largest = Limits.of(values, 100)
    assert (largest.positive, largest.negative) == (values.max(), -values.min())


def test_a_sparse_gradient_ends_at_its_largest_value() -> None:
    values = np.zeros((2, 30, 30), np.float32)
    values[0, 3, 4], values[1, 5, 6] = 2, -3
    limits = Limits.of(values, 99)
    assert (limits.gradient, limits.positive, limits.negative) == (3, 2, 3)


def test_by_frame(random: np.random.Generator) -> None:
    values = random.standard_normal((2, 3, 8, 8)).astype(np.float32)  # u and v
    limits = Limits.of(values, 100, is_by_frame=True)
    np.testing.assert_array_equal(limits.gradient, np.abs(values).max((0, 2, 3)))


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0])
def test_what_is_the_same_everywhere_is_nothing(value: float) -> None:
    limits = Limits.of(np.full((2, 4, 4), value, np.float32), 99.5)
    assert limits.is_nothing
    assert not (limits.positive.any() or limits.negative.any())


def test_joining() -> None:
    one, other = (Limits(*(np.array([float(value)]) for value in values)) for values in ((1, 5, 3), (4, 2, 3)))
    joined = one | other | Limits.none()
    assert (joined.gradient, joined.positive, joined.negative) == (4, 5, 3)
