"""Zarr's metadata as the JSON it is (Zarr v3 core specification): Zarr itself takes long to load, and to ask."""

import json
import os
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

METADATA = "zarr.json"


def read_attributes(folder: Path) -> dict[str, Any] | None:
    """Return the attributes of the group in a folder, or None where there is no group, or none that can be read."""
    metadata = _read(folder)
    attributes = metadata.get("attributes", {})
    return attributes if metadata.get("node_type") == "group" and isinstance(attributes, dict) else None


def write_attributes(folder: Path, attributes: dict[str, Any]) -> None:
    """Replace the attributes of the group in a folder, in one step.

    Raises:
        OSError: They cannot be written.
    """
    unfinished = folder / f".{uuid.uuid4().hex}.partial"
    try:
        unfinished.write_text(json.dumps({**_read(folder), "attributes": attributes}, indent=2), encoding="utf-8")
        os.replace(unfinished, folder / METADATA)  # noqa: PTH105
    finally:
        unfinished.unlink(missing_ok=True)


def find_chunks(folder: Path, places: Iterable[int] | None = None) -> list[Path]:
    """Return the files of the chunks of the array in a folder, whose first axis alone is divided.

    Args:
        folder: The array's.
        places: Which chunks, by their place on that axis; None for all.

    Raises:
        KeyError: There is no array that can be read.
    """
    metadata = _read(folder)
    try:
        shape, encoding = metadata["shape"], metadata["chunk_key_encoding"]
        separator = encoding.get("configuration", {}).get("separator", "/")
        numbers = range(shape[0]) if places is None else places
        rest = ["0"] * (len(shape) - 1)
    except (AttributeError, TypeError, IndexError) as error:
        raise KeyError(str(folder)) from error
    return [folder / separator.join(["c", str(number), *rest]) for number in numbers]


def _read(folder: Path) -> dict[str, Any]:
    try:
        metadata = json.loads((folder / METADATA).read_bytes())
    except (OSError, ValueError):
        return {}
    return metadata if isinstance(metadata, dict) else {}
