"""The contract of a network kind: every registered one keeps it, and a small one beside them."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from gbvis.attribution.graph import Graph
from gbvis.networks.endpoint import Target
from gbvis.networks.info import WeightsInfo
from gbvis.networks.kind import KINDS, NetworkKind
from gbvis.networks.load import build_network, load_networks
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT, R2PLUS1D_PYTORCH, TORCHVISION, VMZ_CAFFE2
from gbvis.networks.weights import NamedTensors
from gbvis.networks.weights.safetensors_file import write_safetensors
from gbvis.registry import Registry
from material.checkpoints import Exact, make_tensors
from material.methods import PlainGradient
from material.small_kind import make_small_tensors

EXAMPLES: dict[tuple[str, str], Callable[[], dict[str, Tensor]]] = {
    ("r2plus1d", "torchvision"): lambda: make_tensors(TORCHVISION),
    ("r2plus1d", "r2plus1d-pytorch"): lambda: make_tensors(R2PLUS1D_PYTORCH),
    ("r2plus1d", "vmz-caffe2"): lambda: make_tensors(VMZ_CAFFE2, channels=2),
    ("r2plus1d", "old-script"): lambda: make_tensors(OLD_SCRIPT, channels=1),
    ("small", "small-file"): make_small_tensors,
}
"""The tensors of some networks, by their kind and checkpoint format: add one of a new kind here."""

REGISTRY = Registry[NetworkKind]("network kind", {**KINDS._places, "small": "material.small_kind:KIND"})
"""Those that come along, and the small one, as if another package had brought it."""


@pytest.fixture(autouse=True)
def _small_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gbvis.networks.load.KINDS", REGISTRY)


@pytest.fixture
def named(case: tuple[str, str]) -> NamedTensors:
    return NamedTensors(Path("made.pth"), EXAMPLES[case]())


@pytest.fixture
def network(named: NamedTensors) -> Network:
    return build_network(named, "0" * 64)


def make_clips(random: np.random.Generator, network: Network, count: int = 2) -> list[np.ndarray]:
    """Return clips as a network sees them, smaller than it likes."""
    form = network.info.clip_format
    side = min(form.crop, 48)
    clips = random.integers(0, 256, (count, 6, side, side, form.channels)).astype(form.dtype)
    return list(clips / 64 if form.is_motion else clips)


def test_every_kind_has_an_example() -> None:
    assert {kind for kind, _ in EXAMPLES} == set(REGISTRY.names)


def test_no_two_kinds_share_a_checkpoint_format() -> None:
    """`--checkpoint-format` says which kind is meant, too."""
    names = [form for kind in REGISTRY.load_all().values() for form in kind.formats]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", EXAMPLES, ids=" ".join)
class TestEveryKind:
    def test_it_knows_its_own_tensors_and_no_others(self, case: tuple[str, str], named: NamedTensors) -> None:
        kind, form = case
        assert [name for name, one in REGISTRY.load_all().items() if one.match(named)] == [kind]
        assert REGISTRY.load(kind).name == kind and form in REGISTRY.load(kind).formats
        assert not REGISTRY.load(kind).match(NamedTensors(Path("made.pth"), {"layer.weight": torch.zeros(1)}))

    def test_what_it_builds_holds_the_tensors(self, case: tuple[str, str], named: NamedTensors) -> None:
        kind, form = case
        before = {name: tensor.clone() for name, tensor in named.tensors.items()}
        for asked in (None, form):
            module, info = REGISTRY.load(kind).build(named, asked)
            assert (info.kind, info.checkpoint_format) == case
            assert not any(tensor.is_meta for tensor in module.state_dict().values())
            assert info.parameters == sum(parameter.numel() for parameter in module.parameters())
        assert all(torch.equal(tensor, before[name]) for name, tensor in named.tensors.items())
        sums = {round(tensor.double().sum().item(), 6) for tensor in module.state_dict().values()}
        assert {round(tensor.double().sum().item(), 6) for tensor in before.values()} <= sums

    def test_its_endpoints_are_those_of_its_record(self, network: Network, random: np.random.Generator) -> None:
        info, clips = network.info, make_clips(random, network)
        with torch.no_grad():
            found = list(network.kind.endpoints(network.module, network.preprocess(clips)))
        assert tuple(endpoint for endpoint, _ in found) == info.endpoints
        assert list(info.targets) == [endpoint.name for endpoint in info.endpoints]
        for endpoint, activation in found:
            assert activation.ndim in (2, 5)
            assert activation.shape[:2] == (len(clips), info.targets[endpoint.name])
            assert activation.ndim == 2 or not endpoint.is_class
        shapes = network.trace_shapes(tuple(network.preprocess(clips).shape[1:]))
        assert shapes == {endpoint: tuple(activation.shape[1:]) for endpoint, activation in found}
        assert [*info.cells] == [endpoint.name for endpoint, activation in found if activation.ndim == 5]
        sizes = network.preprocess(clips).shape[2:]
        for endpoint, activation in found[: len(info.cells)]:
            steps = zip(sizes, info.cells[endpoint.name].step, strict=True)
            assert tuple(activation.shape[2:]) == tuple(math.ceil(size / step) for size, step in steps)
        fields = network.kind.receptive_fields(network.module)
        assert set(fields) <= set(info.endpoints) and all(frames > 0 < pixels for frames, pixels in fields.values())

    def test_every_name_means_one_endpoint(self, network: Network) -> None:
        info = network.info
        names = [name.lower() for endpoint in info.endpoints for name in (endpoint.name, *endpoint.aliases)]
        assert len(set(names)) == len(names) and "all" not in names
        assert info.find_endpoints(["all"]) == list(info.endpoints)
        assert info.find_endpoints([]) == [info.scores or info.endpoints[-1]]
        for endpoint in info.endpoints:
            assert info.find_endpoints([endpoint.name.upper()]) == [endpoint]
            assert info.ranking_endpoint(endpoint) in info.endpoints
        assert info.class_count in (0, *info.targets.values())

    def test_made_quick_it_gives_the_modules_numbers(self, network: Network, random: np.random.Generator) -> None:
        """In float64, where nothing is a matter of rounding; and the module stays as it is."""
        exact = Exact(network)
        before = {name: tensor.clone() for name, tensor in exact.module.state_dict().items()}
        batch = exact.preprocess(make_clips(random, exact))
        with torch.no_grad():
            fused = list(exact.endpoints(batch))
            plain = list(exact.kind.endpoints(exact.module, batch))
        for (endpoint, found), (expected_endpoint, expected) in zip(fused, plain, strict=True):
            assert endpoint == expected_endpoint
            torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9 * expected.abs().max().item())
        assert all(torch.equal(tensor, before[name]) for name, tensor in exact.module.state_dict().items())
        assert not any(part.training for module in (exact.module, exact.fused) for part in module.modules())

    def test_what_it_says_of_its_relus_is_true(self, network: Network, random: np.random.Generator) -> None:
        """Where they share nothing they work in place: the gradient is that of the module by torch all the same."""
        exact = Exact(network)
        (clip,) = make_clips(random, exact, 1)
        targets = [Target(endpoint, exact.info.targets[endpoint.name] - 1) for endpoint in exact.info.endpoints]
        with Graph(exact, [clip]) as graph:
            graph.forward(set(exact.info.endpoints))
            found = [next(one.result()) for one in graph.attribute(PlainGradient(), targets)]
        batch = exact.preprocess([clip]).requires_grad_()
        activations = dict(exact.kind.endpoints(exact.module, batch))
        for target, one in zip(targets, found, strict=True):
            chosen = activations[target.endpoint][0, target.index]
            chosen = chosen.abs().sum() if chosen.ndim else chosen
            (gradient,) = torch.autograd.grad(chosen, batch, retain_graph=True)
            expected = exact.align_gradients(gradient)[0].numpy()
            assert one.value == pytest.approx(chosen.item(), rel=1e-9)
            np.testing.assert_allclose(one.values, expected, atol=1e-6 * np.abs(expected).max())

    def test_its_record_survives_the_store(self, network: Network) -> None:
        written = json.dumps(network.info.to_json(), allow_nan=False)
        assert WeightsInfo.from_json(json.loads(written)) == network.info

    def test_a_converted_network_is_the_same(
        self, tmp_path: Path, network: Network, random: np.random.Generator
    ) -> None:
        write_safetensors(tmp_path / "own.safetensors", [network], {"source": {"name": "made.pth"}})
        (again,) = load_networks(tmp_path / "own.safetensors", "0" * 64)
        assert again.kind is network.kind
        expected = {**network.info.to_json(), "path": None}
        assert {**again.info.to_json(), "path": None} == expected
        batch = network.preprocess(make_clips(random, network))
        with torch.no_grad():
            ours = dict(network.kind.endpoints(network.module, batch))
            theirs = dict(again.kind.endpoints(again.module, batch))
        assert list(theirs) == list(ours)
        assert all(torch.equal(theirs[endpoint], activation) for endpoint, activation in ours.items())
