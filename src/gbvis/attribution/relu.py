"""ReLUs that a rule decides for on the way back, chosen after the forward pass."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from gbvis.errors import UsageError

ReluRule = Callable[[Tensor, Tensor], Tensor]
"""What becomes of a gradient at a ReLU: given the gradient, which it may change in place, and the ReLU's output.

Of a gradient twice as large it makes twice as much: tiny ones come scaled up.
"""


def pass_where_active(gradient: Tensor, rectified: Tensor) -> Tensor:
    """Return the gradient of a ReLU: it passes where the activation is positive."""
    torch.ops.aten.threshold_backward.grad_input(gradient, rectified, 0, grad_input=gradient)
    return gradient


OTHER_RECTIFIERS = (
    *(nn.CELU, nn.ELU, nn.GELU, nn.Hardswish, nn.LeakyReLU, nn.Mish, nn.PReLU, nn.ReLU6, nn.RReLU, nn.SELU, nn.SiLU),
    nn.Softplus,
)
"""Layers that do what ReLUs do in other networks, and that the rules of methods say nothing of."""


def check_rectifiers(module: nn.Module) -> None:
    """Check that a rule for ReLUs decides at every rectifier of a network.

    Raises:
        UsageError: There are others, of which it says nothing.
    """
    for name, part in module.named_modules():
        if isinstance(part, OTHER_RECTIFIERS):
            raise UsageError(
                f"the layer {name} is a {type(part).__name__}, and this method has a rule for ReLUs alone",
                "take a method without one, such as --method gradient or integrated-gradients",
            )


class CurrentRule:
    """The rule at the ReLUs during the current backward pass."""

    current: ReluRule


class _Rectification(torch.autograd.Function):
    """A ReLU whose backward pass follows the current rule."""

    @staticmethod
    def forward(
        context: torch.autograd.function.FunctionCtx, activation: Tensor, rule: CurrentRule, overwrites: bool
    ) -> Tensor:
        # In place, behind autograd's back: an activation that autograd knew to be changed would be copied on the way
        # back, since it is a view.
        rectified = activation.data.clamp_(min=0) if overwrites else activation.clamp(min=0)
        context.save_for_backward(rectified)
        context.rule, context.overwrites = rule, overwrites  # type: ignore[attr-defined]
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


class _RuledReLU(nn.Module):
    def __init__(self, rule: CurrentRule, overwrites: bool) -> None:
        super().__init__()
        self._rule, self._overwrites = rule, overwrites

    def forward(self, activation: Tensor) -> Tensor:
        rectified: Tensor = _Rectification.apply(activation, self._rule, self._overwrites)  # type: ignore[no-untyped-call]
        return rectified


@contextmanager
def replaced_relus(module: nn.Module, rule: CurrentRule, overwrites: bool) -> Iterator[None]:
    """Replace every ReLU of `module` by one that follows `rule`, while the context lasts.

    Args:
        module: The network.
        rule: Asked at every ReLU on the way back.
        overwrites: They may overwrite what they are given; see `NetworkKind.relus_overwrite`.
    """
    named = list(module.named_modules(remove_duplicate=False))  # one ReLU may stand in several places
    found = [(*name.rpartition("."), part) for name, part in named if isinstance(part, nn.ReLU)]
    try:
        for parent, _, name, _ in found:
            setattr(module.get_submodule(parent), name, _RuledReLU(rule, overwrites))
        yield  # the backward passes keep the rule: it is part of the graph
    finally:
        for parent, _, name, relu in found:
            setattr(module.get_submodule(parent), name, relu)
