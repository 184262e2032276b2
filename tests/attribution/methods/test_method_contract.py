"""The contract of a method: every registered one keeps it, and a small one beside them."""

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gbvis.attribution.attribution import PIXEL_AXES, Attribution
from gbvis.attribution.graph import Graph
from gbvis.attribution.method import Method
from gbvis.attribution.methods import METHODS, parse_method
from gbvis.networks.endpoint import AP, FC, SOFTMAX, Target
from gbvis.networks.load import load_networks
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import STAGES, STEM
from material.checkpoints import Exact
from material.methods import PlainGradient
from material.passes import SIDE

REGISTERED = METHODS.load_all()

QUICK: dict[str, dict[str, Any]] = {
    "smoothgrad": {"samples": 1},
    "integrated-gradients": {"steps": 1},
    "occlusion": {"box": "4x28x56", "stride": "4x28x56"},
}
"""Settings with which methods of many passes need few, by the method's name."""

ALL = pytest.mark.parametrize("kind", [*REGISTERED.values(), PlainGradient], ids=lambda kind: kind.name)
STREAMS = pytest.mark.parametrize("stream", ["rgb", "flow", pytest.param("flow2", marks=pytest.mark.slow)])
TARGETS = [Target(STEM, 1), Target(STAGES[1], 3), Target(AP, 0), Target(FC, 7), Target(SOFTMAX, 7)]


def make(kind: type[Method]) -> Method:
    """Return the method with settings that make it quick."""
    return kind(**QUICK.get(kind.name, {}))


@cache
def load(path: Path) -> Network:
    """Return a network that no test changes; it keeps where its layers' cells lie, which takes long to measure."""
    (network,) = load_networks(path, "0" * 64)
    return network


@cache
def load_exact(path: Path) -> Network:
    """Return the network without rounding."""
    (network,) = load_networks(path, "0" * 64)
    return Exact(network)


def make_clips(random: np.random.Generator, network: Network, count: int = 1) -> list[np.ndarray]:
    channels = network.info.clip_format.channels
    return [random.integers(0, 256, (4, SIDE, SIDE, channels), dtype=np.uint8) for _ in range(count)]


def attribute(network: Network, clips: list[np.ndarray], methods: list[Method]) -> list[list[list[Attribution]]]:
    """Return for each method and target what is found in every clip, all through one forward pass."""
    settled = [
        [(method.settled(network.info, target.endpoint, len(clips[0])), target) for target in TARGETS]
        for method in methods
    ]
    layers = {layer for answers in settled for method, _ in answers for layer in method.layers}
    with Graph(network, clips) as graph:
        graph.forward({target.endpoint for target in TARGETS}, layers=layers)
        pending = [
            [one for method, target in answers for one in graph.attribute(method, [target], is_last=False)]
            for answers in settled
        ]
    return [[list(one.result()) for one in found] for found in pending]


@ALL
def test_it_is_its_settings_and_each_has_a_default(kind: type[Method]) -> None:
    method = kind()
    assert is_dataclass(kind) and method == kind() and hash(method) == hash(kind())
    assert kind.__doc__ and kind.version >= 1 and method.kind in ("signed", "positive")
    for field in fields(kind):
        with pytest.raises(FrozenInstanceError):
            setattr(method, field.name, getattr(method, field.name))


@ALL
def test_its_recipe_is_plain_data(kind: type[Method]) -> None:
    recipe = kind().recipe()
    assert json.loads(json.dumps(recipe, allow_nan=False)) == recipe
    assert recipe == {"name": kind.name, "version": kind.version, "settings": kind().settings}
    assert list(recipe["settings"]) == [field.name for field in fields(kind)]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", REGISTERED)
def test_it_goes_by_its_name_and_is_read_back_from_its_words(name: str) -> None:
    assert REGISTERED[name].name == name
    assert parse_method(name) == REGISTERED[name]()
    for method in (REGISTERED[name](), make(REGISTERED[name])):
        assert parse_method(str(method)) == method


@ALL
@STREAMS
def test_the_network_and_the_target_decide_what_is_left_open(
    weights: dict[str, Path], kind: type[Method], stream: str
) -> None:
    info = load(weights[stream]).info
    settled = kind().settled(info, FC, 8)
    assert type(settled) is kind and settled.settled(info, FC, 8) == settled
    assert None not in settled.settings.values()
    assert kind().settled(info, FC, 8).recipe() == settled.recipe()


@pytest.mark.parametrize("name", METHODS.names)
def test_torch_is_loaded_only_to_compute(name: str) -> None:
    """What the store has is looked up without it."""
    check = f"import sys; from gbvis.attribution.methods import parse_method; parse_method({name!r}).recipe()"
    done = subprocess.run([sys.executable, "-c", f"{check}; print('torch' in sys.modules)"], capture_output=True)
    assert done.stdout.split() == [b"False"], done.stderr


