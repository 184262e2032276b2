"""Caffe2 weights of VMZ (`.pkl`): a pickle of NumPy arrays by name, read by an unpickler that knows little else."""

import pickle
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gbvis.errors import GbvisError
from gbvis.family import Family
from gbvis.state_dict import StateDict

_HARMLESS = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("collections", "OrderedDict"),
    ("_codecs", "encode"),
}
"""What a pickle of arrays asks for; none of it does more than hold data."""


_MINIDB_HEAD = 8 + 256


class _ForbiddenObject(Exception):
    """A pickle asked for something that is not data."""


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _HARMLESS:
            raise _ForbiddenObject(f"{module}.{name}")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def read_blobs(path: Path) -> Mapping[str, Any] | None:
    """Return the blobs of a Caffe2 pickle by name, or None where the file is something else.

    Raises:
        GbvisError: It is a pickle that asks for more than arrays and plain containers; nothing of it has been run. Or
            it is a Caffe2 data base (`.mdl`), which only Caffe2 reads (exit code 2).
    """
    with path.open("rb") as file:
        if is_minidb(file.read(_MINIDB_HEAD)):
            raise GbvisError(
                f"{path} is a Caffe2 data base (.mdl), which only Caffe2 can read",
                "where Caffe2 is installed, VMZ's `python c2/tools/minidb_to_pickle.py --load_model_path IN.mdl "
                "--save_model_path OUT.pkl` writes the pickle that gbvis reads",
                exit_code=2,
            )
        file.seek(0)
        if file.read(1) != b"\x80":
            return None
        file.seek(0)
        try:
            tree = _ArrayUnpickler(file, encoding="latin1").load()  # Python 2 wrote it
        except _ForbiddenObject as error:
            raise GbvisError(
                f"{path} is no checkpoint that can be read safely: it asks for the Python object {error}, "
                "which may run code",
                "expected a pickle of NumPy arrays and plain containers, or a file that torch.save wrote",
                exit_code=2,
            ) from error
        except Exception:  # whatever broken bytes lead to: torch's reader has the next look at them
            return None
    blobs = tree.get("blobs", tree) if isinstance(tree, Mapping) else None
    if not isinstance(blobs, Mapping) or not all(isinstance(name, str) for name in blobs):
        return None
    return blobs if any(isinstance(blob, np.ndarray) for blob in blobs.values()) else None


def is_minidb(head: bytes) -> bool:
    """Return whether a file's first bytes are a Caffe2 MiniDB's: two int32, the lengths of a key and a value; the key.

    caffe2/db/minidb.cc. A network's first key is `!!META_NET_DEF` or the name of a blob.
    """
    key_length, value_length = int.from_bytes(head[:4], "little"), int.from_bytes(head[4:8], "little")
    key = head[8 : 8 + key_length]
    is_name = 0 < key_length <= _MINIDB_HEAD - 8 and len(key) == key_length and key.isascii()
    return is_name and value_length > 0 and key.decode("ascii").isprintable()


def make_state_dict(path: Path, blobs: Mapping[str, Any], family: Family) -> StateDict:
    """Return the blobs as a state dict with a family that knows where this file's stages begin.

    Caffe2 counts blocks through all stages; a stage but the first begins where there is a shortcut.

    Args:
        path: The file.
        blobs: As `read_blobs` returns them.
        family: VMZ's Caffe2 family.
    """
    shortcuts = (re.match(r"shortcut_projection_(\d+)_", name) for name in blobs)
    starts = [0, *sorted({int(match[1]) for match in shortcuts if match})]
    heads = [match[1] for name in blobs if (match := re.fullmatch(r"(last_out_L\d+)_[wb]", name))]

    def block_name(stage: int, block: int) -> str:
        index = starts[stage] + block if stage < len(starts) else -1
        return str(index) if bisect_right(starts, index) == stage + 1 else "that is not there"

    names = {**family.names, "classifier": heads[0] if heads else family.names["classifier"]}
    tensors = {
        name: torch.from_numpy(np.array(blob)) if isinstance(blob, np.ndarray) and blob.dtype.kind in "fiu" else blob
        for name, blob in blobs.items()
    }
    return StateDict(path, tensors, None, family=replace(family, names=names, block_name=block_name))
