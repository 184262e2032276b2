"""A small network kind, as another package would bring one: nothing in it is made quick."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from gbvis.networks.endpoint import Endpoint
from gbvis.networks.info import WeightsInfo
from gbvis.networks.kind import NetworkKind
from gbvis.networks.network import Network
from gbvis.networks.weights import NamedTensors
from gbvis.videos.clip import ClipFormat

EDGES = Endpoint("edges", ("first",))
SHAPES = Endpoint("shapes")
CLASSES = Endpoint("classes", (), "class", "logit")
ENDPOINTS = (EDGES, SHAPES, CLASSES)
FORMAT = ClipFormat(6, 24, 32, 24, 0, 4, 255.0, (0.5, 0.4, 0.3), (0.25, 0.25, 0.2))


class SmallNet(nn.Module):
    """Two convolutions and a classifier, whose ReLUs share what they are given, and their gradients, with others.

    One ReLU stands in three places, as in many networks.
    """

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.relu: nn.Module = nn.ReLU()
        self.first = nn.Conv3d(3, 4, 3, padding=1)
        self.second = nn.Sequential(nn.Conv3d(4, 5, 3, 2, 1), self.relu, nn.Conv3d(5, 5, 1), nn.BatchNorm3d(5))
        self.last_relu: nn.Module = self.relu
        self.classifier = nn.Linear(5, classes)

    def endpoints(self, clips: Tensor) -> Iterator[tuple[Endpoint, Tensor]]:
        """Yield every endpoint and its activation."""
        given = self.first(clips)
        activation = self.relu(given) - 2 * given
        yield EDGES, activation
        given = self.second(activation)
        activation = self.last_relu(given) + self.relu(0.3 - 2 * given)
        yield SHAPES, activation
        yield CLASSES, self.classifier(activation.mean((2, 3, 4)))


class SmallKind(NetworkKind):
    """Networks of `SmallNet`."""

    name = "small"
    formats = ("small-file",)

    def match(self, named: NamedTensors) -> bool:
        """Return whether the first convolution is called as here."""
        return "first.weight" in named.tensors

    def build(self, named: NamedTensors, checkpoint_format: str | None) -> tuple[nn.Module, WeightsInfo]:
        """Return the network."""
        module = SmallNet(len(named.tensors["classifier.bias"]))
        module.load_state_dict(dict(named.tensors))
        targets = {"edges": 4, "shapes": 5, "classes": module.classifier.out_features}
        count = sum(parameter.numel() for parameter in module.parameters())
        return module, WeightsInfo("small", "Small", "small-file", "rgb", count, FORMAT, ENDPOINTS, targets)


KIND = SmallKind()


def make_small_tensors() -> dict[str, Tensor]:
    """Return the tensors of a network with random weights."""
    torch.manual_seed(2)
    module = SmallNet()
    nn.init.uniform_(module.second[3].running_mean, -0.2, 0.2)
    return module.state_dict()


def make_small_network() -> Network:
    """Return a network with random weights."""
    module, info = KIND.build(NamedTensors(Path("small.pth"), make_small_tensors()), None)
    return Network(module, info, KIND)
