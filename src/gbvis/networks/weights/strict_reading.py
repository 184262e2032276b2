"""Strict reading: a network's tensors are taken from a file all of them or not at all, and nothing is left over."""

import re
from collections.abc import Callable, Collection, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from gbvis.errors import WeightsError
from gbvis.networks.weights import NamedTensors

COUNTER = "num_batches_tracked"
"""What norms count; it has no part in what a network computes, and files may lack it."""


def collect_tensors(
    named: NamedTensors, form: str, module: nn.Module, names: Mapping[str, str], extras: str = ""
) -> dict[str, Tensor]:
    """Return a file's tensors under the module's names, float32; counters of batches are not used and may be missing.

    Args:
        named: What the file holds.
        form: The name of the checkpoint format that it is read as.
        module: The network without weights, on the meta device.
        names: For every parameter and buffer of the module its name in the file.
        extras: A pattern of names that may stand beside the network and are not used.

    Raises:
        WeightsError: A tensor is missing, spare, misshapen, no plain numbers, not finite, or a negative variance.
    """
    own_names = {names[own]: own for own in module.state_dict()}
    expected = {names[own]: tensor for own, tensor in module.state_dict().items()}
    tensors = {name: tensor for name, tensor in named.tensors.items() if not re.fullmatch(extras, name)}
    variances = [name for name, own in own_names.items() if own.endswith("running_var")]
    check_tensors(tensors, expected, variances, partial(refuse, named, form))
    counters = {own: torch.tensor(0) for own in own_names.values() if own.endswith(COUNTER)}
    collected = {own_names[name]: tensor.float() for name, tensor in tensors.items()}
    return {**collected, **counters}


def check_tensors(
    tensors: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    variances: Collection[str],
    refuse: Callable[[str, Collection[str]], None],
) -> None:
    """Check that tensors are a network's, and that it can compute with them.

    Args:
        tensors: What a file holds.
        expected: The network's parameters and buffers by the same names; only their shapes count.
        variances: The names of running variances among them.
        refuse: Given what is wrong and with which tensors, raises where there are any.
    """
    refuse("is missing", [name for name in expected if name not in tensors and not name.endswith(COUNTER)])
    refuse("has, beside the network,", [name for name in tensors if name not in expected])
    strange = [name for name, tensor in tensors.items() if not is_plain(tensor)]
    refuse("holds something else than plain numbers in", strange)
    wrong = [
        f"{name} {list(tensor.shape)} instead of {list(expected[name].shape)}"
        for name, tensor in tensors.items()
        if tensor.shape != expected[name].shape
    ]
    refuse("has wrong shapes:", wrong)
    broken = [name for name, tensor in tensors.items() if not bool(torch.isfinite(tensor.float()).all())]
    refuse("has NaN or infinity in", broken)
    negative = [name for name in variances if name in tensors and bool((tensors[name] < 0).any())]
    refuse("has negative variances in", negative)


def is_plain(value: object) -> bool:
    """Return whether a value is a dense tensor of real numbers that are there."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and not (value.is_quantized or value.is_meta or value.is_complex() or value.dtype == torch.bool)
        and value.untyped_storage().nbytes() >= value.numel() * value.element_size()  # strides of 0 claim more
    )


def refuse(named: NamedTensors, form: str, what: str, names: Collection[str]) -> None:
    """Refuse a file that has such tensors, if there are any.

    Raises:
        WeightsError: There are; the first three are named.
    """
    if names:
        raise unfit(named, form, f"{what} {list_first(names)}")


def unfit(named: NamedTensors, form: str, what: str) -> WeightsError:
    """Return the error for a file that is no network of the format that it was read as."""
    return WeightsError(
        f"{named.path} {what}",
        f"it was read as a checkpoint of the {form} format; nothing was loaded"
        + ("" if named.description else "; --checkpoint-format names another"),
    )


def read_modality(
    named: NamedTensors, form: str, channels: int, modalities: Mapping[int, str], known: Collection[str]
) -> str:
    """Return the stream that a network is for, by the channels that its first convolution takes.

    Args:
        named: What the file holds.
        form: The name of the checkpoint format that it is read as.
        channels: What the first convolution takes.
        modalities: The stream for each number of channels that such networks may take.
        known: The streams of which the format has networks.

    Raises:
        WeightsError: The channels are those of no stream, the file says another one, or the format has none of it.
    """
    modality = modalities.get(channels)
    if modality is None:
        expected = " or ".join(f"{number} ({stream})" for number, stream in modalities.items())
        raise unfit(named, form, f"takes {channels} input channels, not {expected}")
    if named.declared_modality not in (None, modality):
        raise unfit(
            named,
            form,
            f"says it is for {named.declared_modality}, and its first convolution takes {channels} channels, which is "
            f"{modality}",
        )
    if modality not in known:
        raise unfit(named, form, f"is a {modality} network, and gbvis reads none of {form}")
    return modality


def share_of_words(names: Collection[str], known: Collection[str]) -> float:
    """Return the share of the words in tensors' names that stand in some known ones too, 0-1.

    Numbers are no words, and what comes last, such as `weight`, is the same everywhere.
    """
    words = _list_words(names)
    return len(words & _list_words(known)) / max(1, len(words))


def _list_words(names: Collection[str]) -> set[str]:
    return {word for name in names for word in name.split(".")[:-1] if not word.isdigit()}


def list_first(names: Collection[str]) -> str:
    """Return the first three of some names, and how many more there are."""
    listed = list(names)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
