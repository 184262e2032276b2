"""Estimated motion, in a store."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from numpy.typing import NDArray

from gbvis.errors import GbvisError
from gbvis.flow.recipe import FlowRecipe
from gbvis.store.array import ArrayFormat, is_intact
from gbvis.store.group import StoredGroup
from gbvis.store.keys import flow_key
from gbvis.store.metadata import read_group
from gbvis.store.storage import Storage, Unreachable
from gbvis.store.transaction import explaining_refusal, publishing
from gbvis.store.writing import MOTION_AXES, digest_of_flow
from gbvis.videos.video import Video


class StoredFlow(StoredGroup):
    """The estimated motion of a video, pair by pair of its frames: what is there is done."""

    FORM: ClassVar = {"video": str, "fingerprint": str, "estimation": {"algorithm": str}}

    @property
    def own_key(self) -> str:
        """The key of motion with these attributes."""
        algorithm = self.attributes["estimation"]["algorithm"]
        return flow_key(self.attributes["video"], algorithm, digest_of_flow(self.attributes))

    def _find_damage(self, is_thorough: bool) -> str | None:
        """As `StoredGroup`; that a pair is not there is no damage."""
        damage = super()._find_damage(is_thorough)
        motion = self._array("motion") if damage is None else None
        if motion is None or motion.chunk_count < 1:
            return damage or "the metadata of motion is missing or broken"
        torn = self.find_torn() if is_thorough else []
        return f"the checksum of pair {torn[0]} does not fit" if torn else None

    def find_torn(self, pairs: Iterable[int] | None = None) -> list[int]:
        """Return those of the pairs, or of all, that are there and do not fit their checksum."""
        array = self._array("motion")
        assert array is not None
        there = {file.key for file in self._place.list_files(f"{self.key}/motion")}
        wanted = range(array.chunk_count) if pairs is None else sorted(set(pairs))
        chunks = ((pair, f"{self.key}/motion/{array.chunk_name(pair)}") for pair in wanted)
        return [pair for pair, chunk in chunks if chunk in there and self._is_torn(chunk)]

    def _is_torn(self, chunk: str) -> bool:
        try:
            return not is_intact(self._place.read(chunk), None)
        except OSError:  # taken away this very moment, or no file
            return True

    def missing(self, pairs: Iterable[int]) -> list[int]:
        """Return those of the pairs that are not there, rising; pair k is frames k and k + 1."""
        array = self._array("motion")
        assert array is not None
        there = {file.key for file in self._place.list_files(f"{self.key}/motion")}
        return [pair for pair in sorted(set(pairs)) if f"{self.key}/motion/{array.chunk_name(pair)}" not in there]

    def read(self, pair: int) -> NDArray[Any] | None:
        """Return a pair's motion, (y, x, 2), uint8 or float32; None where it is not there, or damaged."""
        try:
            return self._read("motion", pair, is_listed=False)
        except Unreachable:
            raise
        except GbvisError:
            return None

    def write(self, pair: int, motion: NDArray[Any]) -> None:
        """Keep a pair's motion; it is there as a whole or not at all. Any thread may call this.

        Raises:
            GbvisError: The store cannot be written, or the group is gone.
        """
        array = self._array("motion")
        assert array is not None
        chunk = array.encode(pair, motion)
        with explaining_refusal(self._place):
            try:
                self._place.replace(f"{self.key}/motion/{array.chunk_name(pair)}", chunk, is_lasting=False)
            except FileNotFoundError as error:
                raise _gone(self.key, self._place) from error


class KeptFlow:
    """The estimated motion of a store's videos."""

    def __init__(self, place: Storage) -> None:
        self._place = place

    def find(self, video: Video, estimation: FlowRecipe) -> StoredFlow | None:
        """Return the motion kept of an RGB video, as it was estimated that way, or None."""
        key = _key_of(video, estimation)
        attributes = read_group(self._place, key)
        flow = None if attributes is None else StoredFlow(self._place, key, attributes)
        return flow if flow and not flow.find_damage(is_thorough=False) else None

    def is_damaged(self, video: Video, estimation: FlowRecipe) -> bool:
        """Return whether motion was kept of an RGB video, as it is estimated that way, and cannot be used."""
        parent, _, name = _key_of(video, estimation).rpartition("/")
        there = [*self._place.list_folders(parent), *self._place.list_strays(parent)]
        return name in there and self.find(video, estimation) is None

    def open(self, video: Video, estimation: FlowRecipe, describe: Callable[[], Mapping[str, Any]]) -> StoredFlow:
        """Return the motion kept of an RGB video, as it was estimated that way; made empty if there is none yet.

        Args:
            video: The frames.
            estimation: How.
            describe: Returns what does not decide the numbers and is worth recording beside them.

        Raises:
            GbvisError: The video has no two frames, or the store cannot be written.
        """
        key = _key_of(video, estimation)
        if self.find(video, estimation) is None:
            with publishing(self._place, key, lambda: self.find(video, estimation) is not None) as group:
                shape = (video.shape.frame_count - 1, *estimation.frame_size(video.shape), 2)
                motion = ArrayFormat.create(shape, estimation.dtype, MOTION_AXES)
                group.create_array("motion", motion, is_growing=True)
                about = {"video": video.name, "location": video.location, "made": describe()}
                group.attributes = {**about, **_identify(video, estimation)}
        flow = self.find(video, estimation)
        if flow is None:
            raise _gone(key, self._place)
        return flow


def _identify(video: Video, estimation: FlowRecipe) -> dict[str, Any]:
    """Return the attributes of estimated motion that decide it."""
    return {"fingerprint": video.fingerprint, "estimation": estimation.to_json()}


def _key_of(video: Video, estimation: FlowRecipe) -> str:
    return flow_key(video.name, estimation.algorithm, digest_of_flow(_identify(video, estimation)))


def _gone(key: str, place: Storage) -> GbvisError:
    return GbvisError(
        f"the flow {key} is gone from {place.location} again",
        "something else takes it away while this call writes it: repeat it",
    )
