"""`--network`: a function of the user's own builds the network; and what is kept of it is never stale."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import gbvis
from conftest import Call, Called
from gbvis.steps.explain_command import describe_explain

BLOCKS = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.stem = nn.Conv3d(3, 4, 3, 2, 1)
        self.blocks = nn.Sequential(nn.ReLU(inplace=True), nn.Conv3d(4, 5, 3, 2, 1), nn.ReLU())
        self.head = nn.Linear(5, classes)
        self.scale = 2.0

    def forward(self, clips):
        features = self.blocks(self.stem(clips)).mean((2, 3, 4))
        return self.scale * self.head(features)
"""
NETS = """
import sys
import warnings
import torch
from blocks import Net

def build():
    return Net()

def needs(classes):
    return Net(classes)

def fails():
    raise ValueError("no data here")

def stops():
    sys.exit(3)

def tells():
    print("not JSON")
    return Net()

def scripted():
    with warnings.catch_warnings(action="ignore"):  # torch calls it deprecated
        return torch.jit.script(Net())

def text():
    return "a network"

network = Net()

def odd():
    class Odd(Net):
        def forward(self, clips):
            return {"logits": super().forward(clips)}
    return Odd()
"""
SIZE = ("--input", "4x16x16")
NETWORK = ("--network", "nets.py:build", *SIZE)
EXPLAIN = ("explain", "sample:left-1", *NETWORK, "-e", "FC", "-l", "1", "--method", "gradient")


@pytest.fixture(autouse=True)
def _files(tmp_path: Path) -> None:
    write(tmp_path)


def write(folder: Path, blocks: str = BLOCKS, nets: str = NETS) -> None:
    (folder / "blocks.py").write_text(blocks)
    (folder / "nets.py").write_text(nets)


def read_line(called: Called) -> dict[str, Any]:
    assert called.code == 0, called.err
    line: dict[str, Any] = json.loads(called.out.splitlines()[0])
    return line


def build_here(folder: Path) -> torch.nn.Module:
    """Return the network of the files as Python has it, without gbvis."""
    names: dict[str, Any] = {}
    exec(compile((folder / "blocks.py").read_text(), "blocks", "exec"), names)
    torch.manual_seed(0)
    made: torch.nn.Module = names["Net"]()
    return made


def find_gradient(folder: Path) -> tuple[float, np.ndarray]:
    """Return the value and the gradient of class 1 by torch alone: float32 (3, T, H, W)."""
    store = gbvis.open_store(folder / "gbvis.zarr")
    pixels = store.clips_of(next(iter(store.runs()))).pixels(0)
    clip = (torch.from_numpy(np.array(pixels)).permute(3, 0, 1, 2)[None] / 255).requires_grad_()
    value = build_here(folder).eval()(clip)[0, 1]
    (gradient,) = torch.autograd.grad(value, clip)
    return value.item(), gradient[0].numpy()


def test_a_network_is_explained(call: Call, tmp_path: Path) -> None:
    """The numbers are torch's; the second call finds them; and this process is left as it was."""
    before, path = dict(sys.modules), list(sys.path)
    line = read_line(call(*EXPLAIN, "--json"))
    value, gradient = find_gradient(tmp_path)
    (run,) = gbvis.open_store(tmp_path / "gbvis.zarr").runs()
    assert line["value"] == pytest.approx([value], rel=1e-5)
    np.testing.assert_allclose(run.gradient(0), gradient, atol=1e-6 * np.abs(gradient).max())
    assert "1 cached" in call(*EXPLAIN).err
    assert sys.path == path and not {"blocks", "nets"} & (set(sys.modules) & set(before))


CHANGES = {
    "the function's file": (BLOCKS, NETS.replace("return Net()", "return Net().requires_grad_(True)")),
    "another file": (BLOCKS.replace("mean((2, 3, 4))", "amax((2, 3, 4))"), NETS),
    "one digit": (BLOCKS.replace("scale = 2.0", "scale = 3.0"), NETS),
    "a tensor": (BLOCKS, NETS.replace("return Net()", "net = Net(); net.head.bias.data[1] += 1; return net")),
}


def test_changed_code_finds_no_old_numbers(call: Call, tmp_path: Path) -> None:
    """At once after the call before: the files' times may be the same, and so may their sizes."""
    first = read_line(call(*EXPLAIN, "--json"))
    groups = {first["group"]}
    for change, files in CHANGES.items():
        write(tmp_path, *files)
        other = read_line(call(*EXPLAIN, "--json"))
        assert not other["cached"] and other["group"] not in groups, change
        assert (other["value"] == first["value"]) == (change == "the function's file"), change
        groups.add(other["group"])
    write(tmp_path)
    again = read_line(call(*EXPLAIN, "--json"))
    assert again["cached"] and again["value"] == first["value"]


