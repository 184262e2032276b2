"""Deletion and insertion against a slow second version from RISE's definition, and against what must hold."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from gbvis.attribution.baselines import make_baseline
from gbvis.attribution.checks import parse_check
from gbvis.attribution.checks.check import find_relevance
from gbvis.attribution.checks.deletion import Course, Deletion, Insertion, Replacing, blur_as_rise, find_area
from gbvis.attribution.checks.laboratory import Laboratory
from gbvis.attribution.checks.regions import count_replaced, cut_regions, rank_regions, reverse_ranks
from gbvis.attribution.checks.uninformed import make_uninformed
from gbvis.attribution.iterative import Clip
from gbvis.attribution.methods.grad_cam import GradCam
from gbvis.attribution.methods.gradient import Gradient
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.errors import UsageError
from gbvis.networks.endpoint import FC, SOFTMAX, Target
from gbvis.networks.load import load_networks
from gbvis.networks.sample import find_weights
from gbvis.videos.clip import Inputs, cut_clip
from gbvis.videos.synthetic import SyntheticVideo
from material.captum_target import AtEndpoint
from material.checkpoints import Exact
from material.passes import make_clip
from material.scoring_kind import SCORES, make_laboratory, make_scoring_network, make_subject
from material.small_kind import CLASSES


def blur_slowly(values: np.ndarray) -> np.ndarray:
    """Return a clip (C, T, H, W) blurred as the notebook of RISE does it: a convolution with an impulse's blur."""
    from scipy.ndimage import gaussian_filter

    impulse = np.zeros((11, 11))
    impulse[5, 5] = 1
    kernel = torch.from_numpy(gaussian_filter(impulse, 5))[None, None]
    frames = torch.from_numpy(values.astype(np.float64)).flatten(0, 1)[:, None]
    return torch.nn.functional.conv2d(frames, kernel, padding=5).reshape(values.shape).numpy()


def run_rise(
    laboratory: Laboratory, start: np.ndarray, finish: np.ndarray, order: list[np.ndarray], step: int, index: int
) -> tuple[np.ndarray, float]:
    """Return the scores while `step` regions at a time go from start to finish, and the area as RISE has it.

    Args:
        laboratory: The network, which its plain module computes here, one input at a time.
        start: (C, T, H, W).
        finish: The same.
        order: The masks (T, H, W) of the regions, the first one first.
        step: How many regions at once.
        index: Of the class.
    """
    network, scores, current = laboratory.network, [], start.copy()
    forward = AtEndpoint(network, laboratory.scores)
    while True:
        scores.append(forward(network.preprocess(Inputs(current[None])))[0, index].item())
        if not order:
            break
        changed, order = order[:step], order[step:]
        for region in changed:
            current[:, region] = finish[:, region]
    points = np.array(scores)
    return points, (points.sum() - points[0] / 2 - points[-1] / 2) / (len(points) - 1)


def cut_slowly(shape: tuple[int, ...], size: tuple[int, ...]) -> list[np.ndarray]:
    """Return the masks of all boxes."""
    masks = []
    for frame in range(0, shape[0], size[0]):
        for row in range(0, shape[1], size[1]):
            for column in range(0, shape[2], size[2]):
                mask = np.zeros(shape, bool)
                mask[frame : frame + size[0], row : row + size[1], column : column + size[2]] = True
                masks.append(mask)
    return masks


@pytest.mark.parametrize("stream", ["rgb", "flow", pytest.param("flow2", marks=pytest.mark.slow)])
@pytest.mark.parametrize("check", [Deletion("tube", "2x30x30", 4), Insertion("frame", steps=2)])
def test_rises_definition_gives_the_same(
    weights: dict[str, Path],
    random: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    stream: str,
    check: Replacing,
) -> None:
    monkeypatch.setattr("gbvis.attribution.checks.deletion.make_uninformed", lambda laboratory: {})
    network = Exact(load_networks(weights[stream], "0" * 64)[0])
    network.module.get_submodule("classifier").weight *= 1000  # else all classes are as probable, whatever the clip
    laboratory = Laboratory(network, make_clip(random, network))
    values, frames = laboratory.clip.values, len(laboratory.clip.pixels)
    subject = make_subject(laboratory, Gradient(), Target(SOFTMAX, 3))
    check = check.settled(network.info, frames)
    (found,) = check.measure([subject], laboratory)

    size = (2, 30, 30) if check.region == "tube" else (1, 112, 112)
    masks = cut_slowly(values.shape[1:], size)
    relevance = np.abs(subject.values).sum(0)
    order = sorted(masks, key=lambda mask: -relevance[mask].mean())
    step = len(masks) // check.steps
    if check.name == "deletion":
        baseline = make_baseline("mean" if stream == "rgb" else "rest", laboratory.clip)
        curve, area = run_rise(laboratory, values, baseline, order, step, 3)
        other, area_of_other = run_rise(laboratory, values, baseline, order[::-1], step, 3)
        np.testing.assert_allclose(found.curves["lerf"], other, atol=1e-6)
        assert found.value == pytest.approx(area_of_other - area, abs=1e-6)
    else:
        baseline = blur_slowly(values) if stream == "rgb" else make_baseline("rest", laboratory.clip)
        curve, area = run_rise(laboratory, baseline.astype(np.float32), values, order, step, 3)
        assert found.value == pytest.approx(area, abs=1e-6)
    assert np.ptp(curve) > 1e-3  # it is no matter of rounding
    np.testing.assert_allclose(found.curves["morf"], curve, atol=1e-6)
    assert found.details["morf"] == pytest.approx(area, abs=1e-6)


