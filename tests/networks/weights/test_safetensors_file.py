import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from conftest import Call
from gbvis.errors import WeightsError
from gbvis.networks.load import build_network
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.checkpoint_format import CheckpointFormat
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT, VMZ
from gbvis.networks.weights.safetensors_file import is_safetensors, read_safetensors, write_safetensors
from gbvis.steps.networks import Networks, WeightsRequest
from material.checkpoints import ALL_FORMATS, build, make_tensors


def make(form: CheckpointFormat = OLD_SCRIPT) -> Network:
    return build(make_tensors(form))


@pytest.mark.parametrize("form", ALL_FORMATS, ids=lambda form: form.name)
def test_a_converted_network_is_the_same_network(
    tmp_path: Path, random: np.random.Generator, form: CheckpointFormat
) -> None:
    network = make(form)
    write_safetensors(tmp_path / "own.safetensors", [network], {})
    assert is_safetensors(tmp_path / "own.safetensors")
    (named,) = read_safetensors(tmp_path / "own.safetensors")
    again = build_network(named, "0" * 64)
    assert again.module.architecture == network.module.architecture
    expected = {**network.info.to_json(), "path": None}
    assert {**again.info.to_json(), "path": None} == expected
    clip = torch.from_numpy(random.standard_normal((1, 3, 8, 64, 64)).astype(np.float32))
    assert torch.equal(again.module(clip), network.module(clip))


def change(path: Path, part: tuple[str, ...], name: str, value: object) -> None:
    """Change one thing that a file says of its only network."""
    with safetensors.safe_open(path, framework="pt") as file:
        tensors, about = {key: file.get_tensor(key) for key in file.keys()}, json.loads(file.metadata()["gbvis"])  # noqa: SIM118
    said: dict[str, Any] = about["networks"]["rgb"]
    for key in part:
        said = said[key]
    said[name] = value
    safetensors.torch.save_file(tensors, path, metadata={"gbvis": json.dumps(about)})


