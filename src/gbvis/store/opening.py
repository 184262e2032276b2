"""A place opened, or made, as the store it says it is."""

from collections.abc import Mapping

from gbvis.errors import GbvisError
from gbvis.store.key import WEIGHTS
from gbvis.store.metadata import read_group
from gbvis.store.place import METADATA, Place, encode_group
from gbvis.store.publishing import cannot_write, is_refusal

FORMAT_VERSION = 2
"""2: metadata carries checksums over itself and names those of the chunks, which lie in one folder."""

_ROOT = {"gbvis": {"format_version": FORMAT_VERSION}}


def check_store(place: Place) -> None:
    """Check that there is a store which this gbvis can use.

    Raises:
        GbvisError: There is none (exit code 1), or what is there is no store, or of another version (exit code 2).
    """
    try:
        if not place.exists() or place.is_empty():
            raise GbvisError(
                f"no store at {place.location}", "make one with `gbvis explain`, or point to it with --store"
            )
    except OSError as error:
        raise GbvisError(
            f"cannot look at the store {place.location}: {error.strerror or error}",
            "check the place given with --store, and the permission to read it",
            exit_code=2,
        ) from error
    metadata = place.read_json("")
    attributes = metadata.get("attributes")
    if metadata.get("node_type") != "group" or not isinstance(attributes, Mapping):
        raise _no_store(place, "it cannot be opened as a Zarr group")
    about = attributes.get("gbvis")
    if not isinstance(about, Mapping) or "format_version" not in about:
        raise _no_store(place, "it carries no gbvis attribute")
    if about["format_version"] != FORMAT_VERSION:
        raise GbvisError(
            f"the store {place.location} has format version {about['format_version']}, this gbvis reads "
            f"{FORMAT_VERSION}",
            "keep it for the gbvis that wrote it, and choose another store with --store",
            exit_code=2,
        )


def make_store(place: Place) -> None:
    """Make an empty store if there is nothing yet; one whose root lost its metadata, and no more, gets it again.

    Raises:
        GbvisError: There is no room or permission for it (exit code 1), or it cannot be made there (exit code 2).
    """
    try:
        if place.is_empty() or _lost_its_root(place):
            place.replace(METADATA, encode_group(_ROOT))
    except OSError as error:
        if is_refusal(error):
            raise cannot_write(place.location, error) from error
        raise GbvisError(
            f"cannot keep a store at {place.location}: {error.strerror or error}",
            "choose a place you may write to with --store",
            exit_code=2,
        ) from error


def is_root_whole(place: Place) -> bool:
    """Return whether a store's own metadata is as it was written."""
    return place.read(METADATA) == encode_group(_ROOT)


def _lost_its_root(place: Place) -> bool:
    """Return whether what lies there is a store to all appearance, of this version, but for the root's metadata."""
    cards = place.list_folders(WEIGHTS) if not place.read_json("") else []
    return any(read_group(place, f"{WEIGHTS}/{name}") is not None for name in cards)


def _no_store(place: Place, why: str) -> GbvisError:
    return GbvisError(f"{place.location} is no gbvis store: {why}", "choose another place with --store", exit_code=2)
