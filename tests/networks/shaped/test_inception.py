"""I3D and S3D against the code that they come from, by logits, and by Captum's guided gradient of its module form."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from conftest import SHARED
from gbvis.attribution.graph import Graph
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.networks.endpoint import Endpoint, Target
from gbvis.networks.kind import KINDS
from gbvis.networks.load import build_network, load_networks
from gbvis.networks.network import Network
from gbvis.networks.shaped.inception import LAYERS
from gbvis.networks.weights import NamedTensors
from gbvis.networks.weights.states import find_networks
from gbvis.videos.clip import Inputs
from material.checkpoints import Exact
from material.originals import import_torchvision, make_i3d, randomise_norms
from oracles.kylemin_s3d import S3D as KyleminS3D  # noqa: N811

pytestmark = pytest.mark.slow  # the originals are installed for the slow tests alone

REAL = SHARED / "weights/i3d_rgb_kinetics400.safetensors"


def make_thin_s3d(classes: int, thinness: int) -> Any:
    """Return torchvision's own S3D with a share of its channels, in evaluation mode."""
    return thin_out(import_torchvision().models.video.s3d(num_classes=classes), classes, thinness)


def thin_out(original: Any, classes: int, thinness: int) -> Any:
    """Return an original, its convolutions and norms with a share of their channels, in evaluation mode.

    Its last convolution is the classifier.
    """
    head = [name for name, part in original.named_modules() if isinstance(part, nn.Conv3d)][-1]
    for name, part in list(original.named_modules()):
        parent, _, child = name.rpartition(".")
        if isinstance(part, nn.Conv3d):
            inputs = part.in_channels if part.in_channels == 3 else part.in_channels // thinness
            outputs = classes if name == head else part.out_channels // thinness
            sizes = (part.kernel_size, part.stride, part.padding)
            made: nn.Module = nn.Conv3d(inputs, outputs, *sizes, bias=part.bias is not None)
            setattr(original.get_submodule(parent), child, made)
        elif isinstance(part, nn.BatchNorm3d):
            setattr(original.get_submodule(parent), child, nn.BatchNorm3d(part.num_features // thinness, eps=part.eps))
    return original.eval()


def layers_of(original: Any) -> list[nn.Module]:
    """Return the layers of an original network in the order of the endpoints."""
    for name in ("features", "base"):
        if hasattr(original, name):
            return list(getattr(original, name))
    return [original.get_submodule(layer.name) for layer in LAYERS]


class UpTo(nn.Module):
    """An original network up to an endpoint, (N, targets), as Captum wants it."""

    def __init__(self, original: Any, endpoint: Endpoint) -> None:
        super().__init__()
        self.original, self.endpoint = original, endpoint

    def forward(self, batch: Tensor) -> Tensor:
        """Return the value of every target."""
        names = [layer.name for layer in LAYERS]
        if self.endpoint.name in names:
            for layer in layers_of(self.original)[: names.index(self.endpoint.name) + 1]:
                batch = layer(batch)
            return batch.abs().sum((2, 3, 4))
        logits: Tensor = self.original(batch)
        logits = logits.mean(2) if logits.ndim == 3 else logits
        return logits.softmax(1) if self.endpoint.is_score else logits


def captum(attribution: str, original: Any, endpoint: Endpoint, index: int, batch: Tensor) -> np.ndarray:
    """Return what a method of Captum's finds for a target."""
    from captum import attr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it sets hooks
        method = getattr(attr, attribution)(UpTo(original, endpoint))
        settings = {"abs": False} if attribution == "Saliency" else {}
        found: Tensor = method.attribute(batch.clone().requires_grad_(), target=index, **settings)
    return found[0].detach().numpy()


def read(original: nn.Module) -> Network:
    """Return gbvis's network of an original's tensors."""
    return build_network(NamedTensors(Path("made.pth"), original.state_dict()), "0" * 64)


def check_guided(network: Network, original: Any, batch: Tensor, endpoints: list[Endpoint]) -> None:
    """Check the guided gradients at endpoints against Captum's, in float64."""
    exact = Exact(network)
    targets = [Target(endpoint, exact.info.targets[endpoint.name] - 1) for endpoint in endpoints]
    with Graph(exact, Inputs(batch.numpy())) as graph:
        graph.forward(endpoints)
        found = [next(one.result()) for one in graph.attribute(GuidedBackprop(), targets)]
    for target, one in zip(targets, found, strict=True):
        expected = captum("GuidedBackprop", original, target.endpoint, target.index, batch.double())
        np.testing.assert_allclose(one.values, expected, atol=1e-4 * np.abs(expected).max())


def make_batch(channels: int, side: int = 64, frames: int = 24) -> Tensor:
    """Return a clip: float32 (1, channels, frames, side, side).

    Of 16 frames two are left in the last blocks, and pooling over all of these makes cells that are exactly alike:
    rounding decides which of them the next pooling takes, and with it the gradient. Of 24, three are left.
    """
    return torch.from_numpy(np.random.default_rng(0).standard_normal((1, channels, frames, side, side), np.float32))


def shrink_head(original: Any) -> Any:
    """Return the original with a head for frames of 64x64 pixels, of which 2x2 are left; kylemin's takes any."""
    if isinstance(original, KyleminS3D):
        return original
    pool = nn.AvgPool3d((2, 2, 2), 1)
    setattr(original, "avgpool" if hasattr(original, "features") else "avg_pool", pool)
    return original


ORIGINALS: dict[str, tuple[int, Callable[[], Any]]] = {
    "i3d rgb": (3, lambda: make_i3d(3, 5, 16)),
    "i3d flow": (2, lambda: make_i3d(2, 5, 16)),
    "torchvision's s3d": (3, lambda: make_thin_s3d(5, 16)),
    "kylemin's s3d": (3, lambda: thin_out(KyleminS3D(5), 5, 16)),
}


@pytest.fixture(params=ORIGINALS)
def case(request: pytest.FixtureRequest) -> tuple[Any, Tensor]:
    """A thin original, and a clip for it."""
    channels, make = ORIGINALS[request.param]
    original = shrink_head(make())
    randomise_norms(original)
    return original.requires_grad_(False), make_batch(channels)


def test_logits_are_the_originals(case: tuple[Any, Tensor]) -> None:
    original, batch = case
    network = read(original)
    for form in (network.module, network.fused):
        with torch.no_grad():
            expected = original(batch)
            found = form(batch)  # type: ignore[operator]
        expected = expected.mean(2) if expected.ndim == 3 else expected
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * max(1, expected.abs().max().item()))


def test_kylemins_published_network() -> None:
    """By its names and shapes alone, which `main.py` of that repository frees of the word `module`."""
    with torch.device("meta"):
        original = KyleminS3D(400)
    tensors = {f"module.{name}": one for name, one in original.state_dict().items()}
    (named,) = find_networks({"state_dict": tensors}, Path("S3D_kinetics400.pt"))
    kind = KINDS.load("s3d")
    assert kind.match(named)
    form = kind.registry.load("kylemin-s3d")
    with torch.device("meta"):
        module = kind.design(form.find_shapes(named), form.details)
    assert {form.their_name(name) for name in module.state_dict()} == {*named.tensors}
    assert sum(one.numel() for one in module.parameters()) == sum(one.numel() for one in original.parameters())


def test_logits_are_the_originals_where_padding_depends_on_the_size() -> None:
    original = make_i3d(3, 5, 16)
    randomise_norms(original)
    batch = make_batch(3, 211, 17)
    with torch.no_grad():
        expected = original(batch)
        expected = expected.mean(2) if expected.ndim == 3 else expected
        found = read(original).fused(batch)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * max(1, expected.abs().max().item()))


