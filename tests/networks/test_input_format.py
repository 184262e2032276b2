"""An input that is said: the network sees what another program would feed it, and the recipe says so."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import Call
from gbvis.errors import UsageError
from gbvis.networks.input_format import InputFormat, InputFormats
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT, TORCHVISION, VMZ_CAFFE2
from gbvis.videos.clip import ClipFormat, normalise
from material.checkpoints import build, make_tensors

RGB, FLOW = TORCHVISION.formats["rgb"], OLD_SCRIPT.formats["flow"]


def test_what_the_network_gets(random: np.random.Generator) -> None:
    """Straight from the words of the options, in float64."""
    clip = random.integers(0, 256, (2, 4, 4, 3)).astype(np.uint8)
    mean, std = (104.0, 117.0, 123.0), (1.0, 2.0, 4.0)
    for said, expected in (
        (InputFormat(), (clip / 255 - RGB.mean) / np.array(RGB.std)),
        (InputFormat((0, 1)), (clip / 255 - RGB.mean) / np.array(RGB.std)),
        (InputFormat((0, 255)), clip * 1.0),
        (InputFormat((-1, 1)), clip / 127.5 - 1),
        (InputFormat((-1, 1), (0.5,) * 3, (0.5,) * 3), (clip / 127.5 - 1.5) / 0.5),
        (InputFormat((0, 255), mean, channel_order="bgr"), clip[..., ::-1] - np.array(mean)),
        (InputFormat((0, 255), mean, std, "bgr"), (clip[..., ::-1] - np.array(mean)) / std),
        (InputFormat(mean=(0.5, 0.4, 0.3)), (clip / 255 - (0.5, 0.4, 0.3)) / np.array(RGB.std)),
        (InputFormat(std=(0.5, 0.4, 0.3)), (clip / 255 - RGB.mean) / (0.5, 0.4, 0.3)),
    ):
        found = normalise(clip, said.changed(RGB))
        np.testing.assert_allclose(found, np.moveaxis(expected, -1, 0), atol=2e-5, err_msg=str(said))


@pytest.mark.parametrize("size", [(128, 171), (240, 320), (320, 240), (100, 999), (113, 113)])
def test_sizes_are_torchvisions(size: tuple[int, int]) -> None:
    """Resize(128) and CenterCrop(112) by torchvision's own lines (transforms/functional.py)."""
    height, width = size
    short, long = min(size), max(size)
    resized = {short: 128, long: int(128 * long / short)}
    said = InputFormat(resize=128).changed(RGB)
    (rows, columns), (top, left, side) = said.place(height, width)
    assert (rows, columns, side) == (resized[height], resized[width], 112)
    assert (top, left) == (round((rows - 112) / 2.0), round((columns - 112) / 2.0))
    frame = np.zeros((height, width, 3), np.uint8)
    assert said.resize_and_crop(frame).shape == (112, 112, 3)


def test_the_crop_is_in_the_middle_as_the_format_rounds() -> None:
    for form, left in ((RGB, 30), (OLD_SCRIPT.formats["rgb"], 29), (VMZ_CAFFE2.formats["rgb"], 29)):
        said = InputFormat(resize=(171, 128)).changed(form)
        assert (said.width, said.height, said.left, said.top) == (171, 128, left, 8)
        assert InputFormat(crop=112).changed(form) == form
    said = InputFormat(resize=(200, 150), crop=100).changed(RGB)
    assert (said.width, said.height, said.left, said.top, said.crop) == (200, 150, 50, 25, 100)


def test_a_gradient_of_a_network_that_takes_bgr_is_in_line_with_the_pixels(random: np.random.Generator) -> None:
    """The same network with its first convolution turned round gives the same logits and gradients."""
    tensors = make_tensors(OLD_SCRIPT)
    stem = "net.conv1.spatial_conv.conv.spatial_conv.weight"
    network, turned = build(tensors), build({**tensors, stem: tensors[stem].flip(1)})
    form = InputFormat(channel_order="bgr").changed(turned.info.clip_format)
    turned.info = replace(turned.info, clip_format=form)
    clip = random.integers(0, 256, (4, 48, 48, 3)).astype(np.uint8)
    found = []
    for one in (network, turned):
        batch = one.preprocess([clip]).requires_grad_()
        logits = one.module(batch)
        (gradient,) = torch.autograd.grad(logits[0, 3], batch)
        found.append((logits.detach(), one.align_gradients(gradient)))
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found[0][1], found[1][1], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("said", "form", "found"),
    [
        ({"std": (0.0, 1.0, 1.0)}, RGB, "cannot be divided by"),
        ({"mean": (0.5,)}, RGB, "has 1 number, and the network takes 3 channels"),
        ({"mean": (0.5,) * 3}, FLOW, "has 3 numbers, and the network takes 2 channels"),
        ({"std": (1.0, 1.0)}, RGB, "has 2 numbers"),
        ({"mean": (104.0, 117.0, 123.0)}, RGB, "lies outside of the values"),
        ({"input_range": (1.0, 1.0)}, RGB, "is no range"),
        ({"input_range": (1.0, 0.0)}, RGB, "is no range"),
        ({"input_range": (0.0, 1e-4)}, RGB, "is no range"),
        ({"input_range": (0.0, 1.0)}, VMZ_CAFFE2.formats["flow"], "motion in pixels"),
        ({"channel_order": "bgr"}, FLOW, "flow has no colours"),
        ({"channel_order": "gbr"}, RGB, "unknown channel order"),
        ({"crop": 129}, RGB, "larger than frames resized to 171x128"),
        ({"resize": 100}, RGB, "larger than frames resized to 100x100"),
        ({"resize": (0, 5)}, RGB, "sizes in pixels"),
        ({"crop": 5000}, RGB, "sizes in pixels"),
    ],
)
def test_nonsense_is_refused(said: dict[str, object], form: ClipFormat, found: str) -> None:
    with pytest.raises(UsageError, match=found):
        InputFormat(**said).changed(form)  # type: ignore[arg-type]


