"""Weights of a file for a network of the user's own: all of its tensors are set from the file, and all are used."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from gbvis.errors import WeightsError
from gbvis.networks.load import read_tensors
from gbvis.networks.weights import NamedTensors

_COUNTER = "num_batches_tracked"


def load_weights(module: nn.Module, name: str, path: Path, state: str | None, modality: str) -> NamedTensors:
    """Set a network's parameters and buffers from a file, and return what the file holds.

    What wraps names there is taken off as for other kinds of network.

    Args:
        module: The network, which is changed.
        name: What errors call it.
        path: The file.
        state: Which of several states in it is meant, where the user says so.
        modality: The network's stream, for files that hold both.

    Raises:
        WeightsError: The file cannot be read, a tensor is missing, spare, misshapen or not finite, or several states
            may be meant.
    """
    own = {key for key in module.state_dict() if not key.endswith(_COUNTER)}

    def is_network(tensors: Mapping[str, object]) -> bool:
        return len(own & tensors.keys()) > len(own) / 2

    found = read_tensors(path, state, is_network)
    fitting = [one for one in found if one.declared_modality in (None, modality)]
    if not fitting:
        raise WeightsError(f"{path} holds no network for {modality}", "give another file with -w")
    _set(module, fitting[0], name)
    return fitting[0]


def _set(module: nn.Module, named: NamedTensors, name: str) -> None:
    expected = module.state_dict()
    tensors = {key: one for key, one in named.tensors.items() if not key.endswith(_COUNTER)}
    _refuse(named, name, "is missing", [key for key in expected if key not in tensors and not key.endswith(_COUNTER)])
    _refuse(named, name, "has, beside the network,", [key for key in tensors if key not in expected])
    wrong = [
        f"{key} {list(one.shape)} instead of {list(expected[key].shape)}"
        for key, one in tensors.items()
        if one.shape != expected[key].shape
    ]
    _refuse(named, name, "has wrong shapes:", wrong)
    _refuse(named, name, "holds something else than numbers in", [key for key, one in tensors.items() if _is_odd(one)])
    module.load_state_dict({**tensors, **{key: one for key, one in expected.items() if key.endswith(_COUNTER)}})


def _is_odd(tensor: Tensor) -> bool:
    is_plain = tensor.layout == torch.strided and not (tensor.is_quantized or tensor.is_meta)
    return not (is_plain and bool(torch.isfinite(tensor).all()))


def _refuse(named: NamedTensors, name: str, what: str, keys: Collection[str]) -> None:
    """Refuse a file that has such tensors, if there are any.

    Raises:
        WeightsError: There are; the first three are named.
    """
    if keys:
        first, more = list(keys)[:3], f" and {len(keys) - 3} more" if len(keys) > 3 else ""
        raise WeightsError(
            f"{named.path} {what} {', '.join(first)}{more}",
            f"it was read for the network of {name}; nothing was loaded",
        )