def test_guided_gradients_are_captums_at_every_endpoint(case: tuple[Any, Tensor]) -> None:
    original, batch = case
    network = read(original)
    endpoints = [endpoint for endpoint in network.info.endpoints if endpoint.name != "AP"]
    check_guided(network, original.double(), batch, endpoints)


def test_captum_on_the_original_gives_the_plain_gradient() -> None:
    """Its ReLUs are functions, where Captum finds none to guide: bit for bit, it guides nothing, and says nothing."""
    original = shrink_head(make_i3d(3, 5, 16, has_modules=False))
    randomise_norms(original)
    network, batch = read(original.requires_grad_(False)), make_batch(3)
    logit = network.info.find_endpoints(["FC"])[0]
    theirs = captum("GuidedBackprop", original, logit, 1, batch)
    plain = captum("Saliency", original, logit, 1, batch)
    assert np.array_equal(theirs, plain)
    with Graph(network, Inputs(batch.numpy())) as graph:
        graph.forward([logit])
        (ours,) = [next(one.result()).values for one in graph.attribute(GuidedBackprop(), [Target(logit, 1)])]
    cosine = (ours * theirs).sum() / np.sqrt((ours**2).sum() * (theirs**2).sum())
    assert abs(cosine) < 0.5


@pytest.mark.skipif(not REAL.is_file(), reason="needs ../shared/weights")
class TestTheRealNetwork:
    def test_logits_and_guided_gradients_are_the_originals(self) -> None:
        (network,) = load_networks(REAL, "0" * 64)
        original = make_i3d(3, 400).requires_grad_(False)
        original.load_state_dict(network.module.state_dict())
        batch = make_batch(3, 224)
        with torch.no_grad():
            expected = original(batch)
            expected = expected.mean(2) if expected.ndim == 3 else expected
            torch.testing.assert_close(network.module(batch), expected, rtol=0, atol=1e-5)
            torch.testing.assert_close(network.fused(batch), expected, rtol=0, atol=1e-4)
        ends = network.info.find_endpoints(["Mixed_3c", "Mixed_4f", "FC", "SOFTMAX"])
        check_guided(network, shrink_head(original).double(), make_batch(3), ends)
