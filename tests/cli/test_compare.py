"""`gbvis render` where runs are compared: of several targets and methods."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from conftest import Call
from gbvis.attribution.methods import METHODS
from gbvis.figures.run_view import RunView

SMALL = ("--size", 56, "--json")


@pytest.fixture(autouse=True)
def _with_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register a gradient, and a method without signs."""
    monkeypatch.setitem(METHODS._places, "plain-gradient", "material.methods:PlainGradient")
    monkeypatch.setitem(METHODS._places, "strength-grid", "material.grids:Grid")


@pytest.fixture
def explained(call: Call) -> Call:
    """Explain one stream of a sample for two classes and with three methods, and give the command line."""
    words = ["explain", "sample:up-4", "-w", "sample", "-e", "FC"]
    assert call(*words, "-l", 2, "-l", 3, "-m", "rgb", "--method", "guided-backprop").code == 0
    assert call(*words, "-l", 2, "--method", "plain-gradient", "--method", "strength-grid").code == 0
    return call


def pictures(explained: Call, *arguments: object) -> list[dict[str, Any]]:
    done = explained("render", *arguments, *SMALL)
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def test_methods_below_each_other(explained: Call) -> None:
    (rgb, flow) = pictures(explained, "-l", 2, "--layout", "methods")
    assert (rgb["path"], flow["path"]) == ("up-4.rgb.methods.FC.2.gif", "up-4.flow.methods.FC.2.gif")
    assert [run["method"] for run in rgb["runs"]] == ["guided-backprop", "plain-gradient", "strength-grid"]
    assert [run["settings"] for run in rgb["runs"]] == [{}, {}, {"steps": 4}]
    assert rgb["method"] is None and rgb["endpoint"] == "FC"
    (chosen,) = pictures(
        explained, "-m", "rgb", "-l", 2, "--layout", "methods", "-o", "chosen.gif",
        "--method", "strength-grid:steps=4", "--method", "guided-backprop",
    )  # fmt: skip
    assert [run["method"] for run in chosen["runs"]] == ["strength-grid", "guided-backprop"]


def test_a_grid_of_flow_is_drawn_once(explained: Call) -> None:
    signed, grid = (
        pictures(explained, "-m", "flow", "--method", name, "-o", name)[0]
        for name in ("plain-gradient", "strength-grid")
    )
    assert signed["height"] - grid["height"] >= 56 and signed["method"] == "plain-gradient"


@pytest.mark.parametrize(
    ("classes", "path"), [((2, 3), "up-4.rgb.difference.FC.2-3.gif"), ((3, 2), "up-4.rgb.difference.FC.3-2.gif")]
)
def test_why_a_and_not_b(explained: Call, tmp_path: Path, classes: tuple[int, int], path: str) -> None:
    """In the order of the call; the file's own command draws the same file."""
    named = [word for index in classes for word in ("-l", index)]
    (made,) = pictures(explained, "--method", "guided-backprop", *named, "--layout", "difference")
    assert made["path"] == path and [run["target"] for run in made["runs"]] == list(classes)
    with Image.open(tmp_path / path) as image:
        words = shlex.split(json.loads(image.info["comment"])["command"])[1:]
    again = explained(*words)
    assert again.code == 0 and "unchanged" in again.out


def test_a_method_that_nobody_has_any_more(explained: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its runs are drawn; whether they are gradients nobody says then."""
    monkeypatch.delitem(METHODS._places, "plain-gradient")
    monkeypatch.delitem(METHODS._places, "strength-grid")
    shown: dict[str, str] = {}
    measure = RunView.magnitude.fget
    assert measure is not None

    def record(view: RunView) -> str:
        shown[view.method_name] = measure(view)
        return shown[view.method_name]

    monkeypatch.setattr(RunView, "magnitude", property(record))
    pictures(explained, "-m", "rgb", "-l", 2, "--layout", "methods")
    expected = {"guided-backprop": "|gradient|", "plain-gradient": "|relevance|", "strength-grid": "relevance"}
    assert shown == expected


def test_rows_in_the_order_of_the_call(explained: Call) -> None:
    (made,) = pictures(
        explained, "--method", "guided-backprop", "-l", 3, "-l", 2, "--layout", "methods", "--rows", "target"
    )
    assert made["path"] == "up-4.rgb.targets.FC.gif" and [run["target"] for run in made["runs"]] == [3, 2]


def test_what_makes_no_difference(explained: Call) -> None:
    done = explained("render", "-m", "rgb", "--layout", "difference")
    done.check_error(1, "there are 4 runs of the same clips of up-4 rgb", "strength-grid:steps=4 class 2", "--run")
    done = explained("render", "-m", "rgb", "-l", 3, "--layout", "difference")
    done.check_error(1, "there is one run of the same clips of up-4 rgb: FC class 3", "explain the same clips")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rows", "target"], ["--rows target goes with --layout methods"]),
        (["--rows", "video", "--layout", "methods"], ["unknown kind of rows 'video'"]),
        (["--method", "no-such"], ["unknown method 'no-such'"]),
    ],
)
def test_what_cannot_be_asked(call: Call, arguments: list[str], words: list[str]) -> None:
    call("explain", "sample:up-4", "-w", "sample", "-m", "rgb")
    call("render", *arguments).check_error(2, *words)
