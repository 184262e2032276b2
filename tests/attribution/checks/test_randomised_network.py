"""Randomised networks: what is randomised, what is estimated, what is shared, and that the network stays as it is."""

import copy
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gbvis.attribution.checks.randomised_network import Norms, Order, RandomisedNetworks, Weights, permute
from gbvis.attribution.checks.stages import find_stages, name_tensors
from gbvis.networks.endpoint import Endpoint
from gbvis.networks.load import load_networks
from gbvis.networks.network import Network
from gbvis.networks.sample import find_weights
from material.small_kind import SmallKind, make_small_network

ORDERS: tuple[Order, ...] = get_args(Order)


class EagerKind(SmallKind):
    """One that computes everything before it yields anything."""

    def endpoints(self, module: nn.Module, clips: Tensor) -> Iterator[tuple[Endpoint, Tensor]]:
        """Yield every endpoint and its activation."""
        yield from list(super().endpoints(module, clips))


@cache
def read_samples() -> list[Network]:
    return load_networks(find_weights(Path("sample")), "0" * 64)


def load_sample(modality: str) -> Network:
    """Return a network of the test's own."""
    found = next(network for network in read_samples() if network.info.modality == modality)
    return Network(copy.deepcopy(found.module), found.info, found.kind)


def make_eager() -> Network:
    small = make_small_network()
    return Network(small.module, small.info, EagerKind())


NETWORKS: dict[str, Callable[[], Network]] = {
    "rgb": lambda: load_sample("rgb"),
    "flow": lambda: load_sample("flow"),
    "small": make_small_network,
    "eager": make_eager,
}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> Network:
    return NETWORKS[request.param]()


def make_batch(network: Network) -> Tensor:
    random = np.random.default_rng(3)
    form = network.info.clip_format
    clip = random.integers(0, 256, (8, 24, 24, form.channels)).astype(form.dtype)
    return network.preprocess([clip])


def find_random(name: str) -> np.random.Generator:
    return np.random.default_rng(list(name.encode()))


def make_networks(network: Network, weights: Weights = "permuted", norms: Norms = "estimated") -> RandomisedNetworks:
    return RandomisedNetworks(network, make_batch(network), find_random, weights, norms)


def snapshot(network: Network) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.module.state_dict().items()}


def check_same(tensors: dict[str, Tensor], others: dict[str, Tensor]) -> None:
    assert list(tensors) == list(others)
    for name, tensor in tensors.items():
        assert torch.equal(tensor, others[name]), name


