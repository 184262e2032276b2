"""Which checkpoint format a file is in: told by its tensors' names and shapes, by the file itself or by the user."""

from collections.abc import Collection

from torch import Tensor

from gbvis.errors import WeightsError
from gbvis.networks.r2plus1d import FORMATS
from gbvis.networks.r2plus1d.architecture import Architecture
from gbvis.networks.r2plus1d.checkpoint_format import CheckpointFormat, read_description
from gbvis.networks.r2plus1d.likeness import describe_difference, least_names, share_of_names
from gbvis.networks.weights import NamedTensors
from gbvis.networks.weights.own_head import with_own_head
from gbvis.networks.weights.safetensors_file import broken_safetensors
from gbvis.networks.weights.strict_reading import unfit


def recognise_format(named: NamedTensors, asked: str | None) -> tuple[CheckpointFormat, Architecture, NamedTensors]:
    """Return the format whose names the tensors have, the architecture of their shapes, and the tensors.

    The tensors are as they were, but for a classifier that the file has under another name than the format.

    Formats of the same names are told apart by the middle channels of the down-sampling blocks. What the file says
    itself, or the user, is not doubted.
    """
    own = _read_own_format(named)
    if own and asked and asked != own.name:
        raise WeightsError(
            f"{named.path} says itself that it is of the {own.name} format, not {asked}",
            "leave out --checkpoint-format; where another file needs it, convert that one with "
            "`gbvis convert-weights` first",
        )
    said = own or (FORMATS.load(asked) if asked else None)
    formats = [said] if said else FORMATS.load_all().values()
    fitting = [form.fitted(named.tensors) for form in _find_candidates(named, formats)]
    if not fitting:
        raise _foreign(named, said)
    if not fitting[0].suffixes:
        named = with_own_head(named, fitting[0].name, fitting[0].names["classifier"], "R(2+1)D")
    architecture = _read_architecture(named, fitting[0])
    downsampling = [blocks[0] for blocks in architecture.stages[1:]]
    has_equal_middles = all(block.first.middle == block.second.middle for block in downsampling)
    if len(fitting) > 1:
        fitting = [form for form in fitting if form.has_equal_middles == has_equal_middles] or fitting
    if len(fitting) > 1:
        raise WeightsError(
            f"{named.path} may be of the formats {' or '.join(form.name for form in fitting)}: "
            "neither names nor shapes tell",
            f"say which it is: --checkpoint-format {fitting[0].name}",
        )
    return fitting[0], architecture, named


def _read_own_format(named: NamedTensors) -> CheckpointFormat | None:
    """Return the format that the file itself describes, or None where it describes none."""
    if named.description is None:
        return None
    try:
        return read_description(named.description)
    except (LookupError, TypeError, ValueError) as error:
        raise broken_safetensors(named.path) from error


def _foreign(named: NamedTensors, said: CheckpointFormat | None) -> WeightsError:
    """Return the error for tensors whose names are not those of the format that they are said to be of."""
    first = ", ".join(list(named.tensors)[:3])
    like = " or ".join(form.name for form in FORMATS.load_all().values() if share_of_names(named, form) > 0.5)
    return WeightsError(
        f"{named.path} is no R(2+1)D checkpoint{f' of the {said.name} format' if said else ''}: its tensors are named "
        f"{first}, ...",
        f"these are the names of {like}" if like else f"known checkpoint formats: {', '.join(FORMATS.names)}",
    )


def _find_candidates(named: NamedTensors, formats: Collection[CheckpointFormat]) -> list[CheckpointFormat]:
    """Return the formats that may be the file's.

    In them the stem, the classifier or the first block's convolution has a name that occurs in the file.
    """
    return [form for form in formats if form.fits_some(named.tensors)]


def _read_architecture(named: NamedTensors, form: CheckpointFormat) -> Architecture:
    found = {parameter: named.tensors[name] for parameter, name in form.find_weights(named.tensors).items()}
    shapes = {parameter: tuple(one.shape) for parameter, one in found.items() if isinstance(one, Tensor)}
    try:
        return Architecture.from_shapes(shapes.get, form.variant)
    except LookupError as error:
        if any(name not in named.tensors for name in least_names(form)):
            raise unfit(named, form.name, describe_difference(named, form)) from error
        name = form.name_of(str(error.args[0])) or str(error.args[0])
        odd = named.tensors.get(name)
        shape = list(odd.shape) if isinstance(odd, Tensor) else type(odd).__name__
        what = f"is missing {name}" if odd is None else f"has {name} with shape {shape}, which does not fit the others"
        raise unfit(named, form.name, what) from error
