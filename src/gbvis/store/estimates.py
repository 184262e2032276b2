"""Estimates: what methods of many passes have found so far, so that a killed call is gone on with where it was."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gbvis.attribution.estimate import Estimate
from gbvis.attribution.recipe import Recipe
from gbvis.attribution.relu_count import ReluCount
from gbvis.errors import GbvisError
from gbvis.networks.endpoint import Target
from gbvis.provenance import digest_of
from gbvis.store.array import StoredArray
from gbvis.store.group import StoredGroup
from gbvis.store.keys import estimate_key
from gbvis.store.storage import Storage
from gbvis.store.transaction import transaction


@dataclass(kw_only=True)
class StoredEstimate(StoredGroup):
    """What a method of many passes has found so far for one clip of a run.

    Attributes:
        video: The video's true name.
        recipe: Of the run.
        clip: Which clip of it.
        passes: How many passes the sums hold.
        value: The target's value for the clip itself.
        numbers: What else the method keeps from pass to pass.
        relus: What a rule for ReLUs reached; None where no pass has one.
    """

    video: str
    recipe: Recipe
    clip: int
    passes: int
    value: float
    numbers: dict[str, float]
    relus: ReluCount | None = None

    def __post_init__(self) -> None:
        if {*self.arrays} != {"sums"}:
            raise ValueError("no sums")

    @property
    def own_key(self) -> str:
        """The key of an estimate with these attributes."""
        return _key_of(self.video, self.recipe, self.clip)

    def to_estimate(self, target: Target) -> Estimate:
        """Return it as what its method goes on with, for the run's target."""
        sums = self._read_chunk("sums", 0).copy()  # what is read may not be changed
        return Estimate(target, self.value, sums, self.passes, dict(self.numbers), self.relus)


class KeptEstimates:
    """The estimates of a store; of one clip at a time there is one, the last."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def find(self, video: str, recipe: Recipe, clip: int, target: Target) -> Estimate | None:
        """Return what was found so far for a clip of a run, every byte checked; None where there is nothing."""
        stored = StoredEstimate.find(self._storage, _key_of(video, recipe, clip))
        return stored.to_estimate(target) if stored else None

    def keep(self, video: str, recipe: Recipe, clip: int, estimate: Estimate) -> None:
        """Keep what was found so far, in place of what was kept before; where the store is full, nothing is."""
        sums = np.asarray(estimate.sums, np.float64)
        with (
            suppress(GbvisError),
            transaction(self._storage, _key_of(video, recipe, clip), None) as group,
        ):
            axes = tuple(f"axis_{number}" for number in range(sums.ndim))
            group.add_array("sums", StoredArray((1, *sums.shape), "float64", ("estimate", *axes)))
            group.write("sums", sums)
            group.attributes = {
                "video": video,
                "recipe": recipe.to_json(),
                "clip": clip,
                "passes": estimate.passes,
                "value": estimate.value,
                "numbers": dict(estimate.numbers),
                "relus": asdict(estimate.relus) if estimate.relus else None,
            }

    def forget(self, video: str, recipe: Recipe, clips: Iterable[int]) -> None:
        """Remove what was kept of a run that is done."""
        for clip in clips:
            with suppress(OSError):
                self._storage.remove(_key_of(video, recipe, clip))


def _key_of(video: str, recipe: Recipe, clip: int) -> str:
    about: dict[str, Any] = {"recipe": recipe.digest, "clip": clip}
    return estimate_key(video, recipe.modality, digest_of(about))
