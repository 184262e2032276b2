"""Stages of a network of any kind: which of its parameters and norms lie between two endpoints."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.nn.modules.batchnorm import _BatchNorm

from gbvis.networks.network import Network

_CORNER = 32
"""Pixels of each side of what is passed forward to see which parameters have a part in what."""


@dataclass(frozen=True)
class Stage:
    """What lies between two endpoints of a network.

    Attributes:
        name: That of the endpoint behind it.
        place: That endpoint's, counted from 0 in the order of the forward pass.
        tensors: Names of its parameters.
        norms: Names of its norms that have running statistics.
    """

    name: str
    place: int
    tensors: tuple[str, ...]
    norms: tuple[str, ...] = ()


def find_stages(network: Network, batch: Tensor) -> list[Stage]:
    """Return the stages that have parameters, in the order of the forward pass.

    A parameter belongs to the first endpoint whose activation depends on it.

    Args:
        network: Of any kind.
        batch: Its input, as `Network.preprocess` returns it; a corner of it is passed forward, if that is enough.
    """
    corner = batch[:1, ..., :_CORNER, :_CORNER]
    try:
        return _trace(network, corner)
    except (RuntimeError, ValueError):
        if corner.shape == batch.shape:
            raise
        return _trace(network, batch[:1])  # a kind whose layers have no room in the corner


def _trace(network: Network, clip: Tensor) -> list[Stage]:
    """Return the stages, given one input."""
    originals = name_tensors(network.module)
    views = {name: nn.Parameter(one.detach()) for name, one in network.module.named_parameters()}
    module = copy_module(network.module, views)
    waiting = {id(one): name for name, one in views.items()}
    norms, ran, seen = list_norms(module), set[str](), set[Node]()
    for name, norm in norms.items():
        norm.register_forward_hook(lambda *_, name=name: ran.add(name))
    first = next(iter(originals.values()))
    stages = []
    for place, (endpoint, activation) in enumerate(network.kind.endpoints(module, clip.to(first.device, first.dtype))):
        found = [waiting.pop(one) for one in _find_leaves(activation, seen) if one in waiting]
        found = [name for name in views if name in found]
        if found:
            own = [name for name in norms if f"{name}.weight" in found or (norms[name].weight is None and name in ran)]
            stages.append(Stage(endpoint.name, place, tuple(found), tuple(own)))
            ran.clear()
    return stages


def _find_leaves(activation: Tensor, seen: set[Node]) -> list[int]:
    """Return the ids of the parameters that an activation depends on through nodes not seen before, which are noted."""
    nodes = [activation.grad_fn] if activation.grad_fn is not None else []
    found = []
    while nodes:
        node = nodes.pop()
        if node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found.append(id(node.variable))
        nodes += [following for following, _ in node.next_functions if following is not None]
    return found


def name_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's parameters and buffers by name, each once."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def copy_module(module: nn.Module, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Return a copy of a module with these tensors, by name; it shares all others with the module."""
    memo: dict[int, Tensor] = {}
    for name, tensor in name_tensors(module).items():
        given = tensors.get(name, tensor)
        is_alike = isinstance(tensor, nn.Parameter) == isinstance(given, nn.Parameter)
        memo[id(tensor)] = given if is_alike else nn.Parameter(given, requires_grad=False)
    return copy.deepcopy(module, memo)


def list_norms(module: nn.Module) -> dict[str, _BatchNorm]:
    """Return the norms that have running statistics."""
    found = {name: part for name, part in module.named_modules() if isinstance(part, _BatchNorm)}
    return {name: norm for name, norm in found.items() if norm.running_mean is not None}
