"""Heads: the classifier of an R(2+1)D under the names that programs give it beside a network of somebody else's."""

import re
from dataclasses import replace

from torch import Tensor

from gbvis.errors import WeightsError
from gbvis.networks.r2plus1d.checkpoint_format import CheckpointFormat
from gbvis.networks.weights import NamedTensors

_HEAD = re.compile(r"(^|.*[._])(\w*head|fc\d*|cls\w*|class\w*|linear\d*|logits?|out\w*|pred\w*|final|last)([._].*)?")
"""Names of a last layer: `cls_head.fc_cls`, `head.1`, `classifier`."""


def with_own_head(named: NamedTensors, form: CheckpointFormat) -> NamedTensors:
    """Return the tensors with the one linear layer among them under the format's own name of the classifier.

    In the file it may stand in a `Sequential` behind a dropout (`fc.1.weight`), or beside a backbone
    (`cls_head.fc_cls.weight`). Where that is not so, the tensors are returned as they are.

    Raises:
        WeightsError: There are several linear layers: a head that R(2+1)D does not have.
    """
    own = (form.name_of("classifier.weight") or "").removesuffix(".weight")
    if named.description or form.suffixes or not own or f"{own}.weight" in named.tensors:
        return named
    weights = (name for name, one in named.tensors.items() if isinstance(one, Tensor) and one.ndim == 2)
    layers = [name.removesuffix(".weight") for name in weights if name.endswith(".weight")]
    if len(layers) > 1:
        raise WeightsError(
            f"{named.path} has a head of {len(layers)} linear layers, {', '.join(layers[:3])}, and R(2+1)D has one",
            f"it was read as a checkpoint of the {form.name} format; nothing was loaded",
        )
    if not layers or not (layers[0].startswith(f"{own}.") or _HEAD.fullmatch(layers[0])):
        return named
    names = {f"{layers[0]}.{value}": f"{own}.{value}" for value in ("weight", "bias")}
    return replace(named, tensors={names.get(name, name): tensor for name, tensor in named.tensors.items()})
