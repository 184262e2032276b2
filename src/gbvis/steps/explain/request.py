"""The request of `explain`, and its results."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gbvis.attribution.method import Method
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.errors import UsageError
from gbvis.networks.endpoint import Endpoint, TargetRequest
from gbvis.networks.info import WeightsInfo
from gbvis.networks.labels import check_index, find_class
from gbvis.networks.prediction import PredictedClass, TrueClass
from gbvis.steps.engines.engine import Engine
from gbvis.steps.explain.task import Question
from gbvis.steps.networks import WeightsRequest
from gbvis.steps.streams import FlowRequest
from gbvis.store import StoredRun
from gbvis.videos.clip_request import ClipRequest
from gbvis.videos.name_list import VideoEntry
from gbvis.videos.shard import Shard


@dataclass(frozen=True)
class ExplainRequest:
    """What to explain.

    Attributes:
        videos: Which videos.
        weights: With which networks.
        store: Where the results go.
        dataset: Where bare names lie.
        endpoints: Where the targets lie, by name; empty for the network's class probabilities.
        labels: Classes, by index or name; empty for the class predicted.
        filters: Filters or features at the other endpoints; empty for the first.
        top_filters: How many of the most active ones instead of `filters`.
        clips: Which clips; its `frames` is None where the network's own length is meant.
        methods: How; all go back through one forward pass.
        flow: How flow is computed.
        is_forced: Compute again what is there.
        shard: Which part of the videos; None for all.
        engine: Where the videos are worked on; None for this process.
    """

    videos: tuple[VideoEntry, ...]
    weights: WeightsRequest
    store: str | Path
    dataset: Path | None = None
    endpoints: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    filters: tuple[int, ...] = ()
    top_filters: int | None = None
    clips: ClipRequest = field(default_factory=ClipRequest)
    methods: tuple[Method, ...] = (GuidedBackprop(),)
    flow: FlowRequest = field(default_factory=FlowRequest)
    is_forced: bool = False
    shard: Shard | None = None
    engine: Engine | None = None

    def __post_init__(self) -> None:
        """Check that methods that follow motion can.

        Raises:
            UsageError: Clips leave frames out.
        """
        if self.needs_motion and self.clips.stride > 1:
            raise UsageError(
                f"--stride {self.clips.stride} with follow=flow: flow leads from each frame to the next one",
                "leave out one of them",
            )

    @property
    def needs_motion(self) -> bool:
        """True where a method looks at how things move."""
        return any(method.needs_motion for method in self.methods)

    def questions_for(self, entry: VideoEntry, info: WeightsInfo) -> list[Question]:
        """Return what is asked of one video and network: every method of every target, each with settled settings.

        Raises:
            UsageError: As `targets_for`, or a method's settings make no sense for the network or a target.
        """
        frames = self.clips.completed(info.clip_format).frames
        assert frames
        targets = self.targets_for(entry, info)
        return [
            (method.settled(info, target.endpoint, frames), target) for method in self.methods for target in targets
        ]

    def targets_for(self, entry: VideoEntry, info: WeightsInfo) -> list[TargetRequest]:
        """Return the targets asked of one video and network.

        Raises:
            UsageError: An endpoint, label, class or filter that the network does not have, or that no endpoint asked
                for has.
        """
        endpoints = info.find_endpoints(self.endpoints)
        self._check_choice(endpoints, info)
        labels = [find_class(label, info.labels, info.class_count) for label in self.labels]
        labels = labels or _listed_classes(entry, info)
        targets: list[TargetRequest] = []
        for endpoint in endpoints:
            chosen = labels if endpoint.is_class else self._filters_at(endpoint, info.targets[endpoint.name])
            count = 1 if endpoint.is_class else self.top_filters or 0
            ranked_at = info.ranking_endpoint(endpoint)
            targets += [TargetRequest(endpoint, ranked_at, index=index) for index in chosen]
            targets += [] if chosen else [TargetRequest(endpoint, ranked_at, rank=rank) for rank in range(count)]
        return list(dict.fromkeys(targets))

    def _filters_at(self, endpoint: Endpoint, count: int) -> list[int]:
        """Return the filters asked for at an endpoint; none where the most active ones are wanted."""
        if self.top_filters is None:
            kind = f"{endpoint} {endpoint.target_kind}"
            return [check_index(index, count, kind) for index in self.filters or (0,)]
        if self.top_filters > count:
            problem = f"--top-filters {self.top_filters} is more than {endpoint} has"
            raise UsageError(problem, f"it has {count} {endpoint.target_kind}s")
        return []

    def _check_choice(self, endpoints: Sequence[Endpoint], info: WeightsInfo) -> None:
        """Check that what is chosen lies at some endpoint asked for."""
        if self.labels and not any(endpoint.is_class for endpoint in endpoints):
            raise _misplaced("--label goes", [one.name for one in info.endpoints if one.is_class], "a filter with -f")
        if (self.filters or self.top_filters) and all(endpoint.is_class for endpoint in endpoints):
            others = [one.name for one in info.endpoints if not one.is_class]
            raise _misplaced("--filter and --top-filters go", others, "a class with -l")
        if self.filters and self.top_filters:
            raise UsageError("both --filter and --top-filters are given", "give one of them")


def _listed_classes(entry: VideoEntry, info: WeightsInfo) -> list[int]:
    """Return the class that a list gives for a video; none where it gives none."""
    if entry.class_index is not None:
        return [check_index(entry.class_index, info.class_count, f"{entry.location}: class")]
    if entry.class_name is None:
        return []
    try:
        return [find_class(entry.class_name, info.labels, info.class_count)]
    except UsageError as error:
        if not entry.is_class_sure:
            return []
        raise UsageError(f"{entry.location} in the list: {error.problem}", error.hint) from error


def find_truth(entry: VideoEntry, info: WeightsInfo) -> TrueClass | None:
    """Return the class that a list gives for a video, whatever is explained; None where it gives none."""
    if entry.class_index is not None:
        is_known = 0 <= entry.class_index < info.class_count
        return TrueClass(entry.class_index) if is_known else None
    return TrueClass(None, entry.class_name).completed(info.labels) if entry.class_name is not None else None


def _misplaced(option: str, names: Sequence[str], other: str) -> UsageError:
    """Return the error for a choice that goes with other endpoints than those asked for, if there are any."""
    if not names:
        return UsageError(f"{option} with endpoints that this network does not have", f"pick {other} instead")
    return UsageError(f"{option} with {', '.join(names)}", f"add -e {names[0]}, say, or pick {other}")


@dataclass(frozen=True)
class ExplainedRun:
    """A run that is in the store now.

    Attributes:
        run: The run.
        store: Where it is.
        info: The network.
        is_cached: True where it was there before.
        seconds: Its share of its stream's time.
        shared_seconds: The time of all runs of the stream that were computed together, with the first of them; else
            None.
        weights_name: What the user calls the weights; empty where they have no name.
        location: The video as it was asked for.
        name: What tells the video apart from others of its name in the call, such as `a/clip`; empty where it has none.
    """

    run: StoredRun
    store: str
    info: WeightsInfo
    is_cached: bool
    seconds: float
    shared_seconds: float | None = None
    weights_name: str = ""
    location: str = ""
    name: str = ""

    @property
    def label(self) -> dict[str, Any] | None:
        """The class as `{"index", "name"}`, or None at an endpoint without classes."""
        return self.info.label_of(self.run.target) if self.run.endpoint.is_class else None

    @property
    def prediction(self) -> PredictedClass | None:
        """What the network predicts for these clips, or None where it gives no scores."""
        return self.run.predicted(self.info.labels)

    @property
    def truth(self) -> TrueClass | None:
        """The class that a list gives the video, or None."""
        return self.run.truth and self.run.truth.completed(self.info.labels)

    @property
    def is_saturated(self) -> bool:
        """True where the target is a probability and, in some clip, so near to 1 or 0 that its gradient is tiny."""
        return self.run.is_saturated

    def to_json(self) -> dict[str, Any]:
        """Return the run as a line of `--json`."""
        recipe = self.run.recipe
        return {
            "video": self.run.video,
            "location": self.location,
            "modality": self.run.modality,
            "endpoint": self.run.endpoint.name,
            "target": self.run.target,
            "label": self.label,
            "value": self.run.value,
            "prediction": self.prediction.to_json() if self.prediction else None,
            "truth": self.truth.to_json() if self.truth else None,
            "saturated": self.is_saturated,
            "method": recipe.method["name"],
            "settings": recipe.method["settings"],
            "details": self.run.details,
            "relus": asdict(self.run.relus) if self.run.relus else None,
            "flow": recipe.flow or None,
            "motion": recipe.motion or None,
            "weights": {
                "path": self.info.path,
                "sha256": self.info.sha256,
                "identity": self.info.identity,
                "name": self.weights_name or None,
            },
            "clips": [{"start": numbers[0], "frames": numbers} for numbers in recipe.clips],
            "store": self.store,
            "group": self.run.key,
            "cached": self.is_cached,
            "seconds": round(self.seconds, 4),
        }
