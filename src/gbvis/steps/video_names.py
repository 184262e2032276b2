"""Names of videos: which video of a store a user means, and what videos are called where several have one name."""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from gbvis.networks.labels import label_key
from gbvis.registry import suggest
from gbvis.store import Store, StoredCheck, StoredRun
from gbvis.store.keys import video_key
from gbvis.videos.name_list import VideoEntry
from gbvis.videos.source import Source, name_places, tell_apart
from gbvis.videos.video import SAMPLE_PREFIX, video_name


def find_name(store: Store, typed: str) -> str:
    """Return the name under which the store has a video, however it was typed; where it has none, the likeliest name.

    A path names its file or folder. Else it is the name itself, the name of a file that is not here, or the place from
    which the video was read.
    """
    likeliest = video_name(typed)
    names = [likeliest, typed, *(() if typed.startswith(SAMPLE_PREFIX) else (Path(typed).name, Path(typed).stem))]
    found = next((name for name in names if name and store.has_video(name)), None)
    return found or _find_by_location(store, typed) or likeliest


def _find_by_location(store: Store, typed: str) -> str | None:
    """Return the name of a video that was read from this place; all runs are looked at only where the place exists."""
    if not os.path.exists(typed):  # noqa: PTH110
        return None
    location = os.path.abspath(typed)  # noqa: PTH100
    return next((run.video for run in store.runs() if run.location == location), None)


def suggest_name(store: Store, typed: str) -> str:
    """Return `did you mean NAME? ` where the store has no such video, and one of a name much like it; else nothing."""
    import difflib  # here: it takes some milliseconds

    if store.has_video(find_name(store, typed)):
        return ""
    by_case = {name.casefold(): name for name in store.video_names()}
    near = difflib.get_close_matches(video_name(typed).casefold(), by_case, n=1)
    return f"did you mean {by_case[near[0]]}? " if near else ""


def suggest_labels(store: Store, typed: Iterable[str]) -> str:
    """Return `did you mean CLASS? ` for each class that no network of the store has, where one is much like it."""
    by_key = {label_key(name): name for info in store.weights.all() for name in info.labels or ()}
    meant = [suggest(one, [*by_key.values()]) for one in typed if label_key(one) not in by_key and not one.isdecimal()]
    return "".join(dict.fromkeys(meant))


def source_of(store: Store, run: StoredRun | StoredCheck) -> Source:
    """Return where a run's stream came from."""
    recipe = run.recipe
    is_estimated = recipe.flow_algorithm is not None
    count = lambda: store.clips_of(run).frame_count  # noqa: E731
    return Source(video_key(run.video), run.modality, recipe.video, run.location, is_estimated, count)


def name_sources(store: Store, runs: Iterable[StoredRun | StoredCheck]) -> dict[Source, str]:
    """Return what each stream is called whose runs these are: all that a store has of the videos of one name.

    It is that name; where there are several videos of it, with what tells them apart.
    """
    found = list(runs)
    return tell_apart(found[0].video, [source_of(store, run) for run in found]) if found else {}


class NamedEntry(NamedTuple):
    """A video of a call.

    Attributes:
        entry: As it was asked for.
        name: What tells it apart from others of its name in the call, such as `a/clip`; empty where there are none.
    """

    entry: VideoEntry
    name: str


def name_all(entries: Iterable[VideoEntry]) -> list[NamedEntry]:
    """Return the videos of a call with what tells them apart."""
    asked = list(entries)
    names = name_entries(asked)
    return [NamedEntry(entry, names[entry.location]) for entry in asked]


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
