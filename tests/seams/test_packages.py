"""Parts that other packages add, each from one file and an entry point: nothing in `src` knows of them.

The packages lie in `packages/`, as an installer leaves them: a module, and a `dist-info` folder with the entry points.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import zarr
from PIL import Image
from torch import nn
from torch.nn.functional import adaptive_avg_pool3d

import gbvis
from conftest import Call, Called, load_script
from gbvis.networks.network import Network
from gbvis.store import Store, StoredRun

PACKAGES = Path(__file__).parent / "packages"
SAMPLE = "sample:turn-left-3"


class Installed:
    """Command lines in an empty folder, in processes in which one of the packages is installed."""

    def __init__(self, package: str, folder: Path) -> None:
        paths = [str(PACKAGES / package), os.environ.get("PYTHONPATH", "")]
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        self._folder = folder

    def __call__(self, *arguments: object) -> Called:
        """Run a command line as a user does."""
        return Called(*self._run(["-m", "gbvis", *map(str, arguments)]))

    def each(self, *calls: Sequence[object]) -> list[Called]:
        """Run several command lines, one after the other in one process: torch is loaded once."""
        code, out, err = self._run(["-c", RUN_EACH, json.dumps([[str(word) for word in words] for words in calls])])
        assert code == 0, err
        return [Called(*result) for result in json.loads(out)]

    def _run(self, words: list[str]) -> tuple[int, str, str]:
        command = [sys.executable, *words]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=self._folder, env=self._environment, timeout=300
        )
        return done.returncode, done.stdout, done.stderr


RUN_EACH = """
import contextlib, io, json, sys
from gbvis.cli.app import run_command_line
results = []
for words in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = run_command_line(words)
    results.append((code, out.getvalue(), err.getvalue()))
