"""`gbvis extract`: whole videos as a two-stream data set, frames and flow."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from gbvis.atomic_file import check_place, locked
from gbvis.errors import GbvisError, UsageError, VideoError
from gbvis.flow import ALGORITHMS
from gbvis.flow.parallel import estimate_pairs
from gbvis.flow.preprocess import environment, load_opencv, scale_frame
from gbvis.flow.recipe import FlowRecipe
from gbvis.progress import Failure, Progress
from gbvis.registry import check_name
from gbvis.steps.estimated_flow import check_length
from gbvis.steps.networks import MODALITIES
from gbvis.steps.streams import check_entry, tell_notices
from gbvis.videos.gather import gather_videos
from gbvis.videos.locate import find_video
from gbvis.videos.name_list import VideoEntry
from gbvis.videos.shard import Shard
from gbvis.videos.two_stream import JPEG_QUALITY
from gbvis.videos.two_stream_writer import RECORDS, TwoStreamWriter, check_parts
from gbvis.videos.video import Frame, Video, reading_of


@dataclass(frozen=True)
class ExtractRequest:
    """What to extract.

    Attributes:
        videos: Which videos.
        output: The data set's folder.
        modality: `rgb` or `flow` alone; None for both.
        algorithm: How motion is estimated.
        is_lossless: Write PNG in place of JPEG.
        is_forced: Write again what is there, and over what else is there.
        shard: Which part of the videos; None for all.
    """

    videos: tuple[VideoEntry, ...]
    output: Path
    modality: str | None = None
    algorithm: str = "tvl1"
    is_lossless: bool = False
    is_forced: bool = False
    shard: Shard | None = None

    def __post_init__(self) -> None:
        check_name("modality", MODALITIES, self.modality or "rgb")
        hint = "name a folder, such as -o two-stream"
        check_place(self.output, f"-o {self.output}", ("a folder", "data sets"), hint)
        ALGORITHMS.check(self.algorithm)


@dataclass(frozen=True)
class ExtractedVideo:
    """A video that is in the data set as a whole.

    Attributes:
        video: Its name.
        dataset: The data set's folder.
        frames: Per stream the number of its frames.
        is_unchanged: True where it was there already.
        seconds: How long it took.
    """

    video: str
    dataset: Path
    frames: dict[str, int]
    is_unchanged: bool
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the video as a line of `--json`."""
        return {
            "video": self.video,
            "dataset": str(self.dataset),
            "frames": self.frames,
            "cached": self.is_unchanged,
            "seconds": round(self.seconds, 4),
        }


def run(request: ExtractRequest, progress: Progress | None = None) -> Iterator[ExtractedVideo | Failure]:
    """Return an iterator over every video once it is in the data set, and a failure for what cannot be done.

    Raises:
        UsageError: The data set cannot be written, or leads out of its folder, or OpenCV is not there.
    """
    progress = progress or Progress()
    try:
        if request.modality == "rgb":
            load_opencv()  # frames are scaled with it
        else:
            ALGORITHMS.load(request.algorithm).check()
        check_parts(request.output)
        (request.output / RECORDS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot write into {request.output}: {error.strerror}", "choose another folder with -o"
        ) from error
    return _extract_all(request, gather_videos(request.videos, None, progress, request.shard), progress)


def _extract_all(
    request: ExtractRequest, videos: tuple[VideoEntry, ...], progress: Progress
) -> Iterator[ExtractedVideo | Failure]:
    progress.expect_videos(len(videos))
    for entry in videos:
        try:
            check_entry(entry)
            video = find_video(entry.location, "rgb", None)
            tell_notices(video, progress)
            done = _extract(request, video, progress)
            tell_notices(video, progress)  # again, since more is known of a video that was read
            yield done
        except GbvisError as error:
            yield Failure.of(entry.location, error, entry.label)
        except OSError as error:
            problem = f"cannot write {entry.location} into {request.output}: {error.strerror or error}"
            hint = "free room there or get permission, then repeat the call: it goes on where it was"
            yield Failure(entry.location, problem, hint, entry.label)
        progress.finish_video()


