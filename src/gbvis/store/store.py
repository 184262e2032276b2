"""Store: opens a store, finds what it has, and reads and writes it."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from gbvis.attribution.recipe import Recipe
from gbvis.errors import NothingFound, StoreError, UsageError
from gbvis.networks.endpoint import Endpoint
from gbvis.networks.info import WeightsInfo
from gbvis.networks.labels import Labels
from gbvis.shell import join_words
from gbvis.store.check import CheckRecipe, StoredCheck
from gbvis.store.clips import StoredClips, key_of_clips, write_clips
from gbvis.store.estimates import KeptEstimates
from gbvis.store.flow import KeptFlow
from gbvis.store.keys import (
    CHECK,
    CLIPS,
    ESTIMATES,
    FLOW,
    FOREIGN,
    LEVEL,
    RUN,
    WEIGHTS,
    kind_of,
    name_of_key,
    video_key,
)
from gbvis.store.run import RunWriter, StoredRun, key_of_run, write_run
from gbvis.store.storage import CONSOLIDATED, GROUP, METADATA, WITH_STORE, Storage, encode_group, is_refusal
from gbvis.store.weights import WeightsRecords
from gbvis.videos.clip import ClipFormat, ClipPixels, Size
from gbvis.videos.video import Video, VideoShape

FORMAT_VERSION = 3
"""3: a run's recipe has the method with its settings, its endpoint travels with it, class names with the weights."""

_ROOT = {"gbvis": {"format_version": FORMAT_VERSION}}

_IS_RECORD = re.compile(r"[0-9a-f]{64}(-.+)?")

_IS_URL = re.compile(r"[a-z][a-z0-9+.-]*(://|::)", re.IGNORECASE)


