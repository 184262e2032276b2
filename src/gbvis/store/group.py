"""Groups: what their attributes say, arrays below them, and a checksum over every byte of both."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import msgspec
from numpy.typing import NDArray

from gbvis.errors import StoreError
from gbvis.provenance import digest_of
from gbvis.records import read_record
from gbvis.store.array import StoredArray, checksum_of
from gbvis.store.storage import GROUP, METADATA, Storage, encode_group

NONSENSE = (msgspec.ValidationError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError)
"""What reading a record into its class raises where the record makes no sense."""

_CHECKSUM = "checksum"
"""The attribute that is a digest of all others: those of chunks do not cover them."""


@dataclass(kw_only=True)
class StoredGroup:
    """A group of a store; its fields are its attributes, and reading them into it is the check of their form.

    Attributes:
        arrays: Its arrays by name.
        key: Its place below the store.
        storage: The store's files (`Storage`).
        size: Bytes of all its files, as `find_damage` last found them.
    """

    arrays: dict[str, StoredArray]
    key: str = field(init=False, default="")
    storage: Any = field(init=False, default=None, repr=False)
    size: int = field(init=False, default=0, repr=False, compare=False)

    @classmethod
    def read(cls, storage: Storage, key: str) -> Self | None:
        """Return the group at a key; None where there is none, or its attributes are not what they should be."""
        attributes = read_attributes(storage, key)
        return None if attributes is None else cls.of_attributes(storage, key, attributes)

    @classmethod
    def of_attributes(cls, storage: Storage, key: str, attributes: dict[str, Any]) -> Self | None:
        """Return the group at a key that has these attributes; None where they are not what they should be."""
        try:
            group = read_record(attributes, cls)
            if group.own_key != key:  # it was moved
                return None
        except NONSENSE:
            return None
        group.key, group.storage = key, storage
        return group

    @classmethod
    def find(cls, storage: Storage, key: str, is_thorough: bool = True) -> Self | None:
        """Return the group at a key; None where it is missing or damaged. Thoroughly, every byte of it is read."""
        group = cls.read(storage, key)
        return group if group and not group.find_damage(is_thorough) else None

    @property
    def own_key(self) -> str:
        """The key of a group with these attributes."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        """The group's absolute path or URL."""
        return str(self.storage.locate(self.key))

    def find_damage(self, is_thorough: bool) -> str | None:
        """Return what is wrong with the group's arrays, or None where nothing is.

        Args:
            is_thorough: Read every byte, and compare every checksum; else see only whether all chunks are there.
        """
        sizes = {file.key: file.size for file in self.storage.list_files(self.key)}
        self.size = sum(sizes.values())
        for name, array in self.arrays.items():
            folder = f"{self.key}/{name}"
            is_read = is_thorough and f"{folder}/{METADATA}" in sizes
            if f"{folder}/{METADATA}" not in sizes or (is_read and self.storage.read_json(folder) != array.metadata()):
                return f"the metadata of {name} is missing or broken"
            for number in range(len(array.chunks or ())):
                if not 0 < sizes.get(f"{folder}/{array.chunk_name(number)}", 0) <= array.largest_chunk:
                    return f"chunk {number} of {name} is missing, or is no chunk"
                if is_thorough and self.read_bytes(name, number) is None:
                    return f"the checksum of chunk {number} of {name} does not fit"
        return None

    def read_bytes(self, name: str, number: int) -> bytes | None:
        """Return a chunk of an array as it is stored, checked; None where it is missing or damaged."""
        array = self.arrays[name]
        try:
            content: bytes = self.storage.read(f"{self.key}/{name}/{array.chunk_name(number)}", array.largest_chunk)
        except OSError:  # removed this very moment, or no file
            return None
        return content if array.is_chunk(content, array.chunks[number] if array.chunks else None) else None

    def _read_chunk(self, name: str, number: int) -> NDArray[Any]:
        """Return one chunk of an array, without the first axis.

        Raises:
            GbvisError: It is missing, or a checksum does not fit.
        """
        with self._explaining_damage():
            array = self.arrays[name]
            chunk = self.storage.read(f"{self.key}/{name}/{array.chunk_name(number)}", array.largest_chunk)
            if array.chunks is not None and checksum_of(chunk) != array.chunks[number]:
                raise ValueError("a checksum does not fit")
            values: NDArray[Any] = array.decode(chunk)[0]
            return values

    @contextmanager
    def _explaining_damage(self) -> Iterator[None]:
        try:
            yield
        except (LookupError, OSError, ValueError) as error:
            why = "a checksum does not fit" if "checksum" in str(error) else "a part of it is missing or broken"
            raise StoreError(
                f"{self.key} in {self.storage.location} is damaged: {why}",
                "run the same `gbvis explain` again: it computes what is damaged once more",
            ) from error


def read_attributes(storage: Storage, key: str) -> dict[str, Any] | None:
    """Return the attributes of a group; None where there is none, or its metadata is not as it was written."""
    metadata = storage.read_group(key)
    attributes = metadata.pop("attributes", None)
    if metadata != GROUP or not isinstance(attributes, dict):
        return None
    checksum = attributes.pop(_CHECKSUM, None)
    try:
        return attributes if checksum == digest_of(attributes) else None
    except ValueError:  # NaN, which is not JSON and which we never write
        return None


def encode_attributes(attributes: dict[str, Any]) -> bytes:
    """Return the metadata of a group with these attributes and the checksum over them."""
    return encode_group({**attributes, _CHECKSUM: digest_of(attributes)})


def write_attributes(storage: Storage, key: str, attributes: dict[str, Any]) -> None:
    """Replace the attributes of a group, in one step.

    Raises:
        OSError: They cannot be written.
    """
    storage.replace(f"{key}/{METADATA}", encode_attributes(attributes))
