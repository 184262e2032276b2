"""A stored run as layouts take it."""

from collections.abc import Iterator, Mapping
from typing import Any

from gbvis.figures import ClipView, RunView
from gbvis.figures.run_view import SourceFrames
from gbvis.store import Store, StoredRun

_VALUE_NAMES = {"SOFTMAX": "score", "FC": "logit", "AP": "feature"}


def make_run_view(store: Store, stored: StoredRun, source: SourceFrames | None = None) -> RunView:
    """Return a run as layouts take it; clips are read as they are needed.

    Args:
        store: Where the run is.
        stored: The run.
        source: The frames at their own size, for layouts that want them.
    """
    clips = store.clips_of(stored)
    label = stored.attributes["label"]
    kind = stored.endpoint.target_kind
    target = f"{kind} {stored.target}" + (f" {label['name']}" if label and label["name"] else "")
    best = (stored.attributes["scores"] or [None])[0]
    if best and not stored.endpoint.is_class:
        target += f"   (predicted: {best['label'] or best['index']} {best['score']:.3f})"

    def read() -> Iterator[ClipView]:
        for index, frames in enumerate(clips.frames):
            yield ClipView(frames, clips.pixels(index), stored.gradient(index), stored.values[index])

    return RunView(
        video=stored.video,
        endpoint=stored.endpoint.name,
        target=target,
        value_name=_VALUE_NAMES.get(stored.endpoint.name, "activation"),
        modality=stored.modality,
        frames=clips.frames,
        rate=clips.attributes["rate"],
        clips=read,
        source=source,
        flow=", ".join(_describe_flow(stored.recipe.get("flow", {}))),
    )


def _describe_flow(recipe: Mapping[str, Any]) -> Iterator[str]:
    """Yield in words how motion came about: what tells two runs of one video apart."""
    if "algorithm" in recipe:
        yield recipe["algorithm"]
    if "jpeg_quality" in recipe:
        yield "JPEG"
    if "camera_motion" in recipe:
        yield recipe["camera_motion"]
