"""Source: where a stream of a video came from. Tells whether two streams are one video, and videos of one name apart.

A name alone says little: `a/clip.avi` and `b/clip.avi` are both `clip`.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gbvis.videos.two_stream import FLOW_FOLDER, RGB_FOLDER

_UNRELATED, _SAME_NAME, _SAME_PLACE, _SAME_CONTENT = range(4)
"""How close flow is to RGB frames, weakest first."""


@dataclass(frozen=True)
class Source:
    """Where a stream of a video came from.

    Attributes:
        name: The video's name.
        modality: `rgb` or `flow`.
        fingerprint: Of the content; estimated flow has that of the frames it was estimated from.
        location: Where it was read from.
        is_estimated: True for flow that was estimated from frames.
        count_frames: Returns the number of frames, or None where nobody knows.
    """

    name: str
    modality: str
    fingerprint: str
    location: str = ""
    is_estimated: bool = False
    count_frames: Callable[[], int | None] = field(default=lambda: None, compare=False, repr=False)


@dataclass(frozen=True)
class Matches:
    """Which RGB frames belong to which flow.

    Attributes:
        partner: The RGB source of a flow source; only flow that has one is in it.
        rivals: RGB sources of one name, any of which a flow source could belong to.
    """

    partner: dict[Source, Source]
    rivals: dict[Source, list[Source]]


def match_streams(sources: Iterable[Source]) -> Matches:
    """Return which RGB frames belong to which flow.

    Estimated flow belongs to the frames it was estimated from, and to no others. Flow that was read belongs to the RGB
    frames of its name in the same data set; else to the only RGB frames of its name that have as many frames.
    """
    found = dict.fromkeys(sources)
    by_content, by_name = defaultdict[str, list[Source]](list), defaultdict[str, list[Source]](list)
    for source in found:
        if source.modality == "rgb":
            by_content[source.fingerprint].append(source)
            by_name[source.name].append(source)
    levels: dict[Source, dict[Source, int]] = {}
    for source in found:
        if source.modality == "flow":
            near = [*by_content.get(source.fingerprint, []), *by_name.get(source.name, [])]
            levels[source] = {other: _closeness(other, source) for other in near}
    return _choose(levels)


def _choose(levels: dict[Source, dict[Source, int]]) -> Matches:
    """Return the partners, by how close each flow is to which frames."""
    matches = Matches({}, {})
    flows_near = defaultdict[Source, list[Source]](list)
    for flow, level in levels.items():
        for rgb in level:
            flows_near[rgb].append(flow)
    for flow, level in levels.items():
        best = max(level.values(), default=_UNRELATED)
        nearest = [rgb for rgb in level if level[rgb] == best != _UNRELATED]
        contents = {rgb.fingerprint for rgb in nearest}
        if len(contents) == 1 and not _is_taken(flow, nearest[0], flows_near[nearest[0]], levels):
            matches.partner[flow] = nearest[0]
        elif contents:
            matches.rivals[flow] = nearest
    return matches


def _is_taken(flow: Source, rgb: Source, flows_near: list[Source], levels: dict[Source, dict[Source, int]]) -> bool:
    """Return whether other flow that was read is closer to these frames, or as close by nothing but the name."""
    level = levels[flow][rgb]
    others = [
        levels[other][rgb]
        for other in flows_near
        if not other.is_estimated and (other.fingerprint, other.location) != (flow.fingerprint, flow.location)
    ]
    return level < _SAME_CONTENT and any(other > level or other == level == _SAME_NAME for other in others)


def _closeness(rgb: Source, flow: Source) -> int:
    if rgb.fingerprint == flow.fingerprint:
        return _SAME_CONTENT
    if flow.is_estimated or rgb.name != flow.name:
        return _UNRELATED
    if rgb.location == flow.location or _share_dataset(Path(rgb.location), Path(flow.location)):
        return _SAME_PLACE
    frames, pairs = rgb.count_frames(), flow.count_frames()
    is_as_long = frames is None or pairs is None or pairs in (frames - 1, frames)
    return _SAME_NAME if is_as_long else _UNRELATED


def _share_dataset(rgb: Path, flow: Path) -> bool:
    """Return whether two folders lie where those of one two-stream data set do."""
    frames, pairs = rgb.parent, flow.parent.parent
    is_laid_out = frames.name.endswith(RGB_FOLDER) and pairs.name.endswith(FLOW_FOLDER)
    return is_laid_out and _find_root(frames, RGB_FOLDER) == _find_root(pairs, FLOW_FOLDER)


def _find_root(folder: Path, part: str) -> Path:
    """Return the data set in which SET_part/part, or one of the two, is this folder."""
    inside = folder.parent if folder.name == part else folder
    return inside.parent if inside.name.endswith(f"_{part}") else inside


def tell_apart(name: str, sources: Iterable[Source]) -> dict[Source, str]:
    """Return a name for each source of videos called `name`: that, where all are one video, else what tells them apart.

    Those of `a/clip.avi` and `b/clip.avi` are `a/clip` and `b/clip`, those of `clip.avi` and `clip.mp4` these.
    """
    found = list(dict.fromkeys(sources))
    if len(found) == 1:
        return {found[0]: name}
    matches = match_streams(found)
    video_of = {source: matches.partner.get(source, source) for source in found}
    places = {_find_place(video) for video in video_of.values()}
    names = name_places(places, name) if len(places) > 1 else dict.fromkeys(places, name)
    return {source: names[_find_place(video)] for source, video in video_of.items()}


def _find_place(source: Source) -> str:
    """Return where a stream lies; of a two-stream data set both streams of a video lie below its root."""
    path = Path(source.location)
    if source.modality == "rgb" and path.parent.name.endswith(RGB_FOLDER):
        return str(_find_root(path.parent, RGB_FOLDER) / path.name)
    if source.modality == "flow" and path.parent.parent.name.endswith(FLOW_FOLDER):
        return str(_find_root(path.parent.parent, FLOW_FOLDER) / path.name)
    return source.location


def name_places(locations: Collection[str], name: str) -> dict[str, str]:
    """Return what tells these places of videos called `name` apart, by place: the shortest that does."""
    paths = {location: Path(location) for location in locations}
    depth = min(len(path.parents) for path in paths.values())
    ways: list[dict[str, str]] = [{location: path.name for location, path in paths.items()}]
    for level in range(1, depth):
        ways.append({location: f"{path.parts[-1 - level]}/{name}" for location, path in paths.items()})
    for level in range(1, depth):
        ways.append({location: "/".join(path.parts[-1 - level :]) for location, path in paths.items()})
    return next((way for way in ways if len(set(way.values())) == len(way)), {one: one for one in locations})
