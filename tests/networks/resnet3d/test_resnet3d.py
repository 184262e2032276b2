"""3-D residual networks against torchvision's own code in `oracles`: logits, and Captum's guided gradients on it."""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gbvis.attribution.graph import Graph
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.errors import WeightsError
from gbvis.networks.endpoint import Target
from gbvis.networks.kind import KINDS
from gbvis.networks.load import build_network
from gbvis.networks.network import Network
from gbvis.networks.weights import NamedTensors
from material.checkpoints import Exact
from oracles import torchvision_resnet as resnet

KIND = KINDS.load("resnet3d")


def randomise(network: nn.Module) -> nn.Module:
    """Give norms what training leaves behind, and return the network in evaluation mode."""
    for norm in (one for one in network.modules() if isinstance(one, nn.BatchNorm3d)):
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.uniform_(norm.bias, -0.2, 0.2)
        nn.init.uniform_(norm.running_mean, -0.2, 0.2)
        nn.init.uniform_(norm.running_var, 0.5, 1.5)
    return network.eval()


class Depthwise(nn.Conv3d):
    """VMZ's `Conv3DDepthwise`, written again from its description: one channel each, all axes thinned out."""

    def __init__(self, inputs: int, outputs: int, middle: int | None = None, stride: int = 1, padding: int = 1) -> None:
        super().__init__(inputs, outputs, (3, 3, 3), stride, padding, groups=inputs, bias=False)

    @staticmethod
    def get_downsample_stride(stride: int) -> tuple[int, int, int]:
        """Return the shortcut's stride."""
        return stride, stride, stride


class Preserved(nn.Sequential):
    """VMZ's `IPConv3DDepthwise`: 1x1x1 and a norm before it, no ReLU between."""

    get_downsample_stride = Depthwise.get_downsample_stride

    def __init__(self, inputs: int, outputs: int, middle: int | None = None, stride: int = 1) -> None:
        pointwise = nn.Conv3d(inputs, outputs, 1, bias=False)
        super().__init__(pointwise, nn.BatchNorm3d(outputs), Depthwise(outputs, outputs, None, stride))


class Thin(resnet.VideoResNet):
    """Torchvision's network with an eighth of the channels behind the stem, and two blocks in the first stage."""

    def __init__(self, block: Any, convolutions: list[Any], stem: Any) -> None:
        super().__init__(block, convolutions, [2, 1, 1, 1], stem)
        self.fc = nn.Linear(64 * block.expansion, 7)

    def _make_layer(self, block: Any, builder: Any, planes: int, blocks: int, stride: int = 1) -> nn.Sequential:
        return super()._make_layer(block, builder, planes // 8, blocks, stride)


def make_original(name: str) -> nn.Module:
    """Return a network of torchvision's own classes with random weights, as VMZ builds its own where it is VMZ's."""
    torch.manual_seed(7)
    makers: dict[str, tuple[Any, list[Any], Any]] = {
        "R3D-12": (resnet.BasicBlock, [resnet.Conv3DSimple] * 4, resnet.BasicStem),
        "MC3-12": (resnet.BasicBlock, [resnet.Conv3DSimple, *[resnet.Conv3DNoTemporal] * 3], resnet.BasicStem),
        "MC5-12": (resnet.BasicBlock, [*[resnet.Conv3DSimple] * 3, resnet.Conv3DNoTemporal], resnet.BasicStem),
        "ir-CSN-17": (resnet.Bottleneck, [Depthwise] * 4, resnet.BasicStem),
        "ip-CSN-17": (resnet.Bottleneck, [Preserved] * 4, resnet.BasicStem),
        "R(2+1)D-17": (resnet.Bottleneck, [resnet.Conv2Plus1D] * 4, resnet.R2Plus1dStem),
    }
    block, convolutions, stem = makers[name]
    network = Thin(block, convolutions, stem)
    if block is resnet.Bottleneck:  # VMZ: pt/vmz/models/utils.py
        network.stem.append(nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)))
        for norm in (one for one in network.modules() if isinstance(one, nn.BatchNorm3d)):
            norm.eps = 1e-3
    return randomise(network)


def build(tensors: Mapping[str, Tensor]) -> Network:
    return build_network(NamedTensors(Path("made.pth"), dict(tensors)), "0" * 64)


NAMES = ["R3D-12", "MC3-12", "MC5-12", "ir-CSN-17", "ip-CSN-17", "R(2+1)D-17"]


def endpoints_of(original: nn.Module) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return per endpoint the original's own way from a clip to the activation there."""
    stem = nn.Sequential(*(layer for layer in original.stem if not isinstance(layer, nn.MaxPool3d)))
    stages = [original.stem, original.layer1, original.layer2, original.layer3, original.layer4]
    found: dict[str, Callable[[Tensor], Tensor]] = {"Conv3d_1": stem}
    for number in range(2, 6):
        found[f"Conv3d_{number}_x"] = nn.Sequential(*stages[:number])
    features = nn.Sequential(*stages, original.avgpool, nn.Flatten())
    return {**found, "AP": features, "FC": original, "SOFTMAX": nn.Sequential(original, nn.Softmax(1))}


