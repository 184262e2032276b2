"""Prepared networks, kept in the user's cache folder: the next process maps them into memory, and prepares nothing.

A file holds a network's fused form and its info. Its name is `KEY-CHECKSUM.pt`, so that one rename puts both content
and checksum in place. The folder is the user's own and not the store: others may write a store.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import google_crc32c

from gbvis.atomic_file import create_file
from gbvis.networks.info import MADE_BY, WeightsInfo
from gbvis.networks.kind import KINDS
from gbvis.provenance import digest_of

if TYPE_CHECKING:  # a list of the files loads no torch
    from torch import nn

    from gbvis.networks.network import Network

LARGEST = 4_000_000_000
"""Bytes of all files together; the least recently used ones are removed first."""

_CHUNK = 1 << 20
"""Bytes that are read at once."""

_ABANDONED = 3600
"""Seconds after which an unfinished file belongs to no living process."""

_THREAD = "keep a prepared network"

_UNUSABLE = (OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError)
"""What torch and the kinds raise where a file cannot be read or written, or is not what it should be."""


@dataclass(frozen=True)
class KeptFile:
    """A file of the folder.

    Attributes:
        path: Where it is.
        size: Bytes.
        used: When it was last used, in seconds since 1970.
    """

    path: Path
    size: int
    used: float


def find_folder() -> Path | None:
    """Return the user's folder of prepared networks, which need not be there; None where the user has no home."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(given) if Path(given).is_absolute() else Path.home() / ".cache") / "gbvis/networks"
    except RuntimeError:
        return None


def make_key(info: WeightsInfo, reading: str | None, dtype: str, numbers_version: int) -> str | None:
    """Return what a prepared network is found by; None where its kind is unknown or has no form to keep.

    Args:
        info: What is known of the network.
        reading: How its file is read; see `WeightsRequest.reading`.
        dtype: What convolutions are computed in, as torch calls it.
        numbers_version: Of our arithmetic.
    """
    kind = KINDS.load(info.kind) if info.kind in KINDS.all_names() else None
    if kind is None or not kind.fused_version:
        return None
    return digest_of(
        {
            "file": [info.sha256, reading, info.modality],
            "kind": [kind.name, kind.fused_version],
            "runs": ["cpu", dtype],
            "gbvis": [MADE_BY, numbers_version],
        }
    )


def open_network(key: str, say: Callable[[str], None]) -> "tuple[WeightsInfo, nn.Module] | None":
    """Return a prepared network and its info, mapped into memory; None where there is none.

    Args:
        key: As `make_key` returns it.
        say: Told of a file that is damaged, which is removed.
    """
    for one in _list(f"{key}-*.pt"):
        with suppress(OSError):
            if one.path.stem == f"{key}-{_checksum(one.path)}":
                with suppress(*_UNUSABLE):
                    return _read(one.path)
            say(f"the prepared network {one.path} is damaged, and is made again")
            one.path.unlink()
    return None


def _read(path: Path) -> "tuple[WeightsInfo, nn.Module]":
    import torch

    held = torch.load(str(path), mmap=True, weights_only=True)
    info = WeightsInfo.from_json(json.loads(held["info"]))
    module = KINDS.load(info.kind).restore(held["details"], held["tensors"])
    with suppress(OSError):  # what is used last is removed last
        os.utime(path)
    return info, module


def keep_network(key: str, network: "Network", info: WeightsInfo) -> None:
    """Write a prepared network, on a thread beside the computation; where it cannot be written, nothing happens.

    Args:
        key: As `make_key` returns it.
        network: On the CPU.
        info: What the weights file itself says of it.
    """
    import torch  # here: a list of the files needs none

    folder = find_folder()
    is_float32 = next(network.module.parameters()).dtype == torch.float32
    if folder is None or not is_float32 or any(_list(f"{key}-*.pt")):
        return
    details, tensors = network.kind.describe_fused(network.fused), network.fused.state_dict()
    held = {"info": json.dumps(info.to_json()), "details": details, "tensors": tensors}
    Thread(target=_write, args=(folder, key, held), name=_THREAD).start()


def _write(folder: Path, key: str, held: dict[str, Any]) -> None:
    import torch

    def save(partial: Path) -> None:
        with partial.open("wb") as file:  # given a path, torch writes its name into the file
            torch.save(held, file)

    with suppress(*_UNUSABLE):
        folder.mkdir(parents=True, exist_ok=True)
        create_file(save, lambda partial: f"{key}-{_checksum(partial)}.pt", folder)
        _trim(folder)


def list_networks() -> list[KeptFile]:
    """Return the prepared networks of the user, the last one used first."""
    return list(_list("*.pt"))


def _list(pattern: str) -> Iterator[KeptFile]:
    folder = find_folder()
    found: list[KeptFile] = []
    for path in folder.glob(pattern) if folder else ():
        with suppress(OSError):  # another process has removed it
            status = path.stat()
            found.append(KeptFile(path, status.st_size, status.st_mtime))
    yield from sorted(found, key=lambda one: one.used, reverse=True)


def _trim(folder: Path) -> None:
    """Remove the least recently used files where there is too much, and what killed processes left behind.

    A process that has a removed file mapped keeps its content.
    """
    total = 0
    for one in list_networks():
        total += one.size
        if total > LARGEST:
            one.path.unlink(missing_ok=True)
    for path in folder.glob(".*.partial"):
        if time.time() - path.stat().st_mtime > _ABANDONED:
            path.unlink(missing_ok=True)


def _checksum(path: Path) -> str:
    """Return the CRC-32C of a file, hexadecimal.

    Raises:
        OSError: It cannot be read.
    """
    checksum = 0
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            checksum = google_crc32c.extend(checksum, chunk)
    return f"{checksum:08x}"
