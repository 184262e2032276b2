"""The stream of a video that a network sees: read, or computed as flow."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
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
from gbvis.videos.readers.frame_folder import ImageFiles
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
    is_flow = info.modality == "flow"
    flow = _find(entry, "flow", dataset) if is_flow and not request.algorithm else None
    read = flow or _find(entry, "rgb", dataset)
    if read is None:  # then say what is not there: both, or the frames that motion would be estimated from
        is_rgb_missing = not is_flow or _find(entry, "flow", dataset)
        read = _miss(entry, "rgb" if is_rgb_missing else "flow", dataset)
    tell_notices(read, progress)
    _check_count(entry, read, progress)
    if not is_flow:
        return read
    if flow is None:
        flow = EstimatedFlow(read, request.recipe_for(info.clip_format), request.is_jpeg, open_store, progress)
    return CompensatedFlow(flow, request.remedy) if request.remedy else flow


def find_motion(
    entry: VideoEntry,
    info: WeightsInfo,
    dataset: Path | None,
    request: FlowRequest,
    open_store: Callable[[], Store],
    progress: Progress,
) -> Video:
    """Return the flow that tells how things move in the stream which `find_stream` returns.

    It is the video's own, if it has any and no algorithm is asked for, else estimated; of the network's flow it is
    that, but without the remedy against camera motion: what moves with the camera moves in the picture.

    Raises:
        VideoError: There is no such video.
    """
    flow = None if request.algorithm else _find(entry, "flow", dataset)
    if flow is None:
        rgb = _find(entry, "rgb", dataset) or _miss(entry, "rgb", dataset)
        flow = EstimatedFlow(rgb, request.recipe_for(info.clip_format), request.is_jpeg, open_store, progress)
    return flow


def prepare_motion(flow: Video, clips: Sequence[Sequence[int]]) -> None:
    """Get ready what `cut_motion` reads of clips with these frames.

    Raises:
        GbvisError: There is no motion between some frames, or it cannot be estimated.
    """
    if any(after != before + 1 for numbers in clips for before, after in pairwise(numbers)):
        raise VideoError(
            f"{flow.location} is shorter than a clip, which goes back to its beginning: no motion leads there",
            "take shorter clips with --frames, or leave out follow=flow",
        )
    numbers = {number for clip in clips for number in clip[:-1]}
    if not numbers:
        return
    if max(numbers) >= flow.shape.frame_count:
        raise VideoError(
            f"the flow of {flow.location} has {flow.shape.frame_count} frames, and the motion of frame {max(numbers)} "
            "is to be followed",
            "give the flow of the whole video, or have it estimated with --flow-algorithm",
        )
    flow.prepare(numbers)


def tell_notices(video: Video, progress: Progress) -> None:
    """Warn of what a user should know of how a video was read."""
    for notice in video.notices:
        progress.warn(notice)


def check_entry(entry: VideoEntry) -> None:
    """Check that it could be told which video is meant.

    Raises:
        VideoError: It could not.
    """
    if entry.problem:
        raise VideoError(entry.problem.problem, entry.problem.hint) from entry.problem


def _check_count(entry: VideoEntry, video: Video, progress: Progress) -> None:
    """Warn where a list says another number of frames than a folder holds; that of its flow, or of u and v, will do."""
    count = entry.frame_count
    if count is None or not isinstance(video, ImageFiles):
        return
    there = video.shape.frame_count
    if count not in {there, there - 1, there + 1, 2 * there, 2 * there - 2}:
        progress.warn(
            f"{entry.location}: the list says {count} frames, and the folder holds {there}; all {there} are read"
        )


def _miss(entry: VideoEntry, modality: str, dataset: Path | None) -> Video:
    """Say what there is not; of a line of a list also how it was read.

    Raises:
        VideoError: Always, if not somebody has put the video there meanwhile.
    """
    try:
        return find_video(entry.location, modality, dataset)
    except VideoError as error:
        if entry.near:
            raise VideoError(
                error.problem, f"{entry.near} is there: paths in a list begin here or beside the list"
            ) from error
        if entry.is_listed and entry.location.startswith("#"):
            hint = f"a list has no comments: take the line out; {HOW_LINES_ARE_READ}"
            raise VideoError(error.problem, hint) from error
        if entry.is_listed and any(character in entry.location for character in " \t,;"):
            raise VideoError(error.problem, HOW_LINES_ARE_READ) from error
        raise


def _find(entry: VideoEntry, modality: str, dataset: Path | None) -> Video | None:
    check_entry(entry)
    if entry.video is None:
        return look_for(entry.location, modality, dataset)
    return entry.video if entry.video.modality == modality else None
