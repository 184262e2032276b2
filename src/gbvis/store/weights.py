"""What a store knows of weights files, so that a call which computes nothing need not read them."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from gbvis.networks.endpoint import ENDPOINTS
from gbvis.networks.info import WeightsInfo
from gbvis.provenance import Stamp
from gbvis.store.keys import WEIGHTS, weights_key
from gbvis.store.metadata import NUMBER, fits, read_group, write_group
from gbvis.store.storage import Storage
from gbvis.store.transaction import publishing

_FILES = "files"
"""The attribute, beside the cards, that says where a file lies: by path, its stamp."""

_CARD = {
    **dict.fromkeys(("sha256", "path", "family", "modality"), str),
    **dict.fromkeys(("depth", "parameters"), int),
    **dict.fromkeys(("variant", "clip_format"), dict),
    "interleaved": bool,
    "targets": dict.fromkeys((endpoint.name for endpoint in ENDPOINTS), int),
    "labels": (None, [str]),
    "fusion_weight": NUMBER,
}
"""The form of a card."""


class WeightsRecords:
    """The cards of weights files, by the files' hashes."""

    def __init__(self, place: Storage) -> None:
        self._place = place

    def read(self, sha256: str, family: str | None = None) -> list[WeightsInfo]:
        """Return the cards of the networks in the weights file with that hash; none where it is not known.

        Args:
            sha256: The file's hash.
            family: The family that it was said to be of, where it was.
        """
        cards = self._attributes(sha256, family)
        try:
            known = {name: card for name, card in cards.items() if name != _FILES}
            if not all(fits(card, _CARD) and card["sha256"] == sha256 for card in known.values()):
                return []
            read = [WeightsInfo.from_json(card) for card in known.values()]
            return read if [card.modality for card in read] == [*known] else []
        except (KeyError, TypeError, ValueError):  # of another release, or damaged: the weights are read anew
            return []

    def write(self, cards: list[WeightsInfo], family: str | None = None) -> None:
        """Keep the cards of one weights file, read as `family` where that was said.

        Raises:
            GbvisError: The store cannot be written.
        """
        sha256 = cards[0].sha256
        with publishing(self._place, weights_key(sha256, family), lambda: bool(self.read(sha256, family))) as writer:
            writer.attributes = {card.modality: card.to_json() for card in cards}

    def find_hash(self, path: Path, stamp: Stamp) -> str | None:
        """Return the hash of the weights file at `path`, if it had this stamp when it was hashed; else None."""
        for name in self._place.list_folders(WEIGHTS):
            files = (read_group(self._place, f"{WEIGHTS}/{name}") or {}).get(_FILES, {})
            if isinstance(files, dict) and files.get(str(path)) == list(stamp):
                return name.split("-")[0]
        return None

    def keep_hash(self, path: Path, stamp: Stamp, sha256: str, family: str | None = None) -> None:
        """Keep where a weights file lies, and its stamp, beside its cards; where the store cannot be written, not."""
        attributes = self._attributes(sha256, family)
        if attributes:
            files = {**attributes.get(_FILES, {}), str(path): list(stamp)}
            with suppress(OSError):
                write_group(self._place, weights_key(sha256, family), {**attributes, _FILES: files})

    def _attributes(self, sha256: str, family: str | None) -> dict[str, Any]:
        return read_group(self._place, weights_key(sha256, family)) or {}
