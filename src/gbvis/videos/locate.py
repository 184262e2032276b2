"""Which videos a call is about, and where they are."""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from gbvis import registry
from gbvis.errors import GbvisError
from gbvis.videos.two_stream import find_dataset, list_videos
from gbvis.videos.video import VIDEO_SUFFIXES, Video

_BLANK = " \t\r"
"""What does not count at the ends of a line of a list; other spaces may belong to a name."""


@dataclass(frozen=True)
class VideoEntry:
    """A video as it was asked for.

    Attributes:
        location: A path or a bare name, as typed.
        class_index: The class that a list gives for it, 0-based, or None.
    """

    location: str
    class_index: int | None = None


def read_video_list(text: str, is_from_one: bool) -> list[VideoEntry]:
    """Return the videos of a list: a name a line, or `NAME.avi LABEL` with the class behind it.

    Args:
        text: The list; empty lines do not count.
        is_from_one: True where classes are counted from 1, as in UCF-101's official lists.

    Raises:
        GbvisError: A label is 0 where they are counted from 1 (exit code 2).
    """
    entries = []
    lines = (line.strip(_BLANK) for line in text.split("\n"))  # `splitlines` divides names at U+2028 and its like too
    for line in filter(None, lines):
        match = re.fullmatch(r"(?P<name>.*\S)[ \t]+(?P<label>[0-9]{1,9})", line)
        if match and match["name"].lower().endswith(VIDEO_SUFFIXES):  # `take 2` is a name
            label = int(match["label"])
            if is_from_one and label == 0:
                raise GbvisError(
                    f"label 0 in the line {line!r}, and classes are to be counted from 1",
                    "leave out --labels-from-one",
                    exit_code=2,
                )
            entries.append(VideoEntry(match["name"], label - is_from_one))
        else:
            entries.append(VideoEntry(line))
    return entries


def find_video(location: str, modality: str, dataset: Path | None) -> Video:
    """Return the video that `location` means, seen in one stream.

    Raises:
        GbvisError: There is none, or it has no such stream.
    """
    video = look_for(location, modality, dataset)
    if video is not None:
        return video
    if dataset is None:
        raise GbvisError(
            f"no such video: {location}",
            "give a video file or a folder of frames; for a name in a two-stream data set say where with -d",
        )
    raise GbvisError(
        f"no {modality} of {location}: no such path, and no such video in {dataset}",
        _nearest(location, modality, dataset),
    )


def look_for(location: str, modality: str, dataset: Path | None) -> Video | None:
    """Return the video that `location` means, seen in one stream; None where there is none, or it has no such stream.

    Raises:
        GbvisError: It is there, and broken.
    """
    try:
        found = (source.read(location, modality, dataset) for source in registry.sources())
        return next((video for video in found if video is not None), None)
    except OSError as error:
        raise GbvisError(
            f"cannot look for {location}: {error.strerror}", "check the path and its permissions"
        ) from error


def check_dataset(dataset: Path | None) -> None:
    """Check that there are two-stream folders in `dataset`, where one is given.

    Raises:
        GbvisError: There are none (exit code 2).
    """
    if dataset is not None:
        folders = find_dataset(dataset)
        if not (folders.rgb or folders.u or folders.v):
            raise GbvisError(
                f"no two-stream data set in {dataset}" if dataset.exists() else f"no such folder: {dataset}",
                "expected NAME_jpegs_256/jpegs_256/VIDEO/ and NAME_tvl1_flow/tvl1_flow/{u,v}/VIDEO/ below it",
                exit_code=2,
            )


def _nearest(location: str, modality: str, dataset: Path) -> str:
    folders = find_dataset(dataset)
    folder = folders.rgb if modality == "rgb" else folders.u
    if folder is None:
        return f"the data set has no {modality} folder at all"
    near = difflib.get_close_matches(Path(location).stem, list_videos(folder), n=2, cutoff=0.75)
    return f"did you mean {' or '.join(near)}?" if near else f"names are those of the folders in {folder}"
