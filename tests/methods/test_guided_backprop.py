"""Guided back-propagation against the original programs, Captum, and a slow second version from the paper."""

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gbvis import registry
from gbvis.building import build_network
from gbvis.endpoint import AP, FC, SOFTMAX, STAGES, STEM, Responses, Target, read_endpoint
from gbvis.methods import guided_backprop
from gbvis.network import Network
from gbvis.state_dict import StateDict, read_state_dicts

GOLDEN = ["seed-rgb", "seed-flow", "seed-flow2", "torchvision", "r2plus1d-pytorch"]


def load(path: Path) -> Network:
    (state_dict,) = read_state_dicts(path)
    return build_network(state_dict, registry.families(), "0" * 64)


def pixels(random: np.random.Generator, channels: int, frames: int = 4) -> np.ndarray:
    return random.integers(0, 256, (frames, 112, 112, channels), dtype=np.uint8)


class GivenInput(Network):
    """A network that is given its normalised input as the golden files have it."""

    def input_of(self, given: np.ndarray) -> Tensor:
        return torch.from_numpy(given.copy())

    def gradient_of(self, input_gradient: Tensor) -> np.ndarray:
        return input_gradient[0].numpy()


@pytest.mark.parametrize("name", GOLDEN)
def test_the_original_programs_numbers(shared: Path, rules: ModuleType, name: str) -> None:
    """Scores to 1e-5, gradients to 1e-4 of their maximum, sums to 1e-4, at every endpoint.

    Where another processor's kernels round differently (then the logits differ in their last bits), a ReLU whose input
    lies within rounding of zero may fall the other way: there one pixel in fifty may be off, by no more than 1 %.
    """
    shapes = json.loads((shared / f"golden/{name}.keys.json").read_text())
    tensors = {key: torch.from_numpy(np.array(rules.weight(key, tuple(shape)))) for key, shape in shapes.items()}
    built = build_network(StateDict(Path(name), tensors, None), registry.families(), "0" * 64)
    network = GivenInput(built.module, built.card)
    golden = np.load(shared / f"golden/{name}.npz")
    channels, frames = golden["Conv3d_1/5"].shape[:2]
    clip = rules.clip(channels, frames, seed=1)
    keys = [key for key in golden.files if key.count("/") == 1]
    assert len(keys) >= 7
    targets = [Target(read_endpoint(key.split("/")[0]), int(key.split("/")[1])) for key in keys]
    responses: dict[object, np.ndarray] = {}

    def choose(found: Responses) -> list[Target]:
        responses.update(found)
        return targets

    endpoints = {target.endpoint for target in targets} | {FC, SOFTMAX}
    found = list(guided_backprop.attribute(network, clip, endpoints, choose))
    np.testing.assert_allclose(responses[SOFTMAX], golden["scores"], atol=1e-5)
    np.testing.assert_allclose(responses[FC], golden["logits"], atol=1e-4)
    has_same_kernels = np.array_equal(responses[FC], golden["logits"])
    for key, attribution in zip(keys, found, strict=True):
        error = np.abs(attribution.gradient[:, :, ::3, ::3] - golden[key]) / np.abs(golden[key]).max()
        assert error.max() <= (1e-4 if has_same_kernels else 1e-2), key
        assert (error > 1e-4).mean() <= 0.02, key
        total = np.abs(attribution.gradient.astype(np.float64)).sum()
        np.testing.assert_allclose(total, golden[f"{key}/l1"], rtol=1e-4)


def attribute_slowly(network: Network, clip: np.ndarray, target: Target) -> np.ndarray:
    """Springenberg et al. 2015, part 3.4: R_l = (f_l > 0) (R_{l+1} > 0) R_{l+1}, by hooks, parameters and all."""
    handles = [
        module.register_full_backward_hook(lambda _, grad_input, grad_output: (grad_input[0] * (grad_output[0] > 0),))
        for module in network.module.modules()
        if isinstance(module, nn.ReLU)
    ]
    network.module.requires_grad_(True)
    tensor = network.input_of(clip).requires_grad_()
    for endpoint, activation in network.module.endpoints(tensor):
        if endpoint == target.endpoint:
            chosen = activation[0, target.index]
            (chosen.abs().sum() if chosen.ndim else chosen).backward()
            break
    for handle in handles:
        handle.remove()
    network.module.zero_grad()
    network.module.requires_grad_(False)
    assert tensor.grad is not None
    return network.gradient_of(tensor.grad)


