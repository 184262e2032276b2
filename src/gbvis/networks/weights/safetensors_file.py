"""Safetensors files: plain ones, and gbvis's own, with everything that is known of the networks in the metadata.

In gbvis's own tensors are named `MODALITY.NAME`, NAME as in `R2Plus1D`. The metadata's one entry, `gbvis`, is JSON:
`format_version`, `networks`, per modality what is known of it (`WeightsInfo`), and where they come from: `source`, the
name and SHA-256 of the file they were converted from; or `training`, how gbvis's own sample networks were made.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch

from gbvis.errors import GbvisError, WeightsError
from gbvis.networks.network import Network
from gbvis.networks.weights import NamedTensors
from gbvis.networks.weights.states import Matches, find_networks, no_such_state
from gbvis.videos.clip import LARGEST_NUMBER

FORMAT_VERSION = 3
"""3: the input may have another order of channels, and a size that the shorter side is resized to."""

SUFFIX = ".safetensors"

_LONGEST_HEADER = 100_000_000
"""Bytes of the JSON object that the library reads."""


def is_safetensors(path: Path) -> bool:
    """Return whether the file begins as safetensors do: the length of a JSON object in 8 bytes, and that object.

    It may end before that object does.
    """
    with path.open("rb") as file:
        head = file.read(9)
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") <= _LONGEST_HEADER


def read_safetensors(path: Path, state: str | None = None, matches: Matches | None = None) -> list[NamedTensors]:
    """Return the one or two networks' tensors in the file, each with what the file says of the network.

    Args:
        path: The file.
        state: Which of several states in a plain file is meant, where the user says so.
        matches: As `find_networks`.

    Raises:
        WeightsError: It is broken, or a newer gbvis wrote it, or a plain file holds several networks or none.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            said = (file.metadata() or {}).get("gbvis")
            # cloned: aligned in memory, so that kernels compute the very bits they do from the original file
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        if said is None:
            return _read_plain(path, tensors, state, matches)
        if state is not None:
            raise no_such_state(path, state)
        about = json.loads(said)
        version = about.get("format_version")
        if version not in range(1, FORMAT_VERSION + 1):
            raise WeightsError(
                f"{path} holds no networks that this gbvis can read: format version {version}",
                f"expected 1 to {FORMAT_VERSION}; write it with `gbvis convert-weights` from the original checkpoint",
            )
        if not all(name.split(".")[0] in about["networks"] for name in tensors):
            raise ValueError("tensors of a stream that nothing is said of")
        described = {modality: _upgrade(said, version) for modality, said in about["networks"].items()}
        return [_named_tensors(path, modality, said, tensors) for modality, said in described.items()]
    except RuntimeError as error:  # what torch says of a file that it cannot open or map
        raise WeightsError(f"cannot read {path}: {error}", "check the file, then repeat the call") from error
    except safetensors.SafetensorError as error:
        raise WeightsError(
            f"{path} is a broken safetensors file, or cut short",
            "copy or download it again; if `gbvis convert-weights` wrote it, convert the original checkpoint again",
        ) from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise broken_safetensors(path) from error


def _read_plain(
    path: Path, tensors: Mapping[str, Any], state: str | None, matches: Matches | None
) -> list[NamedTensors]:
    """Return the tensors of a file that says nothing of them."""
    found = find_networks(tensors, path, state, matches)
    if not found:
        raise WeightsError(f"no network in {path}: it holds no tensors", "check the file")
    return found


def broken_safetensors(path: Path) -> GbvisError:
    """Return the error for a file that gbvis wrote, and what it says of its networks makes no sense."""
    return WeightsError(f"{path} is a broken safetensors file", "convert the original checkpoint again")


def _upgrade(description: dict[str, Any], version: int) -> dict[str, Any]:
    """Return a network's description as the present version writes it; version 1 knew R(2+1)D alone."""
    if version > 1:
        return description
    renamed = {"kind": "r2plus1d", "checkpoint_format": description["family"]}
    return {**description, **renamed, "details": {"variant": description["variant"]}}


def write_safetensors(path: Path, networks: Sequence[Network], origin: Mapping[str, Any]) -> None:
    """Write the networks to `path`, which is free; `origin` is plain data that says where they come from.

    Raises:
        OSError: It cannot be written.
    """
    tensors = {
        f"{network.info.modality}.{name}": tensor.contiguous()
        for network in networks
        for name, tensor in network.module.state_dict().items()
    }
    about = {
        "format_version": FORMAT_VERSION,
        **origin,
        "networks": {network.info.modality: network.info.to_json() for network in networks},
    }
    # not `save_file`: that says of no room, and of no permission, what it says of its own mistakes
    path.write_bytes(safetensors.torch.save(tensors, metadata={"gbvis": json.dumps(about)}))


def _named_tensors(path: Path, modality: str, description: dict[str, Any], tensors: Mapping[str, Any]) -> NamedTensors:
    prefix = f"{modality}."
    own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    if not 0 <= description["fusion_weight"] <= LARGEST_NUMBER:
        raise ValueError("a stream that counts less than nothing")
    labels = tuple(str(label) for label in description["labels"]) if description["labels"] else None
    return NamedTensors(path, own, modality, float(description["fusion_weight"]), description, labels)
