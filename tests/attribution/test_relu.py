"""Every form of a ReLU is guided, as Captum guides its module form, or refused; and both are counted."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from gbvis.attribution.graph import Graph
from gbvis.attribution.method import Method
from gbvis.attribution.methods.deconvnet import Deconvnet
from gbvis.attribution.methods.gradient import Gradient
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.attribution.methods.smoothgrad import SmoothGrad
from gbvis.attribution.relu import trace_relus
from gbvis.attribution.relu_count import ReluCount
from gbvis.errors import UsageError
from gbvis.networks.endpoint import Endpoint, Target
from gbvis.networks.network import Network
from gbvis.videos.clip import Inputs
from material.small_kind import CLASSES, SHAPES, SmallKind, make_small_network

Form = Callable[[Tensor], Tensor]
RULES: list[tuple[Method, str]] = [(GuidedBackprop(), "GuidedBackprop"), (Deconvnet(), "Deconvolution")]


class Own(torch.autograd.Function):
    """A ReLU that somebody wrote."""

    @staticmethod
    def forward(context: torch.autograd.function.FunctionCtx, activation: Tensor) -> Tensor:
        context.save_for_backward(activation)
        return activation.clamp(min=0)

    @staticmethod
    def backward(context: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> Tensor:
        (activation,) = context.saved_tensors
        return gradients[0] * (activation > 0)


def as_statement(activation: Tensor) -> Tensor:
    """Return a tensor that was changed in place, by a call whose result nobody takes."""
    own = activation * 1
    own.relu_()
    return own


def of_parts(activation: Tensor) -> Tensor:
    """Return a tensor whose channels were changed in place one after the other."""
    own = activation * 1
    for channel in range(own.shape[1]):
        own[:, channel].relu_()
    return own


def clamp_parts(activation: Tensor) -> Tensor:
    """Return the same by a function that is no ReLU to us."""
    own = activation * 1
    own[:, :2].clamp_(min=0)
    return own


def shifted(activation: Tensor) -> Tensor:
    """Return a ReLU of a tensor that was put together in place: a copy is no activation."""
    own = torch.zeros_like(activation)
    own[:, 1:] = activation[:, :-1]
    own[:, :1] = activation[:, -1:]
    return own.relu().roll(-1, 1)


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that it is on its way out: networks of this kind are still about
    scripted, scripted_function = torch.jit.script(nn.Sequential(nn.ReLU())), torch.jit.script(functional.relu)
shared = nn.ReLU()
modules = {"module": nn.ReLU(), "in place": nn.ReLU(inplace=True), "prelu": nn.PReLU(init=0.0), "relu6": nn.ReLU6()}

GUIDED: dict[str, Form] = {
    "module": modules["module"],
    "module in place": lambda x: modules["in place"](x * 1),
    "one module twice": lambda x: shared(shared(x)),
    "F.relu": functional.relu,
    "F.relu in place": lambda x: functional.relu(x * 1, inplace=True),
    "F.relu in place, by position": lambda x: functional.relu(x * 1, True),
    "F.relu_": lambda x: functional.relu_(x * 1),
    "torch.relu": torch.relu,
    "torch.relu, by name": lambda x: torch.relu(input=x),
    "torch.relu_": lambda x: torch.relu_(x * 1),
    "Tensor.relu": Tensor.relu,
    "Tensor.relu_": lambda x: (x * 1).relu_(),
    "relu_ as a statement": as_statement,
    "relu_ of parts": of_parts,
    "aten.relu": torch.ops.aten.relu,
    "aten.relu.default": torch.ops.aten.relu.default,
    "after copies in place": shifted,
    "checkpoint": lambda x: checkpoint(torch.relu, x, use_reentrant=False),
}

REFUSED: dict[str, tuple[Form, str]] = {
    "clamp": (lambda x: x.clamp(min=0), "clamp"),
    "SiLU by hand": (lambda x: torch.sigmoid(x) * x, "x * sigmoid(x)"),
    "clamp_min": (lambda x: torch.clamp_min(x, 0), "clamp_min"),
    "clamp in place of a part": (clamp_parts, "clamp"),
    "maximum": (lambda x: torch.maximum(x, torch.zeros(())), "maximum"),
    "max": (lambda x: torch.max(x, torch.zeros_like(x)), "max"),
    "where": (lambda x: torch.where(x > 0, x, 0.0), "where"),
    "threshold": (lambda x: functional.threshold(x, 0, 0), "threshold"),
    "GELU": (nn.GELU(), "gelu"),
    "F.silu": (functional.silu, "silu"),
    "ELU": (functional.elu, "elu"),
    "LeakyReLU": (functional.leaky_relu, "leaky_relu"),
    "LeakyReLU in place": (lambda x: functional.leaky_relu(x * 1, inplace=True), "leaky_relu"),
    "PReLU": (modules["prelu"], "prelu"),
    "ReLU6": (modules["relu6"], "relu6"),
    "Hardtanh": (functional.hardtanh, "hardtanh"),
    "Softplus": (functional.softplus, "softplus"),
    "scripted function": (scripted_function, "in an unknown place"),
    "own function": (Own.apply, "Own (a function)"),
}


class Formed(nn.Module):
    """Two convolutions with a ReLU of some form behind each, and a classifier."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.first, self.second = nn.Conv3d(3, 4, 3, padding=1), nn.Conv3d(4, 5, 3, 2, 1)
        self.form = form
        self.classifier = nn.Linear(5, 3)

    def endpoints(self, clips: Tensor) -> Iterator[tuple[Endpoint, Tensor]]:
        """Yield the endpoints of `small_kind`, less the first."""
        activation = self.form(self.second(self.form(self.first(clips))))
        yield SHAPES, activation
        yield CLASSES, self.classifier(activation.mean((2, 3, 4)))

    def forward(self, clips: Tensor) -> Tensor:
        """Return the logits."""
        return [activation for _, activation in self.endpoints(clips)][-1]


