"""Caffe2 weights of VMZ (`.pkl`): a pickle of NumPy arrays by name, read by an unpickler that knows little else."""

import gc
import pickle
import pickletools
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from gbvis.errors import GbvisError, WeightsError
from gbvis.networks.weights import NamedTensors


def _make_empty_array(kind: object, shape: tuple[int, ...], code: object) -> NDArray[Any]:
    """Do what a pickled array begins with: an empty one, whose numbers follow in the file itself."""
    if kind is not _ARRAY or shape != (0,):
        raise pickle.UnpicklingError("an array that claims more than the file holds")
    return np.ndarray.__new__(np.ndarray, (0,), "b")


def _encode(text: str, encoding: str) -> bytes:
    """Do what Python 3 writes bytes with in old pickles."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in {encoding}")
    return text.encode("latin1")


_SCALAR = np.float64(0).__reduce__()[0]
"""NumPy's own maker of single numbers, wherever this release keeps it."""

_ARRAY = object()
"""Stands for `numpy.ndarray`, which a pickle names and must not call."""

_HARMLESS: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _make_empty_array,
    ("numpy.core.multiarray", "scalar"): _SCALAR,
    ("numpy", "ndarray"): _ARRAY,
    ("numpy", "dtype"): np.dtype,
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): _encode,
}
"""What a pickle of arrays asks for, and what it gets; none of it does more than hold data that is in the file."""


_MINIDB_HEAD = 8 + 256

_MOST_OPERATIONS = 500_000
"""Of a pickle; VMZ's of 152 layers takes a tenth of that."""


class _ForbiddenObject(Exception):
    """A pickle asked for something that is not data."""


class _ArrayUnpickler(pickle.Unpickler):
    """Knows arrays and plain containers.

    Attributes:
        has_arrays: Whether any array was met.
    """

    has_arrays = False

    def find_class(self, module: str, name: str) -> Any:
        found = _HARMLESS.get((module.replace("numpy._core", "numpy.core"), name))
        if found is None:
            raise _ForbiddenObject(f"{module}.{name}")
        self.has_arrays |= found is _ARRAY
        return found


def read_caffe2_pickle(path: Path) -> NamedTensors | None:
    """Return the tensors in a Caffe2 pickle, or None where the file is something else.

    Raises:
        WeightsError: It is a pickle of something else, or asks for more than arrays and plain containers; nothing of it
            has been run. Or it is a Caffe2 data base (`.mdl`), which only Caffe2 reads.
    """
    with path.open("rb") as file:
        if _is_minidb(file.read(_MINIDB_HEAD)):
            raise WeightsError(
                f"{path} is a Caffe2 data base (.mdl), which only Caffe2 can read",
                "where Caffe2 is installed, VMZ's `python c2/tools/minidb_to_pickle.py --load_model_path IN.mdl "
                "--save_model_path OUT.pkl` writes the pickle that gbvis reads",
            )
        file.seek(0)
        if file.read(1) != b"\x80":
            return None
        file.seek(0)
        tree = _unpickle(file, path)
    if tree is None or isinstance(tree, int):  # torch.save's old files begin with a magic number
        return None
    blobs = tree.get("blobs", tree) if isinstance(tree, Mapping) else {}
    is_named = isinstance(blobs, Mapping) and all(isinstance(name, str) for name in blobs)
    if not is_named or not any(isinstance(blob, np.ndarray) for blob in blobs.values()):
        raise WeightsError(
            f"no network in {path}: a pickle without named arrays",
            "expected VMZ's Caffe2 pickle, or a file that torch.save wrote",
        )
    tensors = {
        name: torch.from_numpy(np.array(blob)) if isinstance(blob, np.ndarray) and blob.dtype.kind in "fiu" else blob
        for name, blob in blobs.items()
    }
    return NamedTensors(path, tensors)


def _unpickle(file: BinaryIO, path: Path) -> Any:
    """Return what the pickle holds, or None where its bytes are broken and none of them is an array."""
    unpickler = _ArrayUnpickler(file, encoding="latin1")  # Python 2 wrote it
    try:
        _check_operations(file, path, unpickler)
        file.seek(0)
        with _without_garbage_collection():
            return unpickler.load()
    except _ForbiddenObject as error:
        raise WeightsError(
            f"{path} is no checkpoint that can be read safely: it asks for the Python object {error}, "
            "which may run code",
            "expected a pickle of NumPy arrays and plain containers, or a file that torch.save wrote",
        ) from error
    except GbvisError:
        raise
    except Exception as error:  # whatever broken bytes lead to
        if not unpickler.has_arrays:
            return None
        raise WeightsError(f"{path} is a broken pickle of arrays, or cut short", "copy or download it again") from error


def _check_operations(file: BinaryIO, path: Path, unpickler: _ArrayUnpickler) -> None:
    """Check that no operation of a pickle makes Python take memory that the file does not hold.

    What is remembered lies in a list as long as the highest place in it that is named: one operation of 5 bytes could
    have Python lay out 64 GB. `unpickler` is told of arrays, since broken bytes end here before it begins.

    Raises:
        WeightsError: There are more operations than networks have.
        UnpicklingError: A place lies behind all that there is to remember.
    """
    for number, (operation, argument, _) in enumerate(pickletools.genops(file)):
        if number > _MOST_OPERATIONS:
            raise WeightsError(
                f"no network in {path}: a pickle of more than {_MOST_OPERATIONS:,} operations",
                "expected VMZ's Caffe2 pickle, or a file that torch.save wrote",
            )
        unpickler.has_arrays |= argument in ("numpy ndarray", "ndarray")
        if operation.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > number:
            raise pickle.UnpicklingError(f"place {argument} of {number}")


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Many small objects at once, none of them garbage: looking for some would take most of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _is_minidb(head: bytes) -> bool:
    """Return whether a file's first bytes are a Caffe2 MiniDB's: two int32, the lengths of a key and a value; the key.

    caffe2/db/minidb.cc. A network's first key is `!!META_NET_DEF` or the name of a blob.
    """
    key_length, value_length = int.from_bytes(head[:4], "little"), int.from_bytes(head[4:8], "little")
    key = head[8 : 8 + key_length]
    is_name = 0 < key_length <= _MINIDB_HEAD - 8 and len(key) == key_length and key.isascii()
    return is_name and value_length > 0 and key.decode("ascii").isprintable()
