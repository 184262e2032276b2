"""Layouts that compare runs: rows that differ in one thing, and the difference of two runs."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import ImageDraw

from figures.test_figure_contract import lay_out
from gbvis.figures.color import DIVERGING, color_map
from gbvis.figures.layouts import LAYOUTS
from gbvis.figures.layouts.difference import subtract
from gbvis.figures.panel import limits_of
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style
from gbvis.networks.prediction import PredictedClass
from gbvis.networks.r2plus1d.architecture import STEM
from material.views import make_run_view

PREDICTED = PredictedClass(3, "Archery", 0.9)
CAM: dict[str, Any] = {"kind": "positive", "quantity": "relevance", "is_one_channel": True}


def make(
    random: np.random.Generator, method: str = "guided-backprop", weights: str = "0" * 64, **changes: Any
) -> RunView:
    """Return a run of one clip, whose key says what it is."""
    view = make_run_view(random, clips=1, prediction=PREDICTED, **changes)
    recipe = replace(view.recipe, weights=weights, method={"name": method, "version": 1, "settings": {}})
    return replace(view, recipe=recipe, key=f"{view.endpoint.name} {view.target} {method} {weights[0]}")


@pytest.fixture
def views(random: np.random.Generator) -> list[RunView]:
    """Two targets of a class and one filter, two methods, two networks."""
    return [
        make(random, target=3),
        make(random, target=5),
        make(random, target=3, method="grad-cam", **CAM),
        make(random, target=3, weights="1" * 64),
        make(random, endpoint=STEM, target=7),
    ]


@pytest.mark.parametrize(
    ("rows", "together"),
    [
        ("method", [[0, 2], [1], [3], [4]]),
        ("target", [[0, 1], [2], [3], [4]]),
        ("weights", [[0, 3], [1], [2], [4]]),
        ("endpoint", [[4, 0, 1], [2], [3]]),
    ],
)
def test_rows_differ_in_one_thing(views: list[RunView], rows: str, together: list[list[int]]) -> None:
    layout = LAYOUTS.load("methods").of(Style(rows=rows))
    groups = layout.group(views)
    assert [[views.index(view) for view in group] for group in groups.together] == together
    assert not groups.alone
    if rows == "endpoint":
        assert groups == LAYOUTS.load("endpoints").group(views)
        assert layout.name_parts(views) == LAYOUTS.load("endpoints").name_parts(views) == ("rgb", "endpoints")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record every text that is drawn."""
    found: list[str] = []
    draw = ImageDraw.ImageDraw.text
    monkeypatch.setattr(
        ImageDraw.ImageDraw,
        "text",
        lambda self, place, text, **how: (found.append(text), draw(self, place, text, **how)),
    )
    return found


@pytest.mark.parametrize(
    ("rows", "chosen", "heading", "captions"),
    [
        ("method", (0, 2), "video   rgb   FC   class 3   logit 0.5", ["guided-backprop", "grad-cam"]),
        ("target", (0, 1), "video   rgb   FC   guided-backprop", ["class 3   logit 0.5", "class 5   logit 0.5"]),
        ("weights", (0, 3), "video   rgb   FC   class 3   guided-backprop",
         ["weights 00000000   logit 0.5", "weights 11111111   logit 0.5"]),
        ("endpoint", (4, 0), "video   rgb   guided-backprop",
         ["Conv3d_1   filter 7   activation 0.5", "FC   class 3   logit 0.5"]),
    ],
)  # fmt: skip
def test_a_row_says_what_tells_it_from_the_others(
    views: list[RunView], said: list[str], rows: str, chosen: tuple[int, ...], heading: str, captions: list[str]
) -> None:
    (page,) = LAYOUTS.load("methods").of(Style(rows=rows)).lay_out([views[one] for one in chosen], Style())
    next(iter(page.frames()))
    assert list(dict.fromkeys(text for text in said if text in (heading, *captions))) == [heading, *captions]
    assert said.count("predicted, score 0.9000") == 1


def test_each_row_has_its_own_panels(views: list[RunView], said: list[str]) -> None:
    """A method without signs has its one map, of its name; gradients alone are called so."""
    relevance = replace(views[1], quantity="relevance", key="x")
    (page,) = LAYOUTS.load("methods").lay_out([views[0], views[2], relevance], Style(size=224))
    next(iter(page.frames()))
    expected = [
        "frame", "gradient", "positive saliency", "negative saliency", "|gradient| in each frame",
        "frame", "grad-cam", "relevance in each frame",
        "frame", "relevance", "positive relevance", "negative relevance", "|relevance| in each frame",
    ]  # fmt: skip
    assert [text for text in said if text in expected] == expected


