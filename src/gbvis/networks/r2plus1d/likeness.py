"""Likeness: how near a file's tensors are to a checkpoint format that they are not of, and what differs."""

from collections.abc import Iterator

from torch import Tensor

from gbvis.networks.r2plus1d.checkpoint_format import CheckpointFormat
from gbvis.networks.weights import NamedTensors
from gbvis.networks.weights.strict_reading import list_first, share_of_words

_MOST_BLOCKS = 40
"""In a stage, and some more: 152 layers have 36."""

_VALUES = {
    "convolution": ("weight", "bias"),
    "norm": ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"),
    "classifier": ("weight", "bias"),
}


def share_of_names(named: NamedTensors, form: CheckpointFormat) -> float:
    """Return the share of a file's tensors that have a name of the format, 0-1."""
    known = _possible_names(form.fitted(named.tensors))
    return sum(name in known for name in named.tensors) / max(1, len(named.tensors))


def share_of_known_words(named: NamedTensors, form: CheckpointFormat) -> float:
    """Return the share of the words in a file's names that networks of the format have in theirs, 0-1."""
    return share_of_words(named.tensors, _possible_names(form))


def describe_difference(named: NamedTensors, form: CheckpointFormat) -> str:
    """Return what a file is missing of the smallest network of a format, and what it has that no such network has.

    The words are the end of a sentence that begins with the file.
    """
    fitted = form.fitted(named.tensors)
    known = _possible_names(fitted)
    misshapen = [
        f"{name} {list(tensor.shape)} instead of {expected}"
        for name, tensor in named.tensors.items()
        if isinstance(tensor, Tensor) and (expected := _expected_shape(known.get(name, ""), tensor))
    ]
    parts = {
        "is missing": [name for name in least_names(fitted) if name not in named.tensors],
        "has, beside such a network,": [name for name in named.tensors if name not in known],
        "has wrong shapes:": misshapen,
    }
    return "; ".join(f"{what} {list_first(names)}" for what, names in parts.items() if names)


def least_names(form: CheckpointFormat) -> list[str]:
    """Return the names of the weights that the smallest network of a format has."""
    blocks = [f"stages.{stage}.0.{unit}" for stage in range(4) for unit in ("first", "second")]
    parts = [f"{unit}.{part}.convolution.weight" for unit in ("stem", *blocks) for part in ("spatial", "temporal")]
    return list(form.names_of([*parts, "classifier.weight", "classifier.bias"]).values())


def _possible_names(form: CheckpointFormat) -> dict[str, str]:
    """Return all names that the tensors of a network of the format may have, and the parameters that they are."""
    return {name: parameter for parameter in _possible_parameters(form) if (name := form.name_of(parameter))}


def _possible_parameters(form: CheckpointFormat) -> Iterator[str]:
    for layer in form.names:
        values = _VALUES[layer.rsplit(".", 1)[-1]]
        is_outside = layer.startswith(("stem", "classifier"))
        places = [""] if is_outside else [f"stages.{s}.{b}." for s in range(4) for b in range(_MOST_BLOCKS)]
        yield from (f"{place}{layer}.{value}" for place in places for value in values)


def _expected_shape(parameter: str, tensor: Tensor) -> str | None:
    """Return which shape a parameter of R(2+1)D has, where the tensor's is none; `?` stands for any number."""
    layer, _, value = parameter.rpartition(".")
    if value == "num_batches_tracked" or not layer:
        return None
    expected: list[int | None] = [None]
    if value == "weight" and layer.endswith("classifier"):
        expected = [None, None]
    elif value == "weight" and layer.endswith("convolution"):
        expected = [None, None, *_kernel(layer)]
    is_right = len(tensor.shape) == len(expected) and all(
        wanted in (None, size) for wanted, size in zip(expected, tensor.shape, strict=True)
    )
    return None if is_right else str(expected).replace("None", "?")


def _kernel(layer: str) -> tuple[int, int, int]:
    if "shortcut" in layer:
        return 1, 1, 1
    if ".temporal." in layer:
        return 3, 1, 1
    return (1, 7, 7) if layer.startswith("stem") else (1, 3, 3)
