"""A place opened, or made, as the store it says it is."""

from collections.abc import Mapping

from gbvis.errors import GbvisError
from gbvis.provenance import digest_of
from gbvis.store.keys import WEIGHTS
from gbvis.store.metadata import CHECKSUM, fits, read_group
from gbvis.store.storage import GROUP, METADATA, Storage, encode_group
from gbvis.store.transaction import cannot_write, is_refusal

FORMAT_VERSION = 2
"""2: metadata carries checksums over itself and names those of the chunks, which lie in one folder."""

_ABOUT = {"format_version": FORMAT_VERSION}
_ROOT = {"gbvis": {**_ABOUT, CHECKSUM: digest_of(_ABOUT)}}


def check_store(place: Storage, needs_root: bool = True) -> None:
    """Check that there is a store which this gbvis can use.

    Args:
        place: Its files.
        needs_root: Refuse a store whose root's metadata is lost or changed, too.

    Raises:
        GbvisError: There is none (exit code 1), or what is there is no store, or of another version (exit code 2).
    """
    try:
        if place.is_empty():
            raise GbvisError(
                f"no store at {place.location}", "make one with `gbvis explain`, or point to it with --store"
            )
    except OSError as error:
        raise GbvisError(
            f"cannot look at the store {place.location}: {error.strerror or error}",
            "check the place given with --store, and the permission to read it",
            exit_code=2,
        ) from error
    if lost_its_root(place):
        if not needs_root:
            return
        raise GbvisError(
            f"the metadata of the root of the store {place.location}, {METADATA}, is lost or damaged",
            "the next `gbvis explain` into it writes that again, and all else is still there",
            exit_code=2,
        )
    version = _read_version(place)
    if version is None:
        why = "it carries no sound gbvis attribute" if place.read_json("") else "it cannot be opened as a Zarr group"
        raise GbvisError(f"{place.location} is no gbvis store: {why}", "choose another place with --store", exit_code=2)
    if version != FORMAT_VERSION:
        raise GbvisError(
            f"the store {place.location} has format version {version}, this gbvis reads {FORMAT_VERSION}",
            "keep it for the gbvis that wrote it, and choose another store with --store",
            exit_code=2,
        )


def make_store(place: Storage) -> None:
    """Make an empty store if there is nothing yet; one whose root lost its metadata, and no more, gets it again.

    Raises:
        GbvisError: There is no room or permission for it (exit code 1), or it cannot be made there (exit code 2).
    """
    try:
        is_torn = _read_version(place) == FORMAT_VERSION and not is_root_whole(place)
        if is_torn or place.is_empty() or lost_its_root(place):
            place.replace(METADATA, encode_group(_ROOT))
    except OSError as error:
        if is_refusal(error):
            raise cannot_write(place.location, error) from error
        raise GbvisError(
            f"cannot keep a store at {place.location}: {error.strerror or error}",
            "choose a place you may write to with --store",
            exit_code=2,
        ) from error


def is_root_whole(place: Storage) -> bool:
    """Return whether a store's own metadata says what it should; other attributes beside are other programs'."""
    metadata = place.read_json("")
    attributes = metadata.pop("attributes", None)
    return metadata == GROUP and isinstance(attributes, Mapping) and attributes.get("gbvis") == _ROOT["gbvis"]


def lost_its_root(place: Storage) -> bool:
    """Return whether what lies there is a store of this version, by its cards, but for the root's metadata."""
    cards = place.list_folders(WEIGHTS) if _read_version(place) is None else []
    return any(read_group(place, f"{WEIGHTS}/{name}") is not None for name in cards)


def _read_version(place: Storage) -> object:
    """Return the format version that the root's metadata gives; None where it gives none, or was changed."""
    metadata = place.read_json("")
    if not fits(metadata, {"attributes": {"gbvis": {"format_version": int, CHECKSUM: str}}}):
        return None
    about = dict(metadata["attributes"]["gbvis"])
    try:
        return about["format_version"] if about.pop(CHECKSUM) == digest_of(about) else None
    except ValueError:  # NaN, which is not JSON and which we never write
        return None
