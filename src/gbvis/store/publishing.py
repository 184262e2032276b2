"""How a group gets into a store: written under an unfinished name, then renamed in one step."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gbvis.errors import GbvisError
from gbvis.store.key import UNFINISHED
from gbvis.store.metadata import METADATA

if TYPE_CHECKING:
    import zarr


@contextmanager
def publishing(store: Path, key: str, is_kept: Callable[[], bool]) -> Iterator["zarr.Group"]:
    """Give an unfinished group; it gets the name `key` if the context ends without error, else it is taken away.

    Args:
        store: The store's folder.
        key: The group's place in the store.
        is_kept: Asked at the end whether what may have that name by then (another process may have made it) is to
            stay instead.

    Raises:
        GbvisError: The store cannot be written, or the key would lead out of it.
    """
    import zarr

    if leads_out(store, key):
        raise GbvisError(
            f"a part of {store / key} is a symbolic link, and would lead out of the store",
            "put a folder in its place, or choose another store with --store",
        )
    unfinished = _unfinished(store)
    try:
        root = zarr.open_group(store, mode="r+", zarr_format=3)
        yield root.create_group(unfinished.name)
        with suppress(zarr.errors.ContainsGroupError):  # another process has made it this very moment
            root.require_group(key.rsplit("/", 1)[0])
        _rename(unfinished, store / key, is_kept())
    except OSError as error:
        raise cannot_write(store, error) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def leads_out(store: Path, key: str) -> bool:
    """Return whether a key leads, or may lead, out of the store: by `..`, or by a symbolic link on the way."""
    place, parts = store, key.split("/")
    return ".." in parts or any((place := place / part).is_symlink() for part in parts)


def cannot_write(store: Path, error: OSError) -> GbvisError:
    """Return what to tell where the store cannot be written."""
    return GbvisError(
        f"cannot write to the store {store}: {error.strerror or error}",
        "free room there or get permission, then repeat the call: what was finished is kept",
    )


def create_store(path: Path, format_version: int) -> None:
    """Make an empty store and give it its name in one step: others may be making it too.

    Raises:
        OSError: It cannot be made.
    """
    import zarr

    path = path.absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _unfinished(path.parent)
    try:
        zarr.open_group(unfinished, mode="w-", zarr_format=3, attributes={"gbvis": {"format_version": format_version}})
        unfinished.rename(path)
    except OSError:
        if not (path / METADATA).exists():
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _rename(unfinished: Path, finished: Path, is_kept: bool) -> None:
    old = _unfinished(unfinished.parent)
    if not is_kept:
        with suppress(FileNotFoundError):
            finished.rename(old)
    try:
        unfinished.rename(finished)
    except OSError:
        if not finished.exists():  # else another process has published the same meanwhile
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _unfinished(folder: Path) -> Path:
    return folder / f"{UNFINISHED}{uuid.uuid4().hex}"
