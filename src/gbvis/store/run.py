"""A run, in a store."""

from contextlib import suppress
from typing import Any, ClassVar

from gbvis.attribution.attribution import Gradient
from gbvis.networks.endpoint import Endpoint, read_endpoint
from gbvis.provenance import digest_of
from gbvis.store.group import StoredGroup
from gbvis.store.keys import clips_key, run_key
from gbvis.store.metadata import ABSENT, NUMBER, read_group, write_group


class StoredRun(StoredGroup):
    """One run: a gradient per clip and all that decided it."""

    FORM: ClassVar = {
        "video": str,
        "location": str,
        "recipe": {
            **dict.fromkeys(("video", "modality", "weights", "family", "endpoint", "method", "precision"), str),
            "clips": [[int]],
            "preprocessing": dict,
            "target": int,
            "flow": (ABSENT, dict),
        },
        "clips": str,
        "value": [NUMBER],
        "label": (None, {"index": int, "name": (None, str)}),
        "scores": [{"index": int, "label": (None, str), "score": NUMBER}],
        "requests": [str],
        "made": {"at": str},
        "state": str,
    }
    ARRAYS: ClassVar = ("gradient", "value")

    @property
    def own_key(self) -> str:
        """The key of a run with this recipe."""
        recipe = self.recipe
        digest = digest_of(recipe)
        return run_key(self.video, self.modality, self.endpoint.name, self.target, recipe["method"], digest)

    @property
    def video(self) -> str:
        """The video's true name."""
        return str(self.attributes["video"])

    @property
    def modality(self) -> str:
        """`rgb` or `flow`."""
        return str(self.recipe["modality"])

    @property
    def endpoint(self) -> Endpoint:
        """Where the target lies."""
        return read_endpoint(self.recipe["endpoint"])

    @property
    def target(self) -> int:
        """The filter, feature or class."""
        return int(self.recipe["target"])

    @property
    def recipe(self) -> dict[str, Any]:
        """What decided the numbers, as `Recipe.to_json` wrote it."""
        recipe: dict[str, Any] = self.attributes["recipe"]
        return recipe

    @property
    def digest(self) -> str:
        """The last part of the key's last part."""
        return self.key.rsplit("-", 1)[1]

    @property
    def clips_key(self) -> str:
        """The key of the clips that the run was computed from."""
        return clips_key(self.video, self.modality, self.attributes["clips"])

    @property
    def clip_count(self) -> int:
        """The number of clips."""
        return len(self.recipe["clips"])

    @property
    def values(self) -> list[float]:
        """The target's value per clip."""
        values: list[float] = self.attributes["value"]
        return values

    def _find_damage(self, is_thorough: bool) -> str | None:
        damage = super()._find_damage(is_thorough)
        if damage:
            return damage
        frames: list[list[int]] = self.recipe["clips"]
        gradient = self._array("gradient")
        is_one = gradient is not None and gradient.chunk_count == len(frames) == len(self.values)
        return None if is_one and frames and all(frames) else "its clips, values and gradients do not go together"

    def gradient(self, clip: int) -> Gradient:
        """Return d target / d normalised input: float32 (channel, time, y, x); flow: channel 0 is u, 1 is v."""
        return self._read("gradient", clip)

    def add_requests(self, digests: list[str]) -> None:
        """Keep with the run that it answers these requests too, if the store lets us; if not, nothing is lost."""
        now = read_group(self._place, self.key)  # another process may have added to them
        if now is not None and now.get("arrays") == self.attributes["arrays"]:
            self.attributes = {**now, "requests": sorted({*now["requests"], *digests})}
            with suppress(OSError):
                write_group(self._place, self.key, self.attributes)
