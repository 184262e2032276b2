"""What gbvis is measured against: the old way, Captum, and the arithmetic itself; and the network that all run.

R(2+1)D-18 in torchvision's form, 400 classes, made from a seed: He's initialisation, norms near the identity.
"""

import statistics
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from captum.attr import GuidedBackprop as CaptumGuidedBackprop
from torch import Tensor, nn

from gbvis.attribution.attribution import Pending
from gbvis.attribution.graph import Graph
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.networks.endpoint import Endpoint, Target
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import Architecture
from gbvis.networks.r2plus1d.formats import TORCHVISION
from gbvis.networks.r2plus1d.load import KIND, describe
from gbvis.networks.r2plus1d.module import R2Plus1D
from gbvis.networks.shaped.inception_kind import randomise
from gbvis.videos.clip import ClipPixels

THREADS = 2
CLASSES = 400


def make_network(weights: Path | None = None) -> Network:
    """Return a network with random weights that computes sensible numbers, or with those of `save_weights`."""
    torch.manual_seed(0)
    architecture = Architecture.of_depth(18, 3, CLASSES)
    module = R2Plus1D(architecture, TORCHVISION.variant)
    info = describe(module, TORCHVISION, "rgb")
    if weights:
        tensors = torch.load(weights, weights_only=True)
        module.load_state_dict({name: tensors[str(TORCHVISION.name_of(name))] for name in module.state_dict()})
        return Network(module, info, KIND)
    randomise(module)
    nn.init.normal_(module.classifier.weight, 0, 0.004)
    return Network(module, info, KIND)


def save_weights(network: Network, path: Path) -> None:
    """Write the network as a torchvision checkpoint."""
    torch.save({str(TORCHVISION.name_of(name)): tensor for name, tensor in network.module.state_dict().items()}, path)


def make_pixels(frames: int) -> np.ndarray:
    """Return a clip: uint8 (T, 112, 112, 3), blocks of colour with noise."""
    random = np.random.default_rng(0)
    blocks = random.integers(20, 236, (frames, 14, 14, 3)).repeat(8, axis=1).repeat(8, axis=2)
    return (blocks + random.integers(-20, 21, blocks.shape)).astype(np.uint8)


def guided_gradients(
    network: Network, clips: Sequence[ClipPixels], endpoints: Collection[Endpoint], targets: Sequence[Target]
) -> Iterator[Pending]:
    """Yield the guided gradients of the targets, as `explain` computes them.

    Args:
        network: Ready to compute.
        clips: Each uint8 (T, 112, 112, 3).
        endpoints: Where responses are wanted, the targets' endpoints among them.
        targets: What is attributed.
    """
    with Graph(network, clips) as graph:
        graph.forward(endpoints)
        yield from graph.attribute(GuidedBackprop(), targets)


def old_way(module: nn.Module, clip: Tensor, endpoint: Endpoint, index: int) -> Tensor:
    """Return the guided gradient as the 2019 script has it: hooks on ReLUs, gradients for all parameters too.

    Args:
        module: Norms are layers of their own; left as it was found.
        clip: float32 (1, 3, T, 112, 112).
        endpoint: Where the forward pass stops.
        index: The filter or class.
    """
    module.requires_grad_(True)

    def rectify(_: nn.Module, passed: Any, arriving: Any) -> tuple[Tensor]:
        return (passed[0] * (arriving[0] > 0),)

    hooks = [part.register_full_backward_hook(rectify) for part in module.modules() if isinstance(part, nn.ReLU)]
    given = clip.clone().requires_grad_()
    activation = next(found for place, found in KIND.endpoints(module, given) if place == endpoint)[0, index]
    torch.autograd.backward([activation.abs().sum() if activation.ndim else activation])
    for hook in hooks:
        hook.remove()
    module.zero_grad()
    module.requires_grad_(False)
    assert given.grad is not None
    return given.grad


class Scores(nn.Module):
    """The network up to its probabilities, as Captum wants it."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, clip: Tensor) -> Tensor:
        """Return float32 (N, classes)."""
        scores: Tensor = self.module(clip).softmax(1)
        return scores


def captum(module: nn.Module, clip: Tensor, index: int) -> Tensor:
    """Return Captum's guided gradient of a class's probability."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it sets hooks
        gradient: Tensor = CaptumGuidedBackprop(Scores(module)).attribute(clip.clone().requires_grad_(), target=index)
    return gradient


def count_operations(module: nn.Module, clip: Tensor) -> int:
    """Return the floating point operations of a forward and an input-backward pass: twice the forward pass's."""
    counted = 0

    def count(part: nn.Module, _: object, output: Tensor) -> None:
        nonlocal counted
        assert isinstance(part, nn.Conv3d)
        counted += 2 * output.numel() * part.weight[0].numel()

    hooks = [part.register_forward_hook(count) for part in module.modules() if isinstance(part, nn.Conv3d)]
    with torch.no_grad():
        module(clip)
    for hook in hooks:
        hook.remove()
    return 2 * counted


def take_turns(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds that each way took in each round; all take turns, after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, run in ways.items():
            started = time.perf_counter()
            run()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def ratio(seconds: Mapping[str, list[float]], theirs: str, ours: str) -> float:
    """Return how many times as fast ours is: the median over the rounds."""
    return statistics.median(slow / quick for slow, quick in zip(seconds[theirs], seconds[ours], strict=True))