@ALL
@STREAMS
def test_what_it_finds_has_the_axes_and_the_sign_that_it_says(
    weights: dict[str, Path], random: np.random.Generator, kind: type[Method], stream: str
) -> None:
    network = load(weights[stream])
    clips = make_clips(random, network, 2)
    responses = network.predict(clips, {target.endpoint for target in TARGETS})
    (found,) = attribute(network, clips, [make(kind)])
    for target, by_clip in zip(TARGETS, found, strict=True):
        assert len(by_clip) == len(clips)
        for clip, one in enumerate(by_clip):
            assert one.target == target
            assert one.value == pytest.approx(responses[target.endpoint].array()[clip, target.index], rel=1e-4)
            assert one.values.dtype == np.float32 and one.values.ndim == len(one.axes)
            assert one.axes == tuple(axis for axis in PIXEL_AXES if axis in one.axes) and one.axes[-2:] == ("y", "x")
            one.check_numbers(clip)
            if one.axes == PIXEL_AXES:
                assert one.values.shape == (network.info.clip_format.channels, 4, SIDE, SIDE)
            assert make(kind).kind == "signed" or one.values.min() >= 0
            assert (
                one.values.any() or make(kind).settled(network.info, target.endpoint, 4).layers
            )  # a sum below 0 is cut
    assert any(one.values.any() for by_clip in found for one in by_clip)


@ALL
@STREAMS
def test_a_clip_has_no_part_in_what_is_found_in_another(
    weights: dict[str, Path], random: np.random.Generator, kind: type[Method], stream: str
) -> None:
    network = load_exact(weights[stream])
    clips = make_clips(random, network, 2)
    (together,) = attribute(network, clips, [make(kind)])
    for number, clip in enumerate(clips):
        (alone,) = attribute(network, [clip], [make(kind)])
        for found, (expected,) in zip(together, alone, strict=True):
            check_equal(found[number], expected)


def test_all_through_one_forward_pass_find_what_each_finds_alone(
    weights: dict[str, Path], random: np.random.Generator
) -> None:
    network = load_exact(weights["rgb"])
    clips = make_clips(random, network)
    methods: list[Method] = [*(make(kind) for kind in REGISTERED.values()), PlainGradient()]
    for method, together in zip(methods, attribute(network, clips, methods), strict=True):
        (alone,) = attribute(network, clips, [method])
        for (found,), (expected,) in zip(together, alone, strict=True):
            check_equal(found, expected)


def check_equal(found: Attribution, expected: Attribution) -> None:
    assert (found.target, found.axes) == (expected.target, expected.axes)
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-6)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-6 * np.abs(expected.values).max())


@STREAMS
def test_the_plain_gradient_is_torchs_own(weights: dict[str, Path], random: np.random.Generator, stream: str) -> None:
    """Through the network as its file has it, in float64: nothing but the rule at the ReLUs makes a method."""
    network = load_exact(weights[stream])
    (clip,) = make_clips(random, network)
    (found,) = attribute(network, [clip], [PlainGradient()])
    batch = network.preprocess([clip]).requires_grad_()
    activations = dict(network.module.endpoints(batch))
    for target, (one,) in zip(TARGETS, found, strict=True):
        chosen = activations[target.endpoint][0, target.index]
        chosen = chosen.abs().sum() if chosen.ndim else chosen
        (gradient,) = torch.autograd.grad(chosen, batch, retain_graph=True)
        expected = network.align_gradients(gradient)[0].numpy()
        np.testing.assert_allclose(one.values, expected, atol=1e-6 * np.abs(expected).max())
        assert one.value == pytest.approx(chosen.item(), rel=1e-6)


def fingerprint(network: Network) -> list[object]:
    """Return all of a network that a method could change, of the one that runs and of the one from the file."""
    return [
        (
            name,
            type(part),
            part.training,
            len(part._forward_hooks) + len(part._backward_hooks),
            [
                (tensor.requires_grad, tensor.grad, tensor.sum().item())
                for tensor in [*part.parameters(), *part.buffers()]
            ],
        )
        for module in (network.fused, network.module)
        for name, part in module.named_modules()
    ]


@ALL
def test_the_network_is_left_as_it_was_found(
    weights: dict[str, Path], random: np.random.Generator, monkeypatch: pytest.MonkeyPatch, kind: type[Method]
) -> None:
    network = load(weights["rgb"])
    clips = make_clips(random, network)
    before = fingerprint(network)
    held = [*network.module.parameters(), *network.fused.parameters(), *network.fused.buffers()]
    attribute(network, clips, [make(kind)])
    assert fingerprint(network) == before
    assert all(tensor.grad is None and not tensor.requires_grad for tensor in held)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("in the middle")

    with Graph(network, clips) as graph, pytest.raises(RuntimeError, match="in the middle"):
        graph.forward({SOFTMAX}, watch=fail)
    assert fingerprint(network) == before
    with Graph(network, clips) as graph, monkeypatch.context() as context:
        method = make(kind).settled(network.info, SOFTMAX, len(clips[0]))
        graph.forward({SOFTMAX}, layers=method.layers)
        for place, name in ((torch.autograd, "grad"), (Graph, "forward"), (Graph, "gradient"), (Network, "predict")):
            context.setattr(place, name, fail)
        with pytest.raises(RuntimeError, match="in the middle"):
            list(graph.attribute(method, [Target(SOFTMAX, 1)]))
    assert fingerprint(network) == before
