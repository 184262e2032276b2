"""The stream of a video that a network is to see: read where it lies, or its motion estimated."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from gbvis import registry
from gbvis.errors import GbvisError
from gbvis.flow.camera_motion import REMEDIES, CompensatedFlow
from gbvis.flow.recipe import FlowRecipe
from gbvis.networks.info import WeightsInfo
from gbvis.progress import Watcher
from gbvis.steps.estimated_flow import EstimatedFlow
from gbvis.store import Store
from gbvis.videos.clip import ClipFormat
from gbvis.videos.locate import find_video, look_for
from gbvis.videos.video import Video


@dataclass(frozen=True)
class FlowRequest:
    """How the flow stream is to be had.

    Attributes:
        algorithm: How motion is estimated, also where a data set holds it; None takes it from there, and estimates
            what is not there as the network's own flow was: `farneback` for motion in pixels, else `tvl1`.
        is_jpeg: Pass estimated 8-bit flow through JPEG.
        remedy: Against camera motion, one of `REMEDIES`, or None.
    """

    algorithm: str | None = None
    is_jpeg: bool = False
    remedy: str | None = None

    def __post_init__(self) -> None:
        registry.check_name("flow algorithm", registry.FLOWS, self.algorithm or "tvl1")
        registry.check_name("remedy", REMEDIES, self.remedy or REMEDIES[0])

    def check(self, cards: Collection[WeightsInfo]) -> None:
        """Check that the networks take such flow.

        Raises:
            GbvisError: One takes motion in pixels, and 8 bit is asked for (exit code 2).
        """
        option = "--flow-jpeg" if self.is_jpeg else "--meansub" if self.remedy == "meansub" else None
        for card in cards:
            if option and card.clip_format.is_motion:
                raise GbvisError(
                    f"{option} is for flow in 8 bit, and {card.path} takes motion in pixels",
                    f"leave {option} out",
                    exit_code=2,
                )

    def estimation_for(self, clip_format: ClipFormat) -> FlowRecipe:
        """Return how motion is estimated for a network of this format."""
        algorithm = self.algorithm or ("farneback" if clip_format.is_motion else "tvl1")
        crop = clip_format if clip_format.is_motion else None
        return FlowRecipe(algorithm, registry.flow(algorithm).SETTINGS, crop)


def find_stream(
    location: str,
    card: WeightsInfo,
    dataset: Path | None,
    request: FlowRequest,
    open_store: Callable[[], Store],
    watcher: Watcher,
) -> Video:
    """Return the stream of the video that `location` means which the network of `card` takes.

    Raises:
        GbvisError: There is no such video.
    """
    if card.modality == "rgb":
        return find_video(location, "rgb", dataset)
    flow = None if request.algorithm else look_for(location, "flow", dataset)
    if flow is None:
        rgb = look_for(location, "rgb", dataset)
        if rgb is None:  # then say what is not there: both, or the frames that motion would be estimated from
            rgb = find_video(location, "rgb" if look_for(location, "flow", dataset) else "flow", dataset)
        flow = EstimatedFlow(rgb, request.estimation_for(card.clip_format), request.is_jpeg, open_store, watcher)
    return CompensatedFlow(flow, request.remedy) if request.remedy else flow
