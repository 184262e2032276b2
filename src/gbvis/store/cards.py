"""What a store knows of weights files, so that a call which computes nothing need not read them."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from gbvis.card import WeightsCard
from gbvis.fingerprint import Stamp
from gbvis.store.key import WEIGHTS, weights_key
from gbvis.store.metadata import read_attributes, write_attributes
from gbvis.store.publishing import leads_out, publishing

_FILES = "files"
"""The attribute, beside the cards, that says where a file lies: by path, its stamp."""


class Cards:
    """The cards of weights files, by the files' hashes."""

    def __init__(self, store: Path) -> None:
        self._store = store

    def read(self, sha256: str, family: str | None = None) -> list[WeightsCard]:
        """Return the cards of the networks in the weights file with that hash; none where it is not known.

        Args:
            sha256: The file's hash.
            family: The family that it was said to be of, where it was.
        """
        cards = self._attributes(sha256, family)
        try:
            return [WeightsCard.from_json(card) for name, card in cards.items() if name != _FILES]
        except (KeyError, TypeError, ValueError):  # a damaged card: the weights are read anew
            return []

    def write(self, cards: list[WeightsCard], family: str | None = None) -> None:
        """Keep the cards of one weights file, read as `family` where that was said.

        Raises:
            GbvisError: The store cannot be written.
        """
        sha256 = cards[0].sha256
        with publishing(self._store, weights_key(sha256, family), lambda: bool(self.read(sha256, family))) as group:
            group.update_attributes({card.modality: card.to_json() for card in cards})

    def find_hash(self, path: Path, stamp: Stamp) -> str | None:
        """Return the hash of the weights file at `path`, if it had this stamp when it was hashed; else None."""
        folder = self._store / WEIGHTS
        for known in sorted(folder.iterdir()) if folder.is_dir() else ():
            files = (read_attributes(known) or {}).get(_FILES, {})
            if isinstance(files, dict) and files.get(str(path)) == list(stamp):
                return known.name.split("-")[0]
        return None

    def keep_hash(self, path: Path, stamp: Stamp, sha256: str, family: str | None = None) -> None:
        """Keep where a weights file lies, and its stamp, beside its cards; where the store cannot be written, not."""
        attributes = self._attributes(sha256, family)
        if attributes:
            files = {**attributes.get(_FILES, {}), str(path): list(stamp)}
            with suppress(OSError):
                write_attributes(self._store / weights_key(sha256, family), {**attributes, _FILES: files})

    def _attributes(self, sha256: str, family: str | None) -> dict[str, Any]:
        key = weights_key(sha256, family)
        return {} if leads_out(self._store, key) else read_attributes(self._store / key) or {}
