"""Rows: runs that differ in one thing, below each other."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import ImageDraw

from gbvis.figures.layouts import LAYOUTS
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
