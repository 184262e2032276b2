"""Checks: what one test found of one run, with all that decided it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.checks import describe_shortly
from gbvis.attribution.checks.check import BASELINES, Finding
from gbvis.attribution.recipe import Recipe, describe_method
from gbvis.errors import StoreError
from gbvis.networks.endpoint import Endpoint
from gbvis.provenance import digest_of
from gbvis.store.array import StoredArray
from gbvis.store.clips import StoredClips
from gbvis.store.group import StoredGroup
from gbvis.store.keys import check_key, clips_key
from gbvis.store.run import StoredRun
from gbvis.store.storage import Storage
from gbvis.store.transaction import GroupWriter, transaction

CURVES = "curves"


@dataclass(frozen=True)
class CheckRecipe:
    """Everything that decides the numbers of a check, and nothing else: this is what its digest covers.

    Attributes:
        run: The recipe of the run that is judged.
        test: The test's name, version and settings.
        seed: Decides all that is random.
        masks: Where masks came from, of a test that looks at them.
    """

    run: Recipe
    test: dict[str, Any]
    seed: int
    masks: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """A short digest of the recipe."""
        return digest_of(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as plain data; without `masks` where none count."""
        about = {"run": self.run.to_json(), "test": self.test, "seed": self.seed}
        return {**about, **({"masks": self.masks} if self.masks else {})}

    def key(self, video: str) -> str:
        """Return the key of a video's check by this recipe."""
        run = self.run
        place = video, run.modality, run.endpoint, str(self.test["name"]), run.target
        return check_key(*place, str(run.method["name"]), self.digest)


@dataclass(kw_only=True)
class StoredCheck(StoredGroup):
    """One check of a store.

    Attributes:
        kind: What tells it from a run.
        video: The video's true name.
        location: Where it was read from.
        recipe: Of the run that was judged.
        test: The test's name, version and settings.
        seed: Decided all that is random.
        masks: Where masks came from, of a test that looks at them.
        endpoint: Where the target lies.
        position: The endpoint's place in the forward pass, from 0.
        clips: The digest of the clips.
        value: The test's number, the mean over the clips.
        values: The number of each clip.
        baselines: The same number, for attributions that know nothing of the network.
        interval: Lower and upper end of the value's interval, 95 %, where the test has one.
        details: More numbers.
        verdict: One sentence with the number.
        curves: Names of what pictures draw; the rows of the array `curves`.
        made: What it was made with: versions, device, time.
    """

    kind: Literal["check"]
    video: str
    location: str
    recipe: Recipe
    test: dict[str, Any]
    seed: int
    masks: dict[str, Any] = field(default_factory=dict)
    endpoint: Endpoint
    position: int
    clips: str
    value: float
    values: list[float]
    baselines: dict[str, float]
    interval: tuple[float, float] | None
    details: dict[str, Any]
    verdict: str
    curves: list[str]
    made: dict[str, Any]

    def __post_init__(self) -> None:
        rows = self.arrays[CURVES].shape[0] if self.arrays else 0
        if not {*self.arrays} <= {CURVES} or rows != len(self.curves) or len(self.values) != len(self.recipe.clips):
            raise ValueError("its curves or values do not go together")
        if self.endpoint.name != self.recipe.endpoint or not {*self.baselines} <= {*BASELINES}:
            raise ValueError("its endpoint or baselines are of something else")
        words = self.test["name"], self.recipe.method["name"]
        settings = self.test["settings"], self.recipe.method["settings"]
        if not all(isinstance(one, str) for one in words) or not all(isinstance(one, dict) for one in settings):
            raise ValueError("its recipe is none")

    @property
    def full_recipe(self) -> CheckRecipe:
        """Everything that decided its numbers."""
        return CheckRecipe(self.recipe, self.test, self.seed, self.masks)

    @property
    def own_key(self) -> str:
        """The key of a check with this recipe."""
        return self.full_recipe.key(self.video)

    @property
    def modality(self) -> str:
        """`rgb` or `flow`."""
        return self.recipe.modality

    @property
    def target(self) -> int:
        """The filter, feature or class."""
        return self.recipe.target

    @property
    def digest(self) -> str:
        """The last part of the key's last part."""
        return self.key.rsplit("-", 1)[1]

    @property
    def test_name(self) -> str:
        """The test's name without its settings."""
        return str(self.test["name"])

    @property
    def short_test(self) -> str:
        """The test with the settings alone that are not as by default."""
        return describe_shortly(self.test)

    @property
    def described_test(self) -> str:
        """The test with its settings, as `--test` takes it."""
        return describe_method(self.test)

    @property
    def clips_key(self) -> str:
        """The key of the clips that the run was computed from."""
        return clips_key(self.video, self.modality, self.clips)

    @cached_property
    def drawn(self) -> dict[str, NDArray[np.float64]]:
        """The curves by name: float64 (steps,) each.

        Raises:
            GbvisError: They are missing or damaged.
        """
        rows = {name: self._read_chunk(CURVES, number) for number, name in enumerate(self.curves)}
        return {name: row[np.isfinite(row)] for name, row in rows.items()}

    def describe(self) -> dict[str, Any]:
        """Return what was found as plain data; a baseline without such a number is null."""
        method = self.recipe.method
        return {
            "video": self.video,
            "modality": self.modality,
            "endpoint": self.endpoint.name,
            "target": self.target,
            "method": method["name"],
            "settings": method["settings"],
            "test": self.test_name,
            "test_settings": self.test["settings"],
            "value": self.value,
            "baselines": {name: self.baselines.get(name) for name in BASELINES},
            "interval": list(self.interval) if self.interval else None,
            "verdict": self.verdict,
        }

    def read_clips(self) -> StoredClips:
        """Return the clips that the run was computed from.

        Raises:
            StoreError: They are missing or damaged.
        """
        clips = StoredClips.find(self.storage, self.clips_key, is_thorough=False)
        if clips is None:
            raise StoreError(f"the frames {self.clips_key} are gone", "run the same `gbvis check` again")
        return clips


