"""Groups' attributes, with a checksum over themselves: those of chunks do not cover them."""

from typing import Any

from gbvis.fingerprint import digest_of
from gbvis.store.place import GROUP, METADATA, Place, encode_group

CHECKSUM = "checksum"
"""The attribute that is a digest of all others."""


def read_group(place: Place, key: str) -> dict[str, Any] | None:
    """Return the attributes of a group; None where there is none, or its metadata is not as it was written."""
    metadata = place.read_json(key)
    attributes = metadata.pop("attributes", None)
    if metadata != GROUP or not isinstance(attributes, dict):
        return None
    checksum = attributes.pop(CHECKSUM, None)
    try:
        return attributes if checksum == digest_of(attributes) else None
    except ValueError:  # NaN, which is not JSON and which we never write
        return None


def write_group(place: Place, key: str, attributes: dict[str, Any]) -> None:
    """Replace the attributes of a group, in one step.

    Raises:
        OSError: They cannot be written.
    """
    place.replace(f"{key}/{METADATA}", encode_checked(attributes))


def encode_checked(attributes: dict[str, Any]) -> bytes:
    """Return the metadata of a group with these attributes and the checksum over them."""
    return encode_group({**attributes, CHECKSUM: digest_of(attributes)})