@pytest.mark.parametrize("stream", ["rgb", "flow", "flow2"])
def test_the_papers_rule(weights: dict[str, Path], random: np.random.Generator, stream: str) -> None:
    network = load(weights[stream])
    clip = pixels(random, network.card.clip_format.channels)
    targets = [Target(endpoint, 3) for endpoint in (STEM, *STAGES, AP, FC, SOFTMAX)]
    found = list(guided_backprop.attribute(network, clip, {t.endpoint for t in targets}, lambda _: targets))
    for target, attribution in zip(targets, found, strict=True):
        expected = attribute_slowly(network, clip, target)
        assert attribution.gradient.shape == expected.shape == (network.card.clip_format.channels, 4, 112, 112)
        np.testing.assert_allclose(attribution.gradient, expected, atol=1e-6 * np.abs(expected).max())


def test_flow_is_taken_apart_into_u_and_v(weights: dict[str, Path], random: np.random.Generator) -> None:
    network = load(weights["flow"])
    clip = pixels(random, 2)
    tensor = network.input_of(clip)
    assert tensor.shape == (1, 1, 8, 112, 112)
    np.testing.assert_allclose(tensor[0, 0, 5], (clip[2, ..., 1].astype(np.float32) - 128) / 128)  # u1 v1 u2 v2 u3 v3
    np.testing.assert_array_equal(network.gradient_of(tensor), (clip.transpose(3, 0, 1, 2).astype("f4") - 128) / 128)


def test_one_forward_pass_serves_all_targets(weights: dict[str, Path], random: np.random.Generator) -> None:
    network = load(weights["rgb"])
    passes = []
    network.module.stem.register_forward_hook(lambda *_: passes.append(1))
    targets = [Target(endpoint, index) for endpoint in (STEM, FC, SOFTMAX) for index in (0, 1, 2)]
    found = list(guided_backprop.attribute(network, pixels(random, 3), {STEM, FC, SOFTMAX}, lambda _: targets))
    assert [attribution.target for attribution in found] == targets
    assert len(passes) == 1


def test_the_pass_goes_no_further_than_needed(weights: dict[str, Path], random: np.random.Generator) -> None:
    network = load(weights["rgb"])
    seen: list[object] = []
    clip = pixels(random, 3)
    list(guided_backprop.attribute(network, clip, {STEM}, lambda _: [Target(STEM, 0)], lambda e, _: seen.append(e)))
    assert seen == [STEM]


def fingerprint(network: Network) -> tuple[object, ...]:
    module = network.module
    return (
        [(name, type(part), part.training, len(part._forward_hooks)) for name, part in module.named_modules()],
        [(name, parameter.requires_grad, parameter.grad) for name, parameter in module.named_parameters()],
        [(name, tensor.sum().item()) for name, tensor in module.state_dict().items()],
    )


def test_the_network_is_left_as_it_was_found(weights: dict[str, Path], random: np.random.Generator) -> None:
    network = load(weights["rgb"])
    before = fingerprint(network)
    clip = pixels(random, 3)
    list(guided_backprop.attribute(network, clip, {SOFTMAX}, lambda _: [Target(SOFTMAX, 1)]))
    assert fingerprint(network) == before

    def fail(*_: object) -> None:
        raise RuntimeError("in the middle of the forward pass")

    with pytest.raises(RuntimeError):
        list(guided_backprop.attribute(network, clip, {SOFTMAX}, lambda _: [], fail))
    assert fingerprint(network) == before


def test_parameters_get_no_gradients(weights: dict[str, Path], random: np.random.Generator) -> None:
    network = load(weights["rgb"])
    list(guided_backprop.attribute(network, pixels(random, 3), {FC}, lambda _: [Target(FC, 0)]))
    assert all(parameter.grad is None for parameter in network.module.parameters())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_finds_the_same(weights: dict[str, Path], random: np.random.Generator) -> None:
    clip = pixels(random, 3)
    found = []
    for device in ("cpu", "cuda"):
        network = load(weights["rgb"]).use(torch.device(device), "float32")
        with network.computing():
            (one,) = guided_backprop.attribute(network, clip, {FC}, lambda _: [Target(FC, 5)])
        found.append(one.gradient)
    np.testing.assert_allclose(found[0], found[1], atol=1e-2 * np.abs(found[0]).max())
