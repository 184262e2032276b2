"""Likeness of tensors to a kind that is read by shape: the names they share with small networks of it, what differs."""

import re
from collections.abc import Collection, Sequence
from functools import cache

from torch import Tensor, nn

from gbvis.networks.shaped.format import ShapedFormat
from gbvis.networks.weights import NamedTensors
from gbvis.networks.weights.strict_reading import list_first, share_of_words

_COUNTER = "num_batches_tracked"


def share_of_names(named: NamedTensors, form: ShapedFormat, modules: Sequence[nn.Module]) -> float:
    """Return the share of a file's tensors that have a name of the format, 0-1.

    Args:
        named: The tensors.
        form: The format.
        modules: Small networks of the kind.
    """
    known = _list_known(tuple(modules))
    return sum(_is_known(name, form, known) for name in named.tensors) / max(1, len(named.tensors))


def share_of_known_words(named: NamedTensors, form: ShapedFormat, modules: Sequence[nn.Module]) -> float:
    """Return the share of the words in a file's names that networks of the format have in theirs, 0-1."""
    known = [form.their_name(name) for module in modules for name in module.state_dict()]
    return share_of_words(named.tensors, known)


def describe_difference(
    named: NamedTensors, form: ShapedFormat, modules: Sequence[nn.Module], missing: str | None = None
) -> str:
    """Return what a file is missing of the nearest small network, and what it has that no such network has.

    The words are the end of a sentence that begins with the file.

    Args:
        named: The tensors.
        form: The format.
        modules: Small networks of the kind.
        missing: A name of the format that is known to be missing.
    """
    nearest = max(modules, key=lambda module: sum(form.their_name(name) in named.tensors for name in _weights(module)))
    shapes = {form.their_name(name): one.shape for name, one in nearest.state_dict().items()}
    known = _list_known(tuple(modules))
    lost = [name for name in map(form.their_name, _weights(nearest)) if name not in named.tensors]
    parts = {
        "is missing": list(dict.fromkeys([*([missing] if missing else []), *lost])),
        "has, beside such a network,": [name for name in named.tensors if not _is_known(name, form, known)],
        "has wrong shapes:": [
            f"{name} {list(one.shape)} instead of {len(shapes[name])} axes"
            for name, one in named.tensors.items()
            if isinstance(one, Tensor) and name in shapes and one.ndim != len(shapes[name])
        ],
    }
    return "; ".join(f"{what} {list_first(names)}" for what, names in parts.items() if names)


@cache
def _list_known(modules: tuple[nn.Module, ...]) -> frozenset[str]:
    """Return the names of the networks' tensors without numbers of stages and blocks."""
    return frozenset(_generalise(name) for module in modules for name in module.state_dict())


def _weights(module: nn.Module) -> list[str]:
    """Return the names of a network's convolutions' and linear layers' weights, and of the last one's bias."""
    tensors = {name: one for name, one in module.state_dict().items() if not name.endswith(_COUNTER)}
    last = list(tensors)[-1:]
    return [*(name for name, one in tensors.items() if one.ndim > 1), *last]


def _is_known(name: str, form: ShapedFormat, known: Collection[str]) -> bool:
    own = form.own_name(name)
    return own is not None and _generalise(own) in known


def _generalise(name: str) -> str:
    """Return a name without the numbers of stages and blocks: those that are a word, and those of `layer2`."""
    return ".".join("#" if word.isdigit() else re.sub(r"(?<=^layer)\d+$", "#", word) for word in name.split("."))
