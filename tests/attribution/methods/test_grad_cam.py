"""Grad-CAM, HiResCAM and guided Grad-CAM against Captum and slow second versions, and the layer that they look at."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gbvis.attribution.attribution import Attribution
from gbvis.attribution.graph import Graph
from gbvis.attribution.layer_method import LayerMethod
from gbvis.attribution.methods.grad_cam import GradCam
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.attribution.methods.guided_grad_cam import GuidedGradCam
from gbvis.attribution.methods.hirescam import HiResCam
from gbvis.errors import UsageError
from gbvis.networks.endpoint import AP, FC, SOFTMAX, Endpoint, Target
from gbvis.networks.grid import Grid
from gbvis.networks.load import load_networks
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import STAGES, STEM
from material.checkpoints import Exact
from material.passes import SIDE
from material.small_kind import EDGES, make_small_network

FRAMES = 8
CLASS = 3
CASES = [
    (STEM, Target(STEM, 1)),
    (STAGES[1], Target(STAGES[1], 3)),
    (STAGES[1], Target(STAGES[3], 5)),
    (STAGES[2], Target(FC, CLASS)),
    (STAGES[2], Target(SOFTMAX, CLASS)),
]
"""Layers, and targets at or behind them: filters, a logit, a probability."""

ALL = pytest.mark.parametrize(("layer", "target"), CASES, ids=[f"{layer}-{one.endpoint}" for layer, one in CASES])


@pytest.fixture(scope="module", params=["rgb", "flow", pytest.param("flow2", marks=pytest.mark.slow)])
def network(request: pytest.FixtureRequest, weights: dict[str, Path]) -> Network:
    """A network without rounding; it keeps where the cells of its layers lie, which takes long to measure."""
    (loaded,) = load_networks(weights[request.param], "0" * 64)
    return Exact(loaded)


@pytest.fixture
def clip(network: Network, random: np.random.Generator) -> np.ndarray:
    return random.integers(0, 256, (FRAMES, SIDE, SIDE, network.info.clip_format.channels), dtype=np.uint8)


def attribute(network: Network, clip: np.ndarray, method: LayerMethod, target: Target) -> Attribution:
    with Graph(network, [clip]) as graph:
        graph.forward({target.endpoint}, layers=method.layers)
        (pending,) = graph.attribute(method, [target])
        (found,) = pending.result()
    return found


class UpTo(nn.Module):
    """The plain network as Captum wants it: it returns the value of every target at an endpoint, (clip, targets)."""

    def __init__(self, module: nn.Module, endpoint: Endpoint) -> None:
        super().__init__()
        self.module, self.endpoint = module, endpoint

    def forward(self, batch: Tensor) -> Tensor:
        found = next(values for endpoint, values in self.module.endpoints(batch) if endpoint == self.endpoint)
        return found.abs().sum((2, 3, 4)) if found.ndim == 5 else found


def find_part(network: Network, layer: Endpoint) -> nn.Module:
    """Return the part of the plain network whose output is the layer's activation."""
    return network.module.stem_relu if layer == STEM else network.module.stages[STAGES.index(layer)]


def differentiate(network: Network, clip: np.ndarray, layer: Endpoint, target: Target) -> tuple[np.ndarray, np.ndarray]:
    """Return A and dS/dA through the plain network: float64 (filter, time, y, x) each."""
    batch = network.preprocess([clip]).requires_grad_()
    activations = dict(network.module.endpoints(batch))
    chosen = activations[target.endpoint][0, target.index]
    (gradient,) = torch.autograd.grad(chosen.abs().sum() if chosen.ndim else chosen, activations[layer])
    return activations[layer][0].detach().numpy(), gradient[0].numpy()


def check_close(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.shape == expected.shape and np.abs(expected).max() > 0
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())


@ALL
def test_grad_cam_is_captums(network: Network, clip: np.ndarray, layer: Endpoint, target: Target) -> None:
    captum = pytest.importorskip("captum.attr")
    theirs = captum.LayerGradCam(UpTo(network.module, target.endpoint), find_part(network, layer))
    batch = network.preprocess([clip]).requires_grad_()
    expected = theirs.attribute(batch, target.index, relu_attributions=True)[0, 0].detach().numpy()
    found = attribute(network, clip, GradCam(layer.name), target)
    assert found.axes == ("time", "y", "x")
    check_close(found.values, expected)


@ALL
def test_hirescam_is_the_papers_sum(network: Network, clip: np.ndarray, layer: Endpoint, target: Target) -> None:
    """Cell by cell, filter by filter."""
    activation, gradient = differentiate(network, clip, layer, target)
    expected = np.zeros(activation.shape[1:])
    for filter_ in range(len(activation)):
        expected += gradient[filter_] * activation[filter_]
    check_close(attribute(network, clip, HiResCam(layer.name), target).values, np.maximum(expected, 0))


