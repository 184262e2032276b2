"""How a group gets into a store: made beside its place, then published as a whole."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gbvis.errors import GbvisError
from gbvis.store.array import ArrayFormat, checksum_of
from gbvis.store.local import write_durably
from gbvis.store.metadata import encode_checked
from gbvis.store.storage import METADATA, Storage, encode_array

_NO_PERMISSION = {errno.EACCES, errno.EPERM, errno.EROFS}
_IN_THE_WAY = {errno.ELOOP, errno.ENOTDIR, errno.EEXIST, errno.EISDIR}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE}


class GroupWriter:
    """A group that is being made: its arrays chunk by chunk, and its attributes at the end.

    Attributes:
        attributes: To be kept with it, together with what tells a damaged group from a sound one.
        is_given_up: Set where it is not to be published after all.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._arrays: dict[str, dict[str, Any]] = {}
        self.attributes: dict[str, Any] = {}
        self.is_given_up = False

    def create_array(self, name: str, array_format: ArrayFormat, is_growing: bool = False) -> "ArrayWriter":
        """Add an array; of one that grows later only the metadata is checked, not which chunks there are."""
        folder = self._folder / name
        folder.mkdir()
        write_durably(folder / METADATA, encode_array(array_format.metadata))
        about = self._arrays[name] = {"metadata": array_format.digest}
        writer = ArrayWriter(folder, array_format)
        if not is_growing:
            about["chunks"] = writer.checksums
        return writer

    def finish(self) -> None:
        """Write the group's own metadata."""
        arrays = {"arrays": self._arrays} if self._arrays else {}
        write_durably(self._folder / METADATA, encode_checked({**self.attributes, **arrays}))


class ArrayWriter:
    """Writes the chunks of an array one after the other.

    Attributes:
        checksums: Of the chunks written so far.
    """

    def __init__(self, folder: Path, array_format: ArrayFormat) -> None:
        self._folder, self._format = folder, array_format
        self.checksums: list[str] = []

    def write(self, values: Any) -> None:
        """Write the next chunk."""
        place = len(self.checksums)
        chunk = self._format.encode(place, values)
        write_durably(self._folder / self._format.chunk_name(place), chunk)
        self.checksums.append(checksum_of(chunk))


@contextmanager
def publishing(place: Storage, key: str, is_kept: Callable[[], bool]) -> Iterator[GroupWriter]:
    """Give a writer; what it writes is the group `key` once the context ends, but not after an error, or given up.

    Args:
        place: The store's files.
        key: The group's place in the store.
        is_kept: Asked at the end whether what may have that name by then (another process may have made it) is to
            stay instead.

    Raises:
        GbvisError: The store cannot be written.
    """
    with explaining_refusal(place), place.staging() as staged:
        writer = GroupWriter(staged)
        yield writer
        if not writer.is_given_up:
            writer.finish()
            place.publish(staged, key, is_kept)


@contextmanager
def explaining_refusal(place: Storage) -> Iterator[None]:
    """Turn an OSError into what to tell where a store cannot be written."""
    try:
        yield
    except OSError as error:
        raise cannot_write(place.location, error) from error


def cannot_write(location: str, error: OSError) -> GbvisError:
    """Return what to tell where a store cannot be written; where it is full or closed, all else would fail too."""
    hint = "free room, get permission or choose another --store, then repeat the call: what was finished is kept"
    if error.errno in _IN_THE_WAY:
        where = f"{error.filename}: " if error.filename else ""
        return GbvisError(
            f"cannot write to the store {location}: {where}{error.strerror or error}",
            "a file or a link lies where the store keeps a folder: move it away, or choose another --store",
        )
    return GbvisError(
        f"cannot write to the store {location}: {error.strerror or error}", hint, ends_call=is_refusal(error)
    )


def is_refusal(error: OSError) -> bool:
    """Return whether an error says that a place has no room or gives no permission, rather than that it is none."""
    return isinstance(error, PermissionError) or error.errno in _NO_PERMISSION | _NO_ROOM  # S3's have no number
