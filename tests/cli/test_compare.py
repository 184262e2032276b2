"""`gbvis render` where runs are compared: of several targets and methods, and what of them changes in time."""

import csv
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
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
    done.check_error(1, "there are 4 runs of the same clips of up-4 rgb", "strength-grid class 2", "--run")
    done = explained("render", "-m", "rgb", "-l", 3, "--layout", "difference")
    done.check_error(1, "there is one run of the same clips of up-4 rgb: FC class 3", "explain the same clips")


def test_what_changes_in_time(explained: Call, tmp_path: Path) -> None:
    """The file says so in its name, its notes and in JSON; its curve and the table are of what is left."""
    selected = ("-m", "rgb", "--method", "guided-backprop", "-l", 2)
    (all_,) = pictures(explained, *selected)
    (changing,) = pictures(explained, *selected, "--relevance", "temporal")
    (more,) = pictures(explained, *selected, "--relevance", "temporal:s=3.5")
    digest = str(all_["path"]).split(".")[4]
    assert [made["path"] for made in (all_, changing, more)] == [
        f"up-4.rgb.FC.2{word}.{digest}.gif" for word in ("", ".temporal", ".temporal-3.5")
    ]
    assert [made["relevance"] for made in (all_, changing, more)] == ["all", "temporal:s=2", "temporal:s=3.5"]
    sums = [np.sum(made["runs"][0]["importance"]) for made in (all_, changing, more)]
    assert sums[0] > sums[1] > sums[2] > 0
    with Image.open(tmp_path / str(changing["path"])) as image:
        assert "--relevance temporal:s=2 " in json.loads(image.info["comment"])["command"]
    assert explained("render", *selected, "--relevance", "temporal", "-o", "x.csv").code == 0
    with (tmp_path / "x.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["method"], row["settings"], row["relevance"]) for row in rows} == {
        ("guided-backprop", "", "temporal:s=2")
    }
    assert sum(float(row["importance"]) for row in rows) == pytest.approx(sums[1], rel=1e-4)
    stored = zarr.open_group(tmp_path / "gbvis.zarr", mode="r")[f"{all_['runs'][0]['group']}/gradient"]
    assert sums[0] == pytest.approx(np.abs(np.asarray(stored, np.float64)).sum(), rel=1e-4)  # type: ignore[arg-type]


def test_too_short_a_clip_does_not_change(explained: Call) -> None:
    words = ["-w", "sample", "-m", "rgb", "-e", "FC", "-l", 2, "--method", "strength-grid:steps=2"]
    assert explained("explain", "sample:up-4", *words).code == 0
    done = explained("render", "-m", "rgb", "--method", "strength-grid:steps=2", "--relevance", "temporal")
    done.check_error(1, "takes 3 steps to be seen, and there are 2 in a clip", "leave out --relevance")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--relevance", "spatial"], ["--relevance 'spatial' is not known", "temporal:s=3"]),
        (["--relevance", "temporal:s=-1"], ["--relevance 'temporal:s=-1' is not known"]),
        (["--rows", "target"], ["--rows target goes with --layout methods"]),
        (["--rows", "video", "--layout", "methods"], ["unknown kind of rows 'video'"]),
        (["--method", "no-such"], ["unknown method 'no-such'"]),
    ],
)
def test_what_cannot_be_asked(call: Call, arguments: list[str], words: list[str]) -> None:
    call("explain", "sample:up-4", "-w", "sample", "-m", "rgb")
    call("render", *arguments).check_error(2, *words)


def explain(call: Call, *arguments: object) -> None:
    done = call("explain", "sample:up-4", "-w", "sample", "-e", "FC", *arguments)
    assert done.code == 0, done.err


def test_streams_pair_what_each_of_them_decides(call: Call) -> None:
    """The baseline of a method is another one for flow."""
    explain(call, "--method", "integrated-gradients:steps=2", "--method", "grad-cam")
    for method in ("integrated-gradients", "grad-cam"):
        (picture,) = pictures(call, "--method", method, "--layout", "streams", "-o", f"{method}.gif")
        assert [run["modality"] for run in picture["runs"]] == ["rgb", "flow"]


def test_a_method_in_float32_stands_beside_others_in_bfloat16(call: Call) -> None:
    methods = ("--method", "guided-backprop", "--method", "integrated-gradients:steps=2")
    explain(call, "-m", "rgb", "--precision", "bfloat16", *methods)
    (picture,) = pictures(call, "--layout", "methods")
    assert [run["method"] for run in picture["runs"]] == ["guided-backprop", "integrated-gradients"]


def test_a_difference_of_precisions_says_which_is_which(call: Call) -> None:
    for precision in ("float32", "bfloat16"):
        explain(call, "-m", "rgb", "--precision", precision)
    (picture,) = pictures(call, "--layout", "difference")
    assert "float32" in picture["path"] and "bfloat16" in picture["path"]


def test_endpoints_with_a_layer_of_their_own_stand_together(call: Call) -> None:
    """Where nobody says which, the layer follows from the endpoint."""
    explain(call, "-m", "rgb", "-e", "Conv3d_3_x", "--method", "grad-cam")
    (picture,) = pictures(call, "--layout", "endpoints")
    assert [run["endpoint"] for run in picture["runs"]] == ["Conv3d_3_x", "FC"]
    explain(call, "-m", "rgb", "-e", "Conv3d_3_x", "--method", "grad-cam:at=Conv3d_2_x")
    assert len(pictures(call, "--layout", "endpoints", "-o", "apart")) > 1


def test_a_layer_goes_by_any_of_its_names(call: Call) -> None:
    explain(call, "-m", "rgb", "--method", "grad-cam:at=layer2", "--method", "grad-cam:at=conv2_x")
    (picture,) = pictures(call, "--method", "grad-cam:at=LAYER2")
    assert [run["settings"] for run in picture["runs"]] == [{"at": "Conv3d_3_x"}]
    assert call("render", "--method", "grad-cam:at=layer3").code == 1


def test_all_takes_no_settings(call: Call) -> None:
    call("explain", "sample:up-4", "-w", "sample", "--method", "all:samples=2").check_error(2, "gives settings to all")
