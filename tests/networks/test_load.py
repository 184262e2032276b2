"""From a file's tensors to the kind of network that they are."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gbvis.errors import UsageError, WeightsError
from gbvis.networks.kind import NetworkKind
from gbvis.networks.load import build_network, check_format
from gbvis.networks.r2plus1d.formats import TORCHVISION
from gbvis.networks.weights import NamedTensors
from gbvis.registry import Registry
from material.checkpoints import make_tensors
from material.small_kind import SmallKind, make_small_tensors


class Likeness(SmallKind):
    """Another kind that takes the same tensors for its own."""

    name = "likeness"
    formats = ("likeness-file",)


LIKENESS = Likeness()
PLACES = {
    "r2plus1d": "gbvis.networks.r2plus1d.load:KIND",
    "small": "material.small_kind:KIND",
    "likeness": "networks.test_load:LIKENESS",
}


@pytest.fixture(autouse=True)
def _three_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gbvis.networks.load.KINDS", Registry[NetworkKind]("network kind", PLACES))


def test_a_kind_is_known_by_its_tensors() -> None:
    assert build_network(NamedTensors(Path("a.pth"), make_tensors(TORCHVISION))).info.kind == "r2plus1d"


def test_what_two_kinds_know_asks_which_it_is() -> None:
    named = NamedTensors(Path("a.pth"), make_small_tensors())
    with pytest.raises(WeightsError, match="a.pth may hold a network of the kinds small or likeness") as error:
        build_network(named)
    assert "--checkpoint-format small-file" in error.value.hint
    assert type(build_network(named, checkpoint_format="likeness-file").kind).__name__ == "Likeness"


def test_what_nobody_knows_names_some_tensors_and_all_formats() -> None:
    with pytest.raises(WeightsError, match=r"its tensors are named layer\.weight, layer\.bias") as error:
        build_network(NamedTensors(Path("a.pth"), {"layer.weight": torch.zeros(1), "layer.bias": torch.zeros(1)}))
    assert "old-script" in error.value.hint and "likeness-file" in error.value.hint


def test_a_file_of_a_kind_that_is_not_here_says_so() -> None:
    named = NamedTensors(Path("a.safetensors"), make_small_tensors(), "rgb", description={"kind": "i3d"})
    with pytest.raises(WeightsError, match=r"a\.safetensors holds a network of the kind 'i3d', which") as error:
        build_network(named)
    assert "known kinds: r2plus1d, small, likeness" in error.value.hint


def test_class_names_have_to_be_as_many_as_there_are_classes() -> None:
    named = NamedTensors(Path("a.pth"), make_tensors(TORCHVISION), labels=("one", "two"))
    with pytest.raises(WeightsError, match="a.pth names 2 classes and has 11") as error:
        build_network(named)
    assert "--labels" in error.value.hint
    labels = tuple(f"class {number}" for number in range(11))
    info = build_network(replace(named, labels=labels, fusion_weight=1.5), "f" * 64).info
    assert (info.labels, info.fusion_weight, info.sha256) == (labels, 1.5, "f" * 64)
    assert info.path == str(Path("a.pth").resolve())


def test_formats_of_all_kinds_are_known() -> None:
    assert check_format("small-file") == "small-file"
    with pytest.raises(UsageError, match="unknown checkpoint format 'smal-file'") as error:
        check_format("smal-file")
    assert "did you mean small-file?" in error.value.hint