def _extract(request: ExtractRequest, video: Video, progress: Progress) -> ExtractedVideo:
    """Bring one video into the data set, as far as it is not there."""
    started = time.perf_counter()
    flow_recipe = FlowRecipe.of(request.algorithm)
    names = [request.modality] if request.modality else MODALITIES
    wanted = {name: _open(request, video, flow_recipe, name) for name in names}
    with locked(request.output / RECORDS / f"{video.name}.lock", partial(_refuse_busy, video)):
        there = {} if request.is_forced else {name: stream.frame_count for name, stream in wanted.items()}
        lacking = {name: stream for name, stream in wanted.items() if there.get(name) is None}
        counts = {name: count for name, count in there.items() if count is not None}
        for name in counts:
            wanted[name].clear()
        if lacking:
            counts |= _write(video, lacking, flow_recipe, request.is_forced, progress)
    return ExtractedVideo(video.name, request.output, counts, not lacking, time.perf_counter() - started)


def _open(request: ExtractRequest, video: Video, flow_recipe: FlowRecipe, modality: str) -> TwoStreamWriter:
    quality = None if request.is_lossless else JPEG_QUALITY
    recipe: dict[str, Any] = {"video": reading_of(video.fingerprint), "jpeg_quality": quality}
    if modality == "flow":
        recipe["flow"] = flow_recipe.to_json()
    suffix = ".png" if request.is_lossless else ".jpg"
    return TwoStreamWriter(request.output, video.name, modality, suffix, recipe)


def _write(
    video: Video, streams: dict[str, TwoStreamWriter], flow_recipe: FlowRecipe, is_forced: bool, progress: Progress
) -> dict[str, int]:
    """Write the streams, and return their numbers of frames."""
    count = video.shape.frame_count
    counts = {name: count - (name == "flow") for name in streams}
    if "flow" in streams:
        check_length(video)
    for stream in streams.values():
        stream.begin(is_forced)
    _write_missing(video, streams, counts, flow_recipe, progress)
    about = {"video": video.name, "location": video.location, "rate": video.shape.rate, "made": environment()}
    for name, stream in streams.items():
        stream.finish(counts[name], about)
    return counts


def _write_missing(
    video: Video,
    streams: dict[str, TwoStreamWriter],
    counts: dict[str, int],
    flow_recipe: FlowRecipe,
    progress: Progress,
) -> None:
    """Write what the streams lack of so many frames; each frame of the video is decoded once."""
    missing = {name: stream.missing(counts[name]) for name, stream in streams.items()}
    frames, pairs = set(missing.get("rgb", ())), missing.get("flow", [])
    progress.expect(len(pairs) or len(frames), video.name)

    def read(number: int) -> Frame:
        frame = _read_scaled(video, number)
        if number in frames:
            streams["rgb"].write(number, frame)
            frames.discard(number)
        return frame

    started = time.perf_counter()
    progress.say(f"{video.name}: {len(frames)} RGB frames and {len(pairs)} pairs to do")
    if pairs:
        estimate_pairs(read, pairs, flow_recipe, streams["flow"].write, partial(progress.advance, video.name))
        progress.say(f"{video.name}: {flow_recipe.algorithm}, in {time.perf_counter() - started:.2f} s")
    for number in sorted(frames):
        read(number)
        if not pairs:
            progress.advance(video.name)


def _read_scaled(video: Video, number: int) -> Frame:
    """Return a frame in the size of a data set."""
    frame, shape = video.read(number), video.shape
    if frame.shape[:2] != (shape.height, shape.width):
        raise VideoError(
            f"frame {number} of {video.location} is {frame.shape[1]}x{frame.shape[0]} pixels, its first one "
            f"{shape.width}x{shape.height}",
            "all frames of a video must have one size",
        )
    return scale_frame(frame)


def _refuse_busy(video: Video, holder: str) -> NoReturn:
    raise VideoError(f"{video.name} is being extracted by {holder}", "repeat the call when that has ended")