class FormedKind(SmallKind):
    """Networks that run as they were written."""

    def fuse(self, module: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
        return module


def make_network(form: Form) -> Network:
    info = replace(make_small_network().info, endpoints=(SHAPES, CLASSES))
    return Network(Formed(form), info, FormedKind())


@pytest.fixture
def inputs(random: np.random.Generator) -> Inputs:
    return Inputs(random.standard_normal((1, 3, 4, 12, 12), np.float32))


def attribute(network: Network, inputs: Inputs, method: Method) -> tuple[np.ndarray, ReluCount | None]:
    with Graph(network, inputs) as graph:
        graph.forward({CLASSES})
        ((found,),) = (pending.result() for pending in graph.attribute(method, [Target(CLASSES, 1)]))
    return found.values, found.relus


def attribute_by_captum(module: nn.Module, inputs: Inputs, name: str) -> np.ndarray:
    from captum import attr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it sets hooks
        rival = getattr(attr, name)(module)
        found: Tensor = rival.attribute(torch.from_numpy(inputs.values).requires_grad_(), target=1)
    return found[0].detach().numpy()


@pytest.mark.parametrize(("method", "theirs"), RULES, ids=lambda one: str(one))
@pytest.mark.parametrize("name", GUIDED)
def test_every_form_is_guided(inputs: Inputs, name: str, method: Method, theirs: str) -> None:
    found, relus = attribute(make_network(GUIDED[name]), inputs, method)
    expected = attribute_by_captum(Formed(nn.ReLU()), inputs, theirs)
    plain = attribute_by_captum(Formed(nn.ReLU()), inputs, "Saliency")
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())
    assert np.abs(expected - plain).max() > 0.1 * np.abs(expected).max()  # or the rule would not be looked at
    count = {"one module twice": 4, "relu_ of parts": 4 + 5}.get(name, 2)
    assert relus == ReluCount(count)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_guided_is_refused_and_named(inputs: Inputs, name: str) -> None:
    form, word = REFUSED[name]
    network = make_network(form)
    with pytest.raises(UsageError, match="a rule for ReLUs does not reach") as raised:
        attribute(network, inputs, GuidedBackprop())
    assert word.lower() in raised.value.problem.lower() and "--allow-unguided" in raised.value.hint
    plain, relus = attribute(network, inputs, Gradient())
    assert plain.any() and relus is None
    network.allows_unguided = True
    found, relus = attribute(network, inputs, GuidedBackprop())
    assert relus and relus.guided == 0 and len(relus.unguided) == 2
    np.testing.assert_allclose(found, plain, atol=1e-6 * np.abs(plain).max())


