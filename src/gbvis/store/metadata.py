"""Groups' attributes, with a checksum over themselves: those of chunks do not cover them."""

from typing import Any

from gbvis.provenance import digest_of
from gbvis.store.storage import GROUP, METADATA, Storage, encode_group

CHECKSUM = "checksum"
"""The attribute that is a digest of all others."""

ABSENT = object()
"""The form, for `fits`, of what is not there."""

NUMBER = (int, float)
"""A form, for `fits`: JSON does not tell 1 from 1.0."""


def read_group(place: Storage, key: str) -> dict[str, Any] | None:
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


def write_group(place: Storage, key: str, attributes: dict[str, Any]) -> None:
    """Replace the attributes of a group, in one step.

    Raises:
        OSError: They cannot be written.
    """
    place.replace(f"{key}/{METADATA}", encode_checked(attributes))


def fits(value: object, form: Any) -> bool:
    """Return whether plain data is of a form.

    A form is a type, None or `ABSENT`, a tuple of forms either of which will do, `[form]` for a list of such, or
    `{name: form}` for a mapping that has at least these.
    """
    if isinstance(form, tuple):
        return any(fits(value, one) for one in form)
    if isinstance(form, list):
        return isinstance(value, list) and all(fits(one, form[0]) for one in value)
    if isinstance(form, dict):
        return isinstance(value, dict) and all(fits(value.get(name, ABSENT), one) for name, one in form.items())
    return value is form if form in (None, ABSENT) else type(value) is form


def encode_checked(attributes: dict[str, Any]) -> bytes:
    """Return the metadata of a group with these attributes and the checksum over them."""
    return encode_group({**attributes, CHECKSUM: digest_of(attributes)})
