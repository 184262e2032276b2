"""Transactions: a group is made in a staging folder, then published as a whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from gbvis.atomic_file import write_durably
from gbvis.store.array import StoredArray, checksum_of
from gbvis.store.group import StoredGroup, encode_attributes
from gbvis.store.storage import METADATA, Storage


class GroupWriter:
    """A group that is being made: its arrays chunk by chunk, and its attributes before the end.

    Attributes:
        attributes: What is kept with it beside the arrays.
        is_given_up: Set where it is not to be published after all.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._arrays: dict[str, StoredArray] = {}
        self._checksums: dict[str, list[str]] = {}
        self.attributes: dict[str, Any] = {}
        self.is_given_up = False

    def add_array(self, name: str, array: StoredArray) -> None:
        """Add an array without chunks: those come by `write`, or when the group is there."""
        (self._folder / name).mkdir()
        write_durably(self._folder / name / METADATA, array.encode_metadata())
        self._arrays[name] = array

    def write(self, name: str, values: Any) -> None:
        """Write the next chunk of an array."""
        array, checksums = self._arrays[name], self._checksums.setdefault(name, [])
        chunk = array.encode(values)
        write_durably(self._folder / name / array.chunk_name(len(checksums)), chunk)
        checksums.append(checksum_of(chunk))

    def finish(self) -> None:
        """Write the group's own metadata."""
        arrays = {name: asdict(replace(one, chunks=self._checksums.get(name))) for name, one in self._arrays.items()}
        write_durably(self._folder / METADATA, encode_attributes({**self.attributes, "arrays": arrays}))


@contextmanager
def transaction(storage: Storage, key: str, kept: type[StoredGroup] | None) -> Iterator[GroupWriter]:
    """Give a writer; what it writes is the group `key` once the context ends, but not after an error, or given up.

    Args:
        storage: The store's files.
        key: The group's place in the store.
        kept: The group's class, where a whole one that another process has put there meanwhile is to stay; None where
            this one replaces whatever is there.

    Raises:
        StoreError: The store cannot be written.
    """
    with storage.explaining_refusal(), storage.staging() as staged:
        writer = GroupWriter(staged)
        yield writer
        if not writer.is_given_up:
            writer.finish()
            storage.publish(staged, key, lambda: kept is not None and kept.find(storage, key) is not None)
