"""Arrays of a store: their metadata, and chunks to bytes and back. The only file that imports Zarr."""

import json
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gbvis.provenance import digest_of
from gbvis.store.storage import METADATA

if TYPE_CHECKING:
    import zarr

CHECKSUM_BYTES = 4
"""A chunk ends with the CRC-32C of what stands before it (Zarr's `crc32c` codec), least significant byte first."""


class ArrayFormat:
    """What an array is like, as its metadata says it; chunks divide the first axis alone.

    Attributes:
        metadata: As in the array's `zarr.json`.
    """

    def __init__(self, metadata: dict[str, Any]) -> None:
        self.metadata = metadata
        self._chunks: dict[str, Any] = {}
        self._opened: zarr.Array[Any] | None = None
        self._one_at_a_time = threading.Lock()

    @classmethod
    def create(
        cls, shape: tuple[int, ...], dtype: str, axes: tuple[str, ...], is_one_chunk: bool = False
    ) -> "ArrayFormat":
        """Return the format of a new array: a chunk for each number of the first axis, compressed and checksummed.

        All chunks of an array lie in one folder: Zarr's default makes a folder for each axis of each chunk.

        Args:
            shape: The array's.
            dtype: Of its values.
            axes: Their names.
            is_one_chunk: Do not divide it at all.
        """
        import zarr
        from zarr.codecs import BloscCodec, Crc32cCodec

        made: dict[str, Any] = {}
        item = np.dtype(dtype).itemsize
        zarr.create_array(
            zarr.storage.MemoryStore(made),
            shape=shape,
            chunks=shape if is_one_chunk else (1, *shape[1:]),
            dtype=dtype,
            dimension_names=list(axes),
            chunk_key_encoding={"name": "default", "separator": "."},
            compressors=[BloscCodec(cname="zstd", clevel=1, shuffle="shuffle", typesize=item), Crc32cCodec()],
        )
        return cls(json.loads(made[METADATA].to_bytes()))

    @property
    def digest(self) -> str:
        """A digest of the metadata, which chunks' checksums do not cover."""
        return digest_of(self.metadata)

    @property
    def chunk_count(self) -> int:
        """The number of chunks."""
        return int(-(-self.metadata["shape"][0] // self._chunk_shape[0]))

    def chunk_name(self, place: int) -> str:
        """Return the file of a chunk, below the array's folder."""
        return ".".join(["c", str(place), *["0"] * (len(self.metadata["shape"]) - 1)])

    def encode(self, place: int, values: Any) -> bytes:
        """Return a chunk's bytes; their last four are its checksum."""
        with self._one_at_a_time:
            self._array[self._slice(place)] = np.asarray(values).reshape(self._chunk_shape)
            return bytes(self._chunks.pop(self.chunk_name(place)).to_bytes())

    def decode(self, place: int, content: bytes) -> NDArray[Any]:
        """Return the values of a chunk, with the first axis.

        Raises:
            ValueError: The checksum does not fit, or the bytes are no such chunk.
        """
        from zarr.core.buffer import default_buffer_prototype

        name = self.chunk_name(place)
        with self._one_at_a_time:
            self._chunks[name] = default_buffer_prototype().buffer.from_bytes(content)
            try:
                return np.asarray(self._array[self._slice(place)])
            except RuntimeError as error:  # what Blosc says of bytes that it did not make
                raise ValueError(str(error)) from error
            finally:
                del self._chunks[name]

    def _slice(self, place: int) -> slice:
        length = self._chunk_shape[0]
        return slice(place * length, (place + 1) * length)

    @property
    def _chunk_shape(self) -> list[int]:
        shape: list[int] = self.metadata["chunk_grid"]["configuration"]["chunk_shape"]
        return shape

    @property
    def _array(self) -> "zarr.Array[Any]":
        """Zarr's array over the chunks in memory; zeros are written too, so that a missing chunk is an error."""
        if self._opened is None:
            import zarr
            from zarr.core.buffer import default_buffer_prototype

            content = json.dumps(self.metadata).encode()
            self._chunks[METADATA] = default_buffer_prototype().buffer.from_bytes(content)
            memory = zarr.storage.MemoryStore(self._chunks)
            opened = zarr.open_array(memory, mode="r+", zarr_format=3)
            self._opened = opened.with_config({"write_empty_chunks": True})
        return self._opened


def checksum_of(chunk: bytes) -> str:
    """Return the checksum that a chunk carries, hexadecimal."""
    return chunk[-CHECKSUM_BYTES:].hex()


def is_intact(chunk: bytes, checksum: str | None) -> bool:
    """Return whether a chunk's bytes fit the checksum that they carry, and that is the one expected, where given."""
    import google_crc32c

    computed: int = google_crc32c.value(chunk[:-CHECKSUM_BYTES])
    carried = checksum_of(chunk)
    return computed.to_bytes(CHECKSUM_BYTES, "little").hex() == carried and checksum in (None, carried)
