"""ReLUs that a rule decides for on the way back, chosen after the forward pass; however they are written."""

import copy
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from gbvis.attribution.activations import count_activations
from gbvis.attribution.relu_count import ReluCount
from gbvis.errors import GbvisError
from gbvis.networks.endpoint import Endpoint
from gbvis.networks.network import Network

ReluRule = Callable[[Tensor, Tensor], Tensor]
"""What becomes of a gradient at a ReLU: given the gradient, which it may change in place, and the ReLU's output.

Of a gradient twice as large it makes twice as much: tiny ones come scaled up.
"""


def pass_where_active(gradient: Tensor, rectified: Tensor) -> Tensor:
    """Return the gradient of a ReLU: it passes where the activation is positive."""
    torch.ops.aten.threshold_backward.grad_input(gradient, rectified, 0, grad_input=gradient)
    return gradient


_IN_PLACE = frozenset({torch.relu_, Tensor.relu_, torch.ops.aten.relu_, torch.ops.aten.relu_.default})

_RELUS = _IN_PLACE | {torch.relu, Tensor.relu, functional.relu, torch.ops.aten.relu, torch.ops.aten.relu.default}
"""All ways to call a ReLU; `nn.ReLU` calls one of them."""

_NAMES = (
    *("celu", "clamp", "clamp_max", "clamp_min", "clip", "elu", "fmax", "fmin", "gelu", "hardshrink", "hardswish"),
    *("hardtanh", "leaky_relu", "logsigmoid", "max", "maximum", "min", "minimum", "mish", "prelu", "relu6", "rnn_relu"),
    *("rnn_relu_cell", "rrelu", "selu", "silu", "softplus", "softshrink", "threshold", "where"),
)

_ACTIVATIONS = frozenset(
    getattr(place, name + mark)
    for place in (torch, Tensor, functional, torch._C._nn)
    for name in _NAMES
    for mark in ("", "_")
    if hasattr(place, name + mark)
)
"""Functions whose place in the network is noted, so that messages can name it."""


class CurrentRule:
    """The rule at the ReLUs during the current backward pass."""

    current: ReluRule


