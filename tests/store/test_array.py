"""What a store writes without Zarr is what Zarr would have written; and chunks that somebody else has made."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec

from gbvis.store.array import StoredArray, _compute_checksum, checksum_of
from gbvis.store.storage import METADATA

ARRAYS = {
    "gradient": StoredArray((3, 3, 5, 7, 9), "float32", ("clip", "channel", "time", "y", "x")),
    "grid": StoredArray((2, 2, 7, 7), "float32", ("clip", "time", "y", "x")),
    "value": StoredArray((3,), "float32", ("clip",), chunk_length=3),
    "pixels": StoredArray((2, 5, 7, 7, 3), "uint8", ("clip", "time", "y", "x", "channel")),
    "pixels of motion": StoredArray((1, 5, 67, 67, 2), "float32", ("clip", "time", "y", "x", "channel")),
    "motion": StoredArray((4, 61, 83, 2), "uint8", ("pair", "y", "x", "channel")),
    "motion in pixels": StoredArray((1, 61, 83, 2), "float32", ("pair", "y", "x", "channel")),
}
"""Every kind there is; their sizes divide by nothing that Blosc or a processor likes."""


def make_values(array: StoredArray, seed: int = 0) -> np.ndarray:
    """Return what would fill an array: noise, and zeros in between, as gradients have them."""
    values = np.random.default_rng(seed).standard_normal(array.shape)
    values[np.random.default_rng(seed + 1).random(array.shape) < 0.3] = 0
    return (values if array.dtype == "float32" else values * 40 + 128).astype(array.dtype)


def write(folder: Path, array: StoredArray, values: np.ndarray) -> None:
    """Write an array as a group's writer does."""
    folder.mkdir()
    (folder / METADATA).write_bytes(array.encode_metadata())
    for number in range(array.chunk_count):
        start = number * array.chunk_length
        (folder / array.chunk_name(number)).write_bytes(array.encode(values[start : start + array.chunk_length]))


@pytest.mark.parametrize("name", ARRAYS)
def test_zarr_would_have_written_the_same(tmp_path: Path, name: str) -> None:
    """Files, metadata and every byte of the chunks; a chunk of zeros is written too."""
    array = ARRAYS[name]
    values = make_values(array)
    values[-1] = 0
    write(tmp_path / "ours", array, values)
    theirs = zarr.create_array(
        tmp_path / "theirs",
        shape=array.shape,
        chunks=(array.chunk_length, *array.shape[1:]),
        dtype=array.dtype,
        dimension_names=array.axes,
        chunk_key_encoding={"name": "default", "separator": "."},
        compressors=[
            BloscCodec(cname="zstd", clevel=1, shuffle="shuffle", typesize=np.dtype(array.dtype).itemsize),
            Crc32cCodec(),
        ],
        fill_value=0,
        config={"write_empty_chunks": True},
    )
    theirs[:] = values
    ours, other = ({path.name: path.read_bytes() for path in (tmp_path / who).iterdir()} for who in ("ours", "theirs"))
    assert json.loads(ours.pop(METADATA)) == json.loads(other.pop(METADATA))
    assert ours == other and len(ours) == array.chunk_count


@pytest.mark.parametrize("name", ARRAYS)
def test_zarr_and_xarray_read_it(tmp_path: Path, name: str) -> None:
    array, values = ARRAYS[name], make_values(ARRAYS[name])
    zarr.create_group(tmp_path / "group")
    write(tmp_path / "group/array", array, values)
    opened = zarr.open_array(tmp_path / "group/array", mode="r")
    np.testing.assert_array_equal(opened[:], values)
    assert opened.dtype == array.dtype and opened.chunks == (array.chunk_length, *array.shape[1:])
    xarray = pytest.importorskip("xarray")
    with xarray.open_zarr(tmp_path / "group", consolidated=False) as dataset:
        assert dataset["array"].dims == array.axes and dataset["array"].dtype == array.dtype
        np.testing.assert_array_equal(dataset["array"], values)


