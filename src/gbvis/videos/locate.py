"""Find a video: a path, a name in a data set or a sample becomes a `Video`."""

import re
from itertools import islice
from pathlib import Path

from gbvis.errors import GbvisError, UsageError, VideoError
from gbvis.videos.readers import two_stream_folder, video_file
from gbvis.videos.readers.frame_folder import FrameFolder, read_flow
from gbvis.videos.readers.frame_layout import find_flow, find_frames
from gbvis.videos.synthetic import SyntheticVideo
from gbvis.videos.two_stream import find_dataset, list_videos
from gbvis.videos.video import SAMPLE_PREFIX, Video, video_name

_URL = re.compile("[a-z][a-z0-9+.-]+:/|.*::[a-z]+:/", re.DOTALL)
_LOOKED_AT = 20
_UNPACK = "unpack or download it, and give the path; only a store may be a URL, with --store"


def find_video(location: str, modality: str, dataset: Path | None) -> Video:
    """Return the video that `location` means, seen in one stream.

    Raises:
        GbvisError: There is none, or it has no such stream.
    """
    video = look_for(location, modality, dataset)
    if video is not None:
        return video
    if _URL.match(location):
        raise VideoError(f"{location} is a URL, and videos are read from files and folders of this machine", _UNPACK)
    if dataset is None:
        raise VideoError(
            f"no such video: {location}",
            "give a video file or a folder of frames; for a name in a two-stream data set say where with -d",
        )
    raise VideoError(
        f"no {modality} of {location}: no such path, and no such video in {dataset}",
        _nearest(location, modality, dataset),
    )


def look_for(location: str, modality: str, dataset: Path | None) -> Video | None:
    """Return the video that `location` means, seen in one stream; None where there is none, or it has no such stream.

    A data set is asked before the path itself: it knows the flow of a video file.

    Raises:
        GbvisError: It is there, and broken.
    """
    if location.startswith(SAMPLE_PREFIX):
        return SyntheticVideo(location.removeprefix(SAMPLE_PREFIX), modality)
    try:
        in_dataset = two_stream_folder.read(location, modality, dataset) if dataset else None
        if in_dataset is not None:
            return in_dataset
        path = Path(location)
        if modality == "flow":
            return read_flow(video_name(location), path) if path.is_dir() else None
        if path.is_dir():
            return FrameFolder(video_name(location), path)
        return video_file.read(path) if path.is_file() else None
    except OSError as error:
        raise VideoError(
            f"cannot look for {location}: {error.strerror}", "check the path and its permissions"
        ) from error


def check_dataset(dataset: Path | None) -> None:
    """Check that there are two-stream folders in `dataset`, where one is given.

    Raises:
        UsageError: There are none.
    """
    if dataset is None:
        return
    try:
        folders, is_there = find_dataset(dataset), dataset.exists()
    except OSError as error:
        problem = f"cannot look into {dataset}: {error.strerror or error}"
        raise UsageError(problem, "check the path after -d and its permissions") from error
    if _URL.match(str(dataset)) and not is_there:
        raise UsageError(f"{dataset} is a URL, and data sets are read from folders of this machine", _UNPACK)
    if not (folders.rgb or folders.u or folders.v or (is_there and _holds_frame_folders(dataset))):
        raise UsageError(
            f"no two-stream data set in {dataset}" if is_there else f"no such folder: {dataset}",
            "expected NAME_jpegs_256/jpegs_256/VIDEO/ and NAME_tvl1_flow/tvl1_flow/{u,v}/VIDEO/ below it, or folders "
            "VIDEO/ with frames and flow",
        )


def _holds_frame_folders(folder: Path) -> bool:
    """Return whether there is one folder a video below `folder`, perhaps in folders of classes; a few are looked at."""
    try:
        children = [child for child in islice(sorted(folder.iterdir()), _LOOKED_AT) if child.is_dir()]
        below = [one for child in children for one in islice(sorted(child.iterdir()), _LOOKED_AT) if one.is_dir()]
        return any(find_frames(one) or find_flow(one) for one in (*children, *below[:_LOOKED_AT]))
    except (OSError, GbvisError):
        return False


def _nearest(location: str, modality: str, dataset: Path) -> str:
    import difflib  # here: it takes some milliseconds

    folders = find_dataset(dataset)
    folder = folders.rgb if modality == "rgb" else folders.u
    if folder is None:
        return f"the data set has no {modality} folder at all"
    near = difflib.get_close_matches(Path(location).stem, list_videos(folder), n=2, cutoff=0.75)
    return f"did you mean {' or '.join(near)}?" if near else f"names are those of the folders in {folder}"
