"""NetworkKind: what gbvis needs to read, run and explain one kind of network."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from gbvis.registry import Registry

if TYPE_CHECKING:  # the command line asks for names alone, and loads no torch for them
    import torch
    from torch import Tensor, nn

    from gbvis.networks.endpoint import Endpoint
    from gbvis.networks.info import WeightsInfo
    from gbvis.networks.weights import NamedTensors


@dataclass(frozen=True)
class Likeness:
    """How near tensors are to a kind that they are not of.

    Attributes:
        share: Of the tensors, which have names that a network of this kind has, 0-1.
        name: Of the kind and the checkpoint format.
        difference: What differs, as the end of a sentence: `is missing a, b and 3 more`.
        word_share: Of the words in the tensors' names, which stand in names of such a network, 0-1.
    """

    share: float
    name: str
    difference: str
    word_share: float = 0.0


@dataclass(frozen=True)
class Example:
    """A small network as a file would hold it, for tests.

    Attributes:
        checkpoint_format: The format that its names and shapes are of.
        tensors: By the names of that format.
    """

    checkpoint_format: str
    tensors: Mapping[str, Tensor]


class NetworkKind(ABC):
    """A kind of network; methods choose the rule at each of its ReLUs on the way back, however it is called.

    Attributes:
        name: The kind's name, as the weights' records have it.
        formats: Names of the checkpoint formats that its networks come in, for `--checkpoint-format`.
        relus_overwrite: True where nothing else has a use for what a ReLU is given, neither for the activation on the
            way there nor for the gradient on the way back: then both are overwritten, which saves memory and time.
        fused_version: Raised when `fuse` changes what it makes, or `describe_fused` what it says; 0 where the fused
            form is made in each process and never kept.
    """

    name: ClassVar[str]
    formats: ClassVar[tuple[str, ...]]
    relus_overwrite: ClassVar[bool] = False
    fused_version: ClassVar[int] = 0

    @abstractmethod
    def match(self, named: NamedTensors) -> bool:
        """Return whether these are tensors of this kind, judged by their names."""

    def compare(self, named: NamedTensors) -> Likeness | None:
        """Return how near tensors that no kind matches are to this one; None, as by default, where not at all."""
        return None

    @abstractmethod
    def build(self, named: NamedTensors, checkpoint_format: str | None) -> tuple[nn.Module, WeightsInfo]:
        """Return the network with every parameter set from the file, and what is known of it.

        Args:
            named: The tensors. Where they have a description, gbvis wrote the file from a network of this kind, and
                they are named as in the module's `state_dict()`.
            checkpoint_format: The format that the user named, one of `formats`; None if none was named.

        Raises:
            UsageError: A parameter is missing, spare, misshapen or no number.
        """

    def is_rebuilt(self, module: nn.Module, info: WeightsInfo) -> bool:
        """Return whether modules were replaced since the network was loaded; by default that is not looked at."""
        return False

    def examples(self) -> Iterator[Example]:
        """Yield small networks with random weights, of several depths, numbers of classes and streams.

        The contract test tries fine-tuned heads, wrappings and broken files on them. By default there are none.
        """
        return iter(())

    def endpoints(self, module: nn.Module, clips: Tensor) -> Iterator[tuple[Endpoint, Tensor]]:
        """Yield every endpoint and its activation, each computed when it is asked for.

        By default it is the module itself that does, with a method of this name.

        Args:
            module: As `build` or `fuse` returned it.
            clips: float32 (N, channels, T, H, W), normalised.

        Yields:
            (N, filters, T', H', W') or (N, targets).
        """
        yielded: Iterator[tuple[Endpoint, Tensor]] = module.endpoints(clips)  # type: ignore[operator]
        return yielded

    def endpoints_for(
        self, module: nn.Module, clips: Tensor, wanted: Collection[str] | None
    ) -> Iterator[tuple[Endpoint, Tensor]]:
        """Yield what `endpoints` does; where a kind computes all in one pass, what is not wanted may lack its numbers.

        Args:
            module: As for `endpoints`.
            clips: As for `endpoints`.
            wanted: Names of the endpoints whose numbers somebody needs; None for all. The activation of another one may
                be a tensor of that shape on the device `meta`.
        """
        return self.endpoints(module, clips)

    def trace_shapes(self, module: nn.Module, clip_shape: tuple[int, ...]) -> dict[Endpoint, tuple[int, ...]]:
        """Return every endpoint's shape for one clip of `clip_shape` (channels, T, H, W); by default without computing.

        Args:
            module: As `build` returned it.
            clip_shape: Of the network's input.
        """
        import torch

        from gbvis.networks.layers.shapes_alone import ShapesAlone

        memo: dict[int, Any] = {id(one): one.detach().to("meta") for one in module.buffers()}
        for one in module.parameters():
            memo[id(one)] = torch.nn.Parameter(one.detach().to("meta"), one.requires_grad)
        clip, without_numbers = torch.empty((1, *clip_shape), device="meta"), copy.deepcopy(module, memo).to("meta")
        with ShapesAlone():
            return {endpoint: tuple(one.shape[1:]) for endpoint, one in self.endpoints(without_numbers, clip)}

    def fuse(self, module: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
        """Return a network with the same endpoints, made for speed, on `device` in `dtype`; by default a copy."""
        return copy.deepcopy(module).to(device, dtype).eval().requires_grad_(False)

    def fuse_changed(
        self, module: nn.Module, fused: nn.Module, changed: Collection[str], device: torch.device, dtype: torch.dtype
    ) -> nn.Module:
        """Return what `fuse` does, quicker if it can be: by default it is not.

        Args:
            module: As for `fuse`.
            fused: What `fuse` made of a network that differs in some tensors alone, for this device and type; it may be
                shared, and is left as it is.
            changed: The names of these tensors, parameters and buffers.
            device: As for `fuse`.
            dtype: As for `fuse`.
        """
        return self.fuse(module, device, dtype)

    def describe_fused(self, fused: nn.Module) -> dict[str, Any]:
        """Return as plain data what `restore` needs beside the tensors of a network that `fuse` returned."""
        return {}

    def restore(self, details: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> nn.Module:
        """Return what `fuse` returned before, for the CPU; only asked of kinds that have a `fused_version`.

        Args:
            details: What `describe_fused` returned.
            tensors: The `state_dict()` of the fused network; they may be mapped from a file, and are used as they are.
        """
        raise NotImplementedError

    def receptive_fields(self, module: nn.Module) -> dict[Endpoint, tuple[int, int]]:
        """Return the frames and pixels that one activation sees, for endpoints with time and space; none by default."""
        return {}


KINDS = Registry[NetworkKind](
    "network kind",
    {
        "r2plus1d": "gbvis.networks.r2plus1d.load:KIND",
        "resnet3d": "gbvis.networks.resnet3d.load:KIND",
        "i3d": "gbvis.networks.i3d.load:KIND",
        "s3d": "gbvis.networks.s3d.load:KIND",
    },
    group="gbvis.networks",
)


def list_formats() -> list[str]:
    """Return the names of the checkpoint formats of the kinds that come with gbvis, without loading torch.

    A kind's folder has them as `FORMATS`, a registry.
    """
    folders = [place.rpartition(".")[0] for place in KINDS.places()]
    return [name for folder in folders for name in import_module(folder).FORMATS.names]
