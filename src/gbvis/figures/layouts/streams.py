"""Streams: a video's RGB, flow u and flow v below each other, on one clock."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from gbvis.figures.layout import Groups, Lonely
from gbvis.figures.layouts.strip import Strip
from gbvis.figures.run_view import RunView
from gbvis.videos.source import Matches, match_streams


class Streams(Strip):
    """A strip of an RGB run and a flow run."""

    needs_streams = True
    joins = True

    def group(self, views: Sequence[RunView]) -> Groups:
        """Pair RGB runs with flow runs of the same video, endpoint and frames: of the same target, else the next."""
        matches = match_streams(view.source for view in views)
        sets: defaultdict[tuple[object, ...], dict[str, list[RunView]]] = defaultdict(lambda: {"rgb": [], "flow": []})
        for view in views:
            same = (matches.partner.get(view.source, view.source), view.endpoint, view.asked_method)
            sets[same][view.modality].append(view)
        groups = Groups([])
        for streams in sets.values():
            pairs = list(_pair(streams["rgb"], streams["flow"]))
            paired = {view.key for pair in pairs for view in pair}
            groups.together.extend(pairs)
            left = [view for runs in streams.values() for view in runs if view.key not in paired]
            groups.alone.extend(_lonely(view, streams, matches) for view in left)
        return groups

    def name_parts(self, views: Sequence[RunView]) -> tuple[str, ...]:
        """Return the parts of the file name that follow the video's name: with both targets, if they differ."""
        targets = "-".join(dict.fromkeys(str(view.target) for view in views))
        return "streams", views[0].endpoint.name, targets


def _pair(rgb: Sequence[RunView], flow: Sequence[RunView]) -> Iterator[list[RunView]]:
    left = list(flow)
    targets = {view.target for view in flow}
    for view in sorted(rgb, key=lambda view: view.target not in targets):
        fitting = [other for other in left if _show_same_frames(view, other)]
        if fitting:
            partner = min(fitting, key=lambda other: _distance(view, other))
            left.remove(partner)
            yield [view, partner]


def _distance(rgb: RunView, flow: RunView) -> tuple[bool, ...]:
    """Return what tells the better partner: it is the lesser one."""
    return (
        rgb.target != flow.target,
        rgb.method != flow.method,  # some settings are decided for each stream
        rgb.recipe.precision != flow.recipe.precision,
        rgb.frames != flow.frames,
    )


def _show_same_frames(rgb: RunView, flow: RunView) -> bool:
    """Return whether two runs show the same clips.

    There is one flow frame fewer than frames, so clips that are spread over a video may begin one apart. What follows
    where a short video is repeated from its beginning does not count.
    """
    if (rgb.clip_count, rgb.frames_per_clip) != (flow.clip_count, flow.frames_per_clip):
        return False
    clips = zip(rgb.frames, flow.frames, strict=True)
    return all(
        abs(one - other) <= 1
        for frames, pairs in clips
        for one, other in zip(_rising(frames), _rising(pairs), strict=False)
    )


def _rising(numbers: Sequence[int]) -> list[int]:
    """Return frame numbers up to where they begin anew."""
    turns = [place for place, (before, after) in enumerate(pairwise(numbers), start=1) if after <= before]
    return list(numbers[: turns[0] if turns else None])


def _lonely(view: RunView, streams: dict[str, list[RunView]], matches: Matches) -> Lonely:
    other = "flow" if view.modality == "rgb" else "rgb"
    name = f"{view.video} at {view.endpoint}"
    rivals = matches.rivals.get(view.source)
    if rivals:
        places = " or ".join(sorted({rival.location for rival in rivals}))
        problem = f"{name} may be the flow of {places}: they have one name"
        return Lonely(view, problem, "name the video meant by its path, or give each a name of its own")
    if any(not _show_same_frames(view, one) for one in streams[other]):
        found = " and of ".join(dict.fromkeys(_describe_frames(one) for one in streams[other]))
        return Lonely(
            view,
            f"{name} is of {_describe_frames(view)}, and no {other} run of {view.video} is left that shows these: "
            f"there is one of {found}",
            "explain both streams with the same --start, --frames and --clips",
        )
    return Lonely(
        view,
        f"{name} has no {other} run to be shown with",
        f"explain the {other} stream of {view.video} at {view.endpoint} too, with as many frames and clips",
    )


def _describe_frames(view: RunView) -> str:
    clips = [f"{min(frames)}-{max(frames)}" for frames in view.frames]
    more = f" and {len(clips) - 2} clips more" if len(clips) > 2 else ""
    return f"frames {' and '.join(clips[:2])}{more}"


STREAMS = Streams()
