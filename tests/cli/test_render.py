"""`gbvis render` on samples explained with the networks that come along: every layout, format and option."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from PIL import Image

from conftest import Call, CopyStore
from gbvis.attribution.recipe import Recipe
from gbvis.figures.outputs import PICTURES
from gbvis.figures.outputs.table import CSV
from gbvis.figures.run_view import ClipView, RunView
from gbvis.figures.style import Style
from gbvis.networks.endpoint import Endpoint
from gbvis.steps import shown_runs
from gbvis.store import StoredRun
from gbvis.videos.source import Source


@pytest.fixture
def explained(call: Call, copy_store: CopyStore) -> Call:
    """Have both streams of one sample explained at two endpoints, and give the command line."""
    copy_store("sample:up-4", "-w", "sample", "-e", "Conv3d_4_x", "-e", "FC")
    return call


def pictures(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize(
    ("layout", "names"),
    [
        ("strip", ["up-4.rgb.FC.2.gif", "up-4.flow.FC.2.gif"]),
        ("sheet", ["up-4.rgb.FC.2.png", "up-4.flow.FC.2.png"]),
        ("sheet-transposed", ["up-4.rgb.FC.2.sheet-transposed.png", "up-4.flow.FC.2.sheet-transposed.png"]),
        ("overlay", ["up-4.rgb.FC.2.overlay.gif", "up-4.flow.FC.2.overlay.gif"]),
        ("streams", ["up-4.streams.FC.2.gif"]),
    ],
)
def test_layouts_and_their_names(explained: Call, layout: str, names: list[str]) -> None:
    done = explained("render", "-e", "FC", "--layout", layout, "--json")
    assert done.code == 0, done.err
    made = pictures(done.out)
    assert [picture["path"] for picture in made] == names
    for picture in made:
        with Image.open(str(picture["path"])) as image:
            assert image.size == (picture["width"], picture["height"])
            assert getattr(image, "n_frames", 1) == picture["frames"]
        assert picture["layout"] == layout
    assert explained("render", "-e", "FC", "--layout", layout).out.count("unchanged") == len(names)


def test_endpoints_below_each_other(explained: Call) -> None:
    (rgb, flow) = pictures(explained("render", "--layout", "endpoints", "--json").out)
    assert (rgb["path"], flow["path"]) == ("up-4.rgb.endpoints.gif", "up-4.flow.endpoints.gif")
    assert rgb["endpoint"] is None and rgb["modality"] == "rgb"
    assert [run["endpoint"] for run in rgb["runs"]] == ["Conv3d_4_x", "FC"]  # type: ignore[attr-defined]


def test_streams_that_miss_one(explained: Call, call: Call) -> None:
    explained("explain", "sample:down-1", "-w", "sample", "-m", "rgb")
    done = explained("render", "--layout", "streams", "-o", "both")
    assert done.code == 1
    assert "no flow run to be shown with" in done.err and "up-4.streams.FC.2.gif" in done.out


@pytest.mark.parametrize("name", [name for name in PICTURES if name != "png"])
def test_every_format_from_the_command_line(explained: Call, tmp_path: Path, name: str) -> None:
    made = explained("render", "-m", "rgb", "-e", "FC", "-o", f"x.{name}", "--loop", 2, "--json")
    assert made.code == 0, made.err
    assert pictures(made.out)[0]["format"] == name
    assert (tmp_path / f"x.{name}").stat().st_size > 5_000


def test_how_much_of_it_when(explained: Call, tmp_path: Path) -> None:
    """The curve as data: the sum of |gradient| over channels and places, frame by frame."""
    (picture,) = pictures(explained("render", "-m", "rgb", "-e", "FC", "--json").out)
    (run,) = picture["runs"]  # type: ignore[misc]
    gradient = zarr.open_group(tmp_path / "gbvis.zarr")[f"{run['group']}/gradient"]
    expected = np.abs(np.asarray(gradient, np.float64)).sum((1, 3, 4))  # type: ignore[arg-type]
    np.testing.assert_allclose(run["importance"], expected, rtol=1e-5)
    assert explained("render", "-o", "importance.csv").out.split()[:3] == ["importance.csv", "32", "rows"]
    with (tmp_path / "importance.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if (row["modality"], row["endpoint"]) == ("rgb", "FC")]
    assert [int(row["frame"]) for row in rows] == list(range(4, 12))
    assert [row["seconds"] for row in rows] == [f"{frame / 10:.3f}" for frame in range(4, 12)]
    np.testing.assert_allclose([float(row["importance"]) for row in rows], expected[0], rtol=1e-5)
    assert sum(float(row["share"]) for row in rows) == pytest.approx(1, abs=1e-5)
    assert "unchanged" in explained("render", "-o", "importance.csv").out
    explained("render", "nothing", "-o", "importance.csv", "--force").check_error(1, "nothing to render")
    assert len((tmp_path / "importance.csv").read_text().splitlines()) == 33
    explained("render", "-o", "importance.csv", "-m", "rgb").check_error(1, "there already", "--force")
    assert pictures(explained("render", "-o", "importance.csv", "--json").out)[0]["rows"] == 32


def test_one_scale_for_everything(explained: Call, tmp_path: Path) -> None:
    """The network's own endpoints differ by orders of magnitude: with one scale the weaker one is pale."""
    spread = {}
    for scale in ("clip", "all"):
        wanted = ["-m", "rgb", "--scale", scale, "--panels", "positive", "--format", "apng"]
        done = explained("render", *wanted, "-o", scale)
        assert done.code == 0, done.err
        with Image.open(tmp_path / scale / "up-4.rgb.FC.2.apng") as image:
            image.seek(4)
            spread[scale] = np.asarray(image.convert("RGB"), float)[80:250, :200].max()  # less the letters
    assert spread["all"] < 0.8 * spread["clip"]


