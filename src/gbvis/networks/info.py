"""WeightsInfo: what is known of a network without loading its weights; enough to plan work for it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.networks.endpoint import Endpoint, find_endpoints
from gbvis.networks.grid import Cells, Grid, Place
from gbvis.networks.labels import Labels, class_name
from gbvis.records import read_record
from gbvis.version import __version__
from gbvis.videos.clip import ClipFormat

MADE_BY = f"{__version__}, formats 5"
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
        cells: How cells lie at the endpoints that have time and space, by the endpoint's name.
        starts: Where first cells were measured to be, by what `start_key` returns.
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
    cells: Mapping[str, Cells] = field(default_factory=dict)
    starts: Mapping[str, Place] = field(default_factory=dict)
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

    @property
    def places_per_frame(self) -> int:
        """Places along time of the network's input in which it sees a frame: 2, u and v, where interleaved, else 1."""
        return 2 if self.interleaved else 1

    def find_grid(self, endpoint: str, frames: int) -> Grid | None:
        """Return where the cells at an endpoint lie in a clip of so many frames; None where that has to be measured.

        Args:
            endpoint: The name of one that is among `cells`.
            frames: Of the clip.
        """
        cells = self.cells[endpoint]
        start = cells.start or self.starts.get(self.start_key(endpoint, frames))
        return Grid(endpoint, start, cells.step, self.places_per_frame) if start else None

    def start_key(self, endpoint: str, frames: int) -> str:
        """Return what a measured start goes by: the endpoint, and the size of the input that it was measured on."""
        length = self.cells[endpoint].choose_length(frames * self.places_per_frame)
        return f"{endpoint} {length}x{self.clip_format.crop}"

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
        """Return it as plain data, for `from_json`; without what was measured, which is kept beside it."""
        parts = {"clip_format": self.clip_format.to_json(), "targets": dict(self.targets)}
        endpoints = [{**asdict(endpoint), "aliases": list(endpoint.aliases)} for endpoint in self.endpoints]
        labels = list(self.labels) if self.labels else None
        lists = {"endpoints": endpoints, "labels": labels, "states": list(self.states)}
        data = {"gbvis": MADE_BY, **asdict(self), **parts, **lists}
        del data["starts"]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "WeightsInfo":
        """Return what `to_json` wrote.

        Raises:
            KeyError: Another release of gbvis wrote it, which may have known the format differently.
            msgspec.ValidationError: It makes no sense.
        """
        if data["gbvis"] != MADE_BY:
            raise KeyError("gbvis")
        return read_record(data, cls)

    def top(self, scores: NDArray[np.float32], count: int) -> list[dict[str, Any]]:
        """Return the `count` highest of `scores`, float32 (classes,), as `{"index", "label", "score"}`, best first."""
        best = np.argsort(-scores, kind="stable")[:count]
        return [
            {"index": int(index), "label": class_name(self.labels, int(index)), "score": float(scores[index])}
            for index in best
        ]
