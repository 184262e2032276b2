"""Randomised networks: copies of a network whose weights, stage by stage, are no longer those that were learned.

The model parameter randomisation test (Adebayo et al. 2018, "Sanity Checks for Saliency Maps", part 3.1) asks whether
an attribution changes with them. A stage is what lies between two endpoints of the network. Its weights are permuted
within each tensor, so that their distribution stays; norms' running statistics, which belong to the weights that were
learned, are estimated again on the clip. With the old ones, or with those of a new norm, activations vanish or explode
within a few stages, and a dead network is no test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gbvis.attribution.checks.replay import Replay
from gbvis.attribution.checks.stages import Stage, copy_module, find_stages, list_norms, name_tensors
from gbvis.networks.network import Network

Order = Literal["bottom-up", "top-down", "independent"]
"""From the input on, from the output on, each stage randomised beside those before; or each stage alone."""

Weights = Literal["permuted", "reset"]
"""Permuted within each tensor, or drawn as a new layer draws them."""

Norms = Literal["estimated", "reset", "kept"]
"""Running statistics: of the clip, of a new norm (mean 0, variance 1), or as they are."""

FindRandom = Callable[[str], np.random.Generator]
"""Returns the generator for the tensor of a name."""


@dataclass
class RandomisedNetworks:
    """Makes copies of a network in which stages are randomised.

    They share all other tensors with it, and it is never changed. A stage's weights are the same in every copy.

    Attributes:
        network: The network.
        batch: What norms are estimated on: float32, as `Network.preprocess` returns it.
        find_random: Decides the weights.
        weights: What becomes of them.
        norms: What becomes of norms' running statistics.
    """

    network: Network
    batch: Tensor
    find_random: FindRandom
    weights: Weights = "permuted"
    norms: Norms = "estimated"

    def __post_init__(self) -> None:
        """Take over the network's tensors, on the device where it computes."""
        self._original = {name: one.to(self.network.device) for name, one in name_tensors(self.network.module).items()}
        self._tensors, self._fused = self._original, self.network.fused
        self.stages = find_stages(self.network, self.batch)
        self._replay = Replay(self.network.kind, self.batch, {s.place: (*s.tensors, *s.norms) for s in self.stages})

    def in_order(self, order: Order) -> Iterator[tuple[Stage, Network]]:
        """Yield each stage and the network in which it is randomised, with those before it in this order."""
        randomised: list[Stage] = []
        changed: dict[str, Tensor] = {}
        for stage in reversed(self.stages) if order == "top-down" else self.stages:
            if order == "independent":
                randomised, changed = [], {}
            randomised = sorted([*randomised, stage], key=lambda one: one.place)
            changed |= self._randomise(stage)
            yield stage, self._make(changed, randomised, stage)

    def randomise_all(self) -> Network:
        """Return the network with all stages randomised."""
        changed = {name: tensor for stage in self.stages for name, tensor in self._randomise(stage).items()}
        return self._make(changed, self.stages, self.stages[0])

    def _make(self, changed: dict[str, Tensor], randomised: Sequence[Stage], first: Stage) -> Network:
        """Return the network with changed tensors.

        Args:
            changed: By name; norms' statistics are put into it.
            randomised: The stages that they are of, in the order of the forward pass.
            first: From this one on, norms have to be estimated.
        """
        raised = [stage for stage in randomised if stage.place >= first.place and stage.norms]
        if self.norms == "estimated" and raised:
            names = (name for stage in raised for name in _name_statistics(stage))
            changed |= {name: self._original[name].clone() for name in names}
        tensors = {**self._original, **changed}
        module = copy_module(self.network.module, tensors)
        if self.norms == "estimated" and raised:
            self._estimate(module, raised, {stage.place for stage in randomised})
        return self._fuse(module, tensors)

    def _fuse(self, module: nn.Module, tensors: dict[str, Tensor]) -> Network:
        """Return the network of a module; only what differs from the one made before is fused."""
        network = self.network
        changed = {name for name, tensor in tensors.items() if tensor is not self._tensors[name]}
        self._fused = network.kind.fuse_changed(module, self._fused, changed, network.device, network.dtype)
        self._tensors = tensors
        made = Network(module, network.info, network.kind).to(network.device, network.precision)
        made.take_fused(self._fused)
        made.starts, made.allows_unguided = network.starts, network.allows_unguided
        return made

    @torch.no_grad()
    def _estimate(self, module: nn.Module, stages: Sequence[Stage], randomised: set[int]) -> None:
        """Set the running statistics of some stages' norms to the clip's, each given what those before make of it."""
        norms = list_norms(module)
        hooks = [norms[name].register_forward_pre_hook(_estimate) for stage in stages for name in stage.norms]
        try:
            self._replay.run(module, randomised, stages[0].place, stages[-1].place)
        finally:
            for hook in hooks:
                hook.remove()

    def _randomise(self, stage: Stage) -> dict[str, Tensor]:
        """Return a stage's tensors by name, randomised."""
        if self.weights == "reset":
            return {**self._statistics(stage), **self._reset(stage)}
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:  # sorting is most of the work, and runs side by side
            permuted = pool.map(self._permute, stage.tensors)
            return {**self._statistics(stage), **dict(zip(stage.tensors, permuted, strict=True))}

    def _statistics(self, stage: Stage) -> dict[str, Tensor]:
        """Return the running statistics of a stage's norms, as they are before they are estimated."""
        own = {name: self._original[name] for name in _name_statistics(stage)}
        if self.norms == "reset":
            own = {name: torch.full_like(one, name.endswith("var")) for name, one in own.items()}
        return own

    def _permute(self, name: str) -> Tensor:
        """Return the original's tensor of this name with its values in random order."""
        tensor = self._original[name]
        values = permute(tensor.detach().flatten().cpu().numpy(), self.find_random(name))
        return torch.from_numpy(values).to(tensor.device).view_as(tensor)

    def _reset(self, stage: Stage) -> dict[str, Tensor]:
        """Return a stage's parameters as new layers draw them; what belongs to no layer is permuted."""
        own: dict[str, Tensor] = {}
        for parent in dict.fromkeys(name.rpartition(".")[0] for name in stage.tensors):
            part = self.network.module.get_submodule(parent)
            if not callable(getattr(part, "reset_parameters", None)):
                continue
            fresh = copy_module(part, {name: one.detach().clone() for name, one in name_tensors(part).items()})
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(int(self.find_random(parent).integers(1 << 63)))
                fresh.reset_parameters()  # type: ignore[operator]
            own |= {f"{parent}.{name}": one.to(self.network.device) for name, one in fresh.named_parameters()}
        return {name: own[name] if name in own else self._permute(name) for name in stage.tensors}