def test_the_command(call: Call, weights: dict[str, Path], dataset: Path, tmp_path: Path) -> None:
    both = tmp_path / "both.pth"
    tensors = [
        torch.load(weights[name], weights_only=True)["content"][name]["split1"]["state_dict"]
        for name in ("rgb", "flow")
    ]
    torch.save({"rgb_state": tensors[0], "flow_state": tensors[1], "stream_weights": [1.0, 3.0]}, both)
    done = call("convert-weights", both, "both.safetensors", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert [network["modality"] for network in found["networks"]] == ["rgb", "flow"]
    assert found["bytes"] == (tmp_path / "both.safetensors").stat().st_size
    predict = ["predict", "moving-disc", "-d", dataset, "--clips", 1, "--json"]
    assert call(*predict, "-w", "both.safetensors").out == call(*predict, "-w", both).out
    call("convert-weights", both, "both.safetensors").check_error(2, "there already", "--force")
    call("convert-weights", both, "both.pth").check_error(2, "does not end in .safetensors")
    call("convert-weights", tmp_path / "no.pth", "x.safetensors").check_error(2, "no.pth does not exist")
    assert call("convert-weights", weights["rgb"], "both.safetensors", "--force").code == 0
    assert list(Networks(WeightsRequest((tmp_path / "both.safetensors",))).infos) == ["rgb"]
    assert not list(tmp_path.glob(".*.partial"))


def write_empty(path: Path) -> None:
    safetensors.torch.save_file({}, path)


def write_newer(path: Path) -> None:
    safetensors.torch.save_file({"a": torch.zeros(2)}, path, metadata={"gbvis": '{"format_version": 4}'})


def write_cut(path: Path) -> None:
    write_safetensors(path, [make()], {})
    path.write_bytes(path.read_bytes()[:-100])


def write_spare(path: Path) -> None:
    write_safetensors(path, [make()], {})
    with safetensors.safe_open(path, framework="pt") as file:
        tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    safetensors.torch.save_file({**tensors, "flow.extra": torch.zeros(1)}, path, metadata=metadata)


@pytest.mark.parametrize("write", [write_empty, write_newer, write_cut, write_spare])
def test_what_cannot_be_read_says_so(tmp_path: Path, write: object) -> None:
    path = tmp_path / "own.safetensors"
    write(path)  # type: ignore[operator]
    with pytest.raises(WeightsError, match=r"own\.safetensors"):
        read_safetensors(path)


def test_a_file_of_others_that_is_cut_short_is_to_be_copied_again(call: Call, tmp_path: Path) -> None:
    """Anywhere, also in what it says of its tensors."""
    path = tmp_path / "theirs.safetensors"
    safetensors.torch.save_file(make_tensors(VMZ), path)
    whole = path.read_bytes()
    for length in (len(whole) - 1, len(whole) // 2, 200):
        path.write_bytes(whole[:length])
        called = call("inspect-shapes", "-w", path)
        called.check_error(2, "theirs.safetensors", "cut short", "hint: copy or download it again")


def test_class_names_given_are_kept(call: Call, weights: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "names").write_text("\n".join(f"class number {number}" for number in range(101)))
    assert call("convert-weights", weights["rgb"], "named.safetensors", "--labels", "names").code == 0
    info = Networks(WeightsRequest((tmp_path / "named.safetensors",))).infos["rgb"]
    assert info.labels and info.labels[7] == "class number 7"


def test_the_sample_networks_can_be_converted(call: Call) -> None:
    assert call("convert-weights", "sample", "own.safetensors").code == 0
    mine, theirs = (call("predict", "sample:up-4", "-w", path, "--json").out for path in ("own.safetensors", "sample"))
    assert mine == theirs


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        (("clip_format",), "frames", 0),
        (("clip_format",), "frames", "8"),
        (("clip_format",), "frames", 10**9),
        (("clip_format",), "height", 1),
        (("clip_format",), "crop", 1000),
        (("clip_format",), "crop", 0),
        (("clip_format",), "top", -5),
        (("clip_format",), "left", 10**9),
        (("clip_format",), "scale", 0),
        (("clip_format",), "scale", float("nan")),
        (("clip_format",), "scale", 10**400),
        (("clip_format",), "scale", 1e-30),
        (("clip_format",), "mean", [1e300, 0.0, 0.0]),
        (("clip_format",), "mean", [1.0]),
        (("clip_format",), "mean", "abc"),
        (("clip_format",), "std", [0.0, 0.0, 0.0]),
        (("clip_format",), "std", [1.0, 1.0]),
        (("clip_format",), "is_motion", True),
        (("details", "variant"), "padding", "foo"),
        (("details", "variant"), "norm_epsilon", -1),
        ((), "labels", ["one", "two"]),
        ((), "labels", 3),
        ((), "fusion_weight", -1),
        ((), "fusion_weight", 1e300),
        ((), "fusion_weight", "much"),
        ((), "clip_format", None),
        ((), "kind", "perceptron"),
        ((), "kind", None),
        ((), "details", None),
    ],
)
def test_a_description_that_describes_nothing_is_refused(
    call: Call, tmp_path: Path, part: tuple[str, ...], name: str, value: object
) -> None:
    """A weights file brings its own input format and class names: they are checked like its numbers."""
    path = tmp_path / "own.safetensors"
    write_safetensors(path, [make()], {})
    change(path, part, name, value)
    call("inspect-shapes", "-w", path).check_error(2, "own.safetensors")


def test_a_file_is_not_read_as_another_format_than_it_says(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "own.safetensors", [make(VMZ)], {})
    networks = Networks(WeightsRequest((tmp_path / "own.safetensors",), checkpoint_format="vmz"))
    assert networks.infos["rgb"].checkpoint_format == "vmz"
    with pytest.raises(WeightsError, match="says itself that it is of the vmz format, not torchvision") as error:
        Networks(WeightsRequest((tmp_path / "own.safetensors",), checkpoint_format="torchvision"))
    assert "--checkpoint-format" in error.value.hint


def test_a_file_of_the_version_before_is_read(call: Call, tmp_path: Path) -> None:
    """Version 1 knew R(2+1)D alone: its records name no kind, and the variant stands beside the rest."""
    path = tmp_path / "own.safetensors"
    write_safetensors(path, [make()], {})
    expected = Networks(WeightsRequest((path,))).infos["rgb"]
    with safetensors.safe_open(path, framework="pt") as file:
        tensors, about = {key: file.get_tensor(key) for key in file.keys()}, json.loads(file.metadata()["gbvis"])  # noqa: SIM118
    said = about["networks"]["rgb"]
    said |= {"variant": said.pop("details")["variant"], "depth": 12, "family": said.pop("checkpoint_format")}
    for name in ("kind", "title", "endpoints"):
        del said[name]
    safetensors.torch.save_file(tensors, path, metadata={"gbvis": json.dumps({**about, "format_version": 1})})
    found = Networks(WeightsRequest((path,))).infos["rgb"]
    assert {**found.to_json(), "sha256": ""} == {**expected.to_json(), "sha256": ""}