def test_a_gradient_of_nothing_is_grey_and_said(
    explained: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gradient = StoredRun.gradient
    monkeypatch.setattr(StoredRun, "gradient", lambda self, clip: np.zeros_like(gradient(self, clip)))
    done = explained("render", "-m", "rgb", "-e", "FC", "-o", "b.apng")
    assert done.code == 0, done.err
    assert "0 everywhere" in done.err
    with Image.open(tmp_path / "b.apng") as image:
        panel = np.asarray(image.convert("RGB"))[54:278, 232:456]
    assert np.ptp(panel) <= 1


@pytest.mark.parametrize(("value", "is_told"), [(1.0, True), (0.9, False), (0.0, True)])
def test_a_saturated_probability_is_said(
    call: Call, copy_store: CopyStore, monkeypatch: pytest.MonkeyPatch, value: float, is_told: bool
) -> None:
    copy_store("sample:up-4", "-w", "sample", "-m", "rgb", "-e", "SOFTMAX", "-e", "FC")
    select = shown_runs.select_runs

    def select_changed(*given: Any, **settings: Any) -> list[StoredRun]:
        runs = select(*given, **settings)
        for run in runs:
            run.value = [value] * len(run.value)
        return runs

    monkeypatch.setattr(shown_runs, "select_runs", select_changed)
    shown = []
    monkeypatch.setattr(RunView, "describe_prediction", lambda view, *_, **__: shown.append(view.saturation) or "")
    done = call("render", "-e", "SOFTMAX", "-e", "FC", "--format", "png", "--layout", "sheet", "--size", "56")
    assert done.code == 0, done.err
    assert ("saturated: see -e FC" in done.err) == is_told and done.err.count("saturated") == is_told
    assert {*shown} == {"", "saturated: see -e FC"} if is_told else {*shown} == {""}


def test_an_overlay_needs_the_video(call: Call, dataset: Path, weights: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(dataset, tmp_path / "data")
    both = ["-w", weights["rgb"], "-w", weights["flow"], "-e", "FC", "-l", 3]
    assert call("explain", "moving-disc", "-d", "data", *both).code == 0
    for place in ([], ["-d", "data"]):
        done = call("render", "--layout", "overlay", "--json", "-o", f"place{len(place)}", *place)
        assert done.code == 0, done.err
        assert {picture["width"] for picture in pictures(done.out)} == {340}
    (tmp_path / "data").rename(tmp_path / "moved")
    call("render", "--layout", "overlay", "-m", "rgb").check_error(1, "they are gone from", "-d")
    again = call("render", "--layout", "overlay", "-d", "moved", "-o", "place0")
    assert again.out.count("unchanged") == 2, again.err
    frame = next((tmp_path / "moved").rglob("jpegs_256/moving-disc/frame000005.jpg"))
    shutil.copy(frame.with_name("frame000006.jpg"), frame)
    call("render", "--layout", "overlay", "-d", "moved", "-m", "rgb").check_error(1, "has changed since it was")
    assert call("render", "-m", "rgb", "-o", "strip").code == 0  # nothing but the overlay needs it


def test_many_clips_make_numbered_pages(explained: Call, tmp_path: Path) -> None:
    assert explained("explain", "sample:up-4", "-w", "sample", "-m", "rgb", "--clips", 10).code == 0
    done = explained("render", "-m", "rgb", "--clips", 10, "-o", "x.png", "--size", 200)
    assert [line.split()[0] for line in done.out.splitlines()] == ["x.1.png", "x.2.png", "x.3.png", "x.4.png"]
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--loop", "0"], ["--loop '0'", "forever"]),
        (["--loop", "70000"], ["--loop '70000'"]),
        (["--fps", "nan"], ["--fps"]),
        (["--layout", "streams", "-m", "rgb"], ["shows both streams", "leave out -m"]),
        (["--loop", "often"], ["--loop 'often'"]),
        (["--percentile", "20"], ["percentile"]),
        (["--colors", "new"], ["unknown colours 'new'", "maps, old"]),
        (["--flow-colors", "red"], ["unknown flow colours 'red'"]),
        (["--font", "no.ttf"], ["cannot use the font no.ttf"]),
        (["--layout", "strips"], ["unknown layout 'strips'", "did you mean strip"]),
        (["--at", "3", "-o", "x.gif"], ["--at chooses a still, and gif holds none", "--format png"]),
        (["--at", "3", "-o", "x.csv"], ["--at chooses a still, and csv holds none"]),
        (["--at", "3", "--layout", "sheet"], ["shows all at once", "--layout strip"]),
        (["--at", "3", "--layout", "sheet-transposed", "--format", "png"], ["shows all at once"]),
        (["--at", "-3"], ["--at '-3' is no frame", "2.5s"]),
        (["--at", "3,,4"], ["--at '' is no frame"]),
        (["--at", "infs"], ["--at 'infs' is no frame"]),
        (["--at", "strongest"], ["--at 'strongest' is no frame"]),
        (["-o", "-"], ["-o - is no place for a file", "standard output", "-o picture.gif"]),
        (["-o", "/dev/stdout"], ["-o /dev/stdout is no place for a file"]),
        (["-o", "/dev/null"], ["-o /dev/null is no place for a file"]),
        (["--layout", "sheet", "-o", "x.jpg"], ["no format has the suffix '.jpg'"]),
        (["-d", "nowhere"], ["no such folder: nowhere"]),
    ],
)
def test_what_cannot_be_asked(explained: Call, arguments: list[str], words: list[str]) -> None:
    explained("render", *arguments).check_error(2, *words)