def test_captum_takes_a_function_for_no_relu(inputs: Inputs) -> None:
    """It gives the plain gradient where ReLUs are functions, and says nothing; gbvis does not."""
    module = Formed(functional.relu)
    guided, plain = (
        attribute_by_captum(module, inputs, "GuidedBackprop"),
        attribute(make_network(functional.relu), inputs, Gradient())[0],
    )
    np.testing.assert_allclose(guided, plain, atol=1e-6 * np.abs(plain).max())
    ours, _ = attribute(make_network(functional.relu), inputs, GuidedBackprop())
    assert np.abs(ours - guided).max() > 0.1 * np.abs(ours).max()


def test_a_reentrant_checkpoint_hides_what_is_in_it(inputs: Inputs) -> None:
    """It goes forward without a graph; torch itself refuses to go back through it to an input alone."""
    network = make_network(lambda x: checkpoint(torch.relu, x, use_reentrant=True))
    with pytest.raises(UsageError, match=r"does not reach CheckpointFunction \(a function\)"):
        attribute(network, inputs, GuidedBackprop())


def test_scripted_modules_are_refused_however_often_they_ran(inputs: Inputs) -> None:
    """Torch changes what it makes of one after some passes."""
    network = make_network(scripted)
    for _ in range(3):
        with pytest.raises(UsageError, match="scripted module form"):
            attribute(network, inputs, GuidedBackprop())


@pytest.mark.slow
def test_compiled_modules_run_as_they_were_written(inputs: Inputs) -> None:
    expected = attribute_by_captum(Formed(nn.ReLU()), inputs, "GuidedBackprop")
    compiled = torch.compile(nn.Sequential(nn.ReLU()), backend="eager")
    in_place = nn.Sequential(nn.ReLU())
    in_place.compile(backend="eager")
    for form in (compiled, in_place, torch.compile(lambda x: functional.relu(x), backend="eager")):
        form(torch.ones(1, 1, 1, 1, 1))
        found, relus = attribute(make_network(form), inputs, GuidedBackprop())
        assert relus == ReluCount(2)
        np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())


def test_activations_are_named_by_their_module(inputs: Inputs) -> None:
    network = make_network(nn.Sequential(nn.Identity(), nn.GELU()))
    with pytest.raises(UsageError, match=r"does not reach GELU in form\.1: it decides at 0 of 2 activations before"):
        attribute(network, inputs, GuidedBackprop())
    network = make_network(nn.Sequential(*(nn.Sequential(nn.SiLU()) for _ in range(5))))
    with pytest.raises(UsageError, match=r"SiLU in form\.0\.0, SiLU in form\.1\.0, SiLU in form\.2\.0 and 2 more: "):
        attribute(network, inputs, GuidedBackprop())


class Mixed(Formed):
    """A ReLU, then a pooling, a gate and a GELU."""

    def endpoints(self, clips: Tensor) -> Iterator[tuple[Endpoint, Tensor]]:
        """Yield the endpoints of `small_kind`, less the first."""
        activation = functional.max_pool3d(self.form(self.second(self.first(clips).relu())), 2)
        yield SHAPES, activation * activation.mean((2, 3, 4), keepdim=True).sigmoid()
        yield CLASSES, functional.gelu(self.classifier(activation.mean((2, 3, 4))))


