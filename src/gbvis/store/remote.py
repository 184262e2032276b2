"""Storage anywhere that fsspec reaches: `s3://`, `gs://`, `memory://` and others."""

import errno
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from gbvis.atomic_file import StagingArea
from gbvis.errors import UsageError
from gbvis.store.keys import CHECK, CLIPS, ESTIMATES, FLOW, RUN, UNFINISHED, kind_of
from gbvis.store.storage import LARGEST_METADATA, METADATA, WITH_STORE, Storage, StoredFile, Unreachable

_PATIENCE = {"read_timeout": 10, "retries": {"mode": "standard", "total_max_attempts": 3}}
"""How long S3 is waited for: by itself botocore tries each request five times, for 15 s, and s3fs that five times."""

_TRIES = 2

_S3 = {"s3", "s3a"}


class RemoteStorage(Storage):
    """A store of objects, each written in one step; there is neither renaming nor locking.

    A group is staged on this machine. Its metadata is written last, and removed first: until then nobody sees it.
    Two processes that publish the same group write the same objects; should their numbers differ in a last bit, the
    checksums in the metadata that came last do not fit the other's chunks, and the group is made again.
    """

    def __init__(self, url: str, given: str = WITH_STORE) -> None:
        super().__init__(url.rstrip("/") if url.strip("/")[-1:] != ":" else url, given)
        import fsspec

        protocol = url.split(":")[0]
        try:
            self._files, root = fsspec.core.url_to_fs(
                self.location, use_listings_cache=False, **_options_of(protocol, fsspec.config.conf)
            )
        except (ImportError, ValueError) as error:
            raise UsageError(
                f"cannot use the store {url}: {error}",
                f"install what fsspec needs for {protocol}://; for s3 that is `pip install 'gbvis[s3]'`",
            ) from error
        except (OSError, zipfile.BadZipFile) as error:  # a file that holds a store, `zip://` say
            raise UsageError(f"cannot open the store {url}: {error}", "unpack it, and give the folder") from error
        self._root = root.rstrip("/")
        if not self._root:
            raise UsageError(f"the store {url} names no place", "give a bucket and a path below it")
        if protocol in _S3:
            self._files.retries = _TRIES
        self._levels: set[str] = set()

    def is_empty(self) -> bool:
        """Return whether nothing is there, or what a web console makes to show an empty folder."""
        return all(entry["name"].endswith("/") for entry in self._list(""))

    def locate(self, key: str) -> str:
        """Return the URL of a key."""
        return f"{self.location}/{key}" if key else self.location

    def read(self, key: str, at_most: int = LARGEST_METADATA) -> bytes:
        """Return an object's content."""
        with self._reaching(FileNotFoundError):
            return bytes(self._files.cat_file(self._path(key)))

    def replace(self, key: str, content: bytes, is_lasting: bool = True) -> None:
        """Write an object."""
        with self._reaching(OSError):
            self._files.pipe_file(self._path(key), content)

    def list_folders(self, key: str) -> list[str]:
        """Return the names of the prefixes directly below a key."""
        folders = [
            entry["name"].rstrip("/").rsplit("/", 1)[-1] for entry in self._list(key) if entry["type"] == "directory"
        ]
        return sorted(name for name in folders if not name.startswith("."))

    def list_files(self, key: str) -> Iterator[StoredFile]:
        """Yield all objects below a key."""
        found: dict[str, dict[str, Any]] = {}
        with suppress(FileNotFoundError), self._reaching(FileNotFoundError):
            found = self._files.find(self._path(key), detail=True)
        skipped = len(self._files._strip_protocol(self._root).rstrip("/")) + 1
        for path, about in sorted(found.items()):
            if not path.endswith("/"):
                yield StoredFile(path[skipped:], int(about["size"] or 0))

    def staging(self) -> AbstractContextManager[Path]:
        """Give an empty folder among this machine's temporary files; a lock says that its process lives."""
        return _open_staging_area().open()

    def _ensure_level(self, level: str) -> None:
        """As `Storage`; each level once, since nothing removes one here, and every look is a request."""
        if level not in self._levels:
            super()._ensure_level(level)
            self._levels.add(level)

    def publish(self, staged: Path, key: str, is_kept: Callable[[], bool]) -> None:
        """Upload a staged group, its metadata last."""
        self.ensure_levels(key)
        if self.read_json(key):
            if is_kept():
                return
            self.remove(key)
        files = [path for path in sorted(staged.rglob("*")) if path.is_file() and path != staged / METADATA]
        for path in [*files, staged / METADATA]:
            self.replace(f"{key}/{path.relative_to(staged).as_posix()}", path.read_bytes())

    def remove(self, key: str) -> None:
        """Remove a group, its metadata first; the levels above it stay."""
        files = [file.key for file in self.list_files(key)]
        own = f"{key}/{METADATA}"
        for name in ([own] if own in files else []) + [name for name in files if name != own]:
            with suppress(FileNotFoundError), self._reaching(OSError):
                self._files.rm_file(self._path(name))

    def list_unfinished(self) -> list[str]:
        """Return the prefixes that hold an array whose group has no metadata: half uploaded, or being uploaded."""
        names = {file.key for file in self.list_files("")}
        groups = {name.rsplit("/", 2)[0] for name in names if name.count("/") > 2 and name.endswith(f"/{METADATA}")}
        ours = {key for key in groups if kind_of(key) in (RUN, CHECK, CLIPS, ESTIMATES, FLOW)}
        return sorted(key for key in ours if f"{key}/{METADATA}" not in names)

    def discard(self, key: str) -> None:
        """Remove the objects of a group that has no metadata."""
        self.remove(key)

    def sweep(self) -> None:
        """Remove what killed processes staged on this machine, and nothing elsewhere.

        Nobody knows there whether who wrote it lives: `store rm --unfinished` removes it when told.
        """
        with suppress(OSError):
            _open_staging_area().sweep()

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}" if key else self._root

    def _list(self, key: str) -> list[dict[str, Any]]:
        """Return what is directly below a key, as fsspec describes it."""
        entries: list[dict[str, Any]] = []
        with suppress(FileNotFoundError), self._reaching(FileNotFoundError):
            entries = self._files.ls(self._path(key), detail=True)
        return entries

    @contextmanager
    def _reaching(self, tells: type[OSError]) -> Iterator[None]:
        """Let no failure but what `tells` something of a file pass for something that is known of it."""
        try:
            yield
        except tells:
            raise
        except Exception as error:  # botocore, aiohttp, google-auth: none shares a class with another
            words = " ".join(str(error).split()) or "no reason given"
            why = words if isinstance(error, OSError) else f"{type(error).__name__}: {words}"
            raise Unreachable(self.location, why, self.given) from error


def _open_staging_area() -> StagingArea:
    """Return the folder among this machine's temporary files where this user's groups are staged.

    Raises:
        OSError: It cannot be made, or somebody else has made it.
    """
    user = os.getuid() if hasattr(os, "getuid") else None  # Windows keeps temporary files for each user by itself
    path = Path(tempfile.gettempdir(), "gbvis" if user is None else f"gbvis-{user}")
    path.mkdir(mode=0o700, exist_ok=True)
    if path.is_symlink() or user not in (None, path.stat().st_uid):
        raise OSError(errno.EACCES, f"{path} is another user's: set TMPDIR to a folder of your own")
    return StagingArea(path, UNFINISHED)


def _options_of(protocol: str, chosen: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return what a protocol's file system is to be told; what the user's fsspec configuration says goes first."""
    if protocol not in _S3:
        return {}
    config = {**_PATIENCE, **chosen.get(protocol, {}).get("config_kwargs", {})}
    return {"config_kwargs": config, "max_concurrency": 1}  # more, and s3fs asks for a size before each reading
