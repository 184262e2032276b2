"""3-D residual networks against torchvision's and VMZ's code in `oracles`: logits, and Captum's guided gradients."""

import copy
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gbvis.attribution.graph import Graph
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.errors import WeightsError
from gbvis.networks.endpoint import Target
from gbvis.networks.kind import KINDS
from gbvis.networks.load import build_network, load_networks
from gbvis.networks.network import Network
from gbvis.networks.weights import NamedTensors
from gbvis.networks.weights.safetensors_file import write_safetensors
from material.checkpoints import Exact
from oracles import torchvision_resnet as resnet
from oracles import vmz

KIND = KINDS.load("resnet3d")


def randomise(network: nn.Module) -> nn.Module:
    """Give norms what training leaves behind, and return the network in evaluation mode."""
    for norm in (one for one in network.modules() if isinstance(one, nn.BatchNorm3d)):
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.uniform_(norm.bias, -0.2, 0.2)
        nn.init.uniform_(norm.running_mean, -0.2, 0.2)
        nn.init.uniform_(norm.running_var, 0.5, 1.5)
    return network.eval()


class Thin(resnet.VideoResNet):
    """Torchvision's network with an eighth of the channels behind the stem, and two blocks in the first stage."""

    def __init__(self, block: Any, conv_makers: list[Any], stem: Any) -> None:
        super().__init__(block, conv_makers, [2, 1, 1, 1], stem)
        self.fc = nn.Linear(64 * block.expansion, 7)

    def _make_layer(self, block: Any, builder: Any, planes: int, blocks: int, stride: int = 1) -> nn.Sequential:
        return super()._make_layer(block, builder, planes // 8, blocks, stride)


TORCHVISION: dict[str, tuple[Any, list[Any], Any]] = {
    "R3D-12": (resnet.BasicBlock, [resnet.Conv3DSimple] * 4, resnet.BasicStem),
    "MC3-12": (resnet.BasicBlock, [resnet.Conv3DSimple, *[resnet.Conv3DNoTemporal] * 3], resnet.BasicStem),
    "MC5-12": (resnet.BasicBlock, [*[resnet.Conv3DSimple] * 3, resnet.Conv3DNoTemporal], resnet.BasicStem),
}
VMZ: dict[str, tuple[Any, Any, Any]] = {
    "ir-CSN-17": (vmz.Conv3DDepthwise, vmz.BasicStem_Pool, vmz.BasicStem),
    "ip-CSN-17": (vmz.IPConv3DDepthwise, vmz.BasicStem_Pool, vmz.BasicStem),
    "R(2+1)D-17": (vmz.Conv2Plus1D, vmz.R2Plus1dStem_Pool, vmz.R2Plus1dStem),
}
UNPOOLED = " without pool"
FORMATS = {"ir-CSN-17": "vmz-csn", "ip-CSN-17": "vmz-csn", "R(2+1)D-17": "vmz-r2plus1d-152"}


def make_original(name: str) -> nn.Module:
    """Return a thin network of torchvision's own classes, or as VMZ makes its own of them, with random weights."""
    torch.manual_seed(7)
    if name in TORCHVISION:
        return randomise(Thin(*TORCHVISION[name]))
    convolution, pooled, plain = VMZ[name.removesuffix(UNPOOLED)]
    stem = plain if name.endswith(UNPOOLED) else pooled
    with mock.patch.object(vmz, "VideoResNet", Thin):
        return randomise(vmz._generic_resnet("", block=resnet.Bottleneck, conv_makers=[convolution] * 4, stem=stem))


def read(name: str, original: nn.Module) -> Network:
    """Return gbvis's network of an original's tensors; that VMZ's stem has no pool, the user has to say."""
    form = f"{FORMATS[name.removesuffix(UNPOOLED)]}-unpooled" if name.endswith(UNPOOLED) else None
    return build(original.state_dict(), form)


def build(tensors: Mapping[str, Tensor], checkpoint_format: str | None = None) -> Network:
    return build_network(NamedTensors(Path("made.pth"), dict(tensors)), "0" * 64, checkpoint_format)


NAMES = [*TORCHVISION, *VMZ, *(name + UNPOOLED for name in VMZ)]


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
    network = read(name, original)
    assert network.info.title == name.removesuffix(UNPOOLED)
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
    network = Exact(read(name, original))
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


@pytest.mark.parametrize("name", VMZ)
def test_a_file_of_vmzs_training_is_read_with_vmzs_epsilon(tmp_path: Path, name: str) -> None:
    """As pt/vmz/func/train.py saves it, the arguments of the command line among it; also converted."""
    original = make_original(name)
    optimizer = torch.optim.SGD(original.parameters(), lr=0.01)
    saved = {"model": original.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    torch.save({**saved, "args": Namespace(model="ir_csn_152", use_pool1=True)}, tmp_path / "checkpoint.pth")
    (network,) = load_networks(tmp_path / "checkpoint.pth", "0" * 64)
    assert network.info.checkpoint_format == FORMATS[name]
    write_safetensors(tmp_path / "own.safetensors", [network], {})
    (converted,) = load_networks(tmp_path / "own.safetensors", "0" * 64)
    for one in (network, converted):
        assert {norm.eps for norm in one.module.modules() if isinstance(norm, nn.BatchNorm3d)} == {1e-3}


@pytest.mark.parametrize("name", ["ir-CSN-17", "R(2+1)D-17"])
def test_that_a_stem_has_no_pool_only_the_user_can_say(tmp_path: Path, name: str) -> None:
    tensors = make_original(name + UNPOOLED).state_dict()
    assert build(tensors).info.checkpoint_format == FORMATS[name]
    told = build(tensors, f"{FORMATS[name]}-unpooled")
    assert told.info.identity != build(tensors).info.identity
    write_safetensors(tmp_path / "own.safetensors", [told], {})
    (converted,) = load_networks(tmp_path / "own.safetensors", "0" * 64)
    assert converted.info.identity == told.info.identity
    assert not any(isinstance(layer, nn.MaxPool3d) for layer in converted.module.modules())


@pytest.mark.parametrize(
    ("make", "title", "millions"),
    [
        (resnet.r3d_18, "R3D-18", 33.37),
        (resnet.mc3_18, "MC3-18", 11.70),
        (resnet.r2plus1d_18, "", 31.51),
        (vmz.ir_csn_152, "ir-CSN-152", 29.70),
        (vmz.ip_csn_152, "ip-CSN-152", 33.02),
        (vmz.r2plus1d_152, "R(2+1)D-152", 118.23),
        (vmz.r2plus1d_34, "", 63.70),
    ],
)
@pytest.mark.filterwarnings("ignore:Unrecognized pretraining dataset")
def test_published_networks(make: Callable[[], nn.Module], title: str, millions: float) -> None:
    """By their names and shapes alone; R(2+1)D of 18 and 34 layers stay the other kind's."""
    with torch.device("meta"):
        tensors = make().state_dict()
    named = NamedTensors(Path("made.pth"), tensors)
    assert KIND.match(named) == bool(title)
    assert KINDS.load("r2plus1d").match(named) == (not title)
    if title:
        (form,) = (
            one
            for one in KIND.registry.load_all().values()
            if KIND._has_probe(one, named) and one.fits(_shapes(tensors))
        )
        with torch.device("meta"):
            module = KIND.design(_shapes(tensors), form.details)
        assert module.title == title and {*module.state_dict()} == {*tensors}
        assert round(sum(one.numel() for one in module.parameters()) / 1e6, 2) == millions


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(one.shape) for name, one in tensors.items()}


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
