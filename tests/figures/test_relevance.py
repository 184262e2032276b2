"""Selective relevance, against its full 3x3x3 kernel."""

import numpy as np
import pytest
import torch
from torch.nn.functional import conv3d, pad

from gbvis.errors import OutputError
from gbvis.figures.relevance import TemporalRelevance, differentiate

AXES = ("channel", "time", "y", "x")


def differentiate_slowly(values: np.ndarray) -> np.ndarray:
    """Return the correlation with the kernel as the authors' code has it, beyond the rim each value repeated."""
    smooth = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]], dtype=torch.float64)
    kernel = torch.stack([-smooth, 0 * smooth, smooth])
    padded = pad(torch.from_numpy(values).double()[None, None], (1,) * 6, mode="replicate")
    return conv3d(padded, kernel[None, None])[0, 0].numpy()


@pytest.mark.parametrize("shape", [(3, 5, 4), (16, 12, 9), (8, 1, 1), (4, 1, 7)])
def test_the_derivative_is_the_kernels(random: np.random.Generator, shape: tuple[int, ...]) -> None:
    values = random.standard_normal(shape).astype(np.float32)
    np.testing.assert_allclose(differentiate(values), differentiate_slowly(values), atol=1e-12)


@pytest.mark.parametrize("s", [0, 0.5, 2, 3])
def test_what_changes_by_more_than_s_deviations_is_kept(random: np.random.Generator, s: float) -> None:
    values = (
        random.standard_normal((2, 9, 20, 24)).astype(np.float32) * np.array([1, 1e-6], np.float32)[:, None, None, None]
    )
    found = TemporalRelevance(s).select(values, AXES)
    assert found.dtype == np.float32
    for channel, selected in zip(values, found, strict=True):
        change = differentiate_slowly(channel)
        kept = np.abs(change) > s * change.std()
        np.testing.assert_array_equal(selected, np.where(kept, channel, 0))
        assert 0 < kept.mean() < 1 or s == 0


def test_what_rests_is_gone_at_the_ends_too(random: np.random.Generator) -> None:
    """A spot that moves is kept; a stronger one that rests is not, not in the first or last frame either."""
    values = np.zeros((1, 8, 24, 24), np.float32)
    values[:, :, 3:6, 3:6] = 5
    for step in range(8):
        values[:, step, 15:18, 2 * step : 2 * step + 3] = 1
    found = TemporalRelevance().select(values, AXES)
    assert not found[:, :, 3:6, 3:6].any() and found[:, :, 15:18].any((0, 2, 3)).all()
    assert not TemporalRelevance().select(np.full((3, 4, 8, 8), 2, np.float32), AXES).any()


@pytest.mark.parametrize(
    ("shape", "axes"), [((4, 6, 6), ("time", "y", "x")), ((2, 5), ("channel", "time")), ((7,), ("time",))]
)
def test_other_axes_stay(random: np.random.Generator, shape: tuple[int, ...], axes: tuple[str, ...]) -> None:
    assert TemporalRelevance().select(random.standard_normal(shape).astype(np.float32), axes).shape == shape


@pytest.mark.parametrize(("shape", "axes"), [((3, 2, 6, 6), AXES), ((1, 6, 6), AXES[1:]), ((6, 6), AXES[2:])])
def test_too_few_steps_are_an_error(shape: tuple[int, ...], axes: tuple[str, ...]) -> None:
    with pytest.raises(OutputError, match=r"takes 3 steps to be seen, and there (are 2|is 1) in a clip"):
        TemporalRelevance().select(np.ones(shape, np.float32), axes)


@pytest.mark.parametrize(
    ("s", "typed", "part"), [(2, "temporal:s=2", "temporal"), (2.5, "temporal:s=2.5", "temporal-2.5")]
)
def test_its_name(s: float, typed: str, part: str) -> None:
    assert (str(TemporalRelevance(s)), TemporalRelevance(s).name_part) == (typed, part)
    with pytest.raises(ValueError, match="from 0 on"):
        TemporalRelevance(-s)
