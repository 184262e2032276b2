"""Stages of a network of any kind: which of its parameters and norms lie between two endpoints."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gbvis.networks.network import Network


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


def find_stages(network: Network, shape: Sequence[int]) -> list[Stage]:
    """Return the stages that have parameters, in the order of the forward pass; nothing is computed.

    A parameter belongs to the first endpoint whose activation depends on it.

    Args:
        network: Of any kind.
        shape: Of its input, as `Network.preprocess` returns it.
    """
    module = copy_module(network.module, {name: one.to("meta") for name, one in name_tensors(network.module).items()})
    waiting = {name: one.requires_grad_() for name, one in module.named_parameters()}
    norms, ran = list_norms(module), set[str]()
    for name, norm in norms.items():
        norm.register_forward_hook(lambda *_, name=name: ran.add(name))
    clips = torch.empty(tuple(shape), dtype=next(iter(waiting.values())).dtype, device="meta")
    stages = []
    for place, (endpoint, activation) in enumerate(network.kind.endpoints(module, clips)):
        found = _find_parameters(activation, waiting)
        if found:
            own = [name for name in norms if f"{name}.weight" in found or (norms[name].weight is None and name in ran)]
            stages.append(Stage(endpoint.name, place, tuple(found), tuple(own)))
            ran.clear()
        waiting = {name: one for name, one in waiting.items() if name not in found}
    return stages


def _find_parameters(activation: Tensor, among: Mapping[str, Tensor]) -> list[str]:
    """Return the names of the parameters that an activation depends on."""
    if not (activation.requires_grad and among):
        return []
    gradients = torch.autograd.grad(activation.sum(), list(among.values()), retain_graph=True, allow_unused=True)
    return [name for name, gradient in zip(among, gradients, strict=True) if gradient is not None]


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
