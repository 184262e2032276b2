"""The contracts of layouts and outputs: every registered one keeps them, and a small one beside them."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gbvis.errors import UsageError
from gbvis.figures.layout import Groups, Layout
from gbvis.figures.layouts import LAYOUTS
from gbvis.figures.outputs import OUTPUTS
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style
from gbvis.networks.endpoint import FC
from gbvis.networks.r2plus1d.architecture import STEM
from material.small_figures import SUM, TOTALS
from material.views import make_run_view

EVERY_LAYOUT = {**LAYOUTS.load_all(), "sum": SUM}
EVERY_OUTPUT = {**OUTPUTS.load_all(), "totals": TOTALS}
STYLES = [Style(), Style(scale="frame", colors="old", flow_colors="wheel", size=56, loops=3)]


def lay_out(layout: Layout, views: list[RunView], style: Style) -> list[np.ndarray]:
    """Return every page's frames: uint8 (T, H, W, 3) each; check what all layouts promise."""
    made = []
    for page in layout.lay_out(views, style):
        frames = np.stack(list(page.frames()))
        assert frames.dtype == np.uint8
        assert frames.shape == (page.frame_count, page.height, page.width, 3)
        np.testing.assert_array_equal(np.stack(list(page.frames())), frames)  # as often as asked
        np.testing.assert_array_equal(np.stack(list(page.frames(step=2))), frames[::2])
        assert page.rate == style.rate
        assert page.loops == style.loops or page.frame_count == 1
        made.append(frames)
    return made


def make_views(random: np.random.Generator) -> list[RunView]:
    """Return two streams of a video at two endpoints, two targets of one of them, and an RGB run of another video."""
    made = [
        make_run_view(random, modality, endpoint=endpoint, target=target)
        for modality, endpoint, target in (
            ("rgb", STEM, 0), ("flow", FC, 5), ("rgb", FC, 3), ("rgb", FC, 5), ("flow", STEM, 1)
        )
    ]  # fmt: skip
    return [*made, make_run_view(random, video="another", key="another/rgb/FC/3", clips_digest="of another")]


def check_groups(groups: Groups, views: list[RunView]) -> None:
    """Check that every run is somewhere, and once, and that who is left alone is told why."""
    found = [view for group in groups.together for view in group] + [lonely.view for lonely in groups.alone]
    assert Counter(view.key for view in found) == Counter(view.key for view in views)
    assert all(groups.together)
    assert all(lonely.problem and lonely.hint for lonely in groups.alone)


@pytest.mark.parametrize("name", EVERY_LAYOUT)
class TestEveryLayout:
    def test_its_groups_hold_every_run_once(self, random: np.random.Generator, name: str) -> None:
        layout, views = EVERY_LAYOUT[name], make_views(random)
        groups = layout.group(views)
        check_groups(groups, views)
        assert layout.joins or all(len(group) == 1 for group in groups.together)
        for group in groups.together:
            assert len({view.video for view in group}) == 1
            if layout.needs_streams:
                assert {view.modality for view in group} == {"rgb", "flow"}
        assert layout.group([]).together == []

    def test_groups_of_one_video_have_names_of_their_own(self, random: np.random.Generator, name: str) -> None:
        """Where names are the same all the same, `render` tells the files apart."""
        layout = EVERY_LAYOUT[name]
        for group in layout.group(make_views(random)).together:
            parts = layout.name_parts(group)
            assert isinstance(parts, tuple) and all(part and "/" not in part for part in parts)
            assert parts == layout.name_parts(group)
        one, other = make_run_view(random), make_run_view(random, "flow")
        if not layout.needs_streams:
            assert layout.name_parts([one]) != layout.name_parts([other])

    @pytest.mark.parametrize("style", STYLES)
    def test_it_makes_pictures(self, random: np.random.Generator, name: str, style: Style) -> None:
        layout = EVERY_LAYOUT[name]
        group = max(layout.group(make_views(random)).together, key=len)
        pages = lay_out(layout, group, style)
        assert sum(len(page) for page in pages) == (8 if layout.is_moving else len(pages))
        assert all(page.std() > 0 for page in pages)

    def test_each_of_its_frames_can_be_a_still(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, random: np.random.Generator, name: str
    ) -> None:
        """It is that very frame, and its number is what the layout says it shows."""
        layout = EVERY_LAYOUT[name]
        if not layout.is_moving:
            return
        png = OUTPUTS.load("png")
        monkeypatch.setattr(type(png), "layout", lambda self, style: layout)
        group = max(layout.group(make_views(random)).together, key=len)
        style = Style(layout=name, size=56)
        (frames,) = lay_out(layout, group, style)
        for clip in range(2):
            for step in (0, 3):
                number = group[0].frames[clip][step]
                (write,) = png.pages(group, replace(style, at=(number,)))
                assert write(tmp_path / "still.png")["frame"] == number
                with Image.open(tmp_path / "still.png") as image:
                    np.testing.assert_array_equal(np.asarray(image), frames[4 * clip + step])


