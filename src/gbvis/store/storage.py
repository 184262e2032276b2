"""Storage: what holds the files of a store. A folder of this machine (`local`), or what fsspec reaches (`remote`)."""

import errno
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from gbvis.errors import StoreError, StoreUnavailable

METADATA = "zarr.json"
"""The file that makes a folder a Zarr group or array."""

LARGEST_METADATA = 1 << 26
"""Bytes: that of a million clips. More is damage, or meant to fill the memory."""

GROUP = {"zarr_format": 3, "node_type": "group"}
"""What the metadata of every group says, beside its attributes (Zarr v3 core specification)."""

CONSOLIDATED = "consolidated_metadata"
"""What `zarr.consolidate_metadata` adds to a group's metadata: a copy of what lies below, which nobody here reads."""

WITH_STORE = "with --store"
"""How a user names a store, unless a command has another way."""

_IN_THE_WAY = {errno.ELOOP, errno.ENOTDIR, errno.EEXIST, errno.EISDIR}
_REFUSALS = {
    *(errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE),
}
"""No permission, or no room."""


_LEVEL = {**GROUP, "attributes": {}}
"""The metadata of a group that holds nothing but groups."""


class Unreachable(StoreUnavailable):
    """Raised when a store cannot be reached; says nothing about what it holds."""

    def __init__(self, location: str, why: str, given: str = WITH_STORE) -> None:
        super().__init__(
            f"cannot use the store {location}: {why}",
            f"check the place given {given}, the network and the credentials, then repeat the call: what was finished "
            "is kept",
        )


class StoredFile(NamedTuple):
    """A file of a store: its key and its size in bytes."""

    key: str
    size: int


class Storage(ABC):
    """The files of one store. Keys are relative, with `/` between their parts; `""` is the root.

    A group is there once its metadata is. `publish` and `remove` act on whole groups, `replace` on single files, each
    of which is always the old one or the new one.

    Attributes:
        location: Where it is, as the user named it.
        given: How the user names it, for hints: `with` and an option.
    """

    def __init__(self, location: str, given: str = WITH_STORE) -> None:
        self.location, self.given = location, given

    @abstractmethod
    def is_empty(self) -> bool:
        """Return whether nothing is there, and a store may be made."""

    @abstractmethod
    def locate(self, key: str) -> str:
        """Return the absolute path or URL of a key."""

    @abstractmethod
    def read(self, key: str, at_most: int = LARGEST_METADATA) -> bytes:
        """Return a file's content.

        Args:
            key: Its key.
            at_most: Bytes; what is larger is not read, where its size can be told without a request of its own.

        Raises:
            OSError: It is not there, is larger, or cannot be read.
            Unreachable: Whether it is there cannot be told; so with all that lists files, too.
        """

    @abstractmethod
    def replace(self, key: str, content: bytes, is_lasting: bool = True) -> None:
        """Write a file in one step. Its group must be there.

        Args:
            key: Its key.
            content: What it is to hold.
            is_lasting: Wait until it is on the disk. A power cut may take chunks that can be made again one by one.

        Raises:
            OSError: It cannot be written.
        """

    @abstractmethod
    def list_folders(self, key: str) -> list[str]:
        """Return the names of the folders directly below a key, sorted; none where there is no such key."""

    @abstractmethod
    def list_files(self, key: str) -> Iterator[StoredFile]:
        """Yield all files at any depth below a key; none where there is no such key."""

    @abstractmethod
    def staging(self) -> AbstractContextManager[Path]:
        """Give an empty folder of this machine to make a group in; what is left of it is removed at the end.

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
        """Remove a group, and the levels above it that hold nothing else.

        Raises:
            OSError: It cannot be removed.
        """

    @abstractmethod
    def list_unfinished(self) -> list[str]:
        """Return the keys of what killed processes left behind."""

    @abstractmethod
    def discard(self, key: str) -> None:
        """Remove one of those.

        Raises:
            OSError: It cannot be removed.
        """

    @abstractmethod
    def sweep(self) -> None:
        """Remove what killed processes left behind, where it can be told that nobody works on it any more."""

    def locking(self) -> AbstractContextManager[None]:
        """Keep others from changing what is known of weights while it is read and replaced, where there are locks.

        Raises:
            OSError: The store cannot be written.
        """
        return nullcontext()

    def ensure_levels(self, key: str) -> None:
        """Write the metadata of those groups above a key that have none, or another than they should.

        Raises:
            OSError: It cannot be written.
        """
        parts = key.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            self._ensure_level("/".join(parts[:depth]))

    def _ensure_level(self, level: str) -> None:
        if self.read_json(level) != _LEVEL:  # a copy of what lies below would be out of date now
            self.replace(f"{level}/{METADATA}", encode_group({}))

    def is_level(self, key: str) -> bool:
        """Return whether there is a group that holds nothing but groups."""
        return self.read_group(key) == _LEVEL

    def read_group(self, key: str) -> dict[str, Any]:
        """Return the metadata of a group, without what Zarr may have copied into it from below."""
        return {name: value for name, value in self.read_json(key).items() if name != CONSOLIDATED}

    def read_json(self, key: str) -> dict[str, Any]:
        """Return the metadata at a key; empty where there is none, or none that can be read."""
        try:
            metadata = json.loads(self.read(f"{key}/{METADATA}" if key else METADATA))
        except (OSError, ValueError, RecursionError):
            return {}
        return metadata if isinstance(metadata, dict) else {}

    @contextmanager
    def explaining_refusal(self) -> Iterator[None]:
        """Turn an OSError into what to tell where a store cannot be written."""
        try:
            yield
        except OSError as error:
            raise self.cannot_write(error) from error

    def cannot_write(self, error: OSError) -> StoreError:
        """Return what to tell where a store cannot be written; where it is full or closed, all else would fail too."""
        problem = f"cannot write to the store {self.location}: "
        if error.errno in _IN_THE_WAY:
            where = f"{error.filename}: " if error.filename else ""
            hint = (
                "a file or a link lies where the store keeps a folder: move it away, or choose another place "
                f"{self.given}"
            )
            return StoreError(f"{problem}{where}{error.strerror or error}", hint)
        hint = (
            f"free room, get permission or choose another place {self.given}, then repeat the call: what was finished "
            "is kept"
        )
        kind = StoreUnavailable if is_refusal(error) else StoreError
        return kind(f"{problem}{error.strerror or error}", hint)


def is_refusal(error: OSError) -> bool:
    """Return whether an error says that there is no room or no permission."""
    return isinstance(error, PermissionError) or error.errno in _REFUSALS  # S3's have no number


def encode_group(attributes: dict[str, Any]) -> bytes:
    """Return the metadata of a group with these attributes."""
    return json.dumps({**GROUP, "attributes": attributes}, indent=2).encode()
