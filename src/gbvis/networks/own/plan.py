"""Plan: which endpoints a network of the user's own has, found by passing a clip forward once."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from gbvis.errors import UsageError
from gbvis.networks.endpoint import Endpoint, find_endpoints
from gbvis.networks.own.build import DEBUG, describe
from gbvis.networks.own.layers import Layer, Seen, is_layer, look_through, name_layers, name_parts

_LOGITS = Endpoint("FC", (), "class", "logit")
_SCORES = Endpoint("SOFTMAX", (), "class", "score")
_OUTPUT = Endpoint("output")

_RESHAPING = re.compile("(.*(View|Reshape|Squeeze|Alias|Clone|Copy|Mean|Select|Slice|Permute|Transpose)).*Backward.*")
"""Nodes of autograd's graph that keep probabilities what they are: a mean over clips is one too."""


@dataclass(frozen=True)
class End:
    """An endpoint made of the network's output.

    Attributes:
        endpoint: The endpoint.
        is_softmax: Whether it is the softmax of the output, and not the output itself.
    """

    endpoint: Endpoint
    is_softmax: bool = False


@dataclass(frozen=True)
class Plan:
    """The endpoints of a network.

    Attributes:
        layers: What its parts return, in the order of running.
        ends: What is made of its output.
        size: Classes, or filters of the output.
        names: As `layers.name_parts` returns it.
        takes_one: True where it takes one clip at a time.
    """

    layers: tuple[Layer, ...]
    ends: tuple[End, ...]
    size: int
    names: Mapping[str, str]
    takes_one: bool = False

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All of them, in the order of the forward pass."""
        return (*(layer.endpoint for layer in self.layers), *(end.endpoint for end in self.ends))

    @property
    def targets(self) -> dict[str, int]:
        """By name how many targets each has."""
        sizes = {layer.endpoint.name: layer.size for layer in self.layers}
        return {**sizes, **{end.endpoint.name: self.size for end in self.ends}}

    @property
    def gives_probabilities(self) -> bool:
        """Whether the output itself is the probabilities of classes."""
        return any(end.endpoint.is_score and not end.is_softmax for end in self.ends)

    def only(self, names: Sequence[str]) -> Plan:
        """Return the plan with these layers alone, and what is made of the output.

        Raises:
            UsageError: There is no such layer.
        """
        kept = find_endpoints(names, self.endpoints)
        return replace(self, layers=tuple(one for one in self.layers if one.endpoint in kept or one.endpoint.is_class))


def make_plan(module: nn.Module, shape: tuple[int, ...], name: str) -> Plan:
    """Return the endpoints of a network, given the size of a clip: channels, frames, rows, columns.

    Nothing is computed where the network can be followed without numbers.

    Raises:
        UsageError: It does not take such a clip, or returns what cannot be explained.
    """
    without_numbers = to_meta(module)
    error: Exception | None = None
    for part, count in ((without_numbers, 2), (without_numbers, 1), (module, 2), (module, 1)):
        device = "meta" if part is without_numbers else "cpu"
        clips = torch.zeros((count, *shape), device=device, requires_grad=True)
        try:
            seen, output = look_through(part, clips)
        except Exception as raised:  # whatever the user's code does
            error = raised
            continue
        if not (count == 1 and _mixes_clips(output)):
            return _read_plan(seen, output, clips, name_parts(module), name)
    size, why = "x".join(map(str, shape)), describe(error) if error else "it mixes clips"
    raise UsageError(
        f"{name} does not take a clip of {size} (channels x frames x rows x columns): {why}",
        f"say what it takes with --input FRAMESxROWSxCOLUMNS; {DEBUG}",
    ) from error


def _mixes_clips(output: Any) -> bool:
    return isinstance(output, Tensor) and output.ndim > 0 and output.shape[0] != 1


def to_meta(module: nn.Module) -> nn.Module:
    """Return a copy of a network without numbers, on the device `meta`.

    Raises:
        UsageError: It cannot be copied.
    """
    memo: dict[int, Any] = {}
    for one in module.parameters():
        memo[id(one)] = nn.Parameter(one.detach().to("meta"), requires_grad=False)
    memo |= {id(one): one.to("meta") for one in module.buffers()}
    return copy_network(module, memo)


def copy_network(module: nn.Module, memo: dict[int, Any] | None = None) -> nn.Module:
    """Return a copy of a network.

    Args:
        module: The network.
        memo: As for `copy.deepcopy`.

    Raises:
        UsageError: It cannot be copied.
    """
    try:
        return copy.deepcopy(module, memo or {})
    except Exception as error:  # whatever the classes of the user's do
        raise UsageError(
            f"the network {type(module).__name__} cannot be copied: {describe(error)}",
            "gbvis computes with a copy; let copy.deepcopy make one",
        ) from error


def _read_plan(seen: list[Seen], output: Any, clips: Tensor, names: Mapping[str, str], name: str) -> Plan:
    _check_output(output, clips, name)
    layers = [one for one in seen if is_layer(one, clips)]
    last = next((one for one in reversed(layers) if one.tensor is output), None)
    takes_one = clips.shape[0] == 1
    if output.ndim == 5:
        ends = () if last else (End(_OUTPUT),)
        return Plan(tuple(name_layers(layers, ["output"])), ends, output.shape[1], names, takes_one)
    layers = [one for one in layers if one is not last]
    softmax = _find_softmax(output)
    logits = next((one for one in layers if softmax and _is_given(softmax, one, output)), None)
    final = [End(_with_aliases(_SCORES if softmax else _LOGITS, last)), *([] if softmax else [End(_SCORES, True)])]
    own = _with_aliases(_LOGITS, logits)
    taken = [alias for endpoint in (own, *(end.endpoint for end in final)) for alias in endpoint.aliases]
    found = name_layers([one for one in layers if one is not logits], taken)
    if logits:
        found.append(Layer(own, *logits.returned[0], logits.tensor.shape[1], False, logits.is_overwritten))
    return Plan(tuple(found), tuple(final), output.shape[1], names, takes_one)


def _with_aliases(endpoint: Endpoint, seen: Seen | None) -> Endpoint:
    """Return an endpoint that goes by the names of the modules that returned its tensor, too."""
    names = [one for one in (reversed(seen.names) if seen else ()) if one.lower() not in ("fc", "softmax", "all")]
    return replace(endpoint, aliases=tuple({one.lower(): one for one in names}.values()))


def _find_softmax(output: Tensor) -> Any:
    """Return the node of autograd's graph that made probabilities of which the output consists; None if none did."""
    node = output.grad_fn
    while node is not None and node.name() != "SoftmaxBackward0":
        node = node.next_functions[0][0] if _RESHAPING.fullmatch(node.name()) and node.next_functions else None
    return node