class Store:
    """A store at a path or an fsspec URL.

    Attributes:
        storage: Its files.
        weights: What is known of weights files.
        flow: The motion that was estimated.
        estimates: What methods of many passes have found so far.
        damaged: Keys of the runs that `runs` skipped because a part of them is missing or damaged.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.weights = WeightsRecords(storage)
        self.flow = KeptFlow(storage)
        self.estimates = KeptEstimates(storage)
        self.damaged: set[str] = set()

    @property
    def location(self) -> str:
        """The path or URL, as the user gave it."""
        return self.storage.location

    @property
    def folder(self) -> str:
        """The path, where the store is a folder; empty where it is at a URL."""
        return "" if _is_url(self.location) else self.location

    @classmethod
    def open(cls, location: str | Path, given: str = WITH_STORE) -> "Store":
        """Return the store at a path or an fsspec URL.

        Args:
            location: The path or URL.
            given: As `open_storage` takes it.

        Raises:
            NothingFound: There is none.
            UsageError: What is there is not a store, or has another format version.
        """
        storage = open_storage(location, given)
        _check_store(storage)
        return cls(storage)

    @classmethod
    def find(cls, location: str | Path, given: str = WITH_STORE) -> "Store | None":
        """Return the store at a path or URL, or None where one is still to be made.

        Raises:
            UsageError: As `open`.
        """
        with suppress(OSError):
            if open_storage(location, given).is_empty():
                return None
        return cls.open(location, given)

    @classmethod
    def open_or_create(cls, location: str | Path, given: str = WITH_STORE) -> "Store":
        """Return the store at a path or URL, made if there is nothing yet, and rid of what killed processes left.

        Raises:
            GbvisError: As `open`, or it cannot be made.
        """
        storage = open_storage(location, given)
        _make_store(storage)
        _check_store(storage)
        storage.sweep()
        forget_consolidated(storage)
        return cls(storage)

    def runs(self, video: str | None = None, modality: str | None = None) -> Iterator[StoredRun]:
        """Yield the runs, of one video or one modality where given, in the order of video, stream and endpoint.

        Damaged runs are skipped; `damaged` holds their keys afterwards.
        """
        for key in [video_key(video)] if video is not None else self.videos():
            yield from self.runs_below(key, modality)

    def runs_below(self, video_key: str, modality: str | None = None) -> Iterator[StoredRun]:
        """Yield the runs of the video with that key; as `runs`."""
        for stream in [modality] if modality else ("rgb", FLOW):
            found = []
            for key in self.list_runs(f"{video_key}/{stream}"):
                run = self._find_whole(key, is_thorough=False)
                if run is None:
                    self.damaged.add(key)
                else:
                    found.append(run)
            yield from sorted(found, key=lambda run: run.position)

    def checks(self, video: str | None = None, modality: str | None = None) -> Iterator[StoredCheck]:
        """Yield what tests found, of one video or one modality where given; as `runs`."""
        for key in [video_key(video)] if video is not None else self.videos():
            yield from self.checks_below(key, modality)

    def checks_below(self, video_key: str, modality: str | None = None) -> Iterator[StoredCheck]:
        """Yield what tests found of the video with that key; as `runs`."""
        for stream in [modality] if modality else ("rgb", FLOW):
            found = []
            for key in self.list_runs(f"{video_key}/{stream}", CHECK):
                check = StoredCheck.find(self.storage, key, is_thorough=False)
                if check is None:
                    self.damaged.add(key)
                else:
                    found.append(check)
            yield from sorted(found, key=lambda check: check.position)

    def find_check(self, video: str, recipe: CheckRecipe) -> StoredCheck | None:
        """Return the check of `video` by `recipe`, every byte of it checked; None where there is none, or damaged."""
        return StoredCheck.find(self.storage, recipe.key(video))

    def list_runs(self, stream: str, kind: str = RUN) -> Iterator[str]:
        """Yield the keys of the runs, or of the checks, of a stream, in the order of their endpoints' names."""
        for endpoint in self.keys(stream):
            if kind_of(endpoint) == LEVEL and endpoint.rpartition("/")[2] not in (CLIPS, ESTIMATES):
                yield from (key for key in self.keys(endpoint) if kind_of(key) == kind)

    def find_answers(self, video: str, modality: str, endpoint: str, requests: Iterable[str]) -> dict[str, StoredRun]:
        """Return the finished runs at an endpoint that answer these digests of requests, as far as there are any.

        Every byte of what is returned has been checked.
        """
        wanted = set(requests)
        answers: dict[str, StoredRun] = {}
        for key in filter(_is_run, self.keys(f"{video_key(video)}/{modality}/{endpoint}")):
            run = StoredRun.read(self.storage, key)
            answered = wanted & set(run.requests) if run else set()
            if run and answered and self._is_whole(run):
                self._mend_levels(run)
                answers.update(dict.fromkeys(answered, run))
        return answers

    def find_run(self, video: str, recipe: Recipe, is_thorough: bool = True) -> StoredRun | None:
        """Return the run of `video` made by `recipe`; None where it is not there, or damaged.

        Thoroughly, every byte of it is read; else it is seen only whether all of it is there, as after writing it.
        """
        return self._find_whole(key_of_run(video, recipe), is_thorough)

    def read_run(self, key: str) -> StoredRun | None:
        """Return the run with that key, whose bytes are not all read; None where it is not there, or damaged."""
        return self._find_whole(key, is_thorough=False)

    def clips_of(self, run: StoredRun | StoredCheck) -> StoredClips:
        """Return the clips that a run was computed from.

        Raises:
            GbvisError: The clips are missing.
        """
        return run.read_clips()

    def labels_of(self, run: StoredRun | StoredCheck) -> Labels | None:
        """Return the class names for a run's target; None where the target is no class, or the names are not known."""
        return self.weights.labels_of(run.recipe) if run.endpoint.is_class else None

    def find_shape(self, video: str, modality: str, fingerprint: str) -> VideoShape | None:
        """Return what is known of the video with that content from clips that were cut of it, or None."""
        for key in self.keys(f"{video_key(video)}/{modality}/{CLIPS}"):
            clips = StoredClips.find(self.storage, key, is_thorough=False)
            if clips is not None and clips.fingerprint == fingerprint:
                return clips.video_shape
        return None

    def write_clips(
        self,
        video: Video,
        clip_format: ClipFormat,
        frames: list[list[int]],
        clips: Iterator[ClipPixels],
        force: bool,
        sizes: Mapping[int, Size] = MappingProxyType({}),
    ) -> StoredClips:
        """Return the clips of a video from the store; what is not there is taken from `clips`, one at a time.

        `sizes` are those of the frames, as `cut_clip` notes them.

        Raises:
            GbvisError: A frame cannot be read, or the store cannot be written.
        """
        key = key_of_clips(video, clip_format, frames)
        stored = None if force else StoredClips.find(self.storage, key)
        if stored is None:
            write_clips(self.storage, video, clip_format, frames, clips, force, sizes)
        stored = stored or StoredClips.find(self.storage, key, is_thorough=False)
        if stored is None:
            raise StoreError(
                f"the clips {key} are gone from {self.location} again",
                "something else removes them while this call writes them: repeat it",
            )
        return stored

    @contextmanager
    def write_run(
        self, video: Video, recipe: Recipe, endpoint: Endpoint, info: WeightsInfo, clips: StoredClips, force: bool
    ) -> Iterator[RunWriter]:
        """Give a writer for one run; the run is in the store once the context ends without error.

        Raises:
            GbvisError: The store cannot be written.
        """
        with write_run(self.storage, video.name, recipe, force) as writer:
            position = info.endpoints.index(endpoint)
            about = {**vars(endpoint), "aliases": list(endpoint.aliases)}
            writer.describe(location=video.location, endpoint=about, position=position, clips=clips.digest)
            yield writer

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of all networks that the store knows."""
        return list(dict.fromkeys(endpoint for info in self.weights.all() for endpoint in info.endpoints))

    def videos(self) -> list[str]:
        """Return the keys of the videos in the store."""
        return [name for name in self.storage.list_folders("") if name != WEIGHTS]

    def has_video(self, name: str) -> bool:
        """Return whether the store has anything of a video."""
        return bool(self.storage.list_folders(video_key(name)))

    def video_names(self) -> list[str]:
        """Return the names of the videos in the store; one that was too long for its key is not among them."""
        return [name for name in map(name_of_key, self.videos()) if name is not None]

    def keys(self, parent: str) -> list[str]:
        """Return the keys of the groups below a group, in order; those that are being made are not among them."""
        return [f"{parent}/{name}" for name in self.storage.list_folders(parent)]

    def _mend_levels(self, run: StoredRun) -> None:
        """Write the metadata of the groups above a run and what it uses, where it is not as it should be."""
        with suppress(OSError):  # a store that cannot be written serves what it has
            for key in (run.key, run.clips_key):
                self.storage.ensure_levels(key)

    def _find_whole(self, key: str, is_thorough: bool = True) -> StoredRun | None:
        """Return the run with that key, or None where it or its clips are missing or damaged."""
        run = StoredRun.read(self.storage, key)
        return run if run and self._is_whole(run, is_thorough) else None

    def _is_whole(self, run: StoredRun, is_thorough: bool = True) -> bool:
        return not run.find_own_damage(is_thorough) and run.find_clips(is_thorough) is not None


def _is_url(text: str) -> bool:
    return bool(_IS_URL.match(text)) and not text.startswith(("file://", "local://"))


def _is_run(key: str) -> bool:
    return kind_of(key) == RUN


def open_storage(location: str | Path, given: str = WITH_STORE) -> Storage:
    """Return what a path or an fsspec URL means; nothing is made there yet.

    Args:
        location: The path or URL.
        given: How the user names it, for hints: `with` and an option.

    Raises:
        UsageError: It is empty, the URL's protocol is not known, or its library is not installed.
    """
    text = str(location)
    if not text.strip():
        raise UsageError(f"a store {given}: the path is empty", "give a path or a URL, or . for the current folder")
    if isinstance(location, str) and _is_url(text):
        from gbvis.store.remote import RemoteStorage

        return RemoteStorage(text, given)
    from gbvis.store.local import LocalStorage

    return LocalStorage(Path(text.removeprefix("file://").removeprefix("local://")), given)


def _check_store(storage: Storage) -> None:
    """Check that there is a store which this gbvis can use.

    Raises:
        NothingFound: There is none.
        UsageError: What is there is not a store, or has another format version.
    """
    try:
        if storage.is_empty():
            raise NothingFound(
                f"no store at {storage.location}", f"make one with `gbvis explain`, or point to it {storage.given}"
            )
    except OSError as error:
        raise UsageError(
            f"cannot look at the store {storage.location}: {error.strerror or error}",
            f"check the place given {storage.given}, and the permission to read it",
        ) from error
    version = read_version(storage)
    if version is None:
        raise _no_store(storage)
    if version != FORMAT_VERSION:
        raise UsageError(
            f"the store {storage.location} has format version {version}, this gbvis reads {FORMAT_VERSION}",
            "explain again into another one, with --store gbvis-3.zarr, say; the old one is left as it is, for the "
            "gbvis that wrote it",
        )


def _no_store(storage: Storage) -> UsageError:
    """Return the error for what has no sound root, though it may be a store that lost it."""
    other = _describe_other(storage)
    if other:
        return UsageError(
            f"{storage.location} is no gbvis store: it is {other}", f"choose another place {storage.given}"
        )
    if not _holds_groups(storage):
        return UsageError(
            f"{storage.location} is no gbvis store: it holds nothing of gbvis", f"choose another place {storage.given}"
        )
    root, place = json.dumps({**GROUP, "attributes": _ROOT}), storage.locate(METADATA)
    if _IS_URL.match(place):
        command = f"put {root} at {place}"
    else:  # what is in its place may be a link
        command = f"{join_words(['rm', '-f', place])} && {join_words(['printf', '%s', root])} > {join_words([place])}"
    return UsageError(
        f"{storage.location} is no gbvis store: its {METADATA} is missing, damaged or another program's",
        f"choose another place {storage.given}; where it is a store that lost this file, write it again: {command}",
    )


def _holds_groups(storage: Storage) -> bool:
    """Return whether something that gbvis keeps is there: a record of weights, or a run, clips or flow of a video."""
    for name in storage.list_folders(""):
        levels = [f"{name}/{stream}" for stream in ("rgb", FLOW)]
        below = [f"{level}/{one}" for level in levels for one in storage.list_folders(level)]
        if name == WEIGHTS:
            keys = [f"{name}/{one}" for one in storage.list_folders(name) if _IS_RECORD.fullmatch(one)]
        else:
            keys = [*below, *(f"{level}/{one}" for level in below for one in storage.list_folders(level))]
        if any(kind_of(key) not in (LEVEL, FOREIGN) and storage.read_json(key) for key in keys):
            return True
    return False


def _describe_other(storage: Storage) -> str | None:
    """Return what is in the place of a store, where that is clearly no store that lost its root."""
    if os.path.isfile(storage.locate("")):  # noqa: PTH113
        return "a file"
    metadata = storage.read_json("")
    attributes = metadata.get("attributes")
    has_others = isinstance(attributes, dict) and bool(attributes) and "gbvis" not in attributes
    if metadata.get("node_type") == "array" or (metadata.get("node_type") == "group" and has_others):
        return "a Zarr of another program"
    for name in (".zgroup", ".zarray"):
        with suppress(OSError):
            storage.read(name)
            return "a Zarr of version 2, of another program"
    return None


def _make_store(storage: Storage) -> None:
    """Make an empty store if there is nothing yet.

    Raises:
        StoreUnavailable: There is no room or permission for it.
        UsageError: It cannot be made there.
    """
    try:
        if storage.is_empty():
            storage.replace(METADATA, encode_group(_ROOT))
    except OSError as error:
        if is_refusal(error):
            raise storage.cannot_write(error) from error
        raise UsageError(
            f"cannot keep a store at {storage.location}: {error.strerror or error}",
            f"choose a place you may write to {storage.given}",
        ) from error


def forget_consolidated(storage: Storage) -> None:
    """Take away the copy of all metadata that Zarr may have put into the root: soon it is out of date."""
    with suppress(OSError):
        if CONSOLIDATED in storage.read_json(""):
            storage.replace(METADATA, encode_group(_ROOT))


def read_version(storage: Storage) -> object:
    """Return the format version that the root's metadata gives; None where it gives none."""
    metadata = storage.read_json("")
    attributes = metadata.get("attributes")
    about = attributes.get("gbvis") if isinstance(attributes, dict) else None
    is_group = {name: metadata.get(name) for name in GROUP} == GROUP
    return about.get("format_version") if is_group and isinstance(about, dict) else None
