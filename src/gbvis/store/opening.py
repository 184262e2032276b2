"""A store's folder: opened, or made, as what it says it is."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from gbvis.errors import GbvisError
from gbvis.store.metadata import read_attributes
from gbvis.store.publishing import create_store

FORMAT_VERSION = 1


def check_store(path: Path) -> None:
    """Check that there is a store at `path` which this gbvis can use.

    Raises:
        GbvisError: There is none (exit code 1), or what is there is no store, or a newer one (exit code 2).
    """
    if not path.exists():
        raise GbvisError(f"no store at {path}", "make one with `gbvis explain`, or point to it with --store")
    attributes = read_attributes(path)
    if attributes is None:
        raise _no_store(path, "it cannot be opened as a Zarr group")
    about = attributes.get("gbvis")
    if not isinstance(about, Mapping) or "format_version" not in about:
        raise _no_store(path, "it carries no gbvis attribute")
    if about["format_version"] != FORMAT_VERSION:
        raise GbvisError(
            f"the store {path} has format version {about['format_version']}, this gbvis reads {FORMAT_VERSION}",
            "update gbvis, or choose another store with --store",
            exit_code=2,
        )


def make_writable(path: Path) -> None:
    """Make an empty store at `path` if there is nothing yet, and check that what is there can be written.

    Raises:
        GbvisError: It cannot be made, or not written (exit code 2).
    """
    try:
        if not path.exists() or is_empty(path):
            create_store(path, FORMAT_VERSION)
        if not os.access(path, os.W_OK):
            check_store(path)  # what is no store at all says so first
            raise PermissionError(errno.EACCES, "it cannot be written")
    except OSError as error:
        raise GbvisError(
            f"cannot keep a store at {path}: {error.strerror or error}",
            "choose a place you may write to with --store",
            exit_code=2,
        ) from error


def is_empty(path: Path) -> bool:
    """Return whether `path` is a folder with nothing in it."""
    return path.is_dir() and not any(path.iterdir())


def _no_store(path: Path, why: str) -> GbvisError:
    return GbvisError(f"{path} is no gbvis store: {why}", "choose another place with --store", exit_code=2)
