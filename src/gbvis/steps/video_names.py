"""Which video of a store is meant by what a user types: a name, a path, or a file's name."""

import os
from collections.abc import Iterable
from pathlib import Path

from gbvis.networks.labels import label_key
from gbvis.registry import suggest
from gbvis.store import Store
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


def suggest_labels(store: Store, typed: Iterable[str]) -> str:
    """Return `did you mean CLASS? ` for each class that no network of the store has, where one is much like it."""
    by_key = {label_key(name): name for info in store.weights.all() for name in info.labels or ()}
    meant = [suggest(one, [*by_key.values()]) for one in typed if label_key(one) not in by_key and not one.isdecimal()]
    return "".join(dict.fromkeys(meant))


def suggest_name(store: Store, typed: str) -> str:
    """Return `did you mean NAME? ` where the store has no such video, and one of a name much like it; else nothing."""
    import difflib  # here: it takes some milliseconds

    if store.has_video(find_name(store, typed)):
        return ""
    by_case = {name.casefold(): name for name in store.video_names()}
    near = difflib.get_close_matches(video_name(typed).casefold(), by_case, n=1)
    return f"did you mean {by_case[near[0]]}? " if near else ""