def permute(values: NDArray[np.floating], random: np.random.Generator) -> NDArray[np.floating]:
    """Return values in random order, by sorting random keys: NumPy's shuffling steps through memory at random, too.

    Args:
        values: (values,), at most 2^32.
        random: Decides the order.
    """
    keys = random.integers(0, 1 << 32, len(values), dtype=np.uint32).astype(np.uint64)
    keys <<= np.uint64(32)
    fits = values.dtype == np.float32  # beside its key
    keys |= values.view(np.uint32) if fits else np.arange(len(values), dtype=np.uint64)
    keys.sort()
    below = keys.astype(np.uint32)
    return np.asarray(below.view(np.float32) if fits else values[below])


def _name_statistics(stage: Stage) -> list[str]:
    return [f"{norm}.{which}" for norm in stage.norms for which in ("running_mean", "running_var")]


def _estimate(norm: nn.Module, inputs: tuple[Tensor]) -> None:
    """Set a norm's running statistics to those of what it is given; one value alone has no variance, and tells none."""
    (activation,) = inputs
    assert isinstance(norm, _BatchNorm) and norm.running_mean is not None and norm.running_var is not None
    if activation.numel() > activation.shape[1]:
        places = [axis for axis in range(activation.ndim) if axis != 1]
        variance, mean = torch.var_mean(activation, places, correction=0)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
