"""WeightsCard: what a weights file holds, known without loading it again."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis import __version__
from gbvis.networks.endpoint import Endpoint
from gbvis.networks.labels import Labels
from gbvis.networks.r2plus1d.architecture import Variant
from gbvis.videos.clip import ClipFormat

_MADE_BY = f"{__version__}, families 2"
"""What a card in a store must be made by; the second number is raised when a family changes between two releases."""


@dataclass(frozen=True)
class WeightsInfo:
    """What has to be known of a network to plan work for it; the store keeps one per network.

    Attributes:
        sha256: Of the file's content, hexadecimal.
        path: Where the file lay when it was last read.
        family: The checkpoint family.
        modality: `rgb` or `flow`.
        depth: Layers, counted as in the paper: 18, 34.
        parameters: Number of weights, norms included and their running statistics not.
        variant: What the family's networks share beyond the paper.
        interleaved: True for flow networks with one input channel, which see u1, v1, u2, v2, ... along time.
        clip_format: The network's input.
        targets: Per endpoint name, how many filters, features or classes there are to choose a target from.
        labels: Class names, or None where nobody knows them.
        fusion_weight: What the stream's scores count in the fused ones.
    """

    sha256: str
    path: str
    family: str
    modality: str
    depth: int
    parameters: int
    variant: Variant
    interleaved: bool
    clip_format: ClipFormat
    targets: dict[str, int]
    labels: Labels | None
    fusion_weight: float = 1.0

    @property
    def class_count(self) -> int:
        """The number of classes."""
        return self.targets["FC"]

    @property
    def input_channels(self) -> int:
        """Channels of the network's first convolution."""
        return 1 if self.interleaved else self.clip_format.channels

    def target_count(self, endpoint: Endpoint) -> int:
        """Return the number of targets at `endpoint`."""
        return self.targets[endpoint.name]

    def label_of(self, index: int) -> dict[str, Any]:
        """Return class `index` as `{"index": int, "name": str or None}`."""
        return {"index": index, "name": self.labels[index] if self.labels else None}

    def to_json(self) -> dict[str, Any]:
        """Return the card as plain data, for `from_json`."""
        parts = {"variant": asdict(self.variant), "clip_format": self.clip_format.to_json()}
        return {"gbvis": _MADE_BY, **asdict(self), **parts, "labels": list(self.labels) if self.labels else None}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "WeightsInfo":
        """Return the card that `to_json` wrote.

        Raises:
            KeyError: Another release of gbvis wrote it, which may have known the family differently.
        """
        if data["gbvis"] != _MADE_BY:
            raise KeyError("gbvis")
        labels = tuple(data["labels"]) if data["labels"] else None
        parts = {"variant": Variant(**data["variant"]), "clip_format": ClipFormat.from_json(data["clip_format"])}
        return cls(**{**{name: data[name] for name in data if name != "gbvis"}, **parts, "labels": labels})

    def top(self, scores: NDArray[np.float32], count: int) -> list[dict[str, Any]]:
        """Return the `count` highest of `scores`, float32 (classes,), as `{"index", "label", "score"}`, best first."""
        best = np.argsort(-scores, kind="stable")[:count]
        return [
            {"index": int(index), "label": self.label_of(int(index))["name"], "score": float(scores[index])}
            for index in best
        ]