def write_check(
    storage: Storage,
    run: StoredRun,
    recipe: CheckRecipe,
    findings: "list[Finding]",
    whole: Finding,
    about: Mapping[str, Any],
    force: bool,
) -> None:
    """Write what a test found of a run.

    Args:
        storage: The store's files.
        run: What was judged.
        recipe: What decided the numbers.
        findings: Of each clip.
        whole: The mean over the clips.
        about: The verdict, and what it was made with.
        force: Replace one that another process has made meanwhile.

    Raises:
        StoreError: The store cannot be written.
    """
    with transaction(storage, recipe.key(run.video), None if force else StoredCheck) as group:
        _write_curves(group, list(whole.curves.values()))
        group.attributes = {
            "kind": "check",
            "video": run.video,
            "location": run.location,
            "recipe": run.recipe.to_json(),
            "test": recipe.test,
            "seed": recipe.seed,
            "masks": recipe.masks,
            "endpoint": {**vars(run.endpoint), "aliases": list(run.endpoint.aliases)},
            "position": run.position,
            "clips": run.clips,
            "value": whole.value,
            "values": [finding.value for finding in findings],
            "baselines": dict(whole.baselines),
            "interval": whole.interval and list(whole.interval),
            "details": dict(whole.details),
            "curves": list(whole.curves),
            **about,
        }


def _write_curves(group: GroupWriter, curves: list[NDArray[np.float64]]) -> None:
    """Write curves of any lengths, if there are any, as float64 (curve, step); NaN stands behind the shorter ones."""
    if not curves:
        return
    length = max(map(len, curves))
    group.add_array(CURVES, StoredArray((len(curves), length), "float64", ("curve", "step")))
    for curve in curves:
        padded = np.full(length, np.nan)
        padded[: len(curve)] = curve
        group.write(CURVES, padded)