def test_weights_of_a_file(call: Call, tmp_path: Path) -> None:
    """What wraps their names is taken off; a file in other wrapping is the same network."""
    state = build_here(tmp_path).state_dict()
    changed = {name: tensor + 0.1 for name, tensor in state.items()}
    torch.save({"state_dict": {f"module.{name}": one for name, one in changed.items()}, "epoch": 3}, "w.pth")
    save_file(changed, "w.safetensors")
    plain = read_line(call(*EXPLAIN, "--json"))
    first = read_line(call(*EXPLAIN, "-w", "w.pth", "--json"))
    assert first["value"] != plain["value"] and first["weights"]["path"] == str(tmp_path / "w.pth")
    assert "1 cached" in call(*EXPLAIN, "-w", "w.safetensors").err
    torch.save(state, "same.pth")
    assert "1 cached" in call(*EXPLAIN, "-w", "same.pth").err
    ls = call("store", "ls", "-w", "w.pth")
    assert ls.code == 0 and ls.out.count("FC") == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda state: state.pop("head.bias"), ["is missing head.bias"]),
        (lambda state: state.update(other=torch.zeros(3)), ["has, beside the network, other"]),
        (lambda state: state.update({"head.bias": torch.zeros(7)}), ["has wrong shapes: head.bias [7] instead of [3]"]),
        (lambda state: state["head.bias"].fill_(float("nan")), ["has NaN or infinity in head.bias"]),
    ],
)
def test_weights_that_do_not_fit(call: Call, tmp_path: Path, change: Any, words: list[str]) -> None:
    state = build_here(tmp_path).state_dict()
    change(state)
    torch.save(state, "w.pth")
    call(*EXPLAIN, "-w", "w.pth").check_error(2, "w.pth", "nets.py:build", *words)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--network", "nets.py:bild", *SIZE], ["has no function bild", "did you mean build"]),
        (["--network", "nets.py", *SIZE], ["names no function", "nets.py:FUNCTION"]),
        (["--network", "net.py:build", *SIZE], ["no such file: net.py"]),
        (["--network", "no_such.module:build", *SIZE], ["no module no_such"]),
        (["--network", "nets.py:needs", *SIZE], ["needs classes", "without parameters"]),
        (["--network", "nets.py:fails", *SIZE], ["ValueError: no data here", "GBVIS_DEBUG=1"]),
        (["--network", "nets.py:stops", *SIZE], ["nets.py:stops fails", "sys.exit(3)"]),
        (["--network", "nets.py:scripted", *SIZE], ["is a scripted module"]),
        (["--network", "nets.py:text", *SIZE], ["returns a str", "torch.nn.Module"]),
        (["--network", "nets.py:network", *SIZE], ["is a network", "a function is expected"]),
        (["--network", "nets.py:odd", *SIZE], ["returns a dict with logits"]),
        (["--network", "nets.py:build"], ["--input 16x112x112"]),
        (["--input", "4x16x16"], ["there is no --network"]),
        (["--network", "nets.py:build", "--input", "4x16"], ["'4x16' is no input"]),
        (["--network", "nets.py:build", "--input", "4x16x24"], ["no square"]),
        ([*NETWORK, "-m", "flow"], ["does not take a clip of 2x4x16x16"]),
        ([*NETWORK, "-e", "blocks.7"], ["unknown endpoint 'blocks.7'", "did you mean blocks"]),
        ([*NETWORK, "--checkpoint-format", "vmz"], ["--checkpoint-format", "--network"]),
        ([*NETWORK, "-w", "a.pth", "-w", "b.pth"], ["2 weights files"]),
        ([*NETWORK, "-w", "none.pth"], ["none.pth does not exist"]),
        ([*NETWORK, "--mean", "1,2"], ["--mean 1,2 has 2 numbers"]),
    ],
)
def test_wrong_calls(call: Call, words: list[str], expected: list[str]) -> None:
    call("explain", "sample:left-1", *words).check_error(2, *expected)
    assert not Path("gbvis.zarr").exists()