class _Rectification(torch.autograd.Function):
    """A ReLU whose backward pass follows the current rule."""

    passes_by = "guided"  # for `activations`

    @staticmethod
    def forward(
        context: torch.autograd.function.FunctionCtx, activation: Tensor, rule: CurrentRule, way: str
    ) -> Tensor:
        # Behind autograd's back: an activation that autograd knew to be changed would be copied on the way back, since
        # it is a view.
        if way == "overwrite":
            rectified = activation.data.clamp_(min=0)
        elif way == "in place":
            rectified = activation.clamp_(min=0)
            context.mark_dirty(activation)
        else:
            rectified = activation.clamp(min=0)
        context.save_for_backward(rectified)
        context.rule, context.overwrites = rule, way == "overwrite"  # type: ignore[attr-defined]
        return rectified

    @staticmethod
    def backward(context: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (rectified,) = context.saved_tensors  # type: ignore[attr-defined]
        (passed,) = gradients
        # Laid out as the activation is: where two tensors' strides differ, every operation on both is several times as
        # slow, and all that come after it.
        strides = zip(rectified.shape, passed.stride(), rectified.stride(), strict=True)
        is_alike = all(size == 1 or theirs == ours for size, theirs, ours in strides)
        if not (is_alike and context.overwrites):  # type: ignore[attr-defined]
            passed = torch.empty_like(rectified).copy_(passed)
        return context.rule.current(passed, rectified), None, None  # type: ignore[attr-defined]


class GuidedRelus(TorchFunctionMode):
    """While its context lasts, every ReLU that runs in this thread follows a rule, however it is called.

    The network is not touched. Where other activations run, that is noted.
    """

    def __init__(self, module: nn.Module, rule: CurrentRule, overwrites: bool) -> None:
        """Name the parts.

        Args:
            module: The network.
            rule: Asked at every ReLU on the way back.
            overwrites: They may overwrite what they are given; see `NetworkKind.relus_overwrite`.
        """
        super().__init__()
        self._module, self._rule, self._overwrites = module, rule, overwrites
        self._places: dict[Node, str] = {}
        self._names: dict[nn.Module, str] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call a function of torch; where it is a ReLU, ours."""
        if func in _RELUS:
            return self._rectify(func, args, kwargs or {})
        result = func(*args, **(kwargs or {}))
        if func in _ACTIVATIONS:
            self._note(func.__name__, result)
        return result

    def _rectify(self, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Return what a ReLU makes of its argument, which it changes where it is called in place."""
        given = [*args, *(value for name, value in kwargs.items() if name != "inplace")]
        activation = given[0]
        if not activation.requires_grad or not torch.is_grad_enabled():
            return func(*args, **kwargs)
        is_in_place = func in _IN_PLACE
        if func is functional.relu and (kwargs.get("inplace") or (len(args) > 1 and args[1])):
            is_in_place = not self._overwrites  # a kind that overwrites goes on with the result
        if not is_in_place:
            return self._apply(activation, "overwrite" if self._overwrites else "copy")
        if activation.is_leaf:
            return func(*args, **kwargs)  # an error, in torch's words
        if activation._is_view():  # in place it would be hidden in a node that does not tell what it holds
            return activation.copy_(self._apply(activation, "copy"))
        return self._apply(activation, "in place")

    def _apply(self, activation: Tensor, way: str) -> Tensor:
        rectified: Tensor = _Rectification.apply(activation, self._rule, way)  # type: ignore[no-untyped-call]
        return rectified

    def _note(self, name: str, result: Any) -> None:
        """Note where an activation has run: its node, and what to call it."""
        first = result[0] if isinstance(result, tuple) else result
        if not isinstance(first, Tensor) or first.grad_fn is None:
            return
        place = self._find_place(name.strip("_"))
        self._places[first.grad_fn] = place
        if name.endswith("_") and first._base is not None and first._base.grad_fn is not None:
            self._places[first._base.grad_fn] = place

    def _find_place(self, name: str) -> str:
        """Return a function with the innermost module that called it: `GELU in blocks.3.act`, or `gelu in blocks.3`."""
        self._names = self._names or {part: title for title, part in self._module.named_modules()}
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            caller = frame.f_locals.get("self")
            if isinstance(caller, nn.Module) and caller in self._names:
                is_layer = type(caller).__module__ == "torch.nn.modules.activation"
                title = self._names[caller]
                return f"{type(caller).__name__ if is_layer else name}{f' in {title}' if title else ''}"
            frame = frame.f_back
        return name

    def count(self, output: Tensor) -> ReluCount:
        """Return which activations an output of the pass depends on; nobody may have gone back through it."""
        found = count_activations(output, self._places)
        scripted = [name for name, part in self._module.named_modules() if isinstance(part, torch.jit.ScriptModule)]
        outermost = [name for name in scripted if name.rpartition(".")[0] not in scripted or not name]
        unguided = (*found.unguided, *(f"scripted module {name}".strip() for name in outermost))
        return ReluCount(found.guided, unguided, found.others)

    def forget(self) -> None:
        """Let go of the pass's graph."""
        self._places = {}


@contextmanager
def guiding(module: nn.Module, rule: CurrentRule, overwrites: bool) -> Iterator[GuidedRelus]:
    """Have every ReLU follow `rule` while the context lasts; compiled parts run as they were written.

    Args:
        module: The network.
        rule: As for `GuidedRelus`.
        overwrites: As for `GuidedRelus`.
    """
    if "torch._dynamo.eval_frame" not in sys.modules:  # nothing was compiled, and its import takes seconds
        with GuidedRelus(module, rule, overwrites) as relus:
            yield relus
        return
    with torch.compiler.set_stance("force_eager"), GuidedRelus(module, rule, overwrites) as relus:
        yield relus


def trace_relus(network: Network, clip_shape: tuple[int, ...]) -> dict[Endpoint, ReluCount]:
    """Return for each endpoint what a rule for ReLUs would reach; nothing is computed, unless the network needs it.

    Args:
        network: As its file has it: no rule is needed for it.
        clip_shape: Of one clip: channels, T, H, W.
    """
    try:
        without_numbers = copy.deepcopy(network.module).to("meta")
        return _trace(network, without_numbers, torch.empty((1, *clip_shape), device="meta"))
    except (GbvisError, NotImplementedError, RuntimeError, TypeError, ValueError):  # it looks at numbers
        first = next(network.module.parameters())
        return _trace(network, network.module, torch.zeros((1, *clip_shape), device=first.device, dtype=first.dtype))


def _trace(network: Network, module: nn.Module, clip: Tensor) -> dict[Endpoint, ReluCount]:
    given = clip.requires_grad_() * 1  # a leaf may not be changed in place
    with guiding(module, CurrentRule(), overwrites=False) as relus:
        return {endpoint: relus.count(one) for endpoint, one in network.kind.endpoints(module, given)}
