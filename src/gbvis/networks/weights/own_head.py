"""Heads: a network's last layer that a file has under another name than its checkpoint format."""

import re
from dataclasses import replace

from torch import Tensor

from gbvis.errors import WeightsError
from gbvis.networks.weights import NamedTensors

_HEAD = re.compile(r"\w*head|fc\d*|cls\w*|class\w*|linear\d*|logits?|out\w*|pred\w*|proj|final|last", re.IGNORECASE)
"""A word in the names that programs give a last layer: `cls_head.fc_cls`, `head.1`, `classifier`."""

LINEAR, POINTWISE = 2, 5
"""Axes of the weight of a head that is a linear layer, and of one that is a convolution of 1x1x1."""


def with_own_head(named: NamedTensors, form: str, own: str, network: str, axes: int = LINEAR) -> NamedTensors:
    """Return the tensors with the one head among them under the format's own name of it.

    In the file it may stand in a `Sequential` behind a dropout (`fc.1.weight`), or beside a backbone
    (`cls_head.fc_cls.weight`). Where that is not so, the tensors are returned as they are.

    Args:
        named: The tensors.
        form: The checkpoint format's name.
        own: What the format calls the head, without `.weight`.
        network: What such networks are called: `R(2+1)D`.
        axes: Of the head's weight.

    Raises:
        WeightsError: There are several linear layers: a head that such networks do not have.
    """
    if named.description or f"{own}.weight" in named.tensors:
        return named
    layers = [name.removesuffix(".weight") for name, one in named.tensors.items() if _is_head(name, one, axes)]
    likely = [name for name in layers if _is_called_head(name, own)]
    if len(layers) > 1 and axes == LINEAR:
        raise WeightsError(
            f"{named.path} has a head of {len(layers)} linear layers, {', '.join(layers[:3])}, and {network} has one",
            f"it was read as a checkpoint of the {form} format; nothing was loaded",
        )
    if len(likely) != 1:
        return named
    names = {f"{likely[0]}.{value}": f"{own}.{value}" for value in ("weight", "bias")}
    return replace(named, tensors={names.get(name, name): tensor for name, tensor in named.tensors.items()})


def _is_head(name: str, tensor: object, axes: int) -> bool:
    """Return whether a tensor may be the weight of a head."""
    is_weight = isinstance(tensor, Tensor) and tensor.ndim == axes and name.endswith(".weight")
    return is_weight and (axes == LINEAR or tuple(tensor.shape[2:]) == (1, 1, 1))  # type: ignore[attr-defined]


def _is_called_head(name: str, own: str) -> bool:
    return name.startswith(f"{own}.") or any(map(_HEAD.fullmatch, re.split("[._]", name)))
