"""The contract of a network kind: every registered one keeps it, and a small one beside them."""

import copy
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

from gbvis.attribution.graph import Graph
from gbvis.errors import WeightsError
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

Case = tuple[str, str, int]
"""A kind, a checkpoint format, and the number of the example among the kind's."""

EXAMPLES: dict[Case, Callable[[], Mapping[str, Tensor]]] = {
    ("r2plus1d", "torchvision", 0): lambda: make_tensors(TORCHVISION),
    ("r2plus1d", "r2plus1d-pytorch", 1): lambda: make_tensors(R2PLUS1D_PYTORCH),
    ("r2plus1d", "vmz-caffe2", 2): lambda: make_tensors(VMZ_CAFFE2, channels=2),
    ("r2plus1d", "old-script", 3): lambda: make_tensors(OLD_SCRIPT, channels=1),
    ("small", "small-file", 0): make_small_tensors,
}
"""The tensors of some networks whose kinds have no examples of their own."""


def _make(kind: str, number: int) -> Mapping[str, Tensor]:
    """Return the tensors of one of a kind's own examples; norms are not those of a new network."""
    torch.manual_seed(number)
    tensors = dict(next(islice(KINDS.load(kind).examples(), number, None)).tensors)
    for name, tensor in tensors.items():
        if name.endswith(("running_mean", "running_var")):
            tensors[name] = torch.rand_like(tensor) + 0.5
    return tensors


for _kind in KINDS.load_all().values():
    for _number, _example in enumerate(_kind.examples()):
        EXAMPLES[_kind.name, _example.checkpoint_format, _number] = partial(_make, _kind.name, _number)

CASES = [
    pytest.param(case, id=" ".join(map(str, case)), marks=[pytest.mark.slow] if case[2] else [])
    for case in EXAMPLES
    if case[0] != "r2plus1d"
] + [pytest.param(case, id=" ".join(map(str, case))) for case in EXAMPLES if case[0] == "r2plus1d"]

REGISTRY = Registry[NetworkKind]("network kind", {**KINDS._places, "small": "material.small_kind:KIND"})
"""Those that come along, and the small one, as if another package had brought it."""


@pytest.fixture(autouse=True)
def _small_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gbvis.networks.load.KINDS", REGISTRY)


@cache
def _make_named(case: Case) -> NamedTensors:
    return NamedTensors(Path("made.pth"), EXAMPLES[case]())


@cache
def _build(case: Case) -> Network:
    return build_network(_make_named(case), "0" * 64)


@pytest.fixture
def named(case: Case) -> NamedTensors:
    made = _make_named(case)
    return replace(made, tensors=dict(made.tensors))


@pytest.fixture
def network(case: Case) -> Network:
    built = _build(case)
    return Network(copy.deepcopy(built.module), built.info, built.kind)


def make_clips(random: np.random.Generator, network: Network, count: int = 2) -> list[np.ndarray]:
    """Return clips as a network sees them, smaller than it likes."""
    form = network.info.clip_format
    side = min(form.crop, 64)  # what S3D halves five times, the last time without padding
    clips = random.integers(0, 256, (count, 6, side, side, form.channels)).astype(form.dtype)
    return list(clips / 64 if form.is_motion else clips)


def test_every_kind_has_an_example() -> None:
    assert {kind for kind, _, _ in EXAMPLES} == set(REGISTRY.names)
    read = {form for _, form, _ in EXAMPLES}
    read |= {f"{form}-unpooled" for form in read}  # their files are those of the same name, and nothing tells
    assert {form for kind in KINDS.load_all().values() for form in kind.formats if kind.name != "r2plus1d"} <= read


def test_no_two_kinds_share_a_checkpoint_format() -> None:
    """`--checkpoint-format` says which kind is meant, too."""
    names = [form for kind in REGISTRY.load_all().values() for form in kind.formats]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", CASES)
class TestEveryKind:
    def test_it_knows_its_own_tensors_and_no_others(self, case: Case, named: NamedTensors) -> None:
        kind, form, _ = case
        assert [name for name, one in REGISTRY.load_all().items() if one.match(named)] == [kind]
        assert REGISTRY.load(kind).name == kind and form in REGISTRY.load(kind).formats
        assert not REGISTRY.load(kind).match(NamedTensors(Path("made.pth"), {"layer.weight": torch.zeros(1)}))

    def test_what_it_builds_holds_the_tensors(self, case: Case, named: NamedTensors) -> None:
        kind, form, _ = case
        before = {name: tensor.clone() for name, tensor in named.tensors.items()}
        for asked in (None, form):
            module, info = REGISTRY.load(kind).build(named, asked)
            assert (info.kind, info.checkpoint_format) == (kind, form)
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


def _prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


def _find_head(named: NamedTensors, network: Network) -> str:
    """Return the file's name of the last layer."""
    weights = [name for name, one in named.tensors.items() if name.endswith(".weight") and one.ndim in (2, 5)]
    return next(
        name.removesuffix(".weight")
        for name in reversed(weights)
        if len(named.tensors[name]) == network.info.class_count
    )