class Value(nn.Module):
    """One target as Captum wants it: a number for each clip."""

    def __init__(self, way: Callable[[Tensor], Tensor], index: int) -> None:
        super().__init__()
        self.way, self.index = way, index

    def forward(self, clips: Tensor) -> Tensor:
        chosen = self.way(clips)[:, self.index]
        return chosen.abs().sum((1, 2, 3)) if chosen.ndim == 4 else chosen


@pytest.mark.parametrize("name", NAMES)
def test_logits_are_the_originals(name: str, random: np.random.Generator) -> None:
    original = make_original(name)
    network = build(original.state_dict())
    assert network.info.title == name
    clips = torch.from_numpy(random.standard_normal((1, 3, 8, 48, 48)).astype(np.float32))
    with torch.no_grad():
        expected = original(clips)
        torch.testing.assert_close(network.module(clips), expected, rtol=0, atol=1e-5)
        fused = next(one for endpoint, one in network.endpoints(clips) if endpoint.name == "FC")
        torch.testing.assert_close(fused, expected, rtol=0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Setting backward hooks")
@pytest.mark.parametrize("name", NAMES)
def test_guided_gradients_are_captums_at_every_endpoint(name: str, random: np.random.Generator) -> None:
    captum = pytest.importorskip("captum.attr")
    original = make_original(name)
    network = Exact(build(original.state_dict()))
    original = copy.deepcopy(original).double()
    for relu in (one for one in original.modules() if isinstance(one, nn.ReLU)):
        relu.inplace = False  # Captum's hooks and in-place ReLUs do not go together
    (clip,) = random.integers(0, 256, (1, 8, 32, 32, 3)).astype(np.uint8)
    batch = network.preprocess([clip])
    ways = endpoints_of(original)
    assert list(ways) == [endpoint.name for endpoint in network.info.endpoints]
    with Graph(network, [clip]) as graph:
        responses = graph.forward(set(network.info.endpoints))
        highest = {endpoint: int(one.array()[0].argmax()) for endpoint, one in responses.items()}
        targets = [Target(endpoint, highest[endpoint]) for endpoint in network.info.endpoints]
        found = [next(one.result()) for one in graph.attribute(GuidedBackprop(), targets)]
    for target, one in zip(targets, found, strict=True):
        value = Value(ways[target.endpoint.name], target.index).eval()
        expected = captum.GuidedBackprop(value).attribute(batch.detach().clone().requires_grad_())
        reference = network.align_gradients(expected)[0].numpy()
        assert np.abs(reference).max() > 0
        np.testing.assert_allclose(one.values, reference, rtol=0, atol=1e-4 * np.abs(reference).max())


@pytest.mark.parametrize(
    ("name", "title", "millions"),
    [("r3d_18", "R3D-18", 33.37), ("mc3_18", "MC3-18", 11.70), ("r2plus1d_18", "", 31.51)],
)
def test_torchvisions_published_networks(name: str, title: str, millions: float) -> None:
    """By their names and shapes alone; R(2+1)D-18 stays the other kind's. The sizes are those of its documentation."""
    with torch.device("meta"):
        tensors = getattr(resnet, name)().state_dict()
    named = NamedTensors(Path("made.pth"), tensors)
    assert KIND.match(named) == bool(title)
    assert KINDS.load("r2plus1d").match(named) == (not title)
    if title:
        with torch.device("meta"):
            module = KIND.design(
                {key: tuple(one.shape) for key, one in tensors.items()}, KIND.registry.load("torchvision-r3d").details
            )
        assert module.title == title and {*module.state_dict()} == {*tensors}
        assert round(sum(one.numel() for one in module.parameters()) / 1e6, 2) == millions


def test_a_network_of_the_same_names_and_other_kernels_is_refused() -> None:
    """MMAction2's inflated ResNet-50 has the names of its CSN, and other kernels, strides and poolings."""
    (tensors,) = (one.tensors for one in KIND.examples() if one.checkpoint_format == "mmaction2-ipcsn")
    name = "layer1.0.conv1.conv.weight"
    with pytest.raises(WeightsError, match="does not fit the others") as error:
        build({**tensors, name: tensors[name].repeat(1, 1, 3, 1, 1)})
    assert name in error.value.problem


def test_kernels_decide_what_a_network_is_called() -> None:
    titles = {build(one.tensors).info.title.rpartition("-")[0] for one in KIND.examples()}
    assert titles == {"R3D", "MC3", "rMC4", "ir-CSN", "ip-CSN", "R(2+1)D"}


def test_making_it_quick_in_16_bit_leaves_the_network_as_it_is() -> None:
    (tensors,) = (one.tensors for one in KIND.examples() if one.checkpoint_format == "mmaction2-ipcsn")
    module, _ = KIND.build(NamedTensors(Path("made.pth"), dict(tensors)), None)
    fused = KIND.fuse(module, torch.device("cpu"), torch.bfloat16)
    assert {one.dtype for one in fused.parameters()} == {torch.bfloat16}
    assert {one.dtype for one in module.parameters()} == {torch.float32}
