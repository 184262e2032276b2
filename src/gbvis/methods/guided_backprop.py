"""Guided back-propagation (Springenberg et al. 2015, "Striving for Simplicity: The All Convolutional Net", part 3.4).

At every ReLU the gradient passes only where both the activation and the gradient itself are positive. Checked against
the original programs and Captum's `GuidedBackprop` in `golden/`.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from gbvis.attribution import Attribution
from gbvis.clip import ClipPixels
from gbvis.endpoint import Endpoint, Responses, Target
from gbvis.network import Network, ShapeWatcher

NAME = "guided-backprop"


def attribute(
    network: Network,
    pixels: ClipPixels,
    endpoints: Collection[Endpoint],
    choose: Callable[[Responses], Sequence[Target]],
    watch: ShapeWatcher | None = None,
) -> Iterator[Attribution]:
    """Yield the guided gradient of every target that `choose` picks, all from one forward pass.

    Args:
        network: Left as it was found, also after an error.
        pixels: uint8 (T, H, W, C), one clip.
        endpoints: Where the targets lie, or what is needed to choose them.
        choose: Given the responses at `endpoints`, returns the targets.
        watch: Told the shapes on the way.
    """
    clip = network.input_of(pixels).requires_grad_()
    with _guided(network.running):  # the backward pass keeps the rule: it is part of the graph
        responses = network.respond(clip, endpoints, watch)
    targets = choose({endpoint: values.detach().cpu().numpy() for endpoint, values in responses.items()})
    for position, target in enumerate(targets):
        value = responses[target.endpoint][target.index]
        is_last = position == len(targets) - 1
        (gradient,) = torch.autograd.grad(value, clip, retain_graph=not is_last)
        yield Attribution(target, value.item(), network.gradient_of(gradient))


class _GuidedRectification(torch.autograd.Function):
    """ReLU forward; backward the paper's rule."""

    @staticmethod
    def forward(context: torch.autograd.function.FunctionCtx, activation: Tensor) -> Tensor:
        # In place, behind autograd's back: nothing else keeps what a ReLU is given, and an activation that autograd
        # knew to be changed would be copied on the way back, since it is a view.
        rectified = activation.data.clamp_(min=0)
        context.save_for_backward(rectified)
        return rectified

    @staticmethod
    def backward(context: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> Tensor:
        (rectified,) = context.saved_tensors  # type: ignore[attr-defined]
        (passed,) = gradients
        # Laid out as the activation is: where two tensors' strides differ, every operation on both is several times as
        # slow, and all that come after it. Else in place: what a ReLU is given on the way back comes from a convolution
        # or is a sum that autograd made, and nobody else's.
        strides = zip(rectified.shape, passed.stride(), rectified.stride(), strict=True)
        if any(size > 1 and theirs != ours for size, theirs, ours in strides):
            passed = torch.empty_like(rectified).copy_(passed)
        torch.ops.aten.threshold_backward.grad_input(passed.clamp_(min=0), rectified, 0, grad_input=passed)
        return passed


class _GuidedReLU(nn.Module):
    def forward(self, activation: Tensor) -> Tensor:
        rectified: Tensor = _GuidedRectification.apply(activation)  # type: ignore[no-untyped-call]
        return rectified


@contextmanager
def _guided(module: nn.Module) -> Iterator[None]:
    """Replace every ReLU of `module` by a guided one while the context lasts."""
    found = [
        (parent, name, child)
        for parent in module.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.ReLU)
    ]
    try:
        for parent, name, _ in found:
            setattr(parent, name, _GuidedReLU())
        yield
    finally:
        for parent, name, child in found:
            setattr(parent, name, child)