def _is_given(softmax: Any, seen: Seen, output: Tensor) -> bool:
    """Return whether a softmax was given that tensor, and returned the output."""
    is_direct = output.grad_fn is softmax and seen.tensor.shape == output.shape
    return is_direct and softmax.next_functions[0][0] is seen.tensor.grad_fn


def _check_output(output: Any, clips: Tensor, name: str) -> None:
    """Check that what a network returns can be explained.

    Raises:
        UsageError: It cannot.
    """
    wanted = "a tensor (N, classes) or (N, channels, T, H, W) is expected"
    hint = "write a module around it that returns one"
    if not isinstance(output, Tensor):
        raise UsageError(f"{name} returns {_describe(output)}, and {wanted}", hint)
    if output.ndim not in (2, 5) or output.shape[0] != clips.shape[0]:
        size = "x".join(map(str, output.shape)) or "no axes"
        raise UsageError(f"{name} returns a tensor of {size} for {clips.shape[0]} clips, and {wanted}", hint)
    if not output.requires_grad:
        raise UsageError(
            f"no gradient leads from the output of {name} to the clip",
            "let it compute without torch.no_grad, inference_mode, detach or numpy on the way",
        )


def _describe(output: Any) -> str:
    """Return in words what a network returns."""
    if isinstance(output, Mapping):
        return f"a {type(output).__name__} with {', '.join(map(str, list(output)[:4])) or 'nothing in it'}"
    if isinstance(output, tuple | list):
        shapes = ["x".join(map(str, one.shape)) if isinstance(one, Tensor) else type(one).__name__ for one in output]
        return f"a {type(output).__name__} of {len(shapes)}: {', '.join(shapes[:4])}"
    return "nothing" if output is None else f"a {type(output).__name__}"