@pytest.mark.parametrize("name", ARRAYS)
def test_what_was_encoded_comes_back(name: str) -> None:
    array, values = ARRAYS[name], make_values(ARRAYS[name])
    for number in range(array.chunk_count):
        part = values[number * array.chunk_length : (number + 1) * array.chunk_length]
        chunk = array.encode(part)
        assert array.is_chunk(chunk, checksum_of(chunk)) and len(chunk) <= array.largest_chunk
        decoded = array.decode(chunk)
        assert decoded.dtype == array.dtype
        np.testing.assert_array_equal(decoded, part)


def test_what_cannot_be_made_smaller_is_no_larger_than_it_may_be() -> None:
    array = ARRAYS["motion"]
    noise = np.random.default_rng(0).integers(0, 256, array.shape[1:], np.uint8)
    assert len(array.encode(noise)) <= array.largest_chunk


IMPOSSIBLE: list[dict[str, object]] = [
    {"shape": (0, 3)}, {"shape": (-1, 3)}, {"shape": ()}, {"shape": (2, 3, 4)}, {"shape": (2, 2**29)},
    {"axes": ("clip", "clip")}, {"dtype": "object"}, {"dtype": "float16"}, {"chunk_length": 0}, {"chunk_length": -2},
    {"chunk_length": 3}, {"chunks": ["0"]}, {"chunks": ["0"] * 3},
]  # fmt: skip


def test_arrays_that_cannot_be() -> None:
    whole: dict[str, object] = {"shape": (2, 3), "dtype": "float32", "axes": ("clip", "x"), "chunks": ["0", "1"]}
    StoredArray(**whole)  # type: ignore[arg-type]
    for changes in IMPOSSIBLE:
        with pytest.raises((TypeError, ValueError)):
            StoredArray(**(whole | changes))  # type: ignore[arg-type]


SIZES_AT = {"values": 4, "block": 8, "whole": 12}
"""Where Blosc's header has them: https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst."""


def forge(content: bytes) -> bytes:
    """Return a chunk of this content whose checksum fits."""
    return content + _compute_checksum(content)


@pytest.mark.parametrize("size", SIZES_AT)
def test_a_header_that_claims_another_size(size: str) -> None:
    """Blosc believes it, and would read or write beyond the end."""
    array = ARRAYS["pixels"]
    whole = array.encode(make_values(array)[0])[:-4]
    for value in (0, 1, 15, 2**31 - 1, 2**31, 2**32 - 1):
        content = whole[: SIZES_AT[size]] + value.to_bytes(4, "little") + whole[SIZES_AT[size] + 4 :]
        with pytest.raises(ValueError, match="blosc" if size == "block" else "or a size"):
            array.decode(forge(content))


_DECODE = """
import resource, sys
import numcodecs.blosc
from gbvis.store.array import StoredArray
array = StoredArray((1, 400_000_000), "float32", ("clip", "x"))
resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30))
try:
    array.decode(sys.stdin.buffer.read())
except ValueError as error:
    print(error)
"""


def test_a_chunk_that_claims_more_than_it_has() -> None:
    """Not compressed, says its header, and as large as the record says: 1.6 GB, of which there are 100 bytes."""
    size = 4 * 400_000_000
    header = bytes([2, 1, 0x02, 4]) + b"".join(one.to_bytes(4, "little") for one in (size, 1 << 20, size + 16))
    words = [sys.executable, "-c", _DECODE]
    done = subprocess.run(words, input=forge(header + bytes(100)), capture_output=True, timeout=60)
    assert done.returncode == 0 and done.stdout == b"a checksum does not fit, or a size\n", done


def test_bytes_that_are_no_chunk() -> None:
    array = ARRAYS["gradient"]
    whole = array.encode(make_values(array)[0])
    for content in (b"", b"x", bytes(4), whole[:-1], whole[:10], whole[1:], whole[:-4] + bytes(4)):
        assert not array.is_chunk(content)
        with pytest.raises(ValueError):
            array.decode(content)
    noise = np.random.default_rng(0)
    for _ in range(300):  # with the right checksum
        content = bytearray(whole[:-4])
        content[noise.integers(16, len(content))] ^= 1 << int(noise.integers(8))
        with suppress(ValueError):
            assert array.decode(forge(bytes(content))).shape == (1, *array.shape[1:])
