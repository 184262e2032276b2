"""Recipe: everything that decides the numbers of a run, and nothing else."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gbvis.networks.endpoint import Target, TargetRequest
from gbvis.provenance import digest_of

NUMBERS_VERSION = 3
"""Raised whenever our own arithmetic changes results, so that no older gradient is taken for a new one."""

_RARE = ("flow", "motion")
"""What a recipe leaves out where it is empty."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the numbers of a run, and nothing else: this is what its digest covers.

    Attributes:
        video: The video's fingerprint.
        modality: `rgb` or `flow`.
        clips: Per clip its frame numbers.
        preprocessing: The network's clip format as plain data, less its default number of frames.
        weights: The network's identity: `WeightsInfo.identity`.
        family: The checkpoint format it was read as, by the name that JSON has for it; it decides padding and epsilon.
        endpoint: The endpoint's name.
        target: The index of the filter, feature or class.
        method: The method's name, version and settings.
        precision: `float32`, `tf32` or `bfloat16`.
        numbers_version: `NUMBERS_VERSION` when the run was made.
        flow: How the motion came about, where more was done than reading it: `Video.flow_recipe`.
        motion: Of a method that follows motion, where that came from: `video`, the fingerprint, beside what
            `Video.flow_recipe` says.
    """

    video: str
    modality: str
    clips: list[list[int]]
    preprocessing: dict[str, Any]
    weights: str
    family: str
    endpoint: str
    target: int
    method: dict[str, Any]
    precision: str
    numbers_version: int = NUMBERS_VERSION
    flow: dict[str, Any] = field(default_factory=dict)
    motion: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """A short digest of the recipe."""
        return digest_of(self.to_json())

    @property
    def flow_algorithm(self) -> str | None:
        """The algorithm that computed the flow; None where the flow was read, and for RGB."""
        return self.flow.get("algorithm")

    @property
    def motion_algorithm(self) -> str | None:
        """The algorithm that computed the flow, or the motion that a method follows; None where none was computed."""
        return self.flow_algorithm or self.motion.get("algorithm")

    @property
    def method_name(self) -> str:
        """The method and its settings, as `--method` takes them."""
        return describe_method(self.method)

    @property
    def short_method(self) -> str:
        """The same with the settings alone that are not as by default, and how motion came about that it follows."""
        from gbvis.attribution.methods import describe_shortly

        followed = ", ".join(describe_flow(self.motion))
        return f"{describe_shortly(self.method)} ({followed})" if followed else describe_shortly(self.method)

    @property
    def asked_method(self) -> str:
        """The same without settings that are decided for the network and the target where nobody does."""
        from gbvis.attribution.methods import describe_asked

        return describe_asked(self.method)

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as plain data; without `flow` where nothing was done, and `motion` where none counts."""
        return {name: value for name, value in vars(self).items() if value or name not in _RARE}


@dataclass(frozen=True)
class StreamRecipe:
    """The part of a `Recipe` that all runs of one stream share."""

    video: str
    modality: str
    preprocessing: dict[str, Any]
    weights: str
    family: str
    precision: str
    flow: dict[str, Any] = field(default_factory=dict)
    motion: dict[str, Any] = field(default_factory=dict)

    def of_run(self, method: Mapping[str, Any], target: Target, clips: list[list[int]]) -> Recipe:
        """Return the recipe of the run for `target` over the clips with these frames."""
        return Recipe(
            **vars(self), clips=clips, endpoint=target.endpoint.name, target=target.index, method=dict(method)
        )

    def digest_of_request(self, method: Mapping[str, Any], target: TargetRequest, clips: Mapping[str, Any]) -> str:
        """Return the digest of a request; nothing has to be decoded or computed for it.

        Args:
            method: Its recipe.
            target: What is asked for.
            clips: Which clips, as plain data.
        """
        shared = {name: value for name, value in asdict(self).items() if value or name not in _RARE}
        asked = {"endpoint": target.endpoint.name, "index": target.index, "rank": target.rank}
        return digest_of({**shared, **asked, "method": method, "clips": clips, "numbers_version": NUMBERS_VERSION})


def describe_flow(recipe: Mapping[str, Any]) -> Iterator[str]:
    """Yield in words how motion came about: what tells two runs of one video apart."""
    if "algorithm" in recipe:
        yield str(recipe["algorithm"])
    if "jpeg_quality" in recipe:
        yield "JPEG"
    if "camera_motion" in recipe:
        yield str(recipe["camera_motion"])


def describe_method(recipe: Mapping[str, Any]) -> str:
    """Return a method in words, as `--method` takes it: `smoothgrad:samples=25,noise=0.15`."""
    settings = ",".join(f"{name}={'null' if value is None else value}" for name, value in recipe["settings"].items())
    return f"{recipe['name']}:{settings}" if settings else str(recipe["name"])