def test_broken_files(call: Call, tmp_path: Path) -> None:
    write(tmp_path, blocks="class Net(:")
    call(*EXPLAIN).check_error(2, "cannot import", "SyntaxError")
    write(tmp_path, nets="from .blocks import Net\n")
    call(*EXPLAIN).check_error(2, "relative import", "package.nets:build")


def test_a_module_of_a_package(call: Call, tmp_path: Path) -> None:
    package = tmp_path / "mine"
    package.mkdir()
    write(package, nets=NETS.replace("from blocks", "from .blocks"))
    line = read_line(call("predict", "sample:left-1", "--network", "mine.nets:build", *SIZE, "--json"))
    assert line["modality"] == "rgb" and len(line["top"]) == 3


def test_the_environment_names_no_weights_of_it(
    call: Call, monkeypatch: pytest.MonkeyPatch, weights: dict[str, Path]
) -> None:
    monkeypatch.setenv("GBVIS_WEIGHTS", str(weights["rgb"]))
    assert call(*EXPLAIN).code == 0


def test_its_endpoints_are_listed(call: Call) -> None:
    listed = call("inspect-shapes", *NETWORK, "--mean", "0.5,0.5,0.5", "--resize", "20")
    assert listed.code == 0, listed.err
    for word in ("stem", "blocks.1", "FC", "SOFTMAX", "3x4x16x16", "20 pixels on the shorter side", "mean 0.5"):
        assert word in listed.out
    (line,) = map(json.loads, call("inspect-shapes", *NETWORK, "--json").out.splitlines())
    assert line["endpoints"][0]["name"] == "stem" and line["family"] == "own"


def test_what_the_function_prints_is_no_result(call: Call) -> None:
    called = call("inspect-shapes", "--network", "nets.py:tells", *SIZE, "--json")
    assert called.code == 0 and json.loads(called.out) and "not JSON" in called.err


def test_probabilities_are_told(call: Call, tmp_path: Path) -> None:
    write(tmp_path, BLOCKS.replace("return self.scale", "return torch.softmax(self.scale").replace(
        "(features)\n", "(features), 1)\n"))  # fmt: skip
    called = call(*EXPLAIN[:-6], "-e", "SOFTMAX")
    assert called.code == 0 and "its output is probabilities already" in called.err


def test_a_run_says_how_it_is_made_again(call: Call, tmp_path: Path) -> None:
    assert call(*EXPLAIN).code == 0
    store = gbvis.open_store(tmp_path / "gbvis.zarr")
    said = describe_explain(store, next(iter(store.runs())))
    assert "--network nets.py:build --input 4x16x16" in said
    assert "1 cached" in call(*shlex.split(said)[1:]).err


@pytest.mark.slow
def test_workers_build_it_too(call: Call) -> None:
    called = call(*EXPLAIN, "--devices", "cpu:1x1", "--json")
    assert not read_line(called)["cached"]
    assert "1 cached" in call(*EXPLAIN).err


@pytest.mark.engine
def test_jobs_of_a_submitted_call_build_it_too(process: Call) -> None:
    pytest.importorskip("submitit")
    called = process("submit", "--shards", 2, "--executor", "local", "--wait", "--", *EXPLAIN, "sample:up-2")
    assert called.code == 0, called.err
    assert "2 cached" in process(*EXPLAIN, "sample:up-2").err


@pytest.mark.slow
def test_workers_refuse_another_network(call: Call, tmp_path: Path) -> None:
    write(tmp_path, nets=NETS + "\nimport os\n\ndef other():\n    return Net(os.getpid() % 1000 + 2)\n")
    words = [word.replace(":build", ":other") for word in EXPLAIN]
    call(*words, "--devices", "cpu:1x1").check_error(2, "builds another network in another process")


@pytest.mark.slow
def test_each_call_of_a_warm_shell_builds_it(tmp_path: Path, warm: dict[str, str]) -> None:
    """The worker, which others share, never runs the user's code; and changed code is seen at once."""
    import os
    import subprocess

    def run() -> str:
        done = subprocess.run(
            [sys.executable, "-m", "gbvis", *EXPLAIN], cwd=tmp_path, env={**os.environ, **warm}, capture_output=True,
            text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stderr

    assert "0 cached" in run() and "1 cached" in run()
    write(tmp_path, BLOCKS.replace("scale = 2.0", "scale = 3.0"))
    assert "0 cached" in run()


@pytest.mark.slow
def test_a_test_runs_on_it(call: Call) -> None:
    called = call("check", *EXPLAIN[1:], "--test", "randomisation", "--json")
    assert read_line(called)["test"] == "randomisation"
