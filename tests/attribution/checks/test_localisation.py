"""Pointing and mass: Quantus's numbers, ties, frames without a mask or relevance, baselines."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from gbvis.attribution.checks import parse_check
from gbvis.attribution.checks.check import BASELINES, Finding, Subject, average_findings
from gbvis.attribution.checks.laboratory import Laboratory
from gbvis.attribution.checks.mass import Mass, concentrate
from gbvis.attribution.checks.pointing import Pointing, point
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.errors import UsageError
from gbvis.networks.endpoint import Target
from material.passes import make_clip
from material.small_kind import CLASSES, make_small_network

Pair = tuple[NDArray[np.float32], NDArray[np.bool_]]

QUANTUS_POINTING = [False, True, True, False, True, True, False, True]
QUANTUS_MASS = [0.090055652, 0.184877455, 0.253380751, 0.270437348, 0.342548412, 0.520916857, 0.483227606, 0.645234545]
"""What Quantus 0.6.0 finds for `make_pairs`; CI, which lacks it, compares with these."""


def make_pairs(count: int = 8) -> list[Pair]:
    """Return relevance, float32 (6, 14, 14), and masks that move through the frames, of rising size."""
    random = np.random.default_rng(20)
    pairs = []
    for number in range(count):
        relevance = random.random((6, 14, 14), np.float32) ** 4
        mask = np.zeros((6, 14, 14), np.bool_)
        for frame in range(6):
            mask[frame, frame : frame + 4 + number, 2 : 6 + number] = True
        relevance[mask] *= 1 + 0.3 * (number % 3)
        pairs.append((relevance, mask))
    return pairs


def stack(pairs: list[Pair]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return them as Quantus takes them: (number, 1, 6, 14, 14)."""
    return np.stack([one for one, _ in pairs])[:, None], np.stack([mask for _, mask in pairs])[:, None]


def test_pointing_at_margin_0_is_as_quantus_has_it() -> None:
    assert [point(*pair).distance == 0 for pair in make_pairs()] == QUANTUS_POINTING


def test_mass_before_division_is_as_quantus_has_it() -> None:
    shares = [concentrate(*pair).share for pair in make_pairs()]
    np.testing.assert_allclose(shares, QUANTUS_MASS, rtol=0, atol=1e-6)


def test_the_numbers_kept_are_those_of_quantus() -> None:
    quantus = pytest.importorskip("quantus")
    relevance, masks = stack(make_pairs())
    asked = {"a_batch": relevance.astype(np.float64), "s_batch": masks}
    assert list(quantus.PointingGame(disable_warnings=True).evaluate_batch(**asked)) == QUANTUS_POINTING
    mass = quantus.RelevanceMassAccuracy(disable_warnings=True).evaluate_batch(**asked)
    np.testing.assert_allclose(mass, QUANTUS_MASS, rtol=0, atol=1e-6)


def measure(check: Pointing | Mass, relevance: NDArray[np.float32], mask: NDArray[np.bool_] | None) -> Finding:
    """Return what a test finds for a relevance of a clip, whatever the network says of it."""
    network = make_small_network()
    clip = make_clip(np.random.default_rng(1), network, frames=len(relevance))
    laboratory = Laboratory(network, clip, find_mask=lambda clip: mask)
    subject = Subject(clip, Target(CLASSES, 0), GuidedBackprop(), relevance[None])
    (finding,) = check.measure([subject], laboratory)
    return finding


def make_case(frames: int = 4) -> Pair:
    """Return no relevance, and a mask of 8 by 8 pixels in the upper left corner, of a clip of the small network."""
    side = make_small_network().info.clip_format.crop
    mask = np.zeros((frames, side, side), np.bool_)
    mask[:, :8, :8] = True
    return np.zeros(mask.shape, np.float32), mask


@pytest.mark.parametrize(("column", "hits"), [(7, 1.0), (11, 1.0), (12, 0.0)])
def test_a_maximum_beside_the_mask_is_a_hit_within_the_margin(column: int, hits: float) -> None:
    relevance, mask = make_case()
    relevance[2, 3, column] = 1
    margin = 4 * 224 / mask.shape[-1]  # 4 pixels of this clip
    finding = measure(Pointing(margin), relevance, mask)
    assert finding.value == hits
    assert finding.details["distance"] == column - 7
    assert finding.details["place"] == {"frame": 2, "row": 3, "column": column}
    assert ("a hit" in Pointing(margin).describe(finding)) == bool(hits)


