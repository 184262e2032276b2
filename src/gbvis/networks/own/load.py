"""From the user's function, or their module, to a network that gbvis can explain."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

from torch import nn

from gbvis.errors import UsageError
from gbvis.networks.identity import identify
from gbvis.networks.info import WeightsInfo
from gbvis.networks.network import Network
from gbvis.networks.own.build import build_module, note_classes, prepare
from gbvis.networks.own.bytecode import digest_code
from gbvis.networks.own.kind import OwnKind
from gbvis.networks.own.plan import copy_network, make_plan
from gbvis.networks.own.sources import imported_afresh
from gbvis.networks.own.spec import InputSize, OwnNetwork
from gbvis.networks.own.structure import digest_structure
from gbvis.networks.own.weights import load_weights
from gbvis.networks.registration import infer_cells
from gbvis.videos.clip import ClipFormat

Module = nn.Module
"""What `load_network` takes, by a name that needs no torch."""

_CHANNELS = {"rgb": 3, "flow": 2}


def build_network(
    own: OwnNetwork,
    modality: str | None = None,
    path: Path | None = None,
    sha256: str = "",
    state: str | None = None,
    endpoints: Sequence[str] = (),
) -> Network:
    """Return the network that the user's function builds; their code runs.

    Args:
        own: The function, and the network's input.
        modality: `rgb` or `flow`; None to tell it from the first convolution.
        path: A file with its weights; None where the function sets them.
        sha256: Of the file.
        state: Which of several states in the file is meant.
        endpoints: Names of the modules to be endpoints; all by default.

    Raises:
        UsageError: The function, the file or the input do not do.
    """
    spec = own.spec
    # what their code prints is no part of our results, which others may read
    with imported_afresh(spec.folder) as sources, redirect_stdout(sys.stderr):
        module = build_module(spec, sources)
        stream = modality or _tell_modality(module, spec.name)
        named = load_weights(module, spec.name, path, state, stream) if path else None
        plan = make_plan(module, _shape(stream, own.input), spec.name).only(endpoints or ["all"])
        note_classes(module, spec, sources)
        details = {"network": spec.name, "code": sources.digest, "structure": digest_structure(module)}
    kind = OwnKind(plan, spec.name, _shape(stream, own.input))
    network = _make(module, kind, stream, own.input, details)
    found = replace(network.info, path=str(path.resolve() if path else spec), sha256=sha256 or network.info.identity)
    if named:
        found = replace(found, labels=_fitting(named.labels, found), states=named.states)
    network.info = found
    return network


def take_module(
    module: nn.Module, size: InputSize, modality: str | None = None, endpoints: Sequence[str] = ()
) -> Network:
    """Return a network that computes as a module does, which is copied and left as it is.

    Args:
        module: The user's.
        size: What it takes.
        modality: `rgb` or `flow`; None to tell it from the first convolution.
        endpoints: Names of its modules to be endpoints; all by default.

    Raises:
        UsageError: It does not take such clips, returns what cannot be explained, or cannot be copied.
    """
    title = type(module).__name__
    copied = prepare(copy_network(module), title)
    stream = modality or _tell_modality(copied, title)
    plan = make_plan(copied, _shape(stream, size), title).only(endpoints or ["all"])
    details = {"network": "", "code": digest_code(copied), "structure": digest_structure(copied)}
    network = _make(copied, OwnKind(plan, title, _shape(stream, size)), stream, size, details)
    network.info = replace(network.info, path=title, sha256=network.info.identity)
    return network


def _make(module: nn.Module, kind: OwnKind, modality: str, size: InputSize, details: dict[str, str]) -> Network:
    form = make_format(modality, size)
    info = WeightsInfo(
        kind=kind.name,
        title=type(module).__name__,
        checkpoint_format=kind.name,
        modality=modality,
        parameters=sum(one.numel() for one in module.parameters()),
        clip_format=form,
        endpoints=kind.plan.endpoints,
        targets=kind.plan.targets,
        details=details,
    )
    network = Network(module, replace(info, identity=identify(module, info)), kind)
    network.info = replace(network.info, cells=infer_cells(network.trace_shapes, form, info.input_channels))
    return network


def make_format(modality: str, size: InputSize) -> ClipFormat:
    """Return a network's input where only its size is said: the shorter side is resized to it, values are 0-1."""
    channels = _CHANNELS[modality]
    return ClipFormat(
        frames=size.frames,
        height=size.side,
        width=size.side,
        crop=size.side,
        top=0,
        left=0,
        scale=255.0,
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        interpolation="torch" if modality == "rgb" else "opencv",
        keeps_aspect=True,
    )


def _shape(modality: str, size: InputSize) -> tuple[int, ...]:
    return (_CHANNELS[modality], size.frames, size.side, size.side)


def _tell_modality(module: nn.Module, name: str) -> str:
    """Return the stream that a network is for, by the channels of its first convolution.

    Raises:
        UsageError: They do not tell.
    """
    convolutions = (part for part in module.modules() if isinstance(part, nn.Conv1d | nn.Conv2d | nn.Conv3d))
    first = next(convolutions, None)
    for modality, channels in _CHANNELS.items():
        if first is not None and first.in_channels == channels:
            return modality
    found = "no convolution" if first is None else f"a first convolution that takes {first.in_channels} channels"
    raise UsageError(
        f"{name} has {found}, which does not tell RGB (3 channels) from flow (2)", "say which it takes: -m rgb"
    )


def _fitting(labels: tuple[str, ...] | None, info: WeightsInfo) -> tuple[str, ...] | None:
    return labels if labels and len(labels) == info.class_count else None
