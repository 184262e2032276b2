"""OwnKind: a network of the user's own, whose endpoints are what its modules return."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from gbvis.errors import GbvisError, UsageError
from gbvis.networks.batches import is_out_of_memory
from gbvis.networks.endpoint import Endpoint
from gbvis.networks.info import WeightsInfo
from gbvis.networks.kind import NetworkKind
from gbvis.networks.own.build import DEBUG, describe
from gbvis.networks.own.layers import run_layers
from gbvis.networks.own.plan import Plan, copy_network, to_meta
from gbvis.networks.own.structure import digest_structure
from gbvis.networks.weights import NamedTensors


class NetworkFailed(UsageError, RuntimeError):
    """The user's network failed: a `RuntimeError` too, as torch raises it where a size is wrong."""


class OwnKind(NetworkKind):
    """The kind of one network: every one has its own endpoints.

    Attributes:
        plan: The network's endpoints.
    """

    name = "own"
    formats = ()

    def __init__(self, plan: Plan, title: str, own_size: tuple[int, ...]) -> None:
        """Name the parts.

        Args:
            plan: The network's endpoints.
            title: What errors call the network.
            own_size: The clip that it takes: channels, frames, rows, columns.
        """
        self.plan, self._title, self._own_size = plan, title, own_size

    def match(self, named: NamedTensors) -> bool:
        """Return False: no file chooses what runs code."""
        return False

    def build(self, named: NamedTensors, checkpoint_format: str | None) -> tuple[nn.Module, WeightsInfo]:
        """Refuse: the user's function builds it."""
        raise NotImplementedError

    def is_rebuilt(self, module: nn.Module, info: WeightsInfo) -> bool:
        """Return whether modules, their settings or their hooks are other ones than when it was loaded."""
        return bool(digest_structure(module) != info.details["structure"])

    def endpoints(self, module: nn.Module, clips: Tensor) -> Iterator[tuple[Endpoint, Tensor]]:
        """Yield every endpoint and its activation; all are computed when the first is asked for."""
        return self.endpoints_for(module, clips, None)

    def endpoints_for(
        self, module: nn.Module, clips: Tensor, wanted: Collection[str] | None
    ) -> Iterator[tuple[Endpoint, Tensor]]:
        """Yield the same; what is not wanted comes without numbers, on the device `meta`.

        Raises:
            UsageError: The network does not take such clips.
        """
        if wanted is not None and any(end.endpoint.name in wanted for end in self.plan.ends):
            wanted = {*wanted, "FC"}  # where that is a layer, the softmax is made of it
        given = clips.contiguous()  # `view`, as in many networks, takes nothing else
        if not (self.plan.takes_one and len(given) > 1):
            yield from self._run(module, given, wanted)
            return
        each = [list(self._run(module, clip[None], wanted)) for clip in given.unbind()]
        for same in zip(*each, strict=True):
            yield same[0][0], torch.cat([activation for _, activation in same])

    def _run(
        self, module: nn.Module, clips: Tensor, wanted: Collection[str] | None
    ) -> Iterator[tuple[Endpoint, Tensor]]:
        try:
            found, output = run_layers(module, clips, self.plan.layers, self.plan.names, wanted)
        except (GbvisError, MemoryError):
            raise
        except Exception as error:  # whatever the user's code does
            if is_out_of_memory(error):
                raise
            raise self._describe_failure(clips, error) from error
        missing = [
            one.endpoint.name for one in self.plan.layers if one not in found and one.endpoint.name in (wanted or ())
        ]
        if missing:
            size = "x".join(map(str, clips.shape[1:]))
            problem = f"{missing[0]} of {self._title} does not run for a clip of {size}"
            raise NetworkFailed(problem, "explain another endpoint, or a clip of the network's --input")
        yield from ((layer.endpoint, found[layer]) for layer in self.plan.layers if layer in found)
        if self.plan.ends:
            wide = output if output.dtype in (torch.float32, torch.float64) or output.ndim > 2 else output.float()
            yield from ((end.endpoint, wide.softmax(1) if end.is_softmax else wide) for end in self.plan.ends)

    def _describe_failure(self, clips: Tensor, error: Exception) -> NetworkFailed:
        size, own = "x".join(map(str, clips.shape[1:])), "x".join(map(str, self._own_size))
        return NetworkFailed(
            f"{self._title} fails on clips of {size}: {describe(error)}",
            f"its --input is {own}; {DEBUG}" if size != own else f"look into the network; {DEBUG}",
        )

    def fuse(self, module: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Return a copy."""
        return copy_network(module).to(device, dtype).eval().requires_grad_(False)

    def trace_shapes(self, module: nn.Module, clip_shape: tuple[int, ...]) -> dict[Endpoint, tuple[int, ...]]:
        """Return every endpoint's shape for one clip; of its own size also where the network has to compute for it.

        Raises:
            RuntimeError: The network does not take such a clip, or cannot be followed without numbers.
        """
        attempts: list[tuple[nn.Module, str]] = [(to_meta(module), "meta")]
        attempts += [(module, "cpu")] if clip_shape == self._own_size else []
        failed: Any = None
        for part, device in attempts:
            dtype = next(module.parameters()).dtype
            try:
                with torch.no_grad():
                    clip = torch.zeros((1, *clip_shape), device=device, dtype=dtype)
                    found = list(self.endpoints_for(part, clip, ()))
                return {endpoint: tuple(one.shape[1:]) for endpoint, one in found}
            except RuntimeError as error:
                failed = error
        raise failed
