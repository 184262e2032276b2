"""Estimated motion, in a store."""

from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray

from gbvis.errors import GbvisError
from gbvis.store.array import is_intact
from gbvis.store.group import StoredGroup
from gbvis.store.key import flow_key
from gbvis.store.publishing import explaining_refusal
from gbvis.store.writing import digest_of_flow


class StoredFlow(StoredGroup):
    """The estimated motion of a video, pair by pair of its frames: what is there is done."""

    NAMES = ("video", "fingerprint", "estimation")

    @property
    def own_key(self) -> str:
        """The key of motion with these attributes."""
        algorithm = self.attributes["estimation"]["algorithm"]
        return flow_key(self.attributes["video"], algorithm, digest_of_flow(self.attributes))

    def find_damage(self, is_thorough: bool) -> str | None:
        """Return what is wrong with the group; pairs that are not there are not."""
        damage = super().find_damage(is_thorough)
        if damage or self._array("motion") is None:
            return damage or "the metadata of motion is missing or broken"
        torn = self._torn_pairs() if is_thorough else []
        return f"the checksum of pair {torn[0]} does not fit" if torn else None

    def _torn_pairs(self) -> list[int]:
        array = self._array("motion")
        assert array is not None
        there = {file.key for file in self._place.list_files(f"{self.key}/motion")}
        chunks = ((pair, f"{self.key}/motion/{array.chunk_name(pair)}") for pair in range(array.chunk_count))
        return [pair for pair, chunk in chunks if chunk in there and not is_intact(self._place.read(chunk), None)]

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
        except GbvisError:
            return None

    def write(self, pair: int, motion: NDArray[Any]) -> None:
        """Keep a pair's motion; it is there as a whole or not at all. Any thread may call this.

        Raises:
            GbvisError: The store cannot be written.
        """
        array = self._array("motion")
        assert array is not None
        chunk = array.encode(pair, motion)
        with explaining_refusal(self._place):
            self._place.replace(f"{self.key}/motion/{array.chunk_name(pair)}", chunk, is_lasting=False)