print(json.dumps(results))
"""


@pytest.fixture
def installed(request: pytest.FixtureRequest, tmp_path: Path) -> Installed:
    """One of the packages, installed."""
    return Installed(request.param, tmp_path)


def with_package(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("installed", [name], indirect=True, ids=[name])


def lines(called: Called) -> list[dict[str, Any]]:
    assert called.code == 0, called.err
    return [json.loads(line) for line in called.out.splitlines()]


def differentiate(network: Network, pixels: np.ndarray, endpoint: str, target: int) -> np.ndarray:
    """Return d target / d normalised input by autograd alone: float32 (channel, time, y, x)."""
    batch = network.preprocess([pixels]).requires_grad_()
    (activation,) = (one for place, one in network.endpoints(batch) if place.name == endpoint)
    value = activation[:, target].abs() if activation.ndim == 5 else activation[:, target]
    (gradient,) = torch.autograd.grad(value.sum(), batch)
    return network.align_gradients(gradient)[0].numpy()


@pytest.mark.slow
@with_package("grid")
def test_a_method_with_settings_and_a_grid_of_its_own(installed: Installed, call: Call, tmp_path: Path) -> None:
    explain = ["explain", SAMPLE, "-w", "sample", "-m", "rgb", "-e", "FC", "--json", "--method"]
    explained, together, misspelt, wrong, shown, movies = installed.each(
        [*explain, "grid:size=3"],
        [*explain, "grid: size = 3", "--method", "guided-backprop", "--method", "grid:size=3,rule=both"],
        [*explain, "grid:sise=3"],
        [*explain, "grid:size=0"],
        ["store", "ls", "--method", "grid", "--json"],
        ["render", "--method", "grid", "-o", "out", "--size", 56, "--json"],
    )
    (run,) = lines(explained)
    assert (run["method"], run["settings"], run["cached"]) == ("grid", {"size": 3, "rule": "plain"}, False)
    assert [(one["method"], one["cached"]) for one in lines(together)] == [
        ("grid", True), ("guided-backprop", False), ("grid", False),
    ]  # fmt: skip
    misspelt.check_error(2, "unknown setting of grid 'sise'", "did you mean size")
    wrong.check_error(2, "size must be from 1 to 32", "size=6 (a whole number)")
    assert sorted(one["settings"]["rule"] for one in lines(shown)) == ["both", "plain"]
    assert sorted(one["method"] for one in lines(movies)) == ["grid:size=3,rule=both", "grid:size=3,rule=plain"]

    # what is kept says what it is: from here on nothing needs the package
    assert "grid:size=3,rule=both" in call("store", "ls").out
    assert call("store", "verify").code == 0
    assert call("render", "-o", "runs.csv").out.split()[1:3] == ["24", "rows"]
    for layout in ("overlay", "sheet"):
        assert len(lines(call("render", "-o", layout, "--layout", layout, "--size", 56, "--json"))) == 3
    stored = zarr.open_group(tmp_path / "gbvis.zarr", mode="r")[f"{run['group']}/gradient"]
    assert isinstance(stored, zarr.Array) and stored.shape == (1, 2, 3, 3)
    runs = {found.recipe.method_name: found for found in gbvis.open_store(tmp_path / "gbvis.zarr").runs()}
    plain = runs["grid:size=3,rule=plain"]
    assert (plain.axes, plain.kind) == (("time", "y", "x"), "positive")
    np.testing.assert_array_equal(plain.to_numpy(), np.asarray(stored))
    assert plain.to_xarray().dims == ("clip", "time", "y", "x")
    check_grids(runs, gbvis.open_store(tmp_path / "gbvis.zarr").clips_of(plain).pixels(0))


def check_grids(runs: dict[str, StoredRun], pixels: np.ndarray) -> None:
    """Check the numbers against a second way to compute them."""
    guided = runs["guided-backprop"]
    gradient = differentiate(gbvis.load_network("sample", modality="rgb"), pixels, "FC", guided.target)

    def pool(strength: np.ndarray) -> np.ndarray:
        return adaptive_avg_pool3d(torch.from_numpy(strength.mean(0))[None], (2, 3, 3))[0].numpy()

    plain = pool(np.abs(gradient))
    np.testing.assert_allclose(runs["grid:size=3,rule=plain"].gradient(0), plain, rtol=1e-4)
    both = (plain + pool(np.abs(guided.gradient(0)))) / 2
    np.testing.assert_allclose(runs["grid:size=3,rule=both"].gradient(0), both, rtol=1e-4)


@with_package("tiny")
def test_another_kind_of_network(installed: Installed, call: Call, tmp_path: Path) -> None:
    module = save_tiny(tmp_path / "tiny.pth")
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    explain = ["explain", SAMPLE, "--json", "-w"]
    explained, inspected, table, predicted, again, unknown, misplaced, converted, others = installed.each(
        [*explain, "tiny.pth", "-e", "all", *NAMED],
        ["inspect-shapes", "-w", "tiny.pth", "--json"],
        ["inspect-shapes", "-w", "tiny.pth"],
        ["predict", SAMPLE, "-w", "tiny.pth", "--clips", 1, "--json", *NAMED],
        [*explain, "tiny.pth", "-e", "block1"],
        [*explain, "tiny.pth", "-e", "Conv3d_1"],
        [*explain, "tiny.pth", "-e", "second", "-l", "runs"],
        ["convert-weights", "tiny.pth", "tiny.safetensors", *NAMED, "--json", "--checkpoint-format", "tiny-torch"],
        [*explain, "tiny.safetensors", "-e", "all"],
    )
    runs = lines(explained)
    assert [run["endpoint"] for run in runs] == ["Block1", "Block2", "LOGITS", "SCORES"]
    (shapes,) = lines(inspected)
    assert (shapes["family"], shapes["classes"], shapes["depth"], shapes["padding"]) == ("tiny-torch", 4, None, None)
    assert [(one["name"], one["shape"]) for one in shapes["endpoints"]] == [
        ("Block1", [5, 8, 16, 16]), ("Block2", [5, 8, 16, 16]), ("LOGITS", [4]), ("SCORES", [4]),
    ]  # fmt: skip
    assert "Tiny-5  rgb  4 classes" in table.out and "unknown" in table.out, table.err
    (seen,) = lines(predicted)
    assert sorted(one["label"] for one in seen["top"]) == sorted(NAMES)
    assert runs[2]["label"] == {"index": seen["top"][0]["index"], "name": seen["top"][0]["label"]}
    assert [(run["cached"], run["group"]) for run in lines(again)] == [(True, runs[0]["group"])]
    unknown.check_error(2, "unknown endpoint 'Conv3d_1'", "endpoints are Block1, Block2, LOGITS, SCORES, and `all`")
    misplaced.check_error(2, "--label goes with LOGITS, SCORES", "-e LOGITS")
    assert [one["family"] for one in lines(converted)[0]["networks"]] == ["tiny-torch"]
    assert [(run["value"], run["label"]) for run in lines(others)] == [(run["value"], run["label"]) for run in runs]
    call("explain", SAMPLE, "-w", "tiny.pth", "--store", "new").check_error(2, "no checkpoint that gbvis knows")
    call("explain", SAMPLE, "-w", "tiny.safetensors", "--store", "new").check_error(2, "a network of the kind 'tiny'")

    # what is kept says what it is: from here on nothing needs the package
    listed = lines(call("store", "ls", "-e", "logits", "-w", "tiny.pth", "--json"))
    assert [one["label"] for one in listed] == [runs[2]["label"]]
    (picture,) = lines(call("render", "--layout", "endpoints", "-w", "tiny.pth", "--size", 56, "--json"))
    assert [run["endpoint"] for run in picture["runs"]] == ["Block1", "Block2", "LOGITS", "SCORES"]
    (tmp_path / "others.txt").write_text("\n".join(f"not {name}" for name in NAMES))
    asked = ["render", "-w", "tiny.pth", "-e", "SCORES", "-o", "x.png", "-l"]
    name = runs[3]["label"]["name"]
    assert call(*asked, name).code == 0
    call(*asked, name, "--labels", "others.txt").check_error(1, "nothing to render")
    call(*asked, f"not {name}", "--labels", "others.txt").check_error(1, "is there already, and differs")
    assert call("store", "verify").code == 0
    check_guided(module, gbvis.open_store(tmp_path / "gbvis.zarr"), runs)


NAMES = ["stands", "walks", "runs", "flies"]
NAMED = ["--labels", "names.txt"]


def save_tiny(path: Path) -> nn.Module:
    """Write a network of the package's own kind, as its program would, and return it."""
    package = load_script(PACKAGES / "tiny/gbvis_tiny.py")
    torch.manual_seed(0)
    module: nn.Module = package.TinyNet(5, 4)
    state = module.state_dict()
    torch.save({"state_dict": {theirs: state[own] for theirs, own in package.NAMES.items()}, "epoch": 3}, path)
    return module


