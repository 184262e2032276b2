"""Where runs' streams came from, and what their videos are called where several have one name."""

from collections.abc import Iterable

from gbvis.store import Store, StoredRun
from gbvis.store.keys import video_key
from gbvis.videos.source import Source, tell_apart


def source_of(store: Store, run: StoredRun) -> Source:
    """Return where a run's stream came from."""
    recipe = run.recipe
    is_estimated = recipe.flow_algorithm is not None
    count = lambda: store.clips_of(run).frame_count  # noqa: E731
    return Source(video_key(run.video), run.modality, recipe.video, run.location, is_estimated, count)


def name_sources(store: Store, runs: Iterable[StoredRun]) -> dict[Source, str]:
    """Return what each stream is called whose runs these are: all that a store has of the videos of one name.

    It is that name; where there are several videos of it, with what tells them apart.
    """
    found = list(runs)
    return tell_apart(found[0].video, [source_of(store, run) for run in found]) if found else {}
