"""Where a store lies: files below a root, by their keys. A folder of this machine, or anything fsspec reaches."""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from gbvis.errors import GbvisError

METADATA = "zarr.json"
"""The file that makes a folder a Zarr group or array."""

GROUP = {"zarr_format": 3, "node_type": "group"}
"""What the metadata of every group says, beside its attributes (Zarr v3 core specification)."""

_IS_URL = re.compile(r"[a-z][a-z0-9+.-]*(://|::)", re.IGNORECASE)


class Unreachable(GbvisError):
    """A place that does not answer, or lets nobody in: that does not say that what lies there is missing or damaged."""

    def __init__(self, location: str, why: str) -> None:
        super().__init__(
            f"cannot use the store {location}: {why}",
            "check the place given with --store, the network and the credentials, then repeat the call: what was "
            "finished is kept",
            ends_call=True,
        )


class StoredFile(NamedTuple):
    """A file of a store: its key and its size in bytes."""

    key: str
    size: int


class Storage(ABC):
    """The files of one store. Keys are relative, with `/` between their parts; `""` is the root.

    A group is there once its metadata is. `publish` and `remove` act on whole groups, `replace` on single files, each
    of which is always the old one or the new one.
    """

    def __init__(self, location: str) -> None:
        """Name the place, as the user did."""
        self.location = location

    @abstractmethod
    def is_empty(self) -> bool:
        """Return whether nothing is there, and a store may be made."""

    @abstractmethod
    def locate(self, key: str) -> str:
        """Return the absolute path or URL of a key."""

    @abstractmethod
    def read(self, key: str) -> bytes:
        """Return a file's content.

        Raises:
            OSError: It is not there, or cannot be read.
            Unreachable: Whether it is there cannot be told; so with all that lists files, too.
        """

    @abstractmethod
    def replace(self, key: str, content: bytes, is_lasting: bool = True) -> None:
        """Write a file, in one step; where folders are, its own must be there: of a group, `publish` makes it.

        Args:
            key: Its key.
            content: What it is to hold.
            is_lasting: Wait until it is on the disk. Of chunks that carry a checksum, and can be made again one by one,
                a power cut may take the last.

        Raises:
            OSError: It cannot be written.
        """

    @abstractmethod
    def list_folders(self, key: str) -> list[str]:
        """Return the names of the folders directly below a key, sorted; none where there is no such key."""

    def list_strays(self, key: str) -> list[str]:
        """Return the names of what lies directly below a level, hides a group's name and is no folder; sorted."""
        return []

    @abstractmethod
    def list_files(self, key: str) -> Iterator[StoredFile]:
        """Yield all files at any depth below a key; none where there is no such key."""

    @abstractmethod
    def staging(self) -> AbstractContextManager[Path]:
        """Give an empty folder of this machine to make a group in; what is left of it is taken away at the end.

        Raises:
            OSError: It cannot be made.
        """

    @abstractmethod
    def publish(self, staged: Path, key: str, is_kept: Callable[[], bool]) -> None:
        """Make the files of a staged folder the group `key`; what may be there is replaced, unless `is_kept()`.

        Raises:
            OSError: They cannot be brought there.
        """

    @abstractmethod
    def remove(self, key: str) -> None:
        """Take a group away, and the levels above it that hold nothing else.

        Raises:
            OSError: It cannot be removed.
        """

    @abstractmethod
    def list_unfinished(self) -> list[str]:
        """Return the keys of what processes left behind that were killed."""

    @abstractmethod
    def discard(self, key: str) -> None:
        """Take away one of those.

        Raises:
            OSError: It cannot be removed.
        """

    @abstractmethod
    def sweep(self) -> None:
        """Take away what killed processes left behind, where it can be told that nobody works on it any more."""

    def ensure_levels(self, key: str) -> None:
        """Write the metadata of those groups above a key that have none, or another than they should.

        Raises:
            OSError: It cannot be written.
        """
        parts = key.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            level = "/".join(parts[:depth])
            if not self.is_level(level):
                self.replace(f"{level}/{METADATA}", encode_group({}))

    def is_level(self, key: str) -> bool:
        """Return whether there is a group that holds nothing but groups."""
        return self.read_json(key) == {**GROUP, "attributes": {}}

    def read_json(self, key: str) -> dict[str, Any]:
        """Return the metadata at a key; empty where there is none, or none that can be read."""
        try:
            metadata = json.loads(self.read(f"{key}/{METADATA}" if key else METADATA))
        except (OSError, ValueError, RecursionError):
            return {}
        return metadata if isinstance(metadata, dict) else {}


def encode_group(attributes: dict[str, Any]) -> bytes:
    """Return the metadata of a group with these attributes."""
    return json.dumps({**GROUP, "attributes": attributes}, indent=2).encode()


def encode_array(metadata: dict[str, Any]) -> bytes:
    """Return an array's metadata as its file holds it."""
    return json.dumps(metadata, indent=2).encode()


def open_storage(location: str | Path) -> Storage:
    """Return the place that a path or an fsspec URL means; nothing is made there yet.

    Raises:
        GbvisError: The URL's protocol is not known, or its library is not installed (exit code 2).
    """
    text = str(location)
    if isinstance(location, str) and _IS_URL.match(text) and not text.startswith(("file://", "local://")):
        from gbvis.store.remote import RemoteStorage

        return RemoteStorage(text)
    from gbvis.store.local import LocalStorage

    return LocalStorage(Path(text.removeprefix("file://").removeprefix("local://")))
