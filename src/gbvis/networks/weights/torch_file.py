"""Torch files: what `torch.save` wrote, read without running anything in it."""

import argparse
import math
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gbvis.errors import GbvisError, WeightsError
from gbvis.networks.weights import NamedTensors

_WRAPPERS = ("content", "train", "best", "state_dict", "model_state_dict", "model")
"""Keys that stand around a state dict, outermost first; `best` goes before the last epoch's beside it."""

_STREAM_KEYS = {"rgb": "rgb", "flow": "flow", "rgb_state": "rgb", "flow_state": "flow"}
"""Keys that say which stream the state dict below them is for."""


def read_torch_file(path: Path) -> list[NamedTensors]:
    """Return the one or two networks' tensors that the torch file at `path` holds.

    Raises:
        WeightsError: There is no such file, or it is no checkpoint.
    """
    found_tensors = list(_find_tensors(_load(path), path, None))
    if not found_tensors:
        raise WeightsError(
            f"no network in {path}: a torch file, and no state dict in it",
            "expected named tensors, bare or under "
            + ", ".join(_WRAPPERS)
            + "; save model.state_dict(), not the model",
        )
    return found_tensors


def _no_checkpoint(path: Path, begin: bytes) -> GbvisError:
    """Return the error for a file that neither a zip file nor a pickle begins like."""
    what = {b"": "it is empty", b"PK": "it is cut short"}.get(begin, "it is another kind of file")
    return WeightsError(
        f"{path} is no checkpoint: {what}",
        "expected a file that torch.save wrote, VMZ's Caffe2 pickle, or a .safetensors of gbvis's own",
    )


def _refuse_compressed(path: Path) -> None:
    """Refuse a zip file whose entries are compressed or lie over each other: they may unpack to any size.

    torch.save writes no such entries.

    Raises:
        WeightsError: It has some, or is a program (TorchScript) and no state dict.
    """
    with zipfile.ZipFile(path) as archive:
        if any(name.endswith("/constants.pkl") for name in archive.namelist()):
            raise WeightsError(
                f"{path} is a TorchScript program, which gbvis does not run",
                "load it with torch.jit.load where you trust it, and save its state_dict() alone",
            )
        entries = archive.infolist()
    size = sum(entry.file_size for entry in entries)
    if size > path.stat().st_size or any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise WeightsError(
            f"{path} is no checkpoint: a zip file whose entries would unpack to {size:,} bytes",
            "torch.save writes uncompressed entries, one after the other; expected a file that it wrote",
        )


def _load(path: Path) -> Any:
    """Return what `torch.save` wrote to `path`.

    Nothing but tensors, plain containers and the old script's `argparse.Namespace`, which only holds attributes, is
    ever built from the file (`weights_only`).
    """
    try:
        with path.open("rb") as file:
            begin = file.read(2)
        if zipfile.is_zipfile(path):
            _refuse_compressed(path)
        elif begin[:1] != b"\x80":
            raise _no_checkpoint(path, begin)
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings(action="ignore"):
            return torch.load(path, map_location="cpu", weights_only=True)
    except GbvisError:
        raise
    except FileNotFoundError as error:
        raise WeightsError(f"no such weights file: {path}", "check the path after -w") from error
    except PermissionError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}", "check its permissions") from error
    except Exception as error:  # torch raises whatever the broken bytes lead it to
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> GbvisError:
    """Return the error for a file that torch could not read, or would not: what it asks for stands in its message."""
    match = re.search(r"GLOBAL (\S+)", str(error))
    if match is None:
        problem = f"{path} is no checkpoint that can be read: it is broken, or cut short"
        return WeightsError(problem, "copy or download it again")
    found = f"it asks for the Python object {match[1]}, which may run code"
    if match[1].startswith("numpy."):
        found = "it holds NumPy arrays where tensors are expected"
    return WeightsError(
        f"{path} is no checkpoint that can be read safely: {found}",
        "expected a file that torch.save wrote, holding a state dict; if you trust it, load it where it was made "
        "and save its state_dict() alone",
    )


def _find_tensors(tree: Any, path: Path, modality: str | None) -> Iterator[NamedTensors]:
    if not isinstance(tree, Mapping) or not all(isinstance(key, str) for key in tree):
        return
    streams = [key for key in _STREAM_KEYS if isinstance(tree.get(key), Mapping)]
    splits = sorted(key for key in tree if re.fullmatch(r"split\d+", key))
    wrapper = next((key for key in _WRAPPERS if isinstance(tree.get(key), Mapping)), None)
    if streams:
        weights = _read_fusion_weights(tree.get("stream_weights"), path)
        for key in streams:
            for found in _find_tensors(tree[key], path, _STREAM_KEYS[key]):
                yield replace(found, fusion_weight=weights[_STREAM_KEYS[key]])
    elif len(splits) > 1:
        raise WeightsError(
            f"{path} holds several networks for one stream: {', '.join(splits)}",
            "save the one you want to a file of its own",
        )
    elif splits:
        yield from _find_tensors(tree[splits[0]], path, modality)
    elif wrapper:
        yield from _find_tensors(tree[wrapper], path, modality)
    elif any(isinstance(value, Tensor) for value in tree.values()):
        yield NamedTensors(path, _without_prefix(tree), modality)


def _read_fusion_weights(found: Any, path: Path) -> dict[str, float]:
    """Return how much each stream counts: `found` holds RGB's and flow's weight, by name or in this order."""
    if found is None:
        return {"rgb": 1.0, "flow": 1.0}
    if isinstance(found, str | bytes):
        raise _bad_fusion_weights(found, path)
    try:
        by_name = found if isinstance(found, Mapping) else dict(zip(("rgb", "flow"), list(found), strict=True))
        weights = {name: float(by_name[name]) for name in ("rgb", "flow")}
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _bad_fusion_weights(found, path) from error
    if min(weights.values()) < 0 or not 0 < sum(weights.values()) < math.inf:
        raise _bad_fusion_weights(found, path)
    return weights


def _bad_fusion_weights(found: Any, path: Path) -> GbvisError:
    return WeightsError(f"{path} holds stream_weights {found!r}", "expected two numbers, RGB's and flow's, not both 0")


def _without_prefix(tensors: Mapping[str, Any]) -> dict[str, Any]:
    if all(name.startswith("module.") for name in tensors):
        return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    return dict(tensors)