def test_each_endpoint_has_a_count_of_its_own(inputs: Inputs) -> None:
    network = make_network(nn.ReLU())
    network = Network(Mixed(nn.ReLU()), network.info, network.kind)
    with Graph(network, inputs) as graph:
        graph.forward({SHAPES, CLASSES})
        assert graph.count_relus(SHAPES) == ReluCount(2, (), {"max pooling": 1, "sigmoid gate": 1})
        assert graph.count_relus(CLASSES) == ReluCount(2, ("gelu",), {"max pooling": 1})
        ((found,),) = (pending.result() for pending in graph.attribute(GuidedBackprop(), [Target(SHAPES, 1)], False))
        assert found.relus and found.relus.describe() == "2 of 2 ReLUs guided"
        with pytest.raises(UsageError, match="gelu: it decides at 2 of 3 activations before classes"):
            list(graph.attribute(GuidedBackprop(), [Target(CLASSES, 1)]))
        ((plain,),) = (pending.result() for pending in graph.attribute(Gradient(), [Target(CLASSES, 1)]))
        assert plain.relus is None


@pytest.mark.parametrize("needs_numbers", [False, True])
def test_a_network_that_has_not_run_is_counted(needs_numbers: bool) -> None:
    def form(activation: Tensor) -> Tensor:
        return activation.relu() * (1 if needs_numbers and activation.max().item() > 9 else 2)

    network = Network(Mixed(form), make_network(form).info, FormedKind())
    expected = {SHAPES: (2, ()), CLASSES: (2, ("gelu",))}
    counts = trace_relus(network, (3, 4, 12, 12))
    assert {endpoint: (one.guided, one.unguided) for endpoint, one in counts.items()} == expected
    assert not any(one.requires_grad for one in network.module.parameters())


def test_methods_of_many_passes_count_too(inputs: Inputs, random: np.random.Generator) -> None:
    clip = random.integers(0, 256, (4, 24, 24, 3), dtype=np.uint8)
    for method, expected in ((SmoothGrad(2, of="guided-backprop"), ReluCount(2)), (SmoothGrad(2), None)):
        with Graph(make_network(functional.relu), [clip]) as graph:
            graph.forward({CLASSES})
            ((found,),) = (pending.result() for pending in graph.attribute(method, [Target(CLASSES, 1)]))
        assert found.relus == expected


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_the_network_and_torch_come_back_unchanged(inputs: Inputs, error: type[BaseException]) -> None:
    relu = nn.ReLU()

    def fail(activation: Tensor) -> Tensor:
        if activation.shape[1] == 5:
            raise error
        return relu(activation)

    network = make_network(fail)
    before = [*network.module.named_modules()], functional.relu, relu.forward
    with pytest.raises(error), Graph(network, inputs) as graph:
        graph.forward({CLASSES})
    assert ([*network.module.named_modules()], functional.relu, relu.forward) == before
    given = torch.ones(1, requires_grad=True)
    for found in (functional.relu(given), relu(given)):
        assert found.grad_fn and found.grad_fn.name() == "ReluBackward0"


def test_a_relu_of_what_needs_no_gradient_is_torchs_own(inputs: Inputs) -> None:
    """Such as of a positional code; and nothing is changed that nobody goes back through."""
    code = torch.tensor([-1.0, 1.0, -1.0, 1.0])[:, None, None, None]
    found, relus = attribute(
        make_network(lambda x: torch.relu(x + (functional.relu(code) if x.shape[1] == 4 else 0))),
        inputs,
        GuidedBackprop(),
    )
    assert relus == ReluCount(2) and found.any() and code.min() == -1
