"""`gbvis.load_network`: a network of a weights file, of a function or of a module, ready to compute."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbvis.errors import UsageError
from gbvis.networks.input_format import InputFormat
from gbvis.networks.own.spec import InputSize, OwnNetwork, read_own_network, read_size
from gbvis.steps.arguments import Names, Paths, as_tuple, make_weights
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.steps.own_networks import GivenNetwork

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from gbvis.networks.network import Network
    from gbvis.networks.own.load import Module


def load_network(
    weights: "Paths | Module" = (),
    *,
    network: str | None = None,
    input: str | Sequence[int] | None = None,
    endpoints: Names = (),
    modality: str | None = None,
    checkpoint_format: str | None = None,
    state: str | None = None,
    inputs: InputFormat | Mapping[str, InputFormat] | None = None,
    device: str = "auto",
    precision: str = "float32",
) -> "Network":
    """Load a network; `explain`, `check` and `predict` take it in place of weights, and `network.module` is a module.

    Args:
        weights: A checkpoint file, or `sample`. Or a torch module, which is copied. Or, with `network`, a file with the
            weights that the function does not set.
        network: A function that builds the network, as `--network` takes it: `nets.py:build`. It runs.
        input: The clip that a module or a function's network takes: `16x112x112` or `(16, 112, 112)`, frames, rows and
            columns.
        endpoints: Names of the modules to be its endpoints. By default all that return activations.
        modality: `rgb` or `flow`, where the file holds both, or the first convolution does not tell.
        checkpoint_format: The checkpoint format, where the file does not show it.
        state: Which network of a file that holds several, by its key.
        inputs: What the network's input is like, where it is not its format's; with two streams, by stream.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: `float32`, `tf32` or `bfloat16`.

    Raises:
        WeightsError: The file cannot be read, or holds no network that gbvis knows.
        UsageError: It holds two networks, and `modality` does not say which. Or the function, the module or the input
            do not do.
    """
    size = input if input is None or isinstance(input, str) else "x".join(map(str, as_tuple(input)))
    if is_module(weights):
        if network is not None:
            raise UsageError("a module and a function that builds one are given", "leave network= out")
        if size is None:
            raise UsageError("nothing says what the module takes", "give input=(frames, rows, columns)")
        taken = GivenNetwork(_take_module(weights, read_size(size), modality, as_tuple(endpoints)))
        request = make_weights((), modality, device, precision, None, checkpoint_format, state, inputs)
        return _load(replace(request, network=taken))
    request = make_weights(weights, modality, device, precision, None, checkpoint_format, state, inputs)
    own = read_own_network(network, size)
    if own and endpoints:
        return _load(replace(request, paths=(), state=None, network=_build(own, request, as_tuple(endpoints))))
    if endpoints:
        raise UsageError("endpoints are chosen of a module, or of a function's network", "leave them out")
    return _load(replace(request, network=own) if own else request)


def _load(request: WeightsRequest) -> "Network":
    networks = Networks(request)
    if len(networks.infos) > 1:
        names = " and ".join(str(path) for path in request.paths)
        raise UsageError(f"{names} holds networks for {' and '.join(networks.infos)}", "say which: modality='rgb'")
    (only,) = networks.infos
    return networks.load(only)


def is_module(given: "Paths | Module") -> "TypeIs[Module]":
    """Return whether that is a torch module."""
    torch = sys.modules.get("torch")  # who has a module has loaded it
    return torch is not None and isinstance(given, torch.nn.Module)


def _take_module(module: Any, size: InputSize, modality: str | None, endpoints: Sequence[str]) -> "Network":
    from gbvis.networks.own.load import take_module

    return take_module(module, size, modality, endpoints)


def _build(own: OwnNetwork, request: WeightsRequest, endpoints: Sequence[str]) -> GivenNetwork:
    from gbvis.networks.own.load import build_network
    from gbvis.provenance import hash_file

    path = next(iter(request.paths), None)
    sha256 = hash_file(Path(path)) if path else ""
    return GivenNetwork(build_network(own, request.modality, path, sha256, request.state, endpoints))