Tree = Mapping[str, object]

WRAPPINGS: dict[str, Callable[[Mapping[str, Tensor]], Tree]] = {
    "as it is": dict,
    "DataParallel": lambda tensors: _prefixed("module.", tensors),
    "Lightning": lambda tensors: {"epoch": 3, "state_dict": _prefixed("model.", tensors)},
    "torch.compile": lambda tensors: {"model": _prefixed("_orig_mod.", tensors)},
    "an average": lambda tensors: {
        "state_dict": {name: one + 1 for name, one in tensors.items()},
        "state_dict_ema": dict(tensors),
    },
    "an optimiser": lambda tensors: {
        "model_state": dict(tensors),
        "optimizer_state": {"state": {0: {"momentum_buffer": torch.ones(2)}}, "param_groups": [{"lr": 0.1}]},
    },
}
"""What programs put around a network, by what does it."""


@pytest.mark.parametrize("case", CASES)
class TestEveryFile:
    """Files of other programs, around and about the examples."""

    @pytest.fixture(autouse=True)
    def _is_torch(self, case: Case) -> None:
        if case[1] in ("vmz-caffe2", "small-file"):
            pytest.skip("not a strict reader of torch files")

    @pytest.mark.parametrize("wrapping", WRAPPINGS)
    def test_wrappings_come_off(self, tmp_path: Path, named: NamedTensors, network: Network, wrapping: str) -> None:
        torch.save(WRAPPINGS[wrapping](named.tensors), tmp_path / "net.pth")
        (found,) = load_networks(tmp_path / "net.pth", "0" * 64)
        assert found.info.identity == network.info.identity
        assert bool(found.info.states) == (wrapping == "an average")

    def test_a_safetensors_file_by_others(self, tmp_path: Path, named: NamedTensors, network: Network) -> None:
        safetensors.torch.save_file({name: one.contiguous() for name, one in named.tensors.items()}, tmp_path / "n.st")
        (found,) = load_networks(tmp_path / "n.st", "0" * 64)
        assert found.info.identity == network.info.identity

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
    def test_numbers_of_16_bit(self, named: NamedTensors, dtype: torch.dtype) -> None:
        small = {name: one.to(dtype) if one.is_floating_point() else one for name, one in named.tensors.items()}
        wide = {name: one.float() if one.is_floating_point() else one for name, one in small.items()}
        ours, theirs = (build_network(NamedTensors(Path("made.pth"), one), "0" * 64) for one in (small, wide))
        assert ours.info.identity == theirs.info.identity

    def test_a_head_behind_a_dropout(self, named: NamedTensors, network: Network) -> None:
        head = _find_head(named, network)
        tensors = {name.replace(f"{head}.", f"{head}.1."): one for name, one in named.tensors.items()}
        found = build_network(NamedTensors(Path("made.pth"), tensors), "0" * 64)
        assert found.info.identity == network.info.identity

    def test_another_number_of_classes(self, named: NamedTensors, network: Network) -> None:
        head, tensors = _find_head(named, network), dict(named.tensors)
        for name in (f"{head}.weight", f"{head}.bias"):
            tensors[name] = tensors[name][:2].clone()
        assert build_network(NamedTensors(Path("made.pth"), tensors), "0" * 64).info.class_count == 2

    def test_what_is_broken_is_named(self, named: NamedTensors, network: Network) -> None:
        """A tensor here and there: missing, misshapen, without numbers, of words; and one too many."""
        names = [name for name in named.tensors if not name.endswith("num_batches_tracked")]
        for name in {*names[:: max(1, len(names) // 3)], f"{_find_head(named, network)}.weight"}:
            tensor = named.tensors[name]
            for broken in (None, tensor[:0], tensor.to(torch.complex64), torch.full_like(tensor, math.nan)):
                tensors = {key: one for key, one in named.tensors.items() if key != name or broken is not None}
                tensors |= {} if broken is None else {name: broken}
                with pytest.raises(WeightsError) as error:
                    build_network(NamedTensors(Path("made.pth"), tensors), "0" * 64)
                assert name in error.value.problem, error.value.problem
        with pytest.raises(WeightsError, match=r"spare\.scale"):
            build_network(NamedTensors(Path("made.pth"), {**named.tensors, "spare.scale": torch.ones(3)}), "0" * 64)

    def test_a_file_cut_short(self, tmp_path: Path, named: NamedTensors) -> None:
        torch.save(dict(named.tensors), tmp_path / "net.pth")
        (tmp_path / "net.pth").write_bytes((tmp_path / "net.pth").read_bytes()[:-2000])
        with pytest.raises(WeightsError, match="cut short"):
            load_networks(tmp_path / "net.pth", "0" * 64)

    def test_the_nearest_kind_is_named(self, named: NamedTensors, network: Network, case: Case) -> None:
        """A foreign layout: most names are those of a network of this kind, and none that tells the kind."""
        likeness = network.kind.compare(named)
        assert likeness is not None and likeness.share > 0.9 and case[1].split("-")[0] in likeness.name