def check_guided(module: nn.Module, store: Store, runs: list[dict[str, Any]]) -> None:
    """Check gradients against the paper's rule put on the module by hooks, which share nothing with how gbvis does it.

    The network adds what a ReLU is given, and what it gives, to other things: where a ReLU overwrote the one or the
    other, these would be wrong.
    """
    stored = {run.endpoint.name: run for run in store.runs()}
    pixels = store.clips_of(stored["Block1"]).pixels(0)
    for child in module.modules():
        if isinstance(child, nn.ReLU):
            child.register_full_backward_hook(lambda _, passed, __: (passed[0].clamp(min=0),))
    mean, deviation = np.array([0.5, 0.4, 0.3], np.float32), np.array([0.2, 0.25, 0.3], np.float32)
    for run in runs[:3]:
        clip = torch.from_numpy(((pixels / np.float32(255) - mean) / deviation).transpose(3, 0, 1, 2)[None].copy())
        clip.requires_grad_()
        found = dict((str(place), one) for place, one in module.endpoints(clip))[run["endpoint"]]  # type: ignore[operator]
        value = found[:, run["target"]].abs().sum()
        sign = 1 if found.ndim == 5 or found[0, run["target"]] > 0 else -1
        (gradient,) = torch.autograd.grad(sign * value, clip)
        expected = gradient[0].numpy()
        np.testing.assert_allclose(stored[run["endpoint"]].gradient(0), expected, atol=1e-5 * np.abs(expected).max())


@with_package("sparse")
def test_a_test(installed: Installed, call: Call) -> None:
    words = ["check", SAMPLE, "-w", "sample", "-m", "rgb", "-e", "FC", "--json", "-q", "--test"]
    made, again, wrong, listed, report = installed.each(
        [*words, "sparsity:share=0.02"],
        [*words, "sparsity: share = 0.02", "--test", "sparsity"],
        [*words, "sparsity:shar=0.02"],
        ["store", "ls", "--test", "sparsity", "--json"],
        ["check", "--report", "--json"],
    )
    (found,) = lines(made)
    assert (found["test"], found["test_settings"], found["cached"]) == ("sparsity", {"share": 0.02}, False)
    assert found["verdict"] == f"2 % of the pixels have {100 * found['value']:.1f} % of the relevance"
    assert 0.02 < found["baselines"]["random"] < 0.05 < found["value"] <= 1
    assert [one["cached"] for one in lines(again)] == [True, False]
    wrong.check_error(2, "unknown setting of sparsity 'shar'", "did you mean share")
    assert {one["test_settings"]["share"] for one in lines(listed)} == {0.01, 0.02}
    assert len(lines(report)) == 2
    call(*words, "sparsity").check_error(2, "unknown test 'sparsity'")  # where it is not installed
    kept = lines(call("store", "ls", "--json"))
    assert [one["kind"] for one in kept] == ["run", "check", "check"]


