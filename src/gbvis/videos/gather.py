"""Gather videos: folders of videos, and patterns, become the videos in them."""

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from gbvis.errors import UsageError, VideoError
from gbvis.progress import Progress
from gbvis.videos.name_list import VideoEntry
from gbvis.videos.readers.frame_layout import find_flow, find_frames
from gbvis.videos.readers.frame_series import group_names, list_images, natural_order
from gbvis.videos.readers.image_file import SUFFIXES
from gbvis.videos.shard import Shard
from gbvis.videos.two_stream import find_dataset, find_video_folder, list_videos
from gbvis.videos.video import SAMPLE_PREFIX, VIDEO_SUFFIXES, video_name


def gather_videos(
    entries: Iterable[VideoEntry],
    dataset: Path | None,
    progress: Progress | None = None,
    shard: Shard | None = None,
) -> tuple[VideoEntry, ...]:
    """Return the videos asked for: a folder becomes the videos in it, and a pattern those that match it.

    A name in the data set, and a file or folder that has the very name, come before what the name means as a pattern.
    Where several are asked for, one that may mean two things keeps the error as its `problem`, and fails alone.

    Args:
        entries: What was asked for.
        dataset: Where names are looked up.
        progress: Is told what is left out, and that a shard holds none of them.
        shard: Which of the videos to return; None for all.

    Raises:
        UsageError: The only one asked for is a data set, or a folder with two series of pictures, or with pictures and
            videos, either of which may be meant.
    """
    progress = progress or Progress()
    asked = list(entries)
    if len(asked) == 1:
        found = _gather(asked[0], dataset, progress)
    else:
        found = [video for entry in asked for video in _gather_one(entry, dataset, progress)]
    chosen = shard.select(found) if shard else tuple(found)
    if shard and not chosen:
        progress.note(f"shard {shard} holds none of the videos ({len(found)} in all): there is nothing to do", "shard")
    return chosen


def _gather_one(entry: VideoEntry, dataset: Path | None, progress: Progress) -> list[VideoEntry]:
    try:
        return _gather(entry, dataset, progress)
    except UsageError as error:
        return [replace(entry, problem=error)]


def _gather(entry: VideoEntry, dataset: Path | None, progress: Progress) -> list[VideoEntry]:
    if entry.video is not None or entry.location.startswith(SAMPLE_PREFIX):
        return [entry]
    try:
        found = _find_below(entry, dataset, progress)
    except (OSError, VideoError):  # whoever reads it says what is wrong
        return [entry]
    return [replace(entry, location=location) for location in dict.fromkeys(found)] or [entry]


def _find_below(entry: VideoEntry, dataset: Path | None, progress: Progress) -> list[str]:
    path = Path(entry.location)
    if path.is_dir():
        if dataset is not None and dataset.is_dir() and path.samefile(dataset):
            names = _list_dataset(dataset)
            if names is not None:
                return names
        _check_no_dataset(path)
        found = list(_walk(path, progress, set()))
        if found == [path]:  # two series in it are noticed before the first hour of work
            find_frames(path)
        return [str(one) for one in found]
    is_pattern = glob.has_magic(entry.location) and not entry.is_listed and not os.path.lexists(path)
    if not is_pattern or (dataset is not None and _is_in_dataset(entry.location, dataset)):
        return []
    return [str(one) for one in _match(entry.location, progress)]


def _list_dataset(dataset: Path) -> list[str] | None:
    """Return the names of a two-stream data set's videos; None where it is one of a folder a video."""
    folders = find_dataset(dataset)
    parent = folders.rgb or folders.u
    return list_videos(parent) if parent else None


def _check_no_dataset(path: Path) -> None:
    folders = find_dataset(path)
    if folders.u or (folders.rgb and not folders.rgb.samefile(path)):
        raise UsageError(
            f"{path} is a two-stream data set", f"give names of its videos, or {path} itself, with -d {path}"
        )


def _is_in_dataset(location: str, dataset: Path) -> bool:
    folders, name = find_dataset(dataset), video_name(location)
    return any(find_video_folder(parent, name) for parent in (folders.rgb, folders.u) if parent)


def _is_video_file(path: Path) -> bool:
    """Return whether a path is a video file by its name, and not hidden; a link that leads nowhere is a lost one."""
    is_named_so = path.name.lower().endswith(VIDEO_SUFFIXES) and not path.name.startswith(".")
    return is_named_so and (path.is_file() or (path.is_symlink() and not path.exists()))


def _walk(folder: Path, progress: Progress, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """Yield the video files and folders of frames in a folder and below it, in order; itself where it is one."""
    status = folder.stat()
    if (status.st_dev, status.st_ino) in seen:  # a link that leads back
        return
    seen.add((status.st_dev, status.st_ino))
    try:
        inside = sorted(folder.iterdir(), key=lambda path: natural_order(path.name))
    except OSError:  # said when it is its turn: the others are done
        yield folder
        return
    videos = [path for path in inside if _is_video_file(path)]
    if _holds_frames(folder, videos, progress):
        yield folder
        return
    are_videos = set(videos)
    for path in inside:
        if path in are_videos:
            yield path
        elif not path.name.startswith(".") and path.is_dir():
            yield from _walk(path, progress, seen)


def _holds_frames(folder: Path, videos: list[Path], progress: Progress) -> bool:
    """Return whether a folder is one video's frames, and not a folder of videos with pictures of them."""
    if not videos:
        try:
            return find_frames(folder) is not None or find_flow(folder) is not None
        except (UsageError, VideoError):  # said when it is its turn: the others are done
            return True
    stems = tuple(path.stem.lower() for path in videos)
    pictures = [name for name in list_images(folder) if not name.lower().startswith(stems)]
    series = [one for one in group_names(pictures) if not one.is_aside and len(one) > 1]
    if not series or 2 * len(series[0]) <= len(videos):
        return False
    names = videos[0].name if len(videos) == 1 else f"{videos[0].name} and {len(videos) - 1} more videos"
    if len(series[0]) < 2 * len(videos):
        raise UsageError(f"{folder} holds pictures, {series[0]}, and {names}", "move one kind into a folder of its own")
    progress.warn(f"{folder}: the frames are {series[0]}; left out: {names}")
    return True


def _match(pattern: str, progress: Progress) -> Iterator[Path]:
    """Yield the videos that match a pattern; of pictures that match, their folder."""
    at_home = os.path.expanduser(pattern) if pattern.startswith("~/") else pattern  # noqa: PTH111
    found = glob.glob(at_home, recursive=True)  # as shells do, for absolute paths too  # noqa: PTH207
    matches = sorted(map(Path, found), key=lambda path: natural_order(str(path)))
    folders = [path for path in matches if path.is_dir() and not path.name.startswith(".")]
    videos = {path for path in matches if _is_video_file(path)}
    pictures: dict[Path, set[str]] = {}
    for path in matches:
        if path.name.lower().endswith(SUFFIXES) and path.is_file():
            pictures.setdefault(path.parent, set()).add(path.name)
    seen: set[tuple[int, int]] = set()
    for path in matches:
        if path in videos or not (videos or pictures or folders):
            yield path
        elif path in folders:
            yield from _walk(path, progress, seen)
    for folder, names in pictures.items():
        if folder not in {path.parent for path in videos}:
            _check_picked(pattern, folder, names)
            yield folder


def _check_picked(pattern: str, folder: Path, names: set[str]) -> None:
    frames = find_frames(folder)
    if frames is None or not set(frames.series.names) <= names:
        raise UsageError(
            f"{pattern} picks some of the pictures in {folder}", "move the frames of a video into a folder of their own"
        )
