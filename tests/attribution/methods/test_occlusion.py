"""Occlusion against Captum's, and against a slow loop over the boxes."""

from pathlib import Path

import numpy as np
import pytest

from gbvis.attribution.baselines import Baseline, make_baseline
from gbvis.attribution.iterative import Clip
from gbvis.attribution.methods.occlusion import Occlusion
from gbvis.errors import UsageError
from gbvis.networks.endpoint import FC, SOFTMAX, Target
from gbvis.networks.load import load_networks
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import STAGES, STEM
from gbvis.videos.clip import ClipFormat, Inputs
from material.captum_target import AtEndpoint
from material.checkpoints import Exact
from material.passes import attribute_all, make_clip
from material.small_kind import CLASSES, EDGES, make_small_network

TARGETS = [Target(STEM, 1), Target(STAGES[1], 3), Target(FC, 7), Target(SOFTMAX, 7)]


@pytest.mark.parametrize(("stream", "baseline"), [("rgb", "black"), ("flow", "rest"), ("flow2", "blur")])
def test_captum_finds_the_same(
    weights: dict[str, Path],
    random: np.random.Generator,
    stream: str,
    baseline: Baseline,
) -> None:
    """The last boxes are cut off. In interleaved flow a frame is two places of time."""
    box, stride = (3, 40, 45), (2, 30, 35)
    from captum import attr

    network = Exact(load_networks(weights[stream], "0" * 64)[0])
    clip = make_clip(random, network)
    method = Occlusion(*("x".join(map(str, size)) for size in (box, stride)), baseline)
    batch, compared = (
        network.preprocess(Inputs(values[None].copy())) for values in (clip.values, make_baseline(baseline, clip))
    )
    places = 2 if network.info.interleaved else 1
    windows, strides = (
        (channels, places * size[0], *size[1:]) for channels, size in ((batch.shape[1], box), (1, stride))
    )
    for found in attribute_all(method, network, clip, TARGETS):
        rival = attr.Occlusion(AtEndpoint(network, found.target.endpoint))
        attributed = rival.attribute(batch, windows, strides, compared, found.target.index)
        expected = network.align_gradients(attributed)[0].numpy()
        assert found.axes == ("time", "y", "x") and found.values.shape == clip.values.shape[1:]
        for channel in expected:  # Captum's are all alike
            np.testing.assert_allclose(found.values, channel, atol=1e-6 * np.abs(expected).max())


def occlude_slowly(
    network: Network, clip: Clip, target: Target, box: tuple[int, int, int], stride: tuple[int, int, int]
) -> np.ndarray:
    """Return the mean over all boxes that cover a pixel of F(x) - F(x with the box at 0), box by box."""
    length, height, width = clip.values.shape[1:]
    forward = AtEndpoint(network, target.endpoint)
    value = forward(network.preprocess([clip.pixels]))[0, target.index].item()
    falls, covering = np.zeros((length, height, width)), np.zeros((length, height, width))
    for frame in range(0, length, stride[0]):
        for row in range(0, height, stride[1]):
            for column in range(0, width, stride[2]):
                starts = zip((frame, row, column), stride, box, (length, height, width), strict=True)
                if any(start and start - step + size >= end for start, step, size, end in starts):
                    continue  # the box before has reached the end
                place = np.s_[frame : frame + box[0], row : row + box[1], column : column + box[2]]
                occluded = clip.values.copy()
                occluded[(slice(None), *place)] = 0
                falls[place] += value - forward(network.preprocess(Inputs(occluded[None])))[0, target.index].item()
                covering[place] += 1
    return falls / covering


@pytest.mark.parametrize(("box", "stride"), [((2, 6, 8), (1, 6, 7)), ((4, 24, 9), (3, 5, 9)), ((9, 50, 11), (3, 1, 5))])
def test_a_slow_loop_finds_the_same(
    random: np.random.Generator, box: tuple[int, int, int], stride: tuple[int, int, int]
) -> None:
    """A box that is larger than the clip is cut to its size."""
    network = Exact(make_small_network())
    clip = make_clip(random, network, frames=6)
    method = Occlusion(*("x".join(map(str, size)) for size in (box, stride)))
    for found in attribute_all(method, network, clip, [Target(CLASSES, 1), Target(EDGES, 2)]):
        expected = occlude_slowly(network, clip, found.target, box, stride)
        np.testing.assert_allclose(found.values, expected, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("frames", "method", "boxes"),
    [
        (16, Occlusion(), 343),
        (8, Occlusion(), 3 * 49),
        (2, Occlusion(), 49),
        (5, Occlusion(), 2 * 49),
        (4, Occlusion("4x112x112", "4x112x112"), 1),
        (16, Occlusion("40x999x999", "40x999x999"), 1),
        (16, Occlusion("1x112x112", "1x112x112"), 16),
    ],
)
def test_how_many_boxes_there_are(frames: int, method: Occlusion, boxes: int) -> None:
    pixels = np.zeros((frames, 112, 112, 3), np.uint8)
    clip = Clip(pixels, ClipFormat(16, 128, 171, 112, 8, 29, 1.0, (128.0,) * 3, (128.0,) * 3), "rgb")
    assert method.count_passes(clip, method.begin(clip, TARGETS[0], 0.0)) == boxes
    covered = np.zeros(pixels.shape[:3], bool)
    for number in range(boxes):
        changed = (method.make_input(clip, number) != clip.values).all(0)
        assert changed.any()
        covered |= changed
    assert covered.all()


def test_the_modality_decides_the_baseline(weights: dict[str, Path]) -> None:
    (network,) = load_networks(weights["flow"], "0" * 64)
    assert Occlusion().settled(network.info, FC, 8) == Occlusion(baseline="rest")
    with pytest.raises(UsageError, match="the baseline black makes no sense for flow"):
        Occlusion(baseline="black").settled(network.info, FC, 8)


@pytest.mark.parametrize(
    ("box", "stride", "problem"),
    [
        ("4x28", "2x14x14", "box=4x28: expected frames x rows x columns, each at least 1, as in 4x28x28"),
        ("4x28x28x1", "2x14x14", "box=4x28x28x1: expected"),
        ("4x0x28", "2x14x14", "box=4x0x28: expected"),
        ("4x28x28", "2,14,14", "stride=2,14,14: expected"),
        ("4x28x28", "", "stride=: expected"),
        ("4x28x28", "2x14x29", "stride=2x14x29 is larger than box=4x28x28"),
        ("4x28x28", "5x14x14", "stride=5x14x14 is larger than box=4x28x28"),
    ],
)
def test_sizes_that_make_no_sense(box: str, stride: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Occlusion(box, stride)
