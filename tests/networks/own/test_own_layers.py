"""Endpoints of a user's own network: every activation, and its gradient, is the module's own by torch alone."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gbvis.attribution.graph import Graph
from gbvis.errors import UsageError
from gbvis.networks.endpoint import Target
from gbvis.networks.network import Network
from gbvis.networks.own.load import take_module
from gbvis.networks.own.spec import InputSize
from material.methods import PlainGradient
from material.own_networks import BottleneckNet, Decides, Wrapped, make

SIZE = InputSize(8, 24)
Clips = list[np.ndarray]


@pytest.fixture
def clips(random: np.random.Generator) -> Clips:
    return list(random.integers(0, 256, (2, 8, 24, 24, 3)).astype(np.uint8))


def as_tensor(clips: Clips) -> Tensor:
    """Return clips as torch takes them, 0-1."""
    return torch.from_numpy(np.stack(clips)).permute(0, 4, 1, 2, 3).contiguous().float() / 255


class OutOfPlace(BottleneckNet):
    """The same arithmetic, written out without anything in place: every activation is kept."""

    def activations(self, clips: Tensor) -> dict[str, Tensor]:
        """Return what each module returns, by our names of the endpoints."""
        found = {"stem": self._stem(clips)}
        made = found["stem"].relu()
        for name, block in (("first-block", self.blocks["first/block"]), ("Bl-ck", self.blocks["Blöck"])):
            given, place = made, f"blocks.{name}"
            for number in (1, 2, 3):
                made = found[f"{place}.conv{number}"] = block.get_submodule(f"conv{number}")(made)
                made = found[f"{place}.bn{number}"] = block.get_submodule(f"bn{number}")(made)
                if number < 3:
                    made = found[f"{place}.relu{'+2' if number == 2 else ''}"] = made.relu()
            shortcut = found[f"{place}.downsample"] = block.downsample(given)
            made = found[place] = (made + shortcut).relu()
        found["head.0"] = made.flatten(1)
        found["FC"] = self.head(made.flatten(1))
        found["SOFTMAX"] = found["FC"].softmax(1)
        return found


def test_every_endpoint_is_what_the_module_returns(clips: Clips) -> None:
    """What modules change in place afterwards, and a ReLU that runs three times, come as they were then."""
    network = take_module(make(), SIZE)
    expected = make(OutOfPlace).eval().activations(as_tensor(clips))
    with torch.no_grad():
        found = dict(network.endpoints(network.preprocess(clips)))
    assert [one.name for one in found] == list(expected)
    for endpoint, activation in found.items():
        torch.testing.assert_close(activation, expected[endpoint.name], rtol=1e-5, atol=1e-5)


def test_gradients_are_those_of_torch(clips: Clips) -> None:
    network = take_module(make(), SIZE)
    targets = [Target(one, network.info.targets[one.name] - 1) for one in network.info.endpoints]
    with Graph(network, clips) as graph:
        graph.forward({one.endpoint for one in targets})
        found = [next(one.result()) for one in graph.attribute(PlainGradient(), targets)]
    batch = as_tensor(clips).requires_grad_()
    expected = make(OutOfPlace).eval().activations(batch)
    for target, one in zip(targets, found, strict=True):
        chosen = expected[target.endpoint.name][:, target.index]
        chosen = chosen.abs().sum() if chosen.ndim == 4 else chosen.sum()
        (gradient,) = torch.autograd.grad(chosen, batch, retain_graph=True)
        np.testing.assert_allclose(one.values, gradient[0].numpy(), atol=1e-5 * gradient.abs().max().item())


def test_only_what_is_wanted_is_kept(clips: Clips) -> None:
    network = take_module(make(), SIZE)
    found = {one.name: made for one, made in network.endpoints(network.preprocess(clips), {"stem", "SOFTMAX"})}
    assert {name for name, made in found.items() if not made.is_meta} == {"stem", "FC", "SOFTMAX"}
    assert {name: tuple(made.shape[1:]) for name, made in found.items()} == {
        endpoint.name: shape for endpoint, shape in network.trace_shapes((3, 8, 24, 24)).items()
    }


def test_names(clips: Clips) -> None:
    """All that torch lets a module be called: the endpoint's name is safe, and the module's own is an alias."""
    info = take_module(make(), SIZE).info
    for own, name in {
        "_stem": "stem",
        "blocks.first/block": "blocks.first-block",
        "blocks.Blöck.relu+3": "blocks.Bl-ck",
        "head.1": "FC",
        "head": "FC",
    }.items():
        assert [one.name for one in info.find_endpoints([own])] == [name]
    with pytest.raises(UsageError, match="unknown endpoint 'blocks.first-block.conv4'") as caught:
        info.find_endpoints(["blocks.first-block.conv4"])
    assert "did you mean blocks.first-block.conv" in caught.value.hint


def test_names_that_differ_in_case_alone() -> None:
    module = nn.Sequential()
    for name in ("Conv", "conv", "all", "clips", "x" * 200, "x" * 199 + "y"):
        module.add_module(name, nn.Conv3d(3, 3, 1))
    names = [one.name.lower() for one in take_module(module, SIZE).info.endpoints]
    assert names[:4] == ["conv", "conv+2", "all+2", "clips+2"] and len(set(names)) == 6
    assert max(map(len, names)) < 100


def test_a_module_is_left_as_it_is(clips: Clips) -> None:
    module = make().train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    network = take_module(module, SIZE)
    list(network.endpoints(network.preprocess(clips)))
    assert all(part.training and not part._forward_hooks for part in module.modules())
    assert all(one.requires_grad for one in module.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert not any(part._forward_hooks for part in network.module.modules())


def test_what_cannot_be_followed_is_computed_clip_by_clip(clips: Clips) -> None:
    plain, one_by_one = take_module(make(), SIZE), take_module(make(Decides), SIZE)
    assert one_by_one.info.endpoints == plain.info.endpoints
    with torch.no_grad():
        expected = dict(plain.endpoints(plain.preprocess(clips)))
        found = dict(one_by_one.endpoints(one_by_one.preprocess(clips)))
    for endpoint, activation in found.items():
        torch.testing.assert_close(activation, expected[endpoint])
    assert one_by_one.trace_shapes((3, 8, 24, 24)) == plain.trace_shapes((3, 8, 24, 24))


def endpoints_of(network: Network) -> list[str]:
    return [one.name for one in network.info.endpoints][-2:]


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda logits: logits.softmax(1), ["FC", "SOFTMAX"]),
        (lambda logits: logits.softmax(1).unflatten(0, (-1, 1)).mean(1), ["inner", "SOFTMAX"]),
        (lambda logits: logits.sigmoid(), ["FC", "SOFTMAX"]),
        (lambda logits: logits[:, :, None, None, None], ["inner", "output"]),
    ],
    ids=["softmax", "mean of softmaxes", "sigmoid", "no classes"],
)
def test_what_a_network_returns(change: object, names: list[str], clips: Clips) -> None:
    network = take_module(make(Wrapped, change), SIZE)
    assert endpoints_of(network) == names
    with torch.no_grad():
        found = list(network.endpoints(network.preprocess(clips)))[-1][1]
        logits = make().eval()(as_tensor(clips))
    if "SOFTMAX" in names and network.kind.plan.gives_probabilities:  # type: ignore[attr-defined]
        torch.testing.assert_close(found, logits.softmax(1))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda logits: (logits, logits), "returns a tuple of 2: 2x4, 2x4"),
        (lambda logits: {"logits": logits}, "returns a dict with logits"),
        (lambda logits: logits[:, :, None], "returns a tensor of 2x4x1 for 2 clips"),
        (lambda logits: logits.sum(), "returns a tensor of no axes"),
        (lambda logits: logits.detach(), "no gradient leads from the output"),
        (lambda logits: None, "returns nothing"),
    ],
)
def test_what_a_network_must_not_return(change: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        take_module(make(Wrapped, change), SIZE)


def test_a_clip_of_another_size() -> None:
    with pytest.raises(UsageError, match="BottleneckNet does not take a clip of 3x8x32x32 .*: RuntimeError: mat1"):
        take_module(make(), InputSize(8, 32))
    network = take_module(make(), SIZE)
    with pytest.raises(UsageError, match="fails on clips of 3x16x24x24") as caught:
        list(network.endpoints(torch.zeros(1, 3, 16, 24, 24)))
    assert "its --input is 3x8x24x24" in caught.value.hint


def test_the_stream_is_told_by_the_first_convolution() -> None:
    assert take_module(make(BottleneckNet, 4, 2), SIZE).info.modality == "flow"
    with pytest.raises(UsageError, match="a first convolution that takes 5 channels"):
        take_module(nn.Conv3d(5, 2, 1), SIZE)
    with pytest.raises(UsageError, match="no convolution"):
        take_module(nn.Linear(5, 2), SIZE)


def test_endpoints_can_be_chosen() -> None:
    info = take_module(make(), SIZE, endpoints=["_stem", "blocks.Bl-ck"]).info
    assert [one.name for one in info.endpoints] == ["stem", "blocks.Bl-ck", "FC", "SOFTMAX"]
