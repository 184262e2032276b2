"""From a weights file to the networks in it, whatever kind of file and of network they are."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from gbvis.errors import GbvisError, WeightsError
from gbvis.networks.identity import identify
from gbvis.networks.kind import KINDS, Likeness, NetworkKind
from gbvis.networks.network import Network
from gbvis.networks.registration import infer_cells
from gbvis.networks.weights import NamedTensors
from gbvis.networks.weights.caffe2_pickle import read_caffe2_pickle
from gbvis.networks.weights.safetensors_file import is_safetensors, read_safetensors
from gbvis.networks.weights.states import Matches, SeveralNetworks, list_states, no_such_state
from gbvis.networks.weights.torch_file import read_torch_file
from gbvis.registry import check_name


def load_networks(
    path: Path, sha256: str, checkpoint_format: str | None = None, state: str | None = None
) -> list[Network]:
    """Return the one or two networks that a weights file holds, every tensor of theirs used.

    Args:
        path: The file.
        sha256: Of its content.
        checkpoint_format: What the user says that it is, if anything.
        state: Which of several states in it the user means, if any.

    Raises:
        WeightsError: It cannot be read, or holds no network that gbvis knows.
    """
    try:
        tensors = read_tensors(path, state)
    except SeveralNetworks as error:
        raise _propose_state(error, path, checkpoint_format) from error
    return [build_network(named, sha256, checkpoint_format) for named in tensors]


def _propose_state(several: SeveralNetworks, path: Path, checkpoint_format: str | None) -> WeightsError:
    """Return the error for a file of several networks: its hint names one that can be read, if there is any."""
    first: GbvisError | None = None
    for name, named in several.parts.items():
        try:
            build_network(named, checkpoint_format=checkpoint_format)
        except GbvisError as error:
            first = first or error
        else:
            return WeightsError(several.problem, f"say which is meant: --state {name}")
    if first is None:
        return several
    names = list(several.parts)
    likeness = _find_nearest(several.parts[names[0]], KINDS.load_all().values())
    nearest = f"; nearest is {likeness.name}" if likeness else ""
    return WeightsError(
        f"{path} holds several networks, {list_states(names)}, and none that gbvis can read{nearest}: {names[0]} "
        f"{first.problem.removeprefix(f'{path} ')}",
        "if they are parts of one network, --network FILE.py:FUNCTION takes a function that builds it",
    )


def read_tensors(path: Path, state: str | None = None, matches: Matches | None = None) -> list[NamedTensors]:
    """Return what a file holds, whatever kind of file its first bytes say it is.

    Args:
        path: The file.
        state: Which of several states in it is meant, where the user says so.
        matches: What a network is, by its tensors' names; by default, what some kind knows.

    Raises:
        WeightsError: It is no weights file that can be read, or holds no such state.
    """
    if is_safetensors(path):
        return read_safetensors(path, state, matches)
    blobs = read_caffe2_pickle(path)
    if blobs and state is not None:
        raise no_such_state(path, state)
    return [blobs] if blobs else read_torch_file(path, state, matches)


def build_network(named: NamedTensors, sha256: str = "", checkpoint_format: str | None = None) -> Network:
    """Return the network of which these are the tensors.

    Raises:
        WeightsError: No kind knows them, or not as what they are said to be.
    """
    kind = _choose_kind(named, checkpoint_format)
    module, info = kind.build(named, checkpoint_format)
    labels = named.labels or info.labels
    if labels and len(labels) != info.class_count:
        raise WeightsError(
            f"{named.path} names {len(labels)} classes and has {info.class_count}",
            "write the file again with a name for each class, or give them with --labels",
        )
    found = replace(
        info,
        labels=labels,
        fusion_weight=named.fusion_weight,
        states=named.states,
        sha256=sha256,
        identity=identify(module, info),
        path=str(named.path.resolve()),
    )
    network = Network(module, found, kind)
    if not found.cells:
        cells = infer_cells(network.trace_shapes, found.clip_format, found.input_channels)
        network.info = replace(found, cells=cells)
    return network


def _choose_kind(named: NamedTensors, checkpoint_format: str | None) -> NetworkKind:
    kinds = KINDS.load_all()
    if named.description:
        name = str(named.description.get("kind"))
        if name not in kinds:
            raise WeightsError(
                f"{named.path} holds a network of the kind {name!r}, which gbvis does not know",
                f"install the package that brings it; known kinds: {', '.join(kinds)}",
            )
        return kinds[name]
    if checkpoint_format:
        return next(kind for kind in kinds.values() if checkpoint_format in kind.formats)
    matching = [kind for kind in kinds.values() if kind.match(named)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise WeightsError(
            f"{named.path} may hold a network of the kinds {' or '.join(kind.name for kind in matching)}",
            f"say which it is: --checkpoint-format {matching[0].formats[0]}",
        )
    raise _unknown(named, kinds.values())


def _unknown(named: NamedTensors, kinds: Collection[NetworkKind]) -> WeightsError:
    """Return the error for tensors that no kind knows: which is the nearest, and what differs."""
    formats = ", ".join(name for kind in kinds for name in kind.formats)
    nearest = _find_nearest(named, kinds)
    if nearest:
        total = len(named.tensors)
        count = round(nearest.share * total)
        alike = (
            f"{count} of its {total} tensors have such names"
            if count
            else f"none of its {total} tensors has such a name"
        )
        return WeightsError(
            f"{named.path} is no checkpoint that gbvis knows; nearest is {nearest.name}: {alike}, and the file "
            f"{nearest.difference}",
            f"known checkpoint formats: {formats}",
        )
    first = ", ".join(list(named.tensors)[:3])
    return WeightsError(
        f"{named.path} is no checkpoint that gbvis knows: its tensors are named {first}, ...",
        f"known checkpoint formats: {formats}",
    )


def _find_nearest(named: NamedTensors, kinds: Collection[NetworkKind]) -> Likeness | None:
    """Return how near tensors are to the kind that is nearest; None where they are near to none."""
    likenesses = [likeness for kind in kinds if (likeness := kind.compare(named))]
    return max(likenesses, key=lambda likeness: (likeness.share, likeness.word_share), default=None)


def check_format(name: str) -> str:
    """Return `name` if some kind of network has such a checkpoint format.

    Raises:
        UsageError: None has.
    """
    return check_name("checkpoint format", [one for kind in KINDS.load_all().values() for one in kind.formats], name)
