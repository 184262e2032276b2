"""`gbvis render` where runs are compared: of several targets and methods."""

import json
from typing import Any

import pytest

from conftest import Call
from gbvis.attribution.methods import METHODS

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


def test_a_grid_of_flow_is_drawn_once(explained: Call) -> None:
    signed, grid = (
        pictures(explained, "-m", "flow", "--method", name, "-o", name)[0]
        for name in ("plain-gradient", "strength-grid")
    )
    assert signed["height"] - grid["height"] >= 56 and signed["method"] == "plain-gradient"