@with_package("mirror")
def test_a_layout(installed: Installed, call: Call, tmp_path: Path) -> None:
    assert call("explain", SAMPLE, "-w", "sample", "-m", "rgb", "-e", "FC", "-e", "AP").code == 0
    words = ["--layout", "mirror", "--size", 72, "--format", "gif", "--format", "apng", "--json"]
    made = lines(installed("render", *words))
    assert [one["path"] for one in made] == [
        f"turn-left-3.rgb.{target}.mirror.{suffix}" for target in ("AP.0", "FC.4") for suffix in ("gif", "apng")
    ]
    assert {one["layout"] for one in made} == {"mirror"}
    with Image.open(tmp_path / made[1]["path"]) as image:
        assert (image.width, image.height, image.n_frames) == (144, 72, 8)
        image.seek(5)
        pixels = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(pixels[:, :72], pixels[:, :71:-1])
    assert np.ptp(pixels) > 50
    still = ["render", "--layout", "mirror", "-e", "FC", "--size", 72, "--at", 6, "-o", "x.png"]
    drawn, misspelt = installed.each(still, ["render", "--layout", "miror"])
    assert drawn.code == 0, drawn.err
    with Image.open(tmp_path / "x.png") as image:
        assert image.size == (144, 72)
    misspelt.check_error(2, "unknown layout 'miror'", "did you mean mirror")
    call("render", "--layout", "mirror").check_error(2, "unknown layout 'mirror'", "known: strip")


@with_package("lines")
def test_outputs(installed: Installed, call: Call, tmp_path: Path) -> None:
    """One file for all that was asked for, and one for each group of runs."""
    assert call("explain", SAMPLE, "-w", "sample", "-m", "rgb", "-e", "FC", "-e", "AP").code == 0
    (made,) = lines(installed("render", "-o", "runs.txt", "--json"))
    assert made == {"path": "runs.txt", "format": "txt", "rows": 2}
    assert (tmp_path / "runs.txt").read_text() == (
        "turn-left-3 AP 0 guided-backprop\nturn-left-3 FC 4 guided-backprop\n"
    )
    again, in_a_folder, unknown, notes, both, one = installed.each(
        ["render", "-o", "runs.txt"],
        ["render", "--format", "txt"],
        ["render", "-o", "runs.rst"],
        ["render", "--format", "md", "--json"],
        ["render", "--layout", "endpoints", "--format", "md", "--format", "gif", "-o", "both", "--size", 56, "--json"],
        ["render", "-e", "FC", "-o", "one.md", "--json"],
    )
    assert "2 rows  unchanged" in again.out
    in_a_folder.check_error(2, "txt holds all runs in one file", "-o runs.txt")
    unknown.check_error(2, "no format has the suffix '.rst'", ".csv, .html, .txt, .md")
    assert [note["path"] for note in lines(notes)] == ["turn-left-3.rgb.AP.0.md", "turn-left-3.rgb.FC.4.md"]
    assert [file["path"] for file in lines(both)] == [
        "both/turn-left-3.rgb.AP.0.md", "both/turn-left-3.rgb.FC.4.md", "both/turn-left-3.rgb.endpoints.gif",
    ]  # fmt: skip
    (note,) = lines(one)
    assert note["strongest"] == lines(notes)[1]["strongest"]
    assert f"frame {note['strongest']}." in (tmp_path / "one.md").read_text()
    call("render", "-o", "runs.txt").check_error(2, "no format has the suffix '.txt'")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("", "AttributeError"),
        ("from gbvis.attribution.method import Method\n\nclass Part(Method):\n    name = 'a/b'\n", "of a-z, 0-9 and -"),
    ],
)
def test_a_broken_package_is_named(tmp_path: Path, code: str, reason: str) -> None:
    """In one error, where its part is asked for; all else goes on."""
    about = tmp_path / "gbvis_broken-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: gbvis-broken\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[gbvis.methods]\nbroken = gbvis_broken:Part\n")
    (tmp_path / "gbvis_broken.py").write_text(code)
    asked, unasked = Installed(str(tmp_path), tmp_path).each(
        ["explain", SAMPLE, "-w", "sample", "--method", "broken"], ["render", "--method", "guided-backprop"]
    )
    asked.check_error(2, "the method broken of the package gbvis-broken cannot be loaded", reason, "uninstall")
    unasked.check_error(1, "no store at gbvis.zarr")
