"""Tiny checkpoints of R(2+1)D in every format, with random weights; and networks without rounding."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gbvis.networks.load import build_network
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d import FORMATS
from gbvis.networks.r2plus1d.architecture import Architecture, Block, Factors
from gbvis.networks.r2plus1d.checkpoint_format import CheckpointFormat
from gbvis.networks.r2plus1d.formats import VMZ
from gbvis.networks.r2plus1d.module import R2Plus1D
from gbvis.networks.weights import NamedTensors
from gbvis.videos.clip import Inputs

ALL_FORMATS = list(FORMATS.load_all().values())

TWIN = replace(VMZ, name="twin", variant=replace(VMZ.variant, norm_epsilon=1e-5))
"""A format that nothing tells from VMZ's."""

_CAFFE2_MARKS = ("shortcut_projection_1_w", "shortcut_projection_3_w", "shortcut_projection_4_w", "last_out_L11_w")
"""What tells where the stages of `make_architecture` begin, and how its classifier is called."""


def make_architecture(
    form: CheckpointFormat, channels: int = 3, blocks: tuple[int, ...] = (1, 2, 1, 1)
) -> Architecture:
    """Return a tiny network with the middle channels that networks of this format have."""
    stages, inputs = [], 4
    for stage, count in enumerate(blocks):
        width = 4 * (stage + 1)
        made = []
        for block in range(count):
            is_downsampling = stage > 0 and block == 0
            is_odd = is_downsampling and not form.has_equal_middles
            is_factorized = is_downsampling and form.variant.has_factorized_shortcuts
            first = Factors(inputs if block == 0 else width, 5 + stage, width)
            second = Factors(width, 7 + stage if is_odd else 5 + stage, width)
            made.append(Block(first, second, Factors(inputs, 3, width) if is_factorized else None))
        stages.append(tuple(made))
        inputs = width
    return Architecture(Factors(channels, 6, 4), tuple(stages), 11)


def fitted(form: CheckpointFormat) -> CheckpointFormat:
    """Return the format as it names the parameters of `make_architecture`: Caffe2's depends on where stages begin."""
    return form.fitted(_CAFFE2_MARKS)


def make_tensors(form: CheckpointFormat, channels: int = 3) -> dict[str, torch.Tensor]:
    """Return a tiny network's tensors under the names that the format gives them."""
    torch.manual_seed(1)
    key = repr(form), channels
    if key not in _DRAWN:
        _DRAWN[key] = _draw_tensors(form, channels)
    return {name: tensor.clone() for name, tensor in _DRAWN[key].items()}


_DRAWN: dict[tuple[str, int], dict[str, torch.Tensor]] = {}
"""What `make_tensors` has drawn, by the format and the channels."""


def _draw_tensors(form: CheckpointFormat, channels: int) -> dict[str, torch.Tensor]:
    module = R2Plus1D(make_architecture(form, channels), form.variant)
    names = {name: str(fitted(form).name_of(name)) for name in module.state_dict()}
    if form.suffixes:  # no batch counters outside torch
        names = {name: theirs for name, theirs in names.items() if not name.endswith("num_batches_tracked")}
    return {theirs: module.state_dict()[name] for name, theirs in names.items()}


def build(tensors: Mapping[str, Any], modality: str | None = None) -> Network:
    """Return the network that gbvis makes of some tensors."""
    return build_network(NamedTensors(Path("made.pth"), tensors, modality), "0" * 64)


class Exact(Network):
    """A network in float64, where no ReLU is a matter of rounding."""

    def __init__(self, network: Network) -> None:
        super().__init__(network.module.double(), network.info, network.kind)

    def preprocess(self, clips: Sequence[np.ndarray] | Inputs) -> torch.Tensor:
        """Return clips as the network takes them, float64."""
        return super().preprocess(clips).double()