def test_a_moved_file_is_found_where_it_is_now(
    call: Call, video_file: Path, weights: dict[str, Path], tmp_path: Path
) -> None:
    shutil.copy(video_file, tmp_path / "clip.mp4")
    assert call("explain", "clip.mp4", "-w", weights["rgb"], "-l", 3).code == 0
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "clip.mp4").rename(tmp_path / "elsewhere/clip.mp4")
    call("render", "clip", "--layout", "overlay").check_error(1, "they are gone from", "new path")
    assert call("render", "elsewhere/clip.mp4", "--layout", "overlay").code == 0


def test_a_sheet_and_a_strip_never_share_a_name(explained: Call) -> None:
    assert explained("render", "-m", "rgb", "-e", "FC").code == 0
    done = explained("render", "-m", "rgb", "-e", "FC", "--layout", "sheet", "--format", "gif", "--format", "png")
    assert done.code == 0, done.err
    assert [line.split()[0] for line in done.out.splitlines()] == ["up-4.rgb.FC.2.sheet.gif", "up-4.rgb.FC.2.png"]


def test_nothing_is_written_before_all_is_checked(explained: Call, tmp_path: Path) -> None:
    explained("render", "--format", "png", "--format", "csv", "-o", "x").check_error(
        2, "csv holds all runs in one file", "-o runs.csv"
    )
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"), ("+1", "'+1"), ("@sum(A1)", "'@sum(A1)"), ("\t=1", "'\t=1"),
        ("-2+3|x!A", "'-2+3|x!A"), ("-0B6FZ2lLhM_000007", "-0B6FZ2lLhM_000007"), ("a=b", "a=b"),
        ('"a",\n=b', '"a",\n=b'),
    ],
)  # fmt: skip
def test_no_spreadsheet_takes_a_name_for_a_formula(tmp_path: Path, name: str, cell: str) -> None:
    clip = ClipView([0], np.zeros((1, 2, 2, 3), np.uint8), np.ones((3, 1, 2, 2), np.float32), 1.0)
    method = {"name": "guided-backprop", "version": 1, "settings": {}}
    recipe = Recipe("v" * 64, "rgb", [[0]], {}, "w" * 64, "old-script", "FC", 0, method, "float32")
    view = RunView(
        video=name,
        recipe=recipe,
        endpoint=Endpoint("FC", target_kind="class", value_name="logit"),
        position=6,
        key=f"{name}/rgb/FC/0",
        clips_digest="",
        class_name=None,
        prediction=None,
        clips=lambda: iter([clip]),
        read_rate=lambda: None,
        find_source=pytest.fail,
        source=Source(name, "rgb", recipe.video),
    )
    CSV.write([view], Style(), tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["video"], row["group"], row["target"]) == (cell, f"{cell}/rgb/FC/0", "0")