def test_two_streams() -> None:
    both = {"rgb": OLD_SCRIPT.formats["rgb"], "flow": FLOW}
    with pytest.raises(UsageError, match="does not say which stream"):
        InputFormats({"": InputFormat(crop=100)}).changed(both)
    with pytest.raises(UsageError, match="is for flow, and no such network"):
        InputFormats({"flow": InputFormat(crop=100)}).changed({"rgb": RGB})
    said = InputFormats({"": InputFormat(channel_order="bgr"), "flow": InputFormat(crop=100)}).changed(both)
    assert said["rgb"].is_bgr and said["rgb"].crop == 112
    assert said["flow"].crop == 100 and not said["flow"].is_bgr


SAID = ("--input-range", "0,255", "--mean", "104,117,123", "--channel-order", "bgr", "--resize", "120", "--crop", "96")


def test_it_goes_with_converted_weights_and_one_identity(call: Call, tmp_path: Path) -> None:
    """What is explained with a checkpoint, and what is said of it, is cached with its conversion and its copies."""
    tensors = make_tensors(TORCHVISION)
    torch.save(tensors, tmp_path / "net.pth")
    torch.save({"model": {f"module.{name}": one for name, one in tensors.items()}}, tmp_path / "copy.pth")
    assert call("convert-weights", "net.pth", "plain.safetensors").code == 0
    assert call("convert-weights", "net.pth", "said.safetensors", *SAID).code == 0
    explain = ("explain", "sample:up-4", "-n", "4", "-e", "FC", "-l", "2", "--json", "-w")
    groups = {}
    for name, said, is_cached in (
        ("net.pth", (), False),
        ("net.pth", SAID, False),
        ("copy.pth", (), True),
        ("copy.pth", SAID, True),
        ("plain.safetensors", (), True),
        ("plain.safetensors", SAID, True),
        ("said.safetensors", (), True),
        ("said.safetensors", SAID, True),
        ("copy.pth", (*SAID, "--std", "2,2,2"), False),
    ):
        done = call(*explain, name, *said)
        assert done.code == 0, done.err
        found = json.loads(done.out)
        assert found["cached"] == is_cached, (name, said)
        groups[name, said] = found["group"]
    assert groups["net.pth", ()] == groups["copy.pth", ()] == groups["plain.safetensors", ()]
    assert groups["net.pth", SAID] == groups["said.safetensors", ()] != groups["net.pth", ()]
    for name in ("net.pth", "copy.pth", "said.safetensors"):
        assert len(call("store", "ls", "--json", "-w", name).out.splitlines()) == 3
    inspected = json.loads(call("inspect-shapes", "-w", "said.safetensors", "--json").out)["input"]
    assert inspected["is_bgr"] and inspected["keeps_aspect"] and inspected["shape"][-1] == 96
    assert "blue, green, red" in call("inspect-shapes", "-w", "said.safetensors").out


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (("-w", "."), "is a folder"),
        (("-w", "-"), "standard input"),
        (("-w", "sample", "--crop", "10"), "does not say which stream"),
        (("-w", "sample", "--mean", "a,b,c"), "--mean takes numbers"),
        (("-w", "sample", "--input-range", "1"), "two numbers"),
        (("-w", "sample", "--resize", "big"), "WIDTHxHEIGHT"),
        (("-w", "sample", "-m", "rgb", "--crop", "80"), "larger than frames"),
        (("-w", "sample", "--state", "ema"), "holds no state 'ema'"),
    ],
)
def test_what_is_typed_wrong(call: Call, typed: tuple[str, ...], found: str) -> None:
    call("inspect-shapes", *typed).check_error(2, found)


def test_several_files_in_the_environment(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, channels in (("rgb file.pth", 3), ("flow.pth", 2)):
        torch.save(make_tensors(OLD_SCRIPT, channels), tmp_path / name)
    monkeypatch.setenv("GBVIS_WEIGHTS", os.pathsep.join(["rgb file.pth", "flow.pth", ""]))
    done = call("inspect-shapes", "--json")
    assert [json.loads(line)["modality"] for line in done.out.splitlines()] == ["rgb", "flow"], done.err


def test_a_home_folder_that_the_shell_left(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    torch.save(make_tensors(TORCHVISION), tmp_path / "net.pth")
    assert call("inspect-shapes", "-w", "~/net.pth").code == 0
