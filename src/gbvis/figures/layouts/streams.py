"""Streams: a video's RGB, flow u and flow v below each other, on one clock."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from gbvis.figures.layout import Groups, Lonely
from gbvis.figures.layouts.strip import Strip
from gbvis.figures.run_view import RunView


class Streams(Strip):
    """A strip of an RGB run and a flow run."""

    needs_streams = True
    joins = True

    def group(self, views: Sequence[RunView]) -> Groups:
        """Pair RGB runs with flow runs of the same video, endpoint and clips: of the same target, else the next."""
        sets: defaultdict[tuple[object, ...], dict[str, list[RunView]]] = defaultdict(lambda: {"rgb": [], "flow": []})
        for view in views:
            same = (view.video, view.endpoint, view.method, view.clip_count, view.frames_per_clip)
            sets[same][view.modality].append(view)
        groups = Groups([])
        for streams in sets.values():
            pairs = list(_pair(streams["rgb"], streams["flow"]))
            paired = {view.key for pair in pairs for view in pair}
            groups.together.extend(pairs)
            groups.alone.extend(_lonely(view) for runs in streams.values() for view in runs if view.key not in paired)
        return groups

    def name_parts(self, views: Sequence[RunView]) -> tuple[str, ...]:
        """Return the parts of the file name that follow the video's name: with both targets, if they differ."""
        targets = "-".join(dict.fromkeys(str(view.target) for view in views))
        return "streams", views[0].endpoint.name, targets


def _pair(rgb: Sequence[RunView], flow: Sequence[RunView]) -> Iterator[list[RunView]]:
    left = list(flow)
    targets = {view.target for view in flow}
    for view in sorted(rgb, key=lambda view: view.target not in targets):
        if left:
            partner = next((other for other in left if other.target == view.target), left[0])
            left.remove(partner)
            yield [view, partner]


def _lonely(view: RunView) -> Lonely:
    other = "flow" if view.modality == "rgb" else "rgb"
    return Lonely(
        view,
        f"{view.key} has no {other} run to be shown with",
        f"explain the {other} stream of {view.video} at {view.endpoint} too, with as many frames and clips",
    )


STREAMS = Streams()
