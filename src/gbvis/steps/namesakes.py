"""What the videos of a call are called where several of them have one name."""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from gbvis.videos.name_list import VideoEntry
from gbvis.videos.source import name_places
from gbvis.videos.video import SAMPLE_PREFIX, video_name


def name_entries(entries: Iterable[VideoEntry]) -> dict[str, str]:
    """Return what tells videos of the call apart that have one name, by location; empty for all others."""
    places: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for entry in entries:
        name = entry.video.name if entry.video else video_name(entry.location)
        places[name][entry.location] = _find_place(entry)
    found: dict[str, str] = {}
    for name, by_location in places.items():
        different = set(by_location.values())
        told = name_places(different, name) if len(different) > 1 else {}
        found |= {location: told.get(place, "") for location, place in by_location.items()}
    return found


def _find_place(entry: VideoEntry) -> str:
    """Return the absolute path of a video, where it is a file or folder; else the name by which it was asked for."""
    is_path = entry.video is None and not entry.location.startswith(SAMPLE_PREFIX)
    return str(Path(entry.location).absolute()) if is_path and os.path.exists(entry.location) else entry.location  # noqa: PTH110
