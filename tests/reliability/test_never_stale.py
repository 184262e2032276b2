"""A result is served again if nothing that decides its numbers has changed, and only then, as a user meets it.

What decides them is `Recipe` in `attribution/recipe.py`; that each of its fields changes the digest is in
`store/test_store.py`.
"""

import json
import os
import shutil
from functools import partial
from pathlib import Path

import pytest
import torch

from conftest import Call
from gbvis.attribution import recipe
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.cli.app import run_command_line

pytestmark = pytest.mark.slow

BASE = ["explain", "clip.mp4", "-w", "net.pth", "-w", "flow.pth", "-e", "FC", "-l", "3", "-n", "4"]

CHANGES: dict[str, list[str]] = {
    "frames": ["-n", "5"],
    "clips": ["--clips", "2"],
    "where clips start": ["--start", "1"],
    "stride": ["--stride", "2"],
    "endpoint": ["-e", "AP"],
    "target": ["-l", "4"],
    "precision": ["--precision", "bfloat16"],
    "flow algorithm": ["--flow-algorithm", "dis"],
    "flow through JPEG": ["--flow-jpeg"],
    "mean flow subtracted": ["--flow-mean-subtract"],
    "meansub": ["--meansub"],
}

STAYS: dict[str, list[str]] = {
    "nothing": [],
    "--json": ["--json"],
    "--quiet": ["-q"],
    "--verbose": ["--verbose"],
    "the device by its name": ["--device", "cpu"],
    "a class by its name": ["-l", "BabyCrawling"],
    "class names of one's own": ["--labels", "names.txt"],
    "the endpoint by another name": ["-e", "linear"],
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, video_file: Path, weights: dict[str, Path]) -> Path:
    """A folder with a clip, weights, class names, and a store in which both streams of the clip are explained."""
    folder = tmp_path_factory.mktemp("whole")
    shutil.copy(video_file, folder / "clip.mp4")
    shutil.copy(weights["rgb"], folder / "net.pth")
    shutil.copy(weights["flow"], folder / "flow.pth")
    (folder / "names.txt").write_text("\n".join(f"class {number}" for number in range(101)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run_command_line([*BASE, "--quiet"]) == 0
    return folder


@pytest.fixture
def explained(call: Call, whole: Path, tmp_path: Path) -> Call:
    """Give the calls that come after, in a copy of that folder."""
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    return call


def runs_of(call: Call, *words: object) -> dict[str, bool]:
    """Return per stream whether what was asked for last was served from the store."""
    done = call(*words, *(["--json"] if "--json" not in words else []))
    assert done.code == 0, done.err
    lines = [json.loads(line) for line in done.out.splitlines()]
    return {line["modality"]: line["cached"] for line in lines}


@pytest.mark.parametrize("change", CHANGES)
def test_what_decides_the_numbers(explained: Call, change: str) -> None:
    words = CHANGES[change]
    base = [word for word in BASE if word not in ("-l", "3")] if words[0] == "-l" else BASE
    found = runs_of(explained, *base, *words)
    is_flow_only = "flow" in change or change == "meansub"
    assert found == {"rgb": is_flow_only, "flow": False}


@pytest.mark.parametrize("change", STAYS)
def test_what_does_not(explained: Call, change: str) -> None:
    words = STAYS[change]
    base = [word for word in BASE if word not in ("-l", "3")] if words[:1] == ["-l"] else BASE
    base = [word for word in base if word not in ("-e", "FC")] if words[:1] == ["-e"] else base
    assert runs_of(explained, *base, *words) == {"rgb": True, "flow": True}


def test_places_do_not(explained: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the working folder, nor where weights, videos and store lie, nor threads."""
    (tmp_path / "elsewhere").mkdir()
    for name in ("clip.mp4", "net.pth", "flow.pth", "gbvis.zarr"):
        shutil.move(tmp_path / name, tmp_path / "elsewhere" / (f"moved.{name}" if name != "clip.mp4" else name))
    monkeypatch.chdir(tmp_path / "elsewhere")
    words = [{"net.pth": "moved.net.pth", "flow.pth": "moved.flow.pth"}.get(word, word) for word in BASE]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert runs_of(explained, *words, "--store", "moved.gbvis.zarr") == {"rgb": True, "flow": True}
    finally:
        torch.set_num_threads(threads)


def test_releases_do_not(explained: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gbvis.steps.explain.answers.__version__", "9.9.9")
    monkeypatch.setattr(torch, "__version__", "9.9.9")
    assert runs_of(explained, *BASE) == {"rgb": True, "flow": True}


def test_the_content_of_weights_and_videos_does(explained: Call, tmp_path: Path, dataset: Path) -> None:
    content = torch.load(tmp_path / "net.pth", weights_only=True)
    content["content"]["rgb"]["split1"]["state_dict"]["linear1.bias"] += 1
    torch.save(content, tmp_path / "net.pth")
    assert runs_of(explained, *BASE) == {"rgb": False, "flow": True}
    with (tmp_path / "clip.mp4").open("ab") as file:
        file.write(b"\0\0\0\x08free")  # an empty box at the end: other bytes
    assert runs_of(explained, *BASE) == {"rgb": False, "flow": False}


def test_a_touched_file_does_not(explained: Call, tmp_path: Path) -> None:
    for name in ("clip.mp4", "net.pth", "flow.pth"):
        os.utime(tmp_path / name, ns=(10**18, 10**18))
    assert runs_of(explained, *BASE) == {"rgb": True, "flow": True}


def test_our_own_arithmetic_does(explained: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = recipe.NUMBERS_VERSION + 1
    monkeypatch.setattr(recipe, "NUMBERS_VERSION", newer)
    monkeypatch.setattr(recipe, "Recipe", partial(recipe.Recipe, numbers_version=newer))
    assert runs_of(explained, *BASE) == {"rgb": False, "flow": False}


def test_a_methods_own_version_does(explained: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuidedBackprop, "version", GuidedBackprop.version + 1)
    assert runs_of(explained, *BASE) == {"rgb": False, "flow": False}
