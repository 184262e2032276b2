"""Computed flow, kept pair by pair of a video's frames."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from gbvis.errors import GbvisError, StoreError, VideoError
from gbvis.flow.recipe import FlowRecipe
from gbvis.provenance import digest_of
from gbvis.store.array import StoredArray
from gbvis.store.group import StoredGroup
from gbvis.store.keys import flow_key
from gbvis.store.run import StoredRun
from gbvis.store.storage import Storage, Unreachable
from gbvis.store.transaction import transaction
from gbvis.videos.video import Video, reading_of

_PAIR = re.compile(r"c\.([0-9]{1,9})\.0\.0\.0")
"""The file of a pair."""

MOTION_AXES = ("pair", "y", "x", "channel")


@dataclass(kw_only=True)
class StoredFlow(StoredGroup):
    """The estimated motion of a video; a chunk that is there is a pair that is done. A missing pair is no damage.

    Attributes:
        video: The video's true name.
        location: Where it was read from.
        fingerprint: Of its frames.
        estimation: How it was estimated, as `FlowRecipe.to_json` says it.
        made: What it was made with.
    """

    video: str
    location: str
    fingerprint: str
    estimation: dict[str, Any]
    made: dict[str, Any]

    def __post_init__(self) -> None:
        motion = self.arrays["motion"]
        is_motion = len(motion.shape) == 4 and motion.shape[3] == 2 and motion.chunks is None
        if not is_motion or not isinstance(self.estimation["algorithm"], str):
            raise ValueError("no motion that grows")

    @property
    def own_key(self) -> str:
        """The key of motion with these attributes."""
        return _key_of(self.video, self.fingerprint, self.estimation)

    def is_used_by(self, run: StoredRun) -> bool:
        """Return whether a run was computed from this motion, or followed it."""
        own = {**self.estimation, "video": self.fingerprint}
        used = {**run.recipe.flow, "video": run.recipe.video}, run.recipe.motion
        return any(all(one.get(name) == value for name, value in own.items()) for one in used)

    def find_damage(self, is_thorough: bool) -> str | None:
        """As `StoredGroup`; thoroughly, every pair that is there is read."""
        damage = super().find_damage(is_thorough=True)  # no chunk is listed: that reads the array's metadata alone
        torn = self.find_torn() if is_thorough and not damage else []
        return f"the checksum of pair {torn[0]} does not fit" if torn else damage

    def find_torn(self, pairs: Iterable[int] | None = None) -> list[int]:
        """Return those of the pairs, or of all, that are there and do not fit their checksum."""
        there = self.list_there()
        wanted = there if pairs is None else there & set(pairs)
        return [pair for pair in sorted(wanted) if self.read_bytes("motion", pair) is None]

    def missing(self, pairs: Iterable[int]) -> list[int]:
        """Return those of the pairs that are not there, rising; pair k is frames k and k + 1."""
        return sorted(set(pairs) - self.list_there())

    def read_pair(self, pair: int) -> NDArray[Any] | None:
        """Return a pair's motion, (y, x, 2), uint8 or float32; None where it is not there, or damaged."""
        try:
            return self._read_chunk("motion", pair)
        except Unreachable:
            raise
        except GbvisError:
            return None

    def write_pair(self, pair: int, motion: NDArray[Any]) -> None:
        """Keep a pair's motion; it is there as a whole or not at all. Any thread may call this.

        Raises:
            GbvisError: The store cannot be written, or the group is gone, or the motion is of another size.
        """
        (height, width), found = self.arrays["motion"].shape[1:3], motion.shape[:2]
        if found != (height, width):
            raise VideoError(
                f"frames {pair} and {pair + 1} of {self.video} have another size than those in its middle: their "
                f"motion is {found[1]}x{found[0]}, that one {width}x{height}",
                "cut the video where its size changes, or choose other frames with --start",
            )
        self.write_bytes(pair, self.arrays["motion"].encode(motion), is_lasting=False)

    def write_bytes(self, pair: int, chunk: bytes, is_lasting: bool) -> None:
        """Keep a pair's motion as it is stored; see `Storage.replace`.

        Raises:
            GbvisError: The store cannot be written, or the group is gone.
        """
        with self.storage.explaining_refusal():
            try:
                self.storage.replace(f"{self.key}/motion/{self.arrays['motion'].chunk_name(pair)}", chunk, is_lasting)
            except FileNotFoundError as error:
                raise _gone(self.storage, self.key) from error

    def list_there(self) -> set[int]:
        """Return the pairs that are there; whether they are sound is not looked at."""
        folder = f"{self.key}/motion/"
        names = (file.key.removeprefix(folder) for file in self.storage.list_files(f"{self.key}/motion"))
        return {int(match[1]) for match in map(_PAIR.fullmatch, names) if match}


class KeptFlow:
    """The estimated motion of a store's videos."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def find(self, video: Video, recipe: FlowRecipe) -> StoredFlow | None:
        """Return the motion kept of an RGB video, as it was estimated that way, or None."""
        return StoredFlow.find(self._storage, _key_for(video, recipe), is_thorough=False)

    def is_damaged(self, video: Video, recipe: FlowRecipe) -> bool:
        """Return whether motion was kept of an RGB video, as it is estimated that way, and cannot be used."""
        parent, _, name = _key_for(video, recipe).rpartition("/")
        return name in self._storage.list_folders(parent) and self.find(video, recipe) is None

    def open(self, video: Video, recipe: FlowRecipe, describe: Callable[[], Mapping[str, Any]]) -> StoredFlow:
        """Return the motion kept of an RGB video, as it was estimated that way; made empty if there is none yet.

        Args:
            video: The frames.
            recipe: How.
            describe: Returns what does not decide the numbers and is worth recording beside them.

        Raises:
            VideoError: The video has no two frames.
            StoreError: The store cannot be written.
        """
        key = _key_for(video, recipe)
        if self.find(video, recipe) is None:
            with transaction(self._storage, key, StoredFlow) as group:
                height, width = video.read(video.shape.frame_count // 2).shape[:2]  # the first may be a title card
                size = recipe.frame_size(replace(video.shape, height=height, width=width))
                shape = (video.shape.frame_count - 1, *size, 2)
                group.add_array("motion", StoredArray(shape, recipe.dtype, MOTION_AXES))
                group.attributes = {
                    "video": video.name,
                    "location": video.location,
                    "fingerprint": reading_of(video.fingerprint),
                    "estimation": recipe.to_json(),
                    "made": describe(),
                }
        flow = self.find(video, recipe)
        if flow is None:
            raise _gone(self._storage, key)
        return flow


def _key_for(video: Video, recipe: FlowRecipe) -> str:
    return _key_of(video.name, reading_of(video.fingerprint), recipe.to_json())


def _key_of(video: str, fingerprint: str, estimation: Mapping[str, Any]) -> str:
    digest = digest_of({"fingerprint": fingerprint, "estimation": estimation})
    return flow_key(video, estimation["algorithm"], digest)


def _gone(storage: Storage, key: str) -> GbvisError:
    return StoreError(
        f"the flow {key} is gone from {storage.location} again",
        "something else removes it while this call writes it: repeat it",
    )
