"""Building: a network from a state dict, strictly: every parameter is set from it, every tensor in it is used."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from gbvis.errors import GbvisError
from gbvis.networks.info import WeightsInfo
from gbvis.networks.labels import read_class_list
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import Architecture, count_targets
from gbvis.networks.r2plus1d.checkpoint_format import CheckpointFormat
from gbvis.networks.r2plus1d.module import R2Plus1D, count_parameters
from gbvis.networks.weights.torch_file import NamedTensors


def build_network(
    state_dict: NamedTensors, families: Sequence[CheckpointFormat], sha256: str, asked: CheckpointFormat | None = None
) -> Network:
    """Return the network that `state_dict` holds, every parameter set from it and every tensor in it used.

    Args:
        state_dict: The named tensors.
        families: Those to choose from, by the tensors' names and shapes.
        sha256: Of the file, for the card.
        asked: The family that the user says it is, if any.

    Raises:
        GbvisError: The tensors are no R(2+1)D of these families, or a parameter is missing, spare, of the wrong
            shape or not finite (exit code 2).
    """
    family, architecture = _choose_family(state_dict, families, asked)
    modality = _read_modality(state_dict, family, architecture)
    with torch.device("meta"):
        module = R2Plus1D(architecture, family.variant)
    module.load_state_dict(_collect(state_dict, family, module), strict=False, assign=True)
    path = str(state_dict.path.resolve())
    card = describe(architecture, family, modality, sha256, path)
    labels = state_dict.labels or card.labels
    if labels and len(labels) != architecture.classes:
        raise _unfit(state_dict, family, f"names {len(labels)} classes and has {architecture.classes}")
    return Network(module, replace(card, fusion_weight=state_dict.fusion_weight, labels=labels))


def describe(
    architecture: Architecture, family: CheckpointFormat, modality: str, sha256: str = "", path: str = ""
) -> WeightsInfo:
    """Return the card of a network of this architecture and family."""
    class_list = family.class_lists.get(architecture.classes)
    return WeightsInfo(
        sha256=sha256,
        path=path,
        family=family.name,
        modality=modality,
        depth=architecture.depth,
        parameters=count_parameters(architecture, family.variant),
        variant=family.variant,
        interleaved=architecture.stem.inputs == 1,
        clip_format=family.formats[modality],
        targets=count_targets(architecture),
        labels=read_class_list(class_list) if class_list else None,
    )


def _choose_family(
    state_dict: NamedTensors, families: Sequence[CheckpointFormat], asked: CheckpointFormat | None
) -> tuple[CheckpointFormat, Architecture]:
    """Return the family whose names the tensors have, and the architecture of their shapes.

    Families of the same names are told apart by the middle channels of the down-sampling blocks. What the file says
    itself, or the user, is not doubted.
    """
    own = state_dict.family
    if own and asked and asked.name != own.name:
        raise GbvisError(
            f"{state_dict.path} says itself that it is of the {own.name} family, not {asked.name}",
            "leave out --family; where another file needs it, convert that one with `gbvis convert-weights` first",
            exit_code=2,
        )
    said = own or asked
    fitting = _fitting(state_dict, [said] if said else families)
    if not fitting:
        raise _foreign(state_dict, families, said)
    architecture = _read_architecture(state_dict, fitting[0])
    downsampling = [blocks[0] for blocks in architecture.stages[1:]]
    has_equal_middles = all(block.first.middle == block.second.middle for block in downsampling)
    if len(fitting) > 1:
        fitting = [family for family in fitting if family.has_equal_middles == has_equal_middles] or fitting
    if len(fitting) > 1:
        raise GbvisError(
            f"{state_dict.path} may be of the families {' or '.join(family.name for family in fitting)}: "
            "neither names nor shapes tell",
            f"say which it is: --family {fitting[0].name}",
            exit_code=2,
        )
    return fitting[0], architecture


def _foreign(
    state_dict: NamedTensors, families: Sequence[CheckpointFormat], said: CheckpointFormat | None
) -> GbvisError:
    """Return the error for tensors whose names are not those of the family that they are said to be of, or of any."""
    first = ", ".join(list(state_dict.tensors)[:3])
    like = " or ".join(family.name for family in _fitting(state_dict, families))
    known = f"known families: {', '.join(family.name for family in families)}"
    return GbvisError(
        f"{state_dict.path} is no R(2+1)D checkpoint "
        f"{f'of the {said.name} family' if said else 'that gbvis knows'}: its tensors are named {first}, ...",
        f"these are the names of {like}" if like else known,
        exit_code=2,
    )


def _fitting(state_dict: NamedTensors, families: Sequence[CheckpointFormat]) -> list[CheckpointFormat]:
    """Return the families of which some tensor has the name."""
    probes = ("stem.spatial.convolution.weight", "classifier.weight", "stages.0.0.first.spatial.convolution.weight")
    return [family for family in families if any(family.name_of(probe) in state_dict.tensors for probe in probes)]


def _read_architecture(state_dict: NamedTensors, family: CheckpointFormat) -> Architecture:
    def shape_of(parameter: str) -> tuple[int, ...] | None:
        tensor = state_dict.tensors.get(family.name_of(parameter) or "")
        return tuple(tensor.shape) if isinstance(tensor, Tensor) else None

    try:
        return Architecture.from_shapes(shape_of, family.variant)
    except LookupError as error:
        _refuse(
            state_dict, family, "is missing", [name for name in _least_names(family) if name not in state_dict.tensors]
        )
        name = family.name_of(str(error.args[0])) or str(error.args[0])
        found = state_dict.tensors.get(name)
        shape = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
        what = (
            f"is missing {name}" if found is None else f"has {name} with shape {shape}, which does not fit the others"
        )
        raise _unfit(state_dict, family, what) from error


def _least_names(family: CheckpointFormat) -> list[str]:
    """Return the names of the weights that the smallest network of a family has."""
    blocks = [f"stages.{stage}.0.{unit}" for stage in range(4) for unit in ("first", "second")]
    parts = [f"{unit}.{part}.convolution.weight" for unit in ("stem", *blocks) for part in ("spatial", "temporal")]
    return [family.name_of(name) or name for name in (*parts, "classifier.weight", "classifier.bias")]


def _read_modality(state_dict: NamedTensors, family: CheckpointFormat, architecture: Architecture) -> str:
    modality = {3: "rgb", 2: "flow", 1: "flow"}.get(architecture.stem.inputs)
    if modality is None:
        raise _unfit(state_dict, family, f"takes {architecture.stem.inputs} input channels, not 3 (RGB), 2 or 1 (flow)")
    if state_dict.declared_modality not in (None, modality):
        raise _unfit(
            state_dict,
            family,
            f"says it is for {state_dict.declared_modality}, and its first convolution takes "
            f"{architecture.stem.inputs} channels, which is {modality}",
        )
    if modality not in family.formats:
        raise _unfit(state_dict, family, f"is a {modality} network, and gbvis reads none of {family.name}")
    return modality


def _collect(state_dict: NamedTensors, family: CheckpointFormat, module: R2Plus1D) -> dict[str, Tensor]:
    """Return the tensors under the module's names; counters of batches are not used and may be missing."""
    expected = {
        family.name_of(name) or name: (name, tuple(tensor.shape)) for name, tensor in module.state_dict().items()
    }
    tensors = state_dict.tensors
    missing = [name for name in expected if name not in tensors and not name.endswith("num_batches_tracked")]
    tensors = {name: tensor for name, tensor in tensors.items() if not re.fullmatch(family.extras, name)}
    spare = [name for name in tensors if name not in expected]
    _refuse(state_dict, family, "is missing", missing)
    _refuse(state_dict, family, "has, beside the network,", spare)
    strange = [name for name, tensor in tensors.items() if not _is_plain(tensor)]
    _refuse(state_dict, family, "holds something else than plain numbers in", strange)
    collected = {expected[name][0]: tensor for name, tensor in tensors.items()}
    wrong = [
        f"{name} {list(tensor.shape)} instead of {list(expected[name][1])}"
        for name, tensor in tensors.items()
        if tuple(tensor.shape) != expected[name][1]
    ]
    _refuse(state_dict, family, "has wrong shapes:", wrong)
    broken = [name for name, tensor in tensors.items() if not bool(torch.isfinite(tensor.float()).all())]
    _refuse(state_dict, family, "has NaN or infinity in", broken)
    variances = [name for name in tensors if expected[name][0].endswith("running_var")]
    negative = [name for name in variances if bool((tensors[name] < 0).any())]
    _refuse(state_dict, family, "has negative variances in", negative)
    counters = {name: torch.tensor(0) for name, _ in expected.values() if name.endswith("num_batches_tracked")}
    return counters | {name: tensor.float() for name, tensor in collected.items() if name not in counters}


def _is_plain(value: object) -> bool:
    """Return whether a value is a dense tensor of real numbers that are there."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and not (value.is_quantized or value.is_meta or value.is_complex() or value.dtype == torch.bool)
        and value.untyped_storage().nbytes() >= value.numel() * value.element_size()  # strides of 0 claim more
    )


def _refuse(state_dict: NamedTensors, family: CheckpointFormat, what: str, names: Collection[str]) -> None:
    if names:
        listed = list(names)
        rest = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
        raise _unfit(state_dict, family, f"{what} {', '.join(listed[:3])}{rest}")


def _unfit(state_dict: NamedTensors, family: CheckpointFormat, what: str) -> GbvisError:
    return GbvisError(
        f"{state_dict.path} {what}",
        f"it was read as a checkpoint of the {family.name} family; nothing was loaded"
        + ("" if state_dict.family else "; --family names another"),
        exit_code=2,
    )
