"""What can be asked of `explain`, and what comes back."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gbvis.errors import GbvisError
from gbvis.networks.endpoint import SOFTMAX, Endpoint, TargetRequest
from gbvis.networks.info import WeightsInfo
from gbvis.networks.labels import check_index, find_class
from gbvis.steps.networks import WeightsRequest
from gbvis.steps.streams import FlowRequest
from gbvis.store import StoredRun
from gbvis.videos.clip_request import ClipRequest
from gbvis.videos.locate import VideoEntry


@dataclass(frozen=True)
class ExplainRequest:
    """What to explain.

    Attributes:
        videos: Which videos.
        weights: With which networks.
        store: Where the results go.
        dataset: Where bare names lie.
        endpoints: Where the targets lie.
        labels: Classes, by index or name; empty for the class predicted.
        filters: Filters or features at the other endpoints.
        top_filters: How many of the most active ones instead of `filters`.
        clips: Which clips; its `frames` is None where the network's own length is meant.
        method: The method's name.
        flow: How the flow stream is to be had.
        is_forced: Compute again what is there.
    """

    videos: tuple[VideoEntry, ...]
    weights: WeightsRequest
    store: str | Path
    dataset: Path | None = None
    endpoints: tuple[Endpoint, ...] = (SOFTMAX,)
    labels: tuple[str, ...] = ()
    filters: tuple[int, ...] = (0,)
    top_filters: int | None = None
    clips: ClipRequest = field(default_factory=ClipRequest)
    method: str = "guided-backprop"
    flow: FlowRequest = field(default_factory=FlowRequest)
    is_forced: bool = False

    def targets_for(self, entry: VideoEntry, card: WeightsInfo) -> list[TargetRequest]:
        """Return the targets asked of one video and network.

        Raises:
            GbvisError: A label, class or filter that the network does not have (exit code 2).
        """
        labels = [find_class(label, card.labels, card.class_count) for label in self.labels]
        if not labels and entry.class_index is not None:
            labels = [check_index(entry.class_index, card.class_count, f"{entry.location}: class")]
        targets: list[TargetRequest] = []
        for endpoint in self.endpoints:
            count = card.target_count(endpoint)
            if endpoint.is_class:
                targets += [TargetRequest(endpoint, index=label) for label in labels]
                targets += [] if labels else [TargetRequest(endpoint, rank=0)]
            elif self.top_filters:
                if self.top_filters > count:
                    raise GbvisError(
                        f"--top-filters {self.top_filters} is more than {endpoint} has",
                        f"it has {count} {endpoint.target_kind}s",
                        exit_code=2,
                    )
                targets += [TargetRequest(endpoint, rank=rank) for rank in range(self.top_filters)]
            else:
                kind = f"{endpoint} {endpoint.target_kind}"
                targets += [TargetRequest(endpoint, check_index(index, count, kind)) for index in self.filters]
        return list(dict.fromkeys(targets))


@dataclass(frozen=True)
class ExplainedRun:
    """One run, now in the store."""

    run: StoredRun
    store: str
    card: WeightsInfo
    is_cached: bool
    seconds: float

    @property
    def label(self) -> dict[str, Any] | None:
        """The class as `{"index", "name"}`, or None at an endpoint without classes."""
        return self.card.label_of(self.run.target) if self.run.endpoint.is_class else None

    def to_json(self) -> dict[str, Any]:
        """Return the run as a line of `--json`."""
        frames: list[list[int]] = self.run.recipe["clips"]
        return {
            "video": self.run.video,
            "modality": self.run.modality,
            "endpoint": self.run.endpoint.name,
            "target": self.run.target,
            "label": self.label,
            "value": self.run.values,
            "method": self.run.recipe["method"],
            "flow": self.run.recipe.get("flow"),
            "weights": {"path": self.card.path, "sha256": self.card.sha256},
            "clips": [{"start": numbers[0], "frames": numbers} for numbers in frames],
            "store": self.store,
            "group": self.run.key,
            "cached": self.is_cached,
            "seconds": round(self.seconds, 4),
        }
