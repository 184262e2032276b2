"""Weights of a file for a network of the user's own: all of its tensors are set from the file, and all are used."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from gbvis.errors import WeightsError
from gbvis.networks.load import read_tensors
from gbvis.networks.weights import NamedTensors
from gbvis.networks.weights.strict_reading import COUNTER, check_tensors, list_first


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
    own = {key for key in module.state_dict() if not key.endswith(COUNTER)}

    def is_network(tensors: Mapping[str, object]) -> bool:
        return len(own & tensors.keys()) > len(own) / 2

    found = read_tensors(path, state, is_network)
    fitting = [one for one in found if one.declared_modality in (None, modality)]
    if not fitting:
        raise WeightsError(f"{path} holds no network for {modality}", "give another file with -w")
    _set(module, fitting[0], name)
    return fitting[0]


def _set(module: nn.Module, named: NamedTensors, name: str) -> None:
    """Set a network's tensors; counters of batches are left as they are."""
    expected = {key: one for key, one in module.state_dict().items() if not key.endswith(COUNTER)}
    tensors = {key: one for key, one in named.tensors.items() if not key.endswith(COUNTER)}
    built = {key for key in expected.keys() & tensors.keys() if _is_as_built(tensors[key], expected[key])}
    checked, fixed = ({key: one for key, one in each.items() if key not in built} for each in (tensors, expected))
    variances = [key for key in expected if key.endswith("running_var")]
    check_tensors(checked, fixed, variances, partial(_refuse, named, name))
    module.load_state_dict(tensors, strict=False)


def _is_as_built(tensor: Tensor, own: Tensor) -> bool:
    """Return whether a tensor is one that only the network itself can judge: a mask, or infinity where it has it."""
    if not isinstance(tensor, Tensor) or tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        return False
    if tensor.shape != own.shape:
        return False
    if own.is_floating_point():
        return bool(torch.isinf(own).any()) and torch.equal(tensor.to(own.dtype), own)
    return tensor.dtype == own.dtype and bool(torch.isfinite(tensor).all())


def _refuse(named: NamedTensors, name: str, what: str, keys: Collection[str]) -> None:
    """Refuse a file that has such tensors, if there are any.

    Raises:
        WeightsError: There are; the first three are named.
    """
    if keys:
        raise WeightsError(
            f"{named.path} {what} {list_first(keys)}", f"it was read for the network of {name}; nothing was loaded"
        )
