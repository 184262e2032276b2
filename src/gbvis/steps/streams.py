"""The stream of a video that a network sees: read, or computed as flow."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from gbvis.errors import UsageError, VideoError
from gbvis.flow import ALGORITHMS
from gbvis.flow.camera_motion import REMEDIES, CompensatedFlow
from gbvis.flow.recipe import FlowRecipe
from gbvis.networks.info import WeightsInfo
from gbvis.progress import Progress
from gbvis.registry import check_name
from gbvis.steps.estimated_flow import EstimatedFlow
from gbvis.store import Store
from gbvis.videos.clip import ClipFormat
from gbvis.videos.list_line import HOW_LINES_ARE_READ
from gbvis.videos.locate import find_video, look_for
from gbvis.videos.name_list import VideoEntry
from gbvis.videos.video import Video


@dataclass(frozen=True)
class FlowRequest:
    """How flow is computed.

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
        ALGORITHMS.check(self.algorithm or "tvl1")
        check_name("remedy", REMEDIES, self.remedy or REMEDIES[0])

    def check(self, infos: Collection[WeightsInfo]) -> None:
        """Check that the networks take such flow.

        Raises:
            UsageError: One takes motion in pixels, and 8 bit is asked for.
        """
        option = "--flow-jpeg" if self.is_jpeg else "--meansub" if self.remedy == "meansub" else None
        for info in infos:
            if option and info.clip_format.is_motion:
                raise UsageError(
                    f"{option} is for flow in 8 bit, and {info.path} takes motion in pixels",
                    f"leave {option} out",
                )

    def recipe_for(self, clip_format: ClipFormat) -> FlowRecipe:
        """Return how motion is estimated for a network of this format."""
        algorithm = self.algorithm or ("farneback" if clip_format.is_motion else "tvl1")
        crop = clip_format if clip_format.is_motion else None
        return FlowRecipe.of(algorithm, crop)


def find_stream(
    entry: VideoEntry,
    info: WeightsInfo,
    dataset: Path | None,
    request: FlowRequest,
    open_store: Callable[[], Store],
    progress: Progress,
) -> Video:
    """Return the stream of the video asked for which the network of `info` takes.

    Raises:
        VideoError: There is no such video.
    """
    if info.modality == "rgb":
        read = _find(entry, "rgb", dataset) or _miss(entry, "rgb", dataset)
        tell_notices(read, progress)
        return read
    flow = None if request.algorithm else _find(entry, "flow", dataset)
    if flow is None:
        rgb = _find(entry, "rgb", dataset)
        if rgb is None:  # then say what is not there: both, or the frames that motion would be estimated from
            missing = "rgb" if _find(entry, "flow", dataset) else "flow"
            rgb = _miss(entry, missing, dataset)
        tell_notices(rgb, progress)
        flow = EstimatedFlow(rgb, request.recipe_for(info.clip_format), request.is_jpeg, open_store, progress)
    return CompensatedFlow(flow, request.remedy) if request.remedy else flow


def tell_notices(video: Video, progress: Progress) -> None:
    """Warn of what a user should know of how a video was read."""
    for notice in video.notices:
        progress.warn(notice)


def _miss(entry: VideoEntry, modality: str, dataset: Path | None) -> Video:
    """Say what there is not; of a line of a list also how it was read.

    Raises:
        VideoError: Always, if not somebody has put the video there meanwhile.
    """
    try:
        return find_video(entry.location, modality, dataset)
    except VideoError as error:
        if entry.is_listed and any(character in entry.location for character in " \t,;"):
            raise VideoError(error.problem, HOW_LINES_ARE_READ) from error
        raise


def _find(entry: VideoEntry, modality: str, dataset: Path | None) -> Video | None:
    if entry.video is None:
        return look_for(entry.location, modality, dataset)
    return entry.video if entry.video.modality == modality else None
