"""Provenance: SHA-256 hashes of files, and short digests of recipes."""

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

DIGEST_LENGTH = 16
"""Hexadecimal digits of a digest in a store's key: 64 bits, enough to keep the runs of one video apart."""


Stamp = tuple[int, int]
"""A file's size in bytes and its time of change in nanoseconds."""

_SETTLED = 2_000_000_000
"""Nanoseconds; the coarsest file system in use (FAT) counts time in steps of two seconds."""


def hash_file(path: Path) -> str:
    """Return the SHA-256 of the file's content, hexadecimal.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_files(paths: Iterable[Path]) -> str:
    """Return the SHA-256 over the files' contents in their order, hexadecimal; their names do not count.

    Raises:
        OSError: One of them cannot be read.
    """
    return hashlib.sha256("".join(hash_file(path) for path in paths).encode()).hexdigest()


def stamp_file(path: Path) -> Stamp | None:
    """Return a file's stamp: while the stamp is the same, so is the hash.

    None where the file is so new that a further change could leave both as they are (file systems count time coarsely).

    Raises:
        OSError: It is not there.
    """
    status = path.stat()
    is_settled = time.time_ns() - status.st_mtime_ns > _SETTLED
    return (status.st_size, status.st_mtime_ns) if is_settled else None


def digest_of(recipe: Mapping[str, Any]) -> str:
    """Return a short digest of plain data: the same for equal data, whatever the order of its keys."""
    canonical = json.dumps(recipe, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:DIGEST_LENGTH]
