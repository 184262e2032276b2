"""Layers: what the modules of a network return on the way, found by passing one clip forward, and found again later."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gbvis.networks.endpoint import Endpoint
from gbvis.networks.own.build import kept_running

See = Callable[[str, int, Tensor], Tensor | None]
"""Shown what a module returns: its name, which of its runs this is, from 0, and the tensor. It may return another."""

_TAKEN = {"all", "clips", "estimates", "fc", "softmax"}
"""Names in small letters that no layer has: they mean something else."""

_LONGEST = 80


@dataclass(frozen=True)
class Layer:
    """What a module returns in one of its runs.

    Attributes:
        endpoint: What it goes by.
        module: The module's name in the network.
        run: Which of its runs, from 0.
        size: Filters or features.
        is_spatial: Whether it has time and space.
        is_overwritten: Whether what follows changes it in place: then what follows is given a copy.
    """

    endpoint: Endpoint
    module: str
    run: int
    size: int
    is_spatial: bool
    is_overwritten: bool = False


@dataclass(frozen=True, eq=False)
class Seen:
    """A tensor that one or more modules returned, in that state.

    Attributes:
        tensor: The tensor.
        version: How often it had been changed in place then.
        returned: The modules that returned it and which of their runs, in the order of running: the inner ones first.
    """

    tensor: Tensor
    version: int
    returned: list[tuple[str, int]]

    @property
    def names(self) -> list[str]:
        """What these are called."""
        return [f"{name}+{run + 1}" if run else name for name, run in self.returned]

    @property
    def is_overwritten(self) -> bool:
        """Whether it was changed afterwards."""
        return self.tensor._version != self.version


def name_parts(module: nn.Module) -> dict[str, str]:
    """Return by every name that a part of a network has in it the first one: a part may stand in several places."""
    first: dict[int, str] = {}
    named = module.named_modules(remove_duplicate=False)
    return {name: first.setdefault(id(part), name) for name, part in named}


@contextmanager
def watched(module: nn.Module, names: Mapping[str, str], see: See) -> Iterator[None]:
    """Show what every part of a network returns, while the context lasts; the network itself is no part of it.

    Args:
        module: The network. Where one part stood in several places, others may stand there now.
        names: As `name_parts` returned it.
        see: What is shown.
    """
    runs: dict[str, int] = {}

    def hook(name: str) -> Callable[[nn.Module, Any, Any], Tensor | None]:
        def show(part: nn.Module, given: Any, output: Any) -> Tensor | None:
            run = runs[name] = runs.get(name, -1) + 1
            return see(name, run, output) if isinstance(output, Tensor) else None

        return show

    parts = {id(part): (name, part) for name, part in reversed(list(module.named_modules(remove_duplicate=False)))}
    hooks = []
    try:
        for name, part in parts.values():
            if name and not isinstance(part, torch.jit.ScriptModule):
                hooks.append(part.register_forward_hook(hook(names.get(name, name))))
        yield
    finally:
        for one in hooks:
            one.remove()


def look_through(module: nn.Module, clips: Tensor) -> tuple[list[Seen], Any]:
    """Return what the parts of a network return, in the order of running, each tensor once; and its output.

    Args:
        module: The network.
        clips: (N, C, T, H, W), and autograd follows it.

    Raises:
        Exception: Whatever the network does.
    """
    seen: dict[tuple[int, int], Seen] = {}

    def see(name: str, run: int, output: Tensor) -> None:
        if output is not clips:  # what is returned as it was given is no layer
            one = seen.setdefault((id(output), output._version), Seen(output, output._version, []))
            one.returned.append((name, run))

    with torch.enable_grad(), watched(module, name_parts(module), see), kept_running():
        output = module(clips)
    return list(seen.values()), output


def is_layer(seen: Seen, clips: Tensor) -> bool:
    """Return whether a tensor is one that can be explained: it belongs to clips, and autograd leads to them."""
    tensor = seen.tensor
    is_shaped = tensor.ndim in (2, 5) and tensor.shape[0] == clips.shape[0] and 0 not in tensor.shape
    return is_shaped and tensor.is_floating_point() and tensor.requires_grad


def name_layers(found: Iterable[Seen], taken: Iterable[str] = ()) -> list[Layer]:
    """Return tensors as layers, each with a name of its own: that of the outermost module that returned it.

    Other modules' names are aliases. Where a module runs again, `+2` and so on stand behind its name. Letters that the
    store has no room for become `-`.

    Args:
        found: The tensors.
        taken: Names that other endpoints have.
    """
    used, layers = {*_TAKEN, *(name.lower() for name in taken)}, []
    for seen in found:
        own = seen.names
        outer = min(own, key=lambda name: name.count("."))
        name = _make_unique(make_safe(outer), used)
        aliases = [one for one in reversed(own) if one.lower() not in used]
        used.update(one.lower() for one in aliases)
        is_spatial = seen.tensor.ndim == 5
        endpoint = Endpoint(name, tuple(dict.fromkeys(aliases)), "filter" if is_spatial else "feature", *_value(seen))
        layers.append(Layer(endpoint, *seen.returned[0], seen.tensor.shape[1], is_spatial, seen.is_overwritten))
    return layers


def _value(seen: Seen) -> tuple[str, ...]:
    return () if seen.tensor.ndim == 5 else ("feature",)


def make_safe(name: str) -> str:
    """Return a module's name as that of an endpoint: of letters that a store's keys may have, and not too long."""
    safe = re.sub("[^A-Za-z0-9_.+-]", "-", name).lstrip("_.+-") or "layer"
    if len(safe) > _LONGEST:
        safe = f"{safe[:_LONGEST]}-{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:8]}"
    return safe


def _make_unique(name: str, taken: set[str]) -> str:
    """Return the name, with a number behind it where it is taken, and take it."""
    names = (name, *(f"{name}+{number}" for number in range(2, len(taken) + 3)))
    unique = next(one for one in names if one.lower() not in taken)
    taken.add(unique.lower())
    return unique


def run_layers(
    module: nn.Module,
    clips: Tensor,
    layers: Collection[Layer],
    names: Mapping[str, str],
    wanted: Collection[str] | None,
) -> tuple[dict[Layer, Tensor], Any]:
    """Return what layers return for clips, and the network's output.

    Args:
        module: The network.
        clips: (N, C, T, H, W).
        layers: Which.
        names: As `name_parts` returned it.
        wanted: The names of those whose numbers somebody needs; of others the shape alone is kept, on the device
            `meta`. None for all.
    """
    places = {(layer.module, layer.run): layer for layer in layers}
    found: dict[Layer, Tensor] = {}

    def see(name: str, run: int, output: Tensor) -> Tensor | None:
        layer = places.get((name, run))
        if layer is None:
            return None
        if wanted is not None and layer.endpoint.name not in wanted:
            found[layer] = torch.empty(output.shape, device="meta")
            return None
        found[layer] = output
        return output.clone() if layer.is_overwritten else None

    with watched(module, names, see), kept_running():
        output = module(clips)
    return found, output
