"""The layout of tests: which runs it shows, pages, plots, numbers."""

from dataclasses import replace

import numpy as np
import pytest

from gbvis.figures.check_view import VALUE, CheckView
from gbvis.figures.layouts.check import CHECK, COLORS, put
from gbvis.figures.style import Style
from material.views import make_checks, make_run_view


def test_runs_that_were_not_tested_are_told_how(random: np.random.Generator) -> None:
    tested = make_run_view(random)
    other = replace(make_run_view(random), key="other", checks=list)
    groups = CHECK.group([tested, other])
    assert groups.together == [[tested]]
    (lonely,) = groups.alone
    assert lonely.problem == "other was not tested" and "gbvis check" in lonely.hint


def test_curves_with_uninformed_ones_have_a_plot_and_all_others_one() -> None:
    falling, time, pointing = make_checks()
    (plot,) = falling.plots
    assert plot.name == "score"
    assert [*plot.lines] == [VALUE, "edges", "motion", "center", "random"]
    assert plot.ends == ((0, 1), (0, 1))
    (frames,) = time.plots
    assert frames.name == "" and [*frames.lines] == ["alone", "frozen"]
    np.testing.assert_array_equal(frames.lines["alone"][0], [0, 1, 2])
    assert pointing.plots == []


def test_a_curve_of_another_length_than_x_is_counted_from_0() -> None:
    check = CheckView("any", 0, {}, "", {"x": np.array([2.0, 4.0]), "a": np.zeros(3), "b": np.zeros(2)})
    (plot,) = check.plots
    np.testing.assert_array_equal(plot.lines["a"][0], [0, 1, 2])
    np.testing.assert_array_equal(plot.lines["b"][0], [2, 4])


def test_points_have_the_names_of_stages_where_there_are_as_many(random: np.random.Generator) -> None:
    curves = {"a": np.array([1.0, 0.5]), "a@random": np.zeros(2), "b": np.ones(3), "b@random": np.zeros(3)}
    named = CheckView("randomisation", 0, {"random": 0.0}, "", curves, ["first", "last"])
    assert [plot.stages for plot in named.plots] == [["first", "last"], ()]
    pictures = []
    for check in (named, replace(named, stages=())):
        (page,) = CHECK.lay_out([replace(make_run_view(random), checks=lambda check=check: [check])], Style())  # type: ignore[misc]
        (picture,) = page.frames()
        pictures.append(picture)
    changed = np.nonzero((pictures[0] != pictures[1]).any((1, 2)))[0]
    assert 0 < changed.max() - changed.min() < 25  # one line of text, below the plots


def test_curves_are_where_their_colours_are(random: np.random.Generator) -> None:
    """The attribution's own, white, ends below all others, which fall less."""
    baselines = {"edges": 1.0, "random": 1.0}
    curves = {"fall": 1 - np.linspace(0, 1, 30), "fall@edges": np.ones(30), "fall@random": np.full(30, 0.5)}
    view = replace(make_run_view(random), checks=lambda: [CheckView("deletion", 0, baselines, "falls", curves)])
    (page,) = CHECK.lay_out([view], Style(size=200))
    (picture,) = page.frames()
    plot = picture[:, picture.shape[1] // 3 :]  # right of the numbers
    far = {name: np.abs(plot.astype(int) - COLORS[name]).max(-1) for name in (VALUE, "edges", "random")}
    rows = {name: np.nonzero(distance < 70)[0] for name, distance in far.items()}
    assert np.median(rows["edges"]) < np.median(rows["random"]) - 50
    assert rows[VALUE].max() > np.median(rows["random"]) + 50


def test_many_tests_make_pages_and_none_is_cut(random: np.random.Generator) -> None:
    view = replace(make_run_view(random), checks=lambda: make_checks() * 12)
    pages = CHECK.lay_out([view], Style())
    assert len(pages) > 1
    assert all(page.height < 3500 for page in pages)


@pytest.mark.parametrize("steps", [1, 2])
def test_curves_without_extent_are_drawn(random: np.random.Generator, steps: int) -> None:
    checks = [CheckView("any", 0, {}, "same", {"a": np.full(steps, 3.0)})]
    (page,) = CHECK.lay_out([replace(make_run_view(random), checks=lambda: checks)], Style())
    (picture,) = page.frames()
    assert picture.std() > 0


@pytest.mark.parametrize(("number", "text"), [(0.12345, "0.123"), (-2e-7, "−2e−7"), (1.5e9, "1.5e9"), (1, "1")])
def test_numbers_are_put_shortly(number: float, text: str) -> None:
    assert put(number) == text
