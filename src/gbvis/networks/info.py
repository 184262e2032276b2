"""WeightsInfo: what is known of a network without loading its weights; enough to plan work for it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gbvis.networks.endpoint import Endpoint, find_endpoints
from gbvis.networks.labels import Labels, class_name
from gbvis.version import __version__
from gbvis.videos.clip import ClipFormat

MADE_BY = f"{__version__}, formats 4"
"""What a record in a store must be made by; the second number is raised when a format changes between two releases."""


@dataclass(frozen=True)
class WeightsInfo:
    """What is known of the network in a weights file. The store keeps it, so that planning loads no weights.

    Attributes:
        kind: The network kind's name.
        title: What people call this network: `R(2+1)D-18`.
        checkpoint_format: The checkpoint format that the file was read as.
        modality: `rgb` or `flow`.
        parameters: Number of weights, norms included and their running statistics not.
        clip_format: The network's input.
        endpoints: Where targets lie, in the order of the forward pass.
        targets: Per endpoint name, how many filters, features or classes there are to choose a target from.
        labels: Class names, or None where they are not known.
        interleaved: True for flow networks with one input channel, which see u1, v1, u2, v2, ... along time.
        details: What else is known of this kind of network, as plain data: depth, padding, ...
        fusion_weight: The weight of the stream's scores in the fused scores.
        states: Where the file holds several states of the network, raw and averaged: their names, the one read first.
        sha256: Of the file's content, hexadecimal.
        identity: Of the network itself, whatever file it is in; see `identity.identify`.
        path: Where the file was when it was last read.
    """

    kind: str
    title: str
    checkpoint_format: str
    modality: str
    parameters: int
    clip_format: ClipFormat
    endpoints: tuple[Endpoint, ...]
    targets: Mapping[str, int]
    labels: Labels | None = None
    interleaved: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)
    fusion_weight: float = 1.0
    states: tuple[str, ...] = ()
    sha256: str = ""
    identity: str = ""
    path: str = ""

    @cached_property
    def scores(self) -> Endpoint | None:
        """The endpoint of the classes' probabilities, where the network has one."""
        return next((endpoint for endpoint in self.endpoints if endpoint.is_score), None)

    @property
    def class_count(self) -> int:
        """The number of classes; 0 where the network knows none."""
        return max((self.targets[endpoint.name] for endpoint in self.endpoints if endpoint.is_class), default=0)

    @property
    def input_channels(self) -> int:
        """Channels of the network's first convolution."""
        return 1 if self.interleaved else self.clip_format.channels

    def find_endpoints(self, names: Iterable[str]) -> list[Endpoint]:
        """Return the endpoints that names mean; without any, that of the classes' probabilities, or the last one.

        Raises:
            UsageError: The network has no such endpoint.
        """
        return find_endpoints(names, self.endpoints) or [self.scores or self.endpoints[-1]]

    def ranking_endpoint(self, endpoint: Endpoint) -> Endpoint:
        """Return the endpoint whose values rank the targets of `endpoint`: classes go by their probability."""
        return self.scores if endpoint.is_class and self.scores else endpoint

    def label_of(self, index: int) -> dict[str, Any]:
        """Return class `index` as `{"index": int, "name": str or None}`."""
        return {"index": index, "name": class_name(self.labels, index)}

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data, for `from_json`."""
        parts = {"clip_format": self.clip_format.to_json(), "targets": dict(self.targets)}
        endpoints = [{**asdict(endpoint), "aliases": list(endpoint.aliases)} for endpoint in self.endpoints]
        labels = list(self.labels) if self.labels else None
        lists = {"endpoints": endpoints, "labels": labels, "states": list(self.states)}
        return {"gbvis": MADE_BY, **asdict(self), **parts, **lists}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "WeightsInfo":
        """Return what `to_json` wrote.

        Raises:
            KeyError: Another release of gbvis wrote it, which may have known the format differently.
            msgspec.ValidationError: It makes no sense.
        """
        if data["gbvis"] != MADE_BY:
            raise KeyError("gbvis")
        return msgspec.convert(data, cls)

    def top(self, scores: NDArray[np.float32], count: int) -> list[dict[str, Any]]:
        """Return the `count` highest of `scores`, float32 (classes,), as `{"index", "label", "score"}`, best first."""
        best = np.argsort(-scores, kind="stable")[:count]
        return [
            {"index": int(index), "label": class_name(self.labels, int(index)), "score": float(scores[index])}
            for index in best
        ]
