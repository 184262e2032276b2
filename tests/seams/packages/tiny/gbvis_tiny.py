"""A kind of network that another package adds: two convolutions, with a sum that R(2+1)D does not have."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from gbvis.errors import WeightsError
from gbvis.networks.endpoint import Endpoint
from gbvis.networks.info import WeightsInfo
from gbvis.networks.kind import NetworkKind
from gbvis.networks.weights import NamedTensors
from gbvis.videos.clip import ClipFormat

BLOCK1 = Endpoint("Block1", ("first",))
BLOCK2 = Endpoint("Block2", ("second",))
LOGITS = Endpoint("LOGITS", target_kind="class", value_name="logit")
SCORES = Endpoint("SCORES", target_kind="class", value_name="score")

NAMES = {
    "features.0.weight": "first.weight",
    "features.0.bias": "first.bias",
    "features.1.weight": "second.weight",
    "features.1.bias": "second.bias",
    "fc.weight": "head.weight",
    "fc.bias": "head.bias",
}
"""What checkpoints call the module's parameters."""

FORMAT = ClipFormat(
    frames=8, height=32, width=40, crop=32, top=0, left=4, scale=255.0, mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.3)
)


class TinyNet(nn.Module):
    """Two convolutions and a linear layer."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.first = nn.Conv3d(3, width, 3, stride=(1, 2, 2), padding=1)
        self.second = nn.Conv3d(width, width, 3, padding=1)
        self.head = nn.Linear(width, classes)
        self.first_relu, self.second_relu = nn.ReLU(), nn.ReLU()

    def endpoints(self, clips: Tensor) -> Iterator[tuple[Endpoint, Tensor]]:
        """Yield every endpoint and its activation; what the second ReLU is given is used beside it too."""
        first = self.first_relu(self.first(clips))
        yield BLOCK1, first
        second = self.second(first)
        merged = second + first + self.second_relu(second)
        yield BLOCK2, merged
        logits = self.head(merged.mean((2, 3, 4)))
        yield LOGITS, logits
        yield SCORES, logits.softmax(1)


class TinyKind(NetworkKind):
    """Networks of the shape of `TinyNet`."""

    name = "tiny"
    formats = ("tiny-torch",)

    def match(self, named: NamedTensors) -> bool:
        """Return whether all of the names are there."""
        return NAMES.keys() <= named.tensors.keys()

    def build(self, named: NamedTensors, checkpoint_format: str | None) -> tuple[TinyNet, WeightsInfo]:
        """Return the network and what is known of it.

        Raises:
            WeightsError: A tensor is missing, or does not fit the others.
        """
        called = {own: own if named.description else theirs for theirs, own in NAMES.items()}
        missing = [name for name in called.values() if name not in named.tensors]
        if missing:
            raise WeightsError(f"{named.path} is missing {missing[0]}", "save the whole network")
        tensors = {own: named.tensors[name] for own, name in called.items()}
        width, classes = len(tensors["first.bias"]), len(tensors["head.bias"])
        with torch.device("meta"):
            module = TinyNet(width, classes)
        try:
            module.load_state_dict(tensors, assign=True)
        except RuntimeError as error:
            raise WeightsError(f"{named.path} is no tiny network: {error}", "save it again") from error
        info = WeightsInfo(
            kind=self.name,
            title=f"Tiny-{width}",
            checkpoint_format=self.formats[0],
            modality="rgb",
            parameters=sum(tensor.numel() for tensor in tensors.values()),
            clip_format=FORMAT,
            endpoints=(BLOCK1, BLOCK2, LOGITS, SCORES),
            targets={BLOCK1.name: width, BLOCK2.name: width, LOGITS.name: classes, SCORES.name: classes},
            details={"variant": "small", "width": width},
        )
        return module, info


KIND = TinyKind()