def test_pixel_by_pixel(random: np.random.Generator) -> None:
    network = Exact(make_scoring_network())
    laboratory = make_laboratory(random, network)
    values = laboratory.clip.values
    subject = make_subject(laboratory, Gradient(), Target(CLASSES, 1))
    (found,) = Insertion("pixel", baseline="black", steps=16).measure([subject], laboratory)
    order = np.argsort(-np.abs(subject.values).sum(0).ravel())
    masks = [(np.arange(len(order)) == place).reshape(values.shape[1:]) for place in order]
    baseline = make_baseline("black", laboratory.clip)
    curve, area = run_rise(laboratory, baseline, values, masks, len(masks) // 16, 1)
    np.testing.assert_allclose(found.curves["morf"], curve, atol=1e-6)
    assert found.value == pytest.approx(area, abs=1e-6)


def test_rises_blur(random: np.random.Generator) -> None:
    values = random.standard_normal((3, 2, 30, 17)).astype(np.float32)
    np.testing.assert_allclose(blur_as_rise(values), blur_slowly(values), atol=1e-6)


def test_baselines_are_measured_as_attributions_are(random: np.random.Generator) -> None:
    laboratory = make_laboratory(random, make_scoring_network())
    check = Deletion("tube", "1x8x8", 9, "mean")
    subject = make_subject(laboratory, Gradient(), Target(CLASSES, 2))
    (found,) = check.measure([subject], laboratory)
    for name, relevance in make_uninformed(laboratory).items():
        morf, lerf = Course(check, laboratory).follow(relevance)[..., 2]
        np.testing.assert_array_equal(found.curves[f"morf@{name}"], morf)
        assert found.baselines[name] == find_area(found.curves["x"], lerf) - find_area(found.curves["x"], morf)


def test_several_subjects_are_found_as_each_alone(random: np.random.Generator) -> None:
    laboratory = make_laboratory(random, make_scoring_network())
    check = Insertion(steps=5, baseline="blur")
    subjects = [
        make_subject(laboratory, method, Target(endpoint, index))
        for method in (Gradient(), GradCam(at="shapes"))
        for endpoint, index in ((CLASSES, 0), (SCORES, 2))
    ]
    together = list(check.measure(subjects, laboratory))
    alone = [next(iter(check.measure([subject], laboratory))) for subject in subjects]
    assert [one.value for one in together] == [one.value for one in alone]
    assert [one.baselines for one in together] == [one.baselines for one in alone]
    assert len({one.value for one in together}) == 4


def test_with_one_baseline_insertion_is_deletion_backwards(random: np.random.Generator) -> None:
    laboratory = make_laboratory(random, make_scoring_network())
    subject = make_subject(laboratory, Gradient(), Target(CLASSES, 1))
    (deleted,) = Deletion("tube", "2x4x4", 24, "blur").measure([subject], laboratory)
    (inserted,) = Insertion("tube", "2x4x4", 24, "blur").measure([subject], laboratory)
    np.testing.assert_array_equal(inserted.curves["morf"], deleted.curves["lerf"][::-1])
    assert inserted.value - deleted.details["morf"] == pytest.approx(deleted.value, abs=1e-12)


def test_an_order_at_random_gives_nothing() -> None:
    """LeRF - MoRF, and insertion - deletion with one baseline, over 40 clips, each with an order of its own."""
    network = make_scoring_network()
    differences: dict[str, list[float]] = {"lerf - morf": [], "insertion - deletion": []}
    for number in range(40):
        laboratory = make_laboratory(np.random.default_rng(number), network)
        relevance = make_uninformed(laboratory)["random"]
        other = laboratory.random("another order").random(relevance.shape, np.float32)
        deleting = Course(Deletion("tube", "2x4x4", 8, "mean"), laboratory)
        (morf, lerf), shares = deleting.follow(relevance)[..., 1], deleting.shares
        (inserted,) = Course(Insertion("tube", "2x4x4", 8, "mean"), laboratory).follow(other)[..., 1]
        differences["lerf - morf"].append(find_area(shares, lerf) - find_area(shares, morf))
        differences["insertion - deletion"].append(find_area(shares, inserted) - find_area(shares, morf))
    for name, found in differences.items():
        error = np.std(found, ddof=1) / np.sqrt(len(found))
        assert error > 0 and abs(np.mean(found)) < 2 * error, name


@pytest.mark.parametrize("place", [0, 1], ids=["rgb", "flow"])
def test_a_trained_network_loses_its_class_with_what_is_relevant(place: int) -> None:
    """On the samples; over 160 of them and both streams `docs/check` says what was seen."""
    network = load_networks(find_weights(Path("sample")), "0" * 64)[place]
    clip_format, modality = network.info.clip_format, network.info.modality
    video = SyntheticVideo("right-5", modality)
    clip = Clip(cut_clip(video, range(4, 12), clip_format), clip_format, modality, 4)
    laboratory = Laboratory(network, clip)
    subject = make_subject(laboratory, GuidedBackprop(), Target(FC, 1))
    course = Course(Deletion(steps=8).settled(network.info, 8), laboratory)
    morf, lerf = (find_area(course.shares, one) for one in course.follow(subject.relevance)[..., 1])
    assert lerf > 0.6 and morf < 0.4


def test_the_same_seed_gives_the_same_bytes(random: np.random.Generator) -> None:
    network = make_scoring_network()
    clip = make_clip(random, network)
    found = []
    for seed in (0, 0, 1):
        laboratory = Laboratory(network, clip, seed)
        subject = make_subject(laboratory, Gradient(), Target(CLASSES, 1))
        found += list(Deletion(steps=4, baseline="mean").measure([subject], laboratory))
    assert all(found[0].curves[name].tobytes() == found[1].curves[name].tobytes() for name in found[0].curves)
    assert found[0].baselines == found[1].baselines and found[0].value == found[2].value
    assert found[0].baselines["random"] != found[2].baselines["random"]


def test_regions_of_equal_relevance_go_in_random_order(random: np.random.Generator) -> None:
    labels = cut_regions((4, 24, 24), "tube", (2, 8, 8))
    nothing = find_relevance(np.zeros((3, 4, 24, 24), np.float32), "signed")
    first, second = (rank_regions(nothing, labels, np.random.default_rng(seed)) for seed in (0, 1))
    assert sorted(np.unique(first)) == list(range(18))
    assert (first != second).any() and (first != labels).any()
    np.testing.assert_array_equal(reverse_ranks(first), 17 - first)


def test_regions_are_ranked_by_their_mean() -> None:
    """The last ones are smaller; what they lack in pixels does not count."""
    labels = cut_regions((1, 4, 6), "tube", (4, 4, 4))
    relevance = np.where(labels == 1, 3, 2).astype(np.float32)
    np.testing.assert_array_equal(rank_regions(relevance, labels, np.random.default_rng(0)), 1 - labels)


@pytest.mark.parametrize(
    ("region", "count"), [("frame", 5), ("tube", 3 * 3 * 4), ("pixel", 5 * 9 * 11)], ids=["frame", "tube", "pixel"]
)
def test_regions_cover_the_clip(region: str, count: int) -> None:
    labels = cut_regions((5, 9, 11), region, (2, 4, 3))  # type: ignore[arg-type]
    assert sorted(np.unique(labels)) == list(range(count))
    if region == "frame":
        assert all((frame == number).all() for number, frame in enumerate(labels))


@pytest.mark.parametrize(("regions", "steps"), [(162, 32), (8, 32), (1, 32), (41472, 32), (33, 32), (100, 7)])
def test_steps_are_even_and_the_same_from_both_ends(regions: int, steps: int) -> None:
    counts = count_replaced(regions, steps)
    assert counts[0] == 0 and counts[-1] == regions and len(counts) == min(steps, regions) + 1
    sizes = [after - before for before, after in pairwise(counts)]
    assert min(sizes) >= 1 and max(sizes) - min(sizes) <= 1
    if regions % 2 == 0:
        np.testing.assert_array_equal(counts, regions - counts[::-1])


def test_settings(weights: dict[str, Path]) -> None:
    (rgb,), (flow,) = (load_networks(weights[name], "0" * 64) for name in ("rgb", "flow"))
    assert Deletion().settled(rgb.info, 8).baseline == "mean" and Deletion().settled(flow.info, 8).baseline == "rest"
    assert Insertion().settled(rgb.info, 8).baseline == "rise-blur"
    assert Insertion().settled(flow.info, 8).baseline == "rest"
    assert parse_check("insertion:region=frame,steps=16,baseline=blur") == Insertion("frame", "4x8x8", 16, "blur")
    with pytest.raises(UsageError, match="baseline rest makes no sense for rgb"):
        Deletion(baseline="rest").settled(rgb.info, 8)
    for wrong in ("tube=4x8", "steps=1", "region=box", "baseline=white"):
        with pytest.raises(UsageError, match="deletion"):
            parse_check(f"deletion:{wrong}")
