"""Arrays of a store: chunks as bytes with a checksum at their end, and the metadata that makes them Zarr arrays.

Zarr version 3 is the format; its codecs are called without Zarr itself, which takes a quarter of a second to import. A
chunk is the same bytes in a folder and in a bucket, and is checked before anything decodes it.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHECKSUM_BYTES = 4
"""A chunk ends with the CRC-32C of what stands before it (Zarr's `crc32c` codec), least significant byte first."""

_BLOSC_HEADER = 16
"""Bytes; in it the size of the values stands at 4, and that of the whole at 12."""

_LARGEST = 2**31 - 1 - _BLOSC_HEADER
"""Bytes of a chunk's values: Blosc counts them in 32 bits with a sign."""

_BLOSC = {"cname": "zstd", "clevel": 1, "blocksize": 0}
"""Shuffled zstd at its quickest: `benchmarks/store_codecs.py`."""


@dataclass(frozen=True)
class StoredArray:
    """An array, as its group's attributes have it; chunks divide the first axis alone.

    Attributes:
        shape: Of all of it.
        dtype: `uint8`, `float32` or `float64`.
        axes: Their names.
        chunk_length: How much of the first axis a chunk holds.
        chunks: The checksum of every chunk, hexadecimal; None where chunks are added later, each with its own alone.
    """

    shape: tuple[int, ...]
    dtype: str
    axes: tuple[str, ...]
    chunk_length: int = 1
    chunks: list[str] | None = None

    def __post_init__(self) -> None:
        if not (min(self.shape) > 0 and 1 <= self.chunk_length <= self.shape[0]):
            raise ValueError("an array of no size")
        if not len({*self.axes}) == len(self.axes) == len(self.shape):
            raise ValueError("an array with other axes than it has names for")
        if self.dtype not in ("uint8", "float32", "float64") or self._chunk_size > _LARGEST:
            raise ValueError("an array of a type that is none of ours, or of chunks that Blosc cannot make")
        if self.chunks and len(self.chunks) != self.chunk_count:
            raise ValueError("an array with more chunks than checksums")

    @property
    def chunk_count(self) -> int:
        """The number of chunks."""
        return -(-self.shape[0] // self.chunk_length)

    @property
    def largest_chunk(self) -> int:
        """The most bytes that a chunk has: Blosc adds a header to what does not become smaller."""
        return self._chunk_size + _BLOSC_HEADER + _CHECKSUM_BYTES

    @cached_property
    def _chunk_size(self) -> int:
        return prod(self._chunk_shape) * np.dtype(self.dtype).itemsize

    @property
    def _chunk_shape(self) -> tuple[int, ...]:
        return (self.chunk_length, *self.shape[1:])

    def chunk_name(self, number: int) -> str:
        """Return the file of a chunk, below the array's folder, where all of them lie."""
        return ".".join(["c", str(number), *["0"] * (len(self.shape) - 1)])

    def metadata(self) -> dict[str, Any]:
        """Return what the array's `zarr.json` says (Zarr v3 core specification)."""
        size = np.dtype(self.dtype).itemsize
        endian = {"configuration": {"endian": "little"}} if size > 1 else {}
        return {
            "zarr_format": 3,
            "node_type": "array",
            "shape": list(self.shape),
            "data_type": self.dtype,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(self._chunk_shape)}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
            "fill_value": 0,
            "codecs": [
                {"name": "bytes", **endian},
                {"name": "blosc", "configuration": {"typesize": size, "shuffle": "shuffle", **_BLOSC}},
                {"name": "crc32c"},
            ],
            "attributes": {},
            "dimension_names": list(self.axes),
            "storage_transformers": [],
        }

    def encode_metadata(self) -> bytes:
        """Return the content of the array's `zarr.json`."""
        return json.dumps(self.metadata(), indent=2).encode()

    def encode(self, values: Any) -> bytes:
        """Return the bytes of a chunk with these values; the last four are its checksum."""
        from numcodecs.blosc import SHUFFLE, Blosc

        chunk = np.ascontiguousarray(values, np.dtype(self.dtype).newbyteorder("<")).reshape(self._chunk_shape)
        content = bytes(Blosc(shuffle=SHUFFLE, **_BLOSC).encode(chunk))
        return content + _compute_checksum(content)

    def is_chunk(self, content: bytes, checksum: str | None = None) -> bool:
        """Return whether bytes fit the checksum that they carry, the one expected where given, and the array's size.

        Blosc believes its header, and would read or write beyond the end.
        """
        carried, sizes = content[-_CHECKSUM_BYTES:], (self._chunk_size, len(content) - _CHECKSUM_BYTES)
        has_sizes = sizes == tuple(int.from_bytes(content[at : at + 4], "little") for at in (4, 12))
        is_intact = has_sizes and _compute_checksum(content[:-_CHECKSUM_BYTES]) == carried
        return is_intact and checksum in (None, carried.hex())

    def decode(self, content: bytes) -> NDArray[Any]:
        """Return the values of a chunk, with the first axis.

        Raises:
            ValueError: The checksum does not fit, or the bytes are no such chunk.
        """
        from numcodecs.blosc import decompress

        if not self.is_chunk(content):
            raise ValueError("a checksum does not fit, or a size")
        dtype = np.dtype(self.dtype).newbyteorder("<")
        try:
            values = np.frombuffer(decompress(content[:-_CHECKSUM_BYTES]), dtype)
        except RuntimeError as error:  # what Blosc says of bytes that it did not make
            raise ValueError(str(error)) from error
        return values.reshape(self._chunk_shape).astype(self.dtype, copy=False)


def checksum_of(chunk: bytes) -> str:
    """Return the checksum that a chunk carries, hexadecimal."""
    return chunk[-_CHECKSUM_BYTES:].hex()


def _compute_checksum(content: bytes) -> bytes:
    import google_crc32c

    value: int = google_crc32c.value(content)
    return value.to_bytes(_CHECKSUM_BYTES, "little")