@pytest.mark.filterwarnings("ignore:Setting backward hooks")
@ALL
def test_guided_grad_cam_is_captums_where_it_resizes(
    network: Network, clip: np.ndarray, layer: Endpoint, target: Target
) -> None:
    captum = pytest.importorskip("captum.attr")
    theirs = captum.GuidedGradCam(UpTo(network.module, target.endpoint), find_part(network, layer))
    batch = network.preprocess([clip]).requires_grad_()
    product = theirs.attribute(batch, target.index, interpolate_mode="trilinear").detach()
    expected = network.align_gradients(product)[0].numpy()
    check_close(attribute(network, clip, GuidedGradCam(layer.name, "resize"), target).values, expected)


def interpolate_slowly(values: np.ndarray, grid: Grid, place: tuple[float, ...]) -> float:
    """Return a grid's value at a place, axis by axis, by NumPy's own interpolation."""
    for axis in range(3):
        centres = grid.start[axis] + grid.step[axis] * np.arange(len(values))
        flat = values.reshape(len(values), -1)
        at = [np.interp(place[axis], centres, column) for column in flat.T]
        values = np.array(at).reshape(values.shape[1:])
    return float(values)


def test_guided_grad_cam_is_the_product_on_the_centres_of_cells(
    network: Network, clip: np.ndarray, random: np.random.Generator
) -> None:
    target = Target(FC, CLASS)
    cam = attribute(network, clip, GradCam(STAGES[2].name), target)
    found = attribute(network, clip, GuidedGradCam(STAGES[2].name), target)
    with Graph(network, [clip]) as graph:
        graph.forward({FC})
        (pending,) = graph.attribute(GuidedBackprop(), [target])
        (guided,) = pending.result()
    assert found.axes == guided.axes and found.grid is None and cam.grid is not None
    spread = cam.grid.spread(cam.values, (FRAMES, SIDE, SIDE))
    check_close(found.values, guided.values * spread)
    for channel, frame, row, column in zip(*(random.integers(0, size, 30) for size in found.values.shape), strict=True):
        place = frame if len(spread) == 1 else 2 * frame + channel
        expected = interpolate_slowly(cam.values, cam.grid, (place, row, column))
        assert spread[channel % len(spread), frame, row, column] == pytest.approx(expected, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("kind", [GradCam, HiResCam, GuidedGradCam])
def test_the_deepest_layer_with_four_steps_is_looked_at(
    kind: Callable[[], LayerMethod], weights: dict[str, Path]
) -> None:
    (rgb,), (flow,) = (load_networks(weights[stream], "0" * 64) for stream in ("rgb", "flow"))

    def choose(network: Network, endpoint: Endpoint, frames: int) -> str | None:
        return kind().settled(network.info, endpoint, frames).at

    assert [choose(rgb, FC, frames) for frames in (32, 25, 24, 16, 13, 12, 8, 7, 6)] == [
        *("Conv3d_5_x", "Conv3d_5_x", "Conv3d_4_x", "Conv3d_4_x", "Conv3d_4_x", "Conv3d_3_x", "Conv3d_3_x"),
        *("Conv3d_3_x", "Conv3d_2_x"),
    ]
    assert choose(rgb, FC, 3) == "Conv3d_2_x"  # the deepest of those with most
    assert choose(flow, FC, 16) == "Conv3d_5_x"  # u and v are steps each
    assert choose(rgb, STAGES[1], 32) == "Conv3d_3_x" and choose(rgb, STEM, 32) == "Conv3d_1"


@pytest.mark.parametrize("typed", ["Conv3d_4_x", "conv3d_4_X", " layer3 ", "conv4_x"])
def test_a_layer_is_named_as_an_endpoint_is(weights: dict[str, Path], typed: str) -> None:
    (network,) = load_networks(weights["rgb"], "0" * 64)
    method = GradCam(typed).settled(network.info, FC, 16)
    assert method == GradCam("Conv3d_4_x") and method.layers == ("Conv3d_4_x",)
    assert (
        str(GuidedGradCam(typed).settled(network.info, FC, 16)) == "guided-grad-cam:at=Conv3d_4_x,resample=registered"
    )


@pytest.mark.parametrize(
    ("typed", "endpoint", "problem"),
    [
        ("Conv3d_5_x", STAGES[2], "grad-cam of a target at Conv3d_4_x cannot look at Conv3d_5_x"),
        ("FC", SOFTMAX, "cannot look at FC"),
        ("AP", AP, "cannot look at AP"),
        ("all", FC, "cannot look at Conv3d_1, "),
        ("Conv3d_6_x", FC, "unknown endpoint 'Conv3d_6_x'"),
    ],
)
def test_a_layer_that_cannot_be_looked_at(
    weights: dict[str, Path], typed: str, endpoint: Endpoint, problem: str
) -> None:
    (network,) = load_networks(weights["rgb"], "0" * 64)
    with pytest.raises(UsageError) as error:
        GradCam(typed).settled(network.info, endpoint, 16)
    assert problem in error.value.problem and "Conv3d_3_x" in error.value.hint


def test_a_network_without_layers() -> None:
    info = replace(make_small_network().info, cells={})
    with pytest.raises(UsageError, match="grad-cam needs a layer with time and space, and Small has none up to edges"):
        GradCam().settled(info, EDGES, 6)