@pytest.mark.parametrize("name", EVERY_OUTPUT)
class TestEveryOutput:
    def test_its_groups_hold_every_run_once(self, random: np.random.Generator, name: str) -> None:
        output, views = EVERY_OUTPUT[name], make_views(random)
        output.check(Style())
        groups = output.group(views, Style())
        check_groups(groups, views)
        assert output.scope in ("group", "all")
        assert output.scope == "group" or (len(groups.together) == 1 and not groups.alone)
        for group in groups.together:
            parts = output.name_parts(group, Style())
            assert isinstance(parts, tuple) and all(part and "/" not in part for part in parts)

    def test_it_writes_files_and_says_what_is_in_them(
        self, tmp_path: Path, random: np.random.Generator, name: str
    ) -> None:
        """Also under a name that has not its suffix: until a file is whole, it has another."""
        output, style = EVERY_OUTPUT[name], Style(size=56)
        views = [make_run_view(random, clips=1)]
        facts, contents = [], []
        for file in (f"made{output.suffix}", "made.unfinished"):
            (write,) = output.pages(views, style)
            facts.append(write(tmp_path / file))
            contents.append((tmp_path / file).read_bytes())
        facts.append(output.write(views, style, tmp_path / f"directly{output.suffix}"))
        contents.append((tmp_path / f"directly{output.suffix}").read_bytes())
        assert contents[0] and contents[0] == contents[1] == contents[2]
        assert facts[0] == facts[1] == facts[2] == json.loads(json.dumps(dict(facts[0]), allow_nan=False))
        assert facts[0] and all(isinstance(key, str) for key in facts[0])
        assert {path.name for path in tmp_path.iterdir()} == {
            f"made{output.suffix}", "made.unfinished", f"directly{output.suffix}"
        }  # fmt: skip


def test_no_two_outputs_share_a_suffix() -> None:
    """The suffix of a file says which is meant."""
    suffixes = [output.suffix for output in EVERY_OUTPUT.values()]
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)


def test_every_format_takes_every_layout(random: np.random.Generator) -> None:
    for output in OUTPUTS.load_all().values():
        for layout in LAYOUTS.names:
            output.check(Style(layout=layout))


def test_a_still_is_of_a_layout_that_moves_in_a_format_that_does_not() -> None:
    for output in EVERY_OUTPUT.values():
        for layout in LAYOUTS.names:
            if output.takes_stills and LAYOUTS.load(layout).is_moving:
                output.check(Style(layout=layout, at=(3,)))
            else:
                with pytest.raises(UsageError, match="--at chooses"):
                    output.check(Style(layout=layout, at=(3,)))


def sort_out(groups: Groups) -> list[list[tuple[str, str, int]]]:
    return [[(view.modality, view.endpoint.name, view.target) for view in group] for group in groups.together]


def test_streams_pairs_the_same_target_first(random: np.random.Generator) -> None:
    groups = LAYOUTS.load("streams").group(make_views(random))
    assert sort_out(groups) == [
        [("rgb", "Conv3d_1", 0), ("flow", "Conv3d_1", 1)],
        [("rgb", "FC", 5), ("flow", "FC", 5)],
    ]
    assert {(lonely.view.video, lonely.view.target) for lonely in groups.alone} == {("video", 3), ("another", 3)}
    assert all("explain the flow stream" in lonely.hint for lonely in groups.alone)


def test_endpoints_follow_the_network(random: np.random.Generator) -> None:
    groups = LAYOUTS.load("endpoints").group(make_views(random)[::-1])
    assert sorted(sort_out(groups)) == [
        [("flow", "Conv3d_1", 1), ("flow", "FC", 5)],
        [("rgb", "Conv3d_1", 0), ("rgb", "FC", 5), ("rgb", "FC", 3)],
        [("rgb", "FC", 3)],
    ]
