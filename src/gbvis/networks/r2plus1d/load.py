"""R(2+1)D from named tensors, strictly: every parameter is set from them, every tensor is used."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from gbvis.networks.endpoint import Endpoint
from gbvis.networks.info import WeightsInfo
from gbvis.networks.kind import Likeness, NetworkKind
from gbvis.networks.labels import read_class_list
from gbvis.networks.layers.shapes_alone import ShapesAlone
from gbvis.networks.r2plus1d import FORMATS
from gbvis.networks.r2plus1d.architecture import (
    ENDPOINTS,
    Architecture,
    Variant,
    count_targets,
    describe_cells,
    receptive_fields,
)
from gbvis.networks.r2plus1d.checkpoint_format import CheckpointFormat
from gbvis.networks.r2plus1d.fused import fuse, fuse_changed, restore
from gbvis.networks.r2plus1d.likeness import describe_difference, share_of_known_words, share_of_names
from gbvis.networks.r2plus1d.module import R2Plus1D
from gbvis.networks.r2plus1d.recognise import recognise_format
from gbvis.networks.weights import NamedTensors
from gbvis.networks.weights.strict_reading import collect_tensors, read_modality
from gbvis.records import read_record

_STREAMS = {3: "rgb", 2: "flow", 1: "flow"}
"""By the channels that the stem takes: 1 is u and v interleaved along time."""


class R2Plus1DKind(NetworkKind):
    """R(2+1)D of any depth and width, in the checkpoint formats of `formats.py`."""

    name = "r2plus1d"
    formats = FORMATS.names
    fused_version = 1
    relus_overwrite = True  # on the way back each is given a convolution's gradient, or a sum that autograd made

    def match(self, named: NamedTensors) -> bool:
        """Return whether a tensor has the name of a first convolution in one of the formats; heads are named alike.

        Where a block's first convolution is not factorised, it is a network of another kind with the same stem.
        """
        return not any(f"layer{stage}.0.conv1.0.weight" in named.tensors for stage in (1, 2, 3, 4)) and any(
            form.name_of(f"{layer}.spatial.convolution.weight") in named.tensors
            for form in FORMATS.load_all().values()
            for layer in ("stem", "stages.0.0.first")
        )

    def compare(self, named: NamedTensors) -> Likeness | None:
        """Return how near tensors are to the format most of whose names they have; None where not a word is."""
        forms = FORMATS.load_all().values()
        shares = {form.name: (share_of_names(named, form), share_of_known_words(named, form)) for form in forms}
        nearest = max(forms, key=lambda form: shares[form.name])
        share, word_share = shares[nearest.name]
        if not share and not word_share:
            return None
        name = f"R(2+1)D of the {nearest.name} format"
        return Likeness(share, name, describe_difference(named, nearest), word_share)

    def build(self, named: NamedTensors, checkpoint_format: str | None) -> tuple[R2Plus1D, WeightsInfo]:
        """Return the network, every parameter set from the tensors and every tensor used.

        Raises:
            WeightsError: The tensors are no R(2+1)D of these formats, or a parameter is missing, spare, of the wrong
                shape or not finite.
        """
        form, architecture, named = recognise_format(named, checkpoint_format)
        modality = read_modality(named, form.name, architecture.stem.inputs, _STREAMS, form.formats)
        with torch.device("meta"), ShapesAlone():
            module = R2Plus1D(architecture, form.variant)
        names = form.names_of(module.state_dict())
        tensors = collect_tensors(named, form.name, module, names, form.extras)
        module.load_state_dict(tensors, strict=False, assign=True)
        return module, describe(module, form, modality)

    def fuse(self, module: nn.Module, device: torch.device, dtype: torch.dtype) -> R2Plus1D:
        """Return the network made quick; see `fused`."""
        assert isinstance(module, R2Plus1D)
        return fuse(module, device, dtype)

    def fuse_changed(
        self, module: nn.Module, fused: nn.Module, changed: Collection[str], device: torch.device, dtype: torch.dtype
    ) -> R2Plus1D:
        """Return what `fuse` does; it shares all parts without changed tensors with the one that is there."""
        assert isinstance(module, R2Plus1D) and isinstance(fused, R2Plus1D)
        return fuse_changed(module, fused, changed, device, dtype)

    def describe_fused(self, fused: nn.Module) -> dict[str, Any]:
        """Return the architecture and the variant."""
        assert isinstance(fused, R2Plus1D)
        return {"architecture": asdict(fused.architecture), "variant": asdict(fused.variant)}

    def restore(self, details: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> R2Plus1D:
        """Return what `fuse` made.

        Raises:
            ValueError: The details make no sense.
        """
        architecture = read_record(details["architecture"], Architecture)
        return restore(architecture, read_record(details["variant"], Variant), tensors)

    def receptive_fields(self, module: nn.Module) -> dict[Endpoint, tuple[int, int]]:
        """Return the frames and pixels that one activation sees at every conv endpoint."""
        assert isinstance(module, R2Plus1D)
        return receptive_fields(module.architecture)

    def design(self, depth: int, modality: str, classes: int) -> tuple[R2Plus1D, WeightsInfo]:
        """Return a network of 18 or 34 layers without weights, as the old script has it."""
        form = FORMATS.load("old-script")
        architecture = Architecture.of_depth(depth, form.formats[modality].channels, classes)
        with torch.device("meta"), ShapesAlone():
            module = R2Plus1D(architecture, form.variant)
        return module, describe(module, form, modality)


KIND = R2Plus1DKind()


def describe(module: R2Plus1D, checkpoint_format: CheckpointFormat, modality: str) -> WeightsInfo:
    """Return what is known of a network of this checkpoint format."""
    architecture = module.architecture
    class_list = checkpoint_format.class_lists.get(architecture.classes)
    return WeightsInfo(
        kind=R2Plus1DKind.name,
        title=f"R(2+1)D-{architecture.depth}",
        checkpoint_format=checkpoint_format.name,
        modality=modality,
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        clip_format=checkpoint_format.formats[modality],
        endpoints=ENDPOINTS,
        targets=count_targets(architecture),
        labels=read_class_list(class_list) if class_list else None,
        interleaved=architecture.stem.inputs == 1,
        cells=describe_cells(checkpoint_format.variant.padding),
        details={"depth": architecture.depth, "variant": asdict(checkpoint_format.variant)},
    )
