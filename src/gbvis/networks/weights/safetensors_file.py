"""gbvis's own weights files: safetensors, with everything that is known of the networks in the metadata.

Tensors are named `MODALITY.NAME`, NAME as in `R2Plus1D`. The metadata's one entry, `gbvis`, is JSON: `format_version`,
`networks`, per modality a card, and where they come from: `source`, the name and SHA-256 of the file they were
converted from; or `training`, how gbvis's own sample networks were made.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch

from gbvis.errors import GbvisError
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import Variant
from gbvis.networks.r2plus1d.checkpoint_format import OWN_NAMES, CheckpointFormat
from gbvis.networks.weights.torch_file import NamedTensors
from gbvis.videos.clip import LARGEST_NUMBER, ClipFormat

FORMAT_VERSION = 1
SUFFIX = ".safetensors"


def is_safetensors(path: Path) -> bool:
    """Return whether the file begins as safetensors do: the length of a JSON object in 8 bytes, and that object."""
    with path.open("rb") as file:
        head = file.read(9)
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size


def read_safetensors(path: Path) -> list[NamedTensors]:
    """Return the one or two networks' tensors in the file, each with the family that its card describes.

    Raises:
        GbvisError: It is broken, or is not gbvis's, or a newer gbvis wrote it (exit code 2).
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("gbvis", "{}"))
            # cloned: aligned in memory, so that kernels compute the very bits they do from the original file
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        if about.get("format_version") != FORMAT_VERSION:
            raise GbvisError(
                f"{path} holds no networks that this gbvis can read: format version {about.get('format_version')}",
                f"expected {FORMAT_VERSION}; write it with `gbvis convert-weights` from the original checkpoint",
                exit_code=2,
            )
        if not all(name.split(".")[0] in about["networks"] for name in tensors):
            raise ValueError("tensors of a stream that has no card")
        return [_state_dict(path, modality, card, tensors) for modality, card in about["networks"].items()]
    except RuntimeError as error:  # what torch says of a file that it cannot open or map
        raise GbvisError(f"cannot read {path}: {error}", "check the file, then repeat the call", exit_code=2) from error
    except (safetensors.SafetensorError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise GbvisError(
            f"{path} is a broken safetensors file", "convert the original checkpoint again", exit_code=2
        ) from error


def write_safetensors(path: Path, networks: Sequence[Network], origin: Mapping[str, Any]) -> None:
    """Write the networks to `path`, which is free; `origin` is plain data that says where they come from."""
    tensors = {
        f"{network.card.modality}.{name}": tensor.contiguous()
        for network in networks
        for name, tensor in network.module.state_dict().items()
    }
    about = {
        "format_version": FORMAT_VERSION,
        **origin,
        "networks": {network.card.modality: network.card.to_json() for network in networks},
    }
    safetensors.torch.save_file(tensors, path, metadata={"gbvis": json.dumps(about)})


def _state_dict(path: Path, modality: str, card: dict[str, Any], tensors: dict[str, Any]) -> NamedTensors:
    prefix = f"{modality}."
    own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    family = CheckpointFormat(
        name=str(card["family"]),
        variant=Variant(**card["variant"]),
        names=OWN_NAMES,
        first_stage=0,
        block_name=lambda stage, block: str(block),
        has_equal_middles=False,
        formats={modality: ClipFormat.from_json(card["clip_format"])},
        class_lists={},
    )
    if family.formats[modality].channels != {"rgb": 3, "flow": 2}[modality]:
        raise ValueError("a format for another stream")
    if not 0 <= card["fusion_weight"] <= LARGEST_NUMBER:
        raise ValueError("a stream that counts less than nothing")
    labels = tuple(str(label) for label in card["labels"]) if card["labels"] else None
    return NamedTensors(path, own, modality, float(card["fusion_weight"]), family, labels)
