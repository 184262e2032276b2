"""StateDict: the named tensors of one network, as a torch file holds them; read without running anything in it."""

import argparse
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gbvis.errors import GbvisError

_WRAPPERS = ("content", "train", "best", "state_dict", "model_state_dict", "model")
"""Keys that stand around a state dict, outermost first; `best` goes before the last epoch's beside it."""

_STREAM_KEYS = {"rgb": "rgb", "flow": "flow", "rgb_state": "rgb", "flow_state": "flow"}
"""Keys that say which stream the state dict below them is for."""


@dataclass(frozen=True)
class StateDict:
    """One network's tensors.

    Attributes:
        path: The file they come from.
        tensors: By the name they have in the file, less the `module.` of `DataParallel`.
        declared_modality: The stream that the file says they are for, or None.
    """

    path: Path
    tensors: Mapping[str, Tensor]
    declared_modality: str | None


def read_state_dicts(path: Path) -> list[StateDict]:
    """Return the one or two networks' tensors that the torch file at `path` holds.

    Raises:
        GbvisError: There is no such file, or it is no checkpoint (exit code 2).
    """
    state_dicts = list(_find_state_dicts(_load(path), path, None))
    if not state_dicts:
        raise GbvisError(
            f"no network in {path}: a torch file, and no state dict in it",
            "expected named tensors, bare or under "
            + ", ".join(_WRAPPERS)
            + "; save model.state_dict(), not the model",
            exit_code=2,
        )
    return state_dicts


def _load(path: Path) -> Any:
    """Return what `torch.save` wrote to `path`.

    Nothing but tensors, plain containers and the old script's `argparse.Namespace`, which only holds attributes, is
    ever built from the file (`weights_only`).
    """
    try:
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings(action="ignore"):
            return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise GbvisError(f"no such weights file: {path}", "check the path after -w", exit_code=2) from error
    except OSError as error:
        raise GbvisError(
            f"cannot read the weights file {path}: {error.strerror or error}",
            "check the path after -w",
            exit_code=2,
        ) from error
    except Exception as error:  # torch raises whatever the broken bytes lead it to
        match = re.search(r"GLOBAL (\S+)", str(error))
        found = f"it asks for the Python object {match[1]}, which may run code" if match else "it cannot be unpickled"
        raise GbvisError(
            f"{path} is no checkpoint that can be read safely: {found}",
            "expected a file that torch.save wrote, holding a state dict; if you trust it, load it where it was made "
            "and save its state_dict() alone",
            exit_code=2,
        ) from error


def _find_state_dicts(tree: Any, path: Path, modality: str | None) -> Iterator[StateDict]:
    if not isinstance(tree, Mapping) or not all(isinstance(key, str) for key in tree):
        return
    streams = [key for key in _STREAM_KEYS if isinstance(tree.get(key), Mapping)]
    splits = sorted(key for key in tree if re.fullmatch(r"split\d+", key))
    wrapper = next((key for key in _WRAPPERS if isinstance(tree.get(key), Mapping)), None)
    if streams:
        for key in streams:
            yield from _find_state_dicts(tree[key], path, _STREAM_KEYS[key])
    elif len(splits) > 1:
        raise GbvisError(
            f"{path} holds several networks for one stream: {', '.join(splits)}",
            "save the one you want to a file of its own",
            exit_code=2,
        )
    elif splits:
        yield from _find_state_dicts(tree[splits[0]], path, modality)
    elif wrapper:
        yield from _find_state_dicts(tree[wrapper], path, modality)
    elif any(isinstance(value, Tensor) for value in tree.values()):
        yield StateDict(path, _without_prefix(tree), modality)


def _without_prefix(tensors: Mapping[str, Any]) -> dict[str, Any]:
    if all(name.startswith("module.") for name in tensors):
        return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    return dict(tensors)