def test_the_margin_shrinks_with_the_clip() -> None:
    relevance, mask = make_case()
    assert measure(Pointing(), relevance, mask).details["margin"] == 15 * mask.shape[-1] / 224


def test_one_of_several_maxima_on_the_mask_is_a_hit() -> None:
    relevance, mask = make_case()
    relevance[0, 20, 20] = relevance[3, 1, 1] = 1
    finding = measure(Pointing(0), relevance, mask)
    assert (finding.value, finding.details["place"]["frame"]) == (1.0, 3)


def test_equal_relevance_points_nowhere() -> None:
    relevance, mask = make_case()
    finding = measure(Pointing(), relevance + 1, mask)
    assert (finding.value, finding.details["hit_frames"]) == (0.0, 0)
    assert "no maximum" in Pointing().describe(finding)


def test_of_several_clips_the_share_that_hits_counts() -> None:
    found = []
    for column in (2, 20):
        relevance, mask = make_case()
        relevance[0, 2, column] = 1
        found.append(measure(Pointing(0), relevance, mask))
    whole = average_findings(found)
    assert whole.value == 0.5
    assert "in 50% of the clips" in Pointing(0).describe(whole)


def test_a_maximum_in_a_frame_without_a_mask_is_a_miss() -> None:
    relevance, mask = make_case()
    mask[1] = False
    relevance[1, 0, 0] = 1
    finding = measure(Pointing(), relevance, mask)
    assert (finding.value, finding.details["distance"]) == (0.0, None)
    assert "without a mask" in Pointing().describe(finding)
    assert finding.details["masked_frames"] == 3
    assert finding.curves["distance"][1] == np.hypot(*mask.shape[1:])


def test_mass_is_1_of_evenly_spread_relevance_and_the_most_that_there_can_be_inside() -> None:
    relevance, mask = make_case()
    assert measure(Mass(), relevance + 1, mask).value == pytest.approx(1, abs=1e-6)
    inside = measure(Mass(), mask.astype(np.float32), mask)
    assert inside.value == pytest.approx(1 / mask.mean(), abs=1e-9)
    assert inside.details["share"] == 1


def test_mass_is_the_mean_over_frames_that_have_relevance_and_a_mask() -> None:
    relevance, mask = make_case(4)
    pixels = mask[0].size
    relevance[0, :8, :8] = 1  # all of it inside
    relevance[1, 20, 20] = 1  # none
    relevance[2] = 1
    mask[2] = False
    finding = measure(Mass(), relevance, mask)
    assert finding.details["frames"] == 2
    assert finding.value == pytest.approx((pixels / 64 + 0) / 2)
    assert list(finding.curves["mass"]) == pytest.approx([pixels / 64, 0, 0, 0])


@pytest.mark.parametrize("check", [Pointing(), Mass()], ids=str)
def test_no_relevance_is_0(check: Pointing | Mass) -> None:
    relevance, mask = make_case()
    finding = measure(check, relevance, mask)
    assert finding.value == 0
    assert check.describe(finding).endswith(": 0")


@pytest.mark.parametrize("check", [Pointing(), Mass()], ids=str)
def test_every_number_has_those_that_know_nothing_beside_it(check: Pointing | Mass) -> None:
    relevance, mask = make_case()
    finding = measure(check, relevance + 1, mask)
    assert {*finding.baselines} == {*BASELINES}
    assert all(curve.shape == (4,) and np.isfinite(curve).all() for curve in finding.curves.values())
    assert measure(check, relevance + 1, mask).baselines == finding.baselines


def test_random_relevance_has_a_mass_of_about_1() -> None:
    assert measure(Mass(), *make_case()).baselines["random"] == pytest.approx(1, abs=0.1)


def test_without_a_mask_nothing_is_judged() -> None:
    with pytest.raises(UsageError, match="where the object is"):
        measure(Mass(), make_case()[0], None)


@pytest.mark.parametrize("margin", ["-1", "300"])
def test_a_margin_is_checked(margin: str) -> None:
    with pytest.raises(UsageError, match="expected 0 to 224"):
        parse_check(f"pointing:margin={margin}")


def test_many_maxima_are_measured_in_parts() -> None:
    relevance, mask = make_case(1)
    relevance[0, 9:] = 1
    assert point(relevance, mask).distance == 2
    mask[:] = False
    assert math.isinf(point(relevance, mask).distance)
