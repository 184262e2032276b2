"""Weights files, a file a kind: each becomes `NamedTensors`, and nothing in it is run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from gbvis.networks.labels import Labels


@dataclass(frozen=True)
class NamedTensors:
    """One network's tensors.

    Attributes:
        path: The file they come from.
        tensors: By the name they have in the file, less the words that wrap the network's own names.
        declared_modality: The stream that the file says they are for, or None.
        fusion_weight: The weight of the stream's scores in the fused scores.
        description: What the file itself says of the network, as `WeightsInfo.to_json` wrote it, or None.
        labels: The class names, where the file itself holds them.
        states: Where the file holds several states of the network, raw and averaged: their names, this one's first.
    """

    path: Path
    tensors: Mapping[str, Tensor]
    declared_modality: str | None = None
    fusion_weight: float = 1.0
    description: Mapping[str, Any] | None = None
    labels: Labels | None = None
    states: tuple[str, ...] = ()