def watch_norms(made: Network, batch: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Return the mean and variance of what each norm is given, in one pass of the whole network."""
    seen: dict[str, tuple[Tensor, Tensor]] = {}
    module = copy.deepcopy(made.module)

    def hook(name: str) -> Callable[[nn.Module, tuple[Tensor]], None]:
        def watch(_: nn.Module, given: tuple[Tensor]) -> None:
            flat = given[0].transpose(0, 1).flatten(1).double()
            seen[name] = flat.mean(1), flat.var(1, correction=0)

        return watch

    for name, part in module.named_modules():
        if isinstance(part, _BatchNorm):
            part.register_forward_pre_hook(hook(name))
    with torch.no_grad():
        list(made.kind.endpoints(module, batch))
    return seen


def test_stages_of_r2plus1d() -> None:
    network = load_sample("rgb")
    stages = find_stages(network, make_batch(network))
    assert [stage.name for stage in stages] == [
        one.name for one in network.info.endpoints if one.name not in ("AP", "SOFTMAX")
    ]
    assert {name for stage in stages for name in stage.tensors} == dict(network.module.named_parameters()).keys()
    assert all(name.startswith("stem.") for name in stages[0].tensors)
    assert all(name.startswith("stages.1.") for name in stages[2].tensors)
    norms = {name for name, part in network.module.named_modules() if isinstance(part, _BatchNorm)}
    assert [name for stage in stages for name in stage.norms] and {n for s in stages for n in s.norms} == norms
    assert stages[-1].tensors == ("classifier.weight", "classifier.bias")


@pytest.mark.parametrize("name", ["small", "eager"])
def test_stages_of_another_kind(name: str) -> None:
    network = NETWORKS[name]()
    stages = find_stages(network, make_batch(network))
    assert [stage.name for stage in stages] == ["edges", "shapes", "classes"]
    assert [stage.norms for stage in stages] == [(), ("second.3",), ()]


@pytest.mark.parametrize("order", ORDERS)
def test_only_the_weights_of_randomised_stages_are_others(network: Network, order: Order) -> None:
    original = snapshot(network)
    networks = make_networks(network)
    randomised: set[str] = set()
    places = []
    for stage, made in networks.in_order(order):
        places.append(stage.place)
        randomised = set(stage.tensors) if order == "independent" else randomised | set(stage.tensors)
        for name, tensor in made.module.named_parameters():
            mine = original[name]
            if name not in randomised:
                assert tensor.data_ptr() == name_tensors(network.module)[name].data_ptr()
            else:
                assert torch.equal(tensor.flatten().sort().values, mine.flatten().sort().values)
                assert mine.numel() < 9 or mine.std() == 0 or not torch.equal(tensor, mine), name
    ascending = [stage.place for stage in networks.stages]
    assert places == (ascending[::-1] if order == "top-down" else ascending)
    check_same(original, snapshot(network))
    assert not any("forward" in part.__dict__ for part in network.module.modules())


@pytest.mark.parametrize("order", ORDERS)
def test_norms_are_those_of_the_clip(network: Network, order: Order) -> None:
    networks = make_networks(network)
    original = snapshot(network)
    randomised: set[str] = set()
    for stage, made in networks.in_order(order):
        randomised = set(stage.norms) if order == "independent" else randomised | set(stage.norms)
        seen = watch_norms(made, networks.batch)
        for name, (mean, variance) in seen.items():
            found = made.module.get_buffer(f"{name}.running_mean"), made.module.get_buffer(f"{name}.running_var")
            if name in randomised:
                scale = float(variance.max().sqrt())
                torch.testing.assert_close(found[0].double(), mean, atol=1e-5 * scale, rtol=1e-4)
                torch.testing.assert_close(found[1].double(), variance, atol=1e-5 * scale**2, rtol=1e-4)
            else:
                assert torch.equal(found[0], original[f"{name}.running_mean"])
                assert torch.equal(found[1], original[f"{name}.running_var"])


@pytest.mark.parametrize("order", ORDERS)
def test_what_runs_is_the_network_fused(network: Network, order: Order) -> None:
    networks = make_networks(network)
    made = [one for _, one in networks.in_order(order)]
    with torch.no_grad():
        for one in made:  # after all were made: none has changed another one
            again = Network(one.module, one.info, one.kind)
            for (place, found), (_, expected) in zip(
                one.endpoints(networks.batch), again.endpoints(networks.batch), strict=True
            ):
                assert torch.equal(found, expected), place
                assert bool(found.isfinite().all())


def test_orders_end_in_the_same_network(network: Network) -> None:
    """However it is come by; norms differ by rounding alone."""
    networks = make_networks(network)
    last = [list(networks.in_order(order))[-1][1] for order in ("bottom-up", "top-down")]
    last.append(networks.randomise_all())
    for other in last[1:]:
        for name, tensor in name_tensors(other.module).items():
            torch.testing.assert_close(tensor, name_tensors(last[0].module)[name], rtol=1e-4, atol=1e-5)


def test_same_names_same_bytes(network: Network) -> None:
    first, second = (make_networks(network).randomise_all() for _ in range(2))
    check_same(snapshot(first), snapshot(second))


def test_equal_shapes_get_different_orders() -> None:
    network = load_sample("rgb")
    made = make_networks(network).randomise_all()
    orders = {}
    for name, tensor in network.module.named_parameters():
        values, shuffled = tensor.flatten(), dict(made.module.named_parameters())[name].flatten()
        if len(values.unique()) == len(values) > 30:
            order = tuple(torch.searchsorted(values.sort().values, shuffled).tolist())
            assert orders.setdefault(order, name) == name
    assert len(orders) > 10


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 1000])
def test_permute(count: int, kind: type[np.floating]) -> None:
    values = np.arange(count, dtype=kind) - 3
    found = permute(values, np.random.default_rng(5))
    assert found.dtype == kind and sorted(found) == list(values)
    assert list(found) == list(permute(values, np.random.default_rng(5)))
    assert count < 7 or list(found) != sorted(found)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_permute_prefers_no_order(kind: type[np.floating]) -> None:
    random = np.random.default_rng(0)
    counts = np.zeros((4, 4))
    for _ in range(4000):
        counts[np.arange(4), permute(np.arange(4, dtype=kind), random).astype(int)] += 1
    assert np.abs(counts / 4000 - 0.25).max() < 0.03


def test_reset_weights_are_those_of_new_layers() -> None:
    network = load_sample("rgb")
    before = torch.get_rng_state()
    made = make_networks(network, weights="reset").randomise_all()
    assert torch.equal(before, torch.get_rng_state())
    for name, part in made.module.named_modules():
        if isinstance(part, nn.Conv3d):
            inputs = part.weight[0].numel()
            assert part.weight.abs().max() <= inputs**-0.5 and part.weight.std() > 0.3 * inputs**-0.5, name
        elif isinstance(part, _BatchNorm):
            assert bool((part.weight == 1).all() and (part.bias == 0).all())
    check_same(snapshot(network), snapshot(load_sample("rgb")))


@pytest.mark.parametrize("norms", ["reset", "kept"])
def test_norms_reset_or_kept(norms: Norms) -> None:
    network = load_sample("rgb")
    made = make_networks(network, norms=norms).randomise_all()
    for name, buffer in made.module.named_buffers():
        if name.endswith("running_mean"):
            assert torch.equal(buffer, network.module.get_buffer(name) if norms == "kept" else torch.zeros_like(buffer))
        if name.endswith("running_var"):
            assert torch.equal(buffer, network.module.get_buffer(name) if norms == "kept" else torch.ones_like(buffer))


def test_the_network_is_left_as_it_was_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    network = load_sample("rgb")
    original, fused = snapshot(network), network.fused
    networks = make_networks(network)

    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "var_mean", fail)
    with pytest.raises(KeyboardInterrupt):
        next(networks.in_order("bottom-up"))
    check_same(original, snapshot(network))
    assert network.fused is fused and not any(part._forward_pre_hooks for part in network.module.modules())
    assert not any("forward" in part.__dict__ for part in network.module.modules())


def test_stages_that_are_alike_are_computed_once() -> None:
    """From the input on, all norms together take one forward pass; each alone, two."""
    network = load_sample("rgb")
    networks = make_networks(network)
    for order, allowed in (("bottom-up", 1), ("independent", 2)):
        ran: list[str] = []
        for name, part in network.module.named_modules():
            if isinstance(part, nn.Conv3d):
                part.register_forward_hook(lambda *_, name=name, ran=ran: ran.append(name))
        list(networks.in_order(order))  # type: ignore[arg-type]
        assert 0 < max(ran.count(name) for name in set(ran)) <= allowed
        for part in network.module.modules():
            part._forward_hooks.clear()