def test_why_one_target_and_not_the_other(views: list[RunView], said: list[str]) -> None:
    """Below A and B stands A less B in the map with a sign, as large as it is, with its own scale."""
    style = Style(size=112, percentile=100, panels=("gradient",))
    (frames,) = lay_out(LAYOUTS.load("difference"), views[:2], style)
    one, other = (next(iter(view.clips())).gradient for view in views[:2])
    gone = (one - other)[:, 1]
    strongest = np.take_along_axis(gone, np.abs(gone).argmax(0)[None], 0)[0]
    every = np.abs(one - other).max()
    drawn = color_map(DIVERGING)[np.rint((0.5 + 0.5 * strongest / every) * 254).astype(int)]
    rows = range(frames.shape[1] - 112)
    assert any(np.array_equal(frames[1][row : row + 112, :112], drawn) for row in rows)
    assert "difference" in said and f"{every:.2g}" in said
    captions = [text for text in dict.fromkeys(said) if text.startswith(("A ", "B ", "A\N{MINUS SIGN}"))]
    assert [text.split("   ")[:2] for text in captions if "class" in text] == [["A", "class 3"], ["B", "class 5"]]
    assert any(text.startswith("A \N{MINUS SIGN} B") for text in captions)
    assert {"red: A is larger", "blue: B is larger"} <= set("   ".join(said).split("   "))
    assert "each divided by its largest value" not in "   ".join(said)


def test_runs_of_two_methods_are_scaled_first(views: list[RunView], said: list[str]) -> None:
    (page,) = LAYOUTS.load("difference").lay_out([views[0], views[2]], Style())
    next(iter(page.frames()))
    assert "each divided by its largest value" in "   ".join(said)


def test_a_difference_of_what_has_one_unit(random: np.random.Generator) -> None:
    one, other = random.standard_normal((2, 3, 4, 8, 8)).astype(np.float32)
    np.testing.assert_array_equal(subtract(one, other, is_scaled=False), one - other)
    scaled = subtract(one, other, is_scaled=True)
    np.testing.assert_allclose(scaled, one / np.abs(one).max() - other / np.abs(other).max(), rtol=1e-6)
    np.testing.assert_array_equal(subtract(one, 0 * other, is_scaled=True), one / np.abs(one).max())


def test_a_difference_of_a_gradient_and_a_grid(random: np.random.Generator) -> None:
    """The grid is enlarged, and of the gradient's channels the strongest counts."""
    one, grid = random.standard_normal((3, 4, 8, 8)).astype(np.float32), np.ones((1, 4, 2, 2), np.float32)
    found = subtract(one, grid, is_scaled=False)
    assert found.shape == (1, 4, 8, 8)
    strongest = np.take_along_axis(one, np.abs(one).argmax(0)[None], 0)
    np.testing.assert_allclose(found, strongest - 1, atol=1e-6)
    np.testing.assert_allclose(subtract(grid, one, is_scaled=False), 1 - strongest, atol=1e-6)


THREE = "guided-backprop class 3, guided-backprop class 5, grad-cam class 3"


@pytest.mark.parametrize(
    ("chosen", "problem", "hint"),
    [
        ((0,), "there is one run of the same clips of video rgb: FC class 3", "explain the same clips for another"),
        ((0, 1, 2), f"there are 3 runs of the same clips of video rgb: {THREE}", "--run"),
        ((1, 2), "two runs of video rgb differ in method and target", "explain the same clips for another"),
    ],
)
def test_no_pair_is_guessed(views: list[RunView], chosen: tuple[int, ...], problem: str, hint: str) -> None:
    groups = LAYOUTS.load("difference").group([views[one] for one in chosen])
    assert not groups.together and len(groups.alone) == len(chosen)
    (said,) = {(lonely.problem, lonely.hint) for lonely in groups.alone}
    assert problem in said[0] and hint in said[1]
    assert hint != "--run" or said[1].endswith(f"--run {views[0].digest} --run {views[1].digest}")


@pytest.mark.parametrize("chosen", [(0, 1), (1, 0), (0, 2), (0, 3), (4, 0)])
def test_the_first_is_a(views: list[RunView], chosen: tuple[int, int]) -> None:
    wanted = [views[one] for one in chosen]
    (group,) = LAYOUTS.load("difference").group(wanted).together
    assert group == wanted
    named = LAYOUTS.load("difference").name_parts(group)
    assert (
        named
        == {
            (0, 1): ("rgb", "difference", "FC", "3-5"),
            (1, 0): ("rgb", "difference", "FC", "5-3"),
            (0, 2): ("rgb", "difference", "FC", "3", "guided-backprop-grad-cam"),
            (0, 3): ("rgb", "difference", "FC", "3", "00000000-11111111"),
            (4, 0): ("rgb", "difference", "Conv3d_1-FC", "7-3"),
        }[chosen]
    )


def test_the_difference_has_a_scale_of_its_own_where_all_share_one(views: list[RunView]) -> None:
    limits = limits_of(views[0], Style())
    style = Style(scale="all", limits=replace(limits, gradient=100 * limits.gradient))
    plan = LAYOUTS.load("difference").plan(views[:2], style)  # type: ignore[attr-defined]
    *_, below = plan.blocks
    assert below.style.limits is not None and below.style.limits.gradient < 10
