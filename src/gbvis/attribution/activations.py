"""Activations between a network's input and its output: found in autograd's graph of the pass that really ran.

What the graph does not show as an activation cannot be found: `x * (x > 0)` is a product to it. `x * sigmoid(x)` shows:
both factors come from one node.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache

from torch import Tensor
from torch.autograd.function import BackwardCFunction
from torch.autograd.graph import Node

from gbvis.attribution.relu_count import ReluCount

_GUIDED, _UNGUIDED, _OTHER, _NONE = "guided", "unguided", "other", ""

_ACTIVATIONS = (
    "Celu|Clamp(Min|Max)?|Elu|Fmax|Fmin|Gelu|Hardshrink|Hardswish|Hardtanh|LeakyRelu|LogSigmoid|Maximum|Minimum|Mish|"
    "Prelu|PreluKernel|Relu|Rrelu|RreluWithNoise(Functional)?|Silu|Softplus|Softshrink|Threshold|Where"
)
"""What torch calls the nodes of elementwise activations, less `Backward0`."""

_OTHERS = {
    "max pooling": "(Adaptive|Fractional)?MaxPool.*|Max|Amax",
    "softmax": "(Log)?Softmax",
    "sigmoid gate": "Sigmoid|Hardsigmoid|Glu",
    "tanh": "Tanh",
    "attention": "ScaledDotProduct.*",
    "recurrent layer": "CudnnRnn|MiopenRnn",
}
"""Nodes that are listed: a rule for ReLUs leaves them as they are, as the papers do."""

_TWO_SIDED = ("Fmax", "Fmin", "Maximum", "Minimum")
"""Of two activations they are a kind of pooling; of one and a constant, an activation."""


def count_activations(output: Tensor, places: Mapping[Node, str]) -> ReluCount:
    """Return which activations an output depends on, those without a rule in the order of the forward pass.

    Args:
        output: Part of the graph of a forward pass that nobody has gone back through.
        places: What is known of some nodes, in words: `GELU in blocks.3.act`.
    """
    guided, others, unguided = 0, Counter[str](), list[tuple[int, str]]()
    for node in _list_nodes(output):
        verdict, name = _judge(node, places)
        if verdict == _GUIDED:
            guided += 1
        elif verdict == _OTHER:
            others[name] += 1
        elif verdict == _UNGUIDED:
            unguided.append((node._sequence_nr(), places.get(node, f"{name} in an unknown place")))
    return ReluCount(guided, tuple(name for _, name in sorted(unguided)), dict(sorted(others.items())))


def _list_nodes(output: Tensor) -> Iterator[Node]:
    """Yield every node behind an output once."""
    waiting, seen = [output.grad_fn], set[Node]()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            yield node
            waiting += [following for following, _ in node.next_functions]


def _judge(node: Node, places: Mapping[Node, str]) -> tuple[str, str]:
    """Return what a node is, and what it is called."""
    kind = type(node)
    if issubclass(kind, BackwardCFunction):
        return _judge_function(kind)
    verdict, name = _judge_name(kind.__name__ if kind.__name__ != "CppFunction" else node.name())
    if name == "CopySlices" and node in places:  # of an activation in place, of a part of a tensor
        return _UNGUIDED, name
    if name == "Mul" and _is_swish(node):
        return _UNGUIDED, "x * sigmoid(x)"
    if name in _TWO_SIDED and all(following is not None for following, _ in node.next_functions):
        return _OTHER, "maximum of two"
    return verdict, name


def _is_swish(product: Node) -> bool:
    """Return whether a product is that of an activation and its own sigmoid: SiLU, written by hand."""
    factors = [following for following, _ in product.next_functions]
    gates = [one for one in factors if one is not None and type(one).__name__.startswith("Sigmoid")]
    return any(gate.next_functions[0][0] is factor for gate in gates for factor in factors)


@cache
def _judge_function(kind: type) -> tuple[str, str]:
    """Return what a node is that Python goes back through: known are ours, and layers that come with torch."""
    function: type = kind._forward_cls  # type: ignore[attr-defined]
    if function.__module__.startswith("gbvis."):
        return str(getattr(function, "passes_by", _NONE)), getattr(function, "title", function.__name__)
    return (_NONE if function.__module__.startswith("torch.nn.") else _UNGUIDED), f"{function.__name__} (a function)"


@cache
def _judge_name(title: str) -> tuple[str, str]:
    """Return what a node is that torch itself goes back through."""
    if title.startswith("torch::jit::"):
        return _UNGUIDED, "scripted code"
    name = re.sub("Backward[0-9]*$", "", title)
    if re.fullmatch(_ACTIVATIONS, name):
        return _UNGUIDED, name
    for other, pattern in _OTHERS.items():
        if re.fullmatch(pattern, name):
            return _OTHER, other
    return _NONE, name
