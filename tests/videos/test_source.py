"""Which flow belongs to which RGB frames, and what videos of one name are called."""

from collections.abc import Callable

import pytest

from gbvis.videos.source import Source, match_streams, tell_apart


def rgb(location: str, frames: int | None = 60, content: str | None = None) -> Source:
    return Source("clip", "rgb", content or f"rgb {location}", location, count_frames=lambda: frames)


def flow(location: str, pairs: int | None = 59, of: Source | None = None) -> Source:
    content = of.fingerprint if of else f"flow {location}"
    return Source("clip", "flow", content, location, of is not None, lambda: pairs)


A, B = rgb("/films/a/clip.avi"), rgb("/films/b/clip.avi", frames=75)
FRAMES = rgb("/data/jpegs_256/clip")
FLOW = flow("/data/ucf_tvl1_flow/tvl1_flow/u/clip")


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ([A, flow(A.location, of=A)], [A]),
        ([A, B, flow(A.location, of=A), flow(B.location, of=B)], [A, B]),
        ([A, flow("/films/b/clip.avi", of=B)], [None]),
        ([A, flow("/films/elsewhere/clip.avi", of=A)], [A]),  # moved, or a copy
        ([FRAMES, FLOW], [FRAMES]),
        ([FRAMES, A, FLOW], [FRAMES]),  # the same data set tells more than the name
        ([rgb("/data/ucf_jpegs_256/clip"), flow("/data/tvl1_flow/v/clip", 30)], [rgb("/data/ucf_jpegs_256/clip")]),
        (
            [rgb("/sets/a/jpegs_256/clip"), flow("/sets/a/tvl1_flow/u/clip"), flow("/sets/b/tvl1_flow/u/clip")],
            [rgb("/sets/a/jpegs_256/clip"), None],
        ),
        (
            [rgb("/sets/a/jpegs_256/clip"), rgb("/sets/b/jpegs_256/clip"), flow("/sets/b/tvl1_flow/u/clip")],
            [rgb("/sets/b/jpegs_256/clip")],
        ),
        ([rgb("/v/clip"), rgb("/w/clip"), flow("/v/clip")], [rgb("/v/clip")]),  # pictures and flow in one folder
        ([A, FLOW], [A]),  # a video file, and its flow in a data set
        ([B, FLOW], [None]),  # 75 frames have 74 pairs
        ([A, B, FLOW], [A]),
        ([A, rgb("/films/c/clip.avi"), FLOW], [None]),  # either may be it
        ([A, rgb("/copies/clip.avi", content=A.fingerprint), FLOW], [A]),  # one video, wherever it lies
        ([A, FLOW, flow("/other/tvl1_flow/u/clip")], [None, None]),
        ([A, FLOW, flow(A.location, of=A)], [A, A]),
        ([rgb("/films/a/clip.avi", None), FLOW], [rgb("/films/a/clip.avi")]),
        ([Source("other", "rgb", "x", "/data/jpegs_256/other"), FLOW], [None]),
        ([rgb("sample:clip"), flow("sample:clip")], [rgb("sample:clip")]),
        ([rgb("memory:clip"), flow("memory:clip")], [rgb("memory:clip")]),
        ([FLOW], [None]),
    ],
)
def test_whose_flow_it_is(sources: list[Source], expected: list[Source | None]) -> None:
    for order in (sources, sources[::-1]):
        matches = match_streams(order)
        found = [matches.partner.get(source) for source in sources if source.modality == "flow"]
        assert [one and one.fingerprint for one in found] == [one and one.fingerprint for one in expected]


def test_rivals_are_named() -> None:
    other = rgb("/films/c/clip.avi")
    assert match_streams([A, other, FLOW]).rivals == {FLOW: [A, other]}
    assert match_streams([A, FLOW]).rivals == {}


@pytest.mark.parametrize(
    ("locations", "expected"),
    [
        (["/films/a/clip.avi"], ["clip"]),
        (["/films/a/clip.avi", "/films/b/clip.avi"], ["a/clip", "b/clip"]),
        (["/films/clip.avi", "/films/clip.mp4", "/films/clip"], ["clip.avi", "clip.mp4", "clip"]),
        (["/x/jpegs_256/clip", "/y/jpegs_256/clip"], ["x/clip", "y/clip"]),
        (["/x/a/1/clip.avi", "/x/a/2/clip.avi", "/x/b/1/clip.avi"], ["a/1/clip.avi", "a/2/clip.avi", "b/1/clip.avi"]),
        (["/clip.avi", "/a/clip.avi"], ["/clip.avi", "/a/clip.avi"]),
        (["sample:clip", "/a/clip.avi"], ["sample:clip", "clip.avi"]),
    ],
)
def test_names_that_tell_apart(locations: list[str], expected: list[str]) -> None:
    sources = [rgb(location) for location in locations]
    told = tell_apart("clip", sources)
    assert [told[source] for source in sources] == expected


@pytest.mark.parametrize("flow_of", [lambda a: flow(a.location, of=a), lambda a: FLOW])
def test_flow_is_called_as_its_frames(flow_of: Callable[[Source], Source]) -> None:
    told = tell_apart("clip", [A, B, flow_of(A)])
    assert told == {A: "a/clip", B: "b/clip", flow_of(A): "a/clip"}


def test_data_sets_are_told_apart_by_their_folders() -> None:
    sources = [
        rgb("/sets/good/jpegs_256/clip"),
        flow("/sets/good/tvl1_flow/u/clip"),
        flow("/sets/bad/tvl1_flow/u/clip"),
    ]
    assert list(tell_apart("clip", sources).values()) == ["good/clip", "good/clip", "bad/clip"]


def test_what_changed_in_its_place_has_one_name() -> None:
    assert set(tell_apart("clip", [A, rgb(A.location, content="as it was before")]).values()) == {"clip"}
