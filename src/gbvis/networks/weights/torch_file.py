"""Torch files: what `torch.save` wrote, read without running anything in it."""

import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from gbvis.errors import GbvisError, WeightsError
from gbvis.networks.weights import NamedTensors
from gbvis.networks.weights.inert import HARMLESS, InertArray
from gbvis.networks.weights.states import Matches, find_networks


def read_torch_file(path: Path, state: str | None = None, matches: Matches | None = None) -> list[NamedTensors]:
    """Return the one or two networks' tensors that the torch file at `path` holds.

    Args:
        path: The file.
        state: Which of several states is meant, where the user says so.
        matches: As `find_networks`.

    Raises:
        WeightsError: There is no such file, or it is no checkpoint, or holds several networks.
    """
    tree = _load(path)
    found = find_networks(tree, path, state, matches)
    if not found:
        holds_arrays = isinstance(tree, Mapping) and any(isinstance(value, InertArray) for value in tree.values())
        what = "NumPy arrays where tensors are expected" if holds_arrays else "a torch file, and no state dict in it"
        raise WeightsError(
            f"no network in {path}: {what}",
            "expected named tensors, bare or below keys of any name; save model.state_dict(), not the model",
        )
    return found


def _no_checkpoint(path: Path, begin: bytes) -> GbvisError:
    """Return the error for a file that neither a zip file nor a pickle begins like."""
    what = {b"": "it is empty", b"PK": "it is cut short"}.get(begin, "it is another kind of file")
    return WeightsError(
        f"{path} is no checkpoint: {what}",
        "expected a file that torch.save wrote, VMZ's Caffe2 pickle, or a .safetensors file",
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

    Nothing but tensors and plain containers is ever built from the file (`weights_only`). Other types that only hold
    data come out as `Inert`, which holds nothing.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(2)
        if zipfile.is_zipfile(path):
            _refuse_compressed(path)
        elif begin[:1] != b"\x80":
            raise _no_checkpoint(path, begin)
        with torch.serialization.safe_globals(HARMLESS), warnings.catch_warnings(action="ignore"):
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
    return WeightsError(
        f"{path} is no checkpoint that can be read safely: it asks for the Python object {match[1]}, "
        "which may run code",
        "expected a file that torch.save wrote, holding a state dict; if you trust it, load it where it was made "
        "and save its state_dict() alone",
    )
