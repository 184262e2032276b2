import argparse
import resource
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from gbvis.errors import WeightsError
from gbvis.networks.load import build_network
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT
from gbvis.networks.weights.torch_file import read_torch_file
from gbvis.steps.networks import Networks, WeightsRequest
from material.checkpoints import make_tensors
from networks.weights.test_hostile_files import (
    HAS_RUN,
    write_bomb,
    write_claim,
    write_hostile,
    write_program,
    write_text,
    write_truncated,
)


def test_torchs_old_file_format(tmp_path: Path) -> None:
    """Before zip files torch.save wrote pickles one after the other, the first of which is a magic number."""
    torch.save(make_tensors(OLD_SCRIPT), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert Networks(WeightsRequest((tmp_path / "old.pth",))).infos["rgb"].checkpoint_format == "old-script"


def layouts(state: dict[str, torch.Tensor]) -> dict[str, object]:
    """Return every layout in which the old script and fine-tuning scripts wrap a state dict."""
    names = argparse.Namespace(arch="r2plus1d_18", lr=0.1)
    other = {name: tensor + 1 for name, tensor in state.items()}
    return {
        "bare": state,
        "content": {"args": names, "content": {"rgb": {"split1": {"state_dict": state}}}},
        "another split": {"content": {"rgb": {"split3": {"state_dict": state}}}},
        "train": {"args": names, "train": {"state_dict": state, "epoch": 3}},
        "best goes first": {"train": {"state_dict": other, "best": {"state_dict": state, "top1": 0.9}}},
        "one of two": {"rgb_state": state},
        "state_dict": {"state_dict": state, "optimizer": {"lr": 1.0}},
        "model": {"model": state},
        "model_state_dict": {"model_state_dict": state, "epoch": 1},
        "DataParallel": {"state_dict": {f"module.{name}": tensor for name, tensor in state.items()}},
    }


@pytest.mark.parametrize("layout", layouts({}))
def test_every_layout_gives_the_same_tensors(tmp_path: Path, layout: str) -> None:
    state = make_tensors(OLD_SCRIPT)
    torch.save(layouts(state)[layout], tmp_path / "weights.pth")
    (found,) = read_torch_file(tmp_path / "weights.pth")
    assert found.tensors.keys() == state.keys()
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in state.items())


def test_one_file_may_hold_both_streams(tmp_path: Path) -> None:
    states = {f"{m}_state": make_tensors(OLD_SCRIPT, channels) for m, channels in (("rgb", 3), ("flow", 1))}
    torch.save({**states, "stream_weights": [1.0, 1.0]}, tmp_path / "both.pth")
    assert [found.declared_modality for found in read_torch_file(tmp_path / "both.pth")] == ["rgb", "flow"]


@pytest.mark.parametrize("weights", [[1.0, 1.5], {"rgb": 1, "flow": 1.5}, torch.tensor([1.0, 1.5])])
def test_fusion_weights(tmp_path: Path, weights: object) -> None:
    states = {f"{m}_state": make_tensors(OLD_SCRIPT, channels) for m, channels in (("rgb", 3), ("flow", 1))}
    torch.save({**states, "stream_weights": weights}, tmp_path / "both.pth")
    assert [found.fusion_weight for found in read_torch_file(tmp_path / "both.pth")] == [1.0, 1.5]
    torch.save({**states, "stream_weights": [0.0, 0.0]}, tmp_path / "both.pth")
    with pytest.raises(WeightsError, match="stream_weights"):
        read_torch_file(tmp_path / "both.pth")


@pytest.mark.parametrize(
    "weights",
    [
        0.5,
        1,
        torch.tensor(0.5),
        [0.5],
        [1.0, 1.0, 1.0],
        "12",
        {"rgb": 1.0},
        [None, 1.0],
        [float("nan"), 1.0],
        torch.ones(2, 2),
    ],
)
def test_fusion_weights_that_are_none(tmp_path: Path, weights: object) -> None:
    states = {f"{m}_state": make_tensors(OLD_SCRIPT, channels) for m, channels in (("rgb", 3), ("flow", 1))}
    torch.save({**states, "stream_weights": weights}, tmp_path / "both.pth")
    with pytest.raises(WeightsError, match="holds stream_weights") as raised:
        read_torch_file(tmp_path / "both.pth")
    assert "expected two numbers" in raised.value.hint


def test_what_claims_to_be_large_is_refused_before_it_is(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    write_bomb(tmp_path / "bomb.pth")
    with pytest.raises(WeightsError, match="would unpack to 1,073,741,824 bytes"):
        read_torch_file(tmp_path / "bomb.pth")
    write_claim(tmp_path / "claim.pth")
    (named,) = read_torch_file(tmp_path / "claim.pth")
    with pytest.raises(WeightsError, match=r"linear1\.weight"):
        build_network(named)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kB


@pytest.mark.parametrize(
    ("write", "found"),
    [
        (write_text, "another kind of file"),
        (write_program, "TorchScript"),
        (lambda path: torch.save({"a": np.zeros(3)}, path), "NumPy arrays where tensors are expected"),
        (write_hostile, "may run code"),
        (write_truncated, "no checkpoint"),
        (Path.touch, "it is empty"),
        (lambda path: torch.save([1, 2], path), "no network"),
        (lambda path: torch.save({"epoch": 3}, path), "no network"),
        (lambda path: None, "no such weights file"),
    ],
)
def test_what_is_no_checkpoint_says_so(tmp_path: Path, write: Callable[[Path], None], found: str) -> None:
    write(tmp_path / "weights.pth")
    with pytest.raises(WeightsError, match=found):
        read_torch_file(tmp_path / "weights.pth")
    assert not HAS_RUN.exists()


def test_a_made_checkpoint_is_an_old_one(weights: dict[str, Path], make_weights: ModuleType) -> None:
    (named,) = read_torch_file(weights["flow"])
    assert named.declared_modality == "flow"
    network = build_network(named)
    assert network.module.architecture == make_weights.make_architecture(1)
    assert network.info.labels and network.info.labels[0] == "ApplyEyeMakeup"
