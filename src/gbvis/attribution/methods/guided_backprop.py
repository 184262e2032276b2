"""Guided back-propagation (Springenberg et al. 2015, "Striving for Simplicity: The All Convolutional Net", part 3.4).

At every ReLU the gradient passes only where both the activation and the gradient itself are positive. Checked against
the original programs and Captum's `GuidedBackprop` in `golden/`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from gbvis.attribution.attribution import PendingAttributions
from gbvis.networks.endpoint import Endpoint, Target
from gbvis.networks.network import Network, ShapeWatcher
from gbvis.networks.transfer import HostCopy
from gbvis.videos.clip import ClipPixels

NAME = "guided-backprop"


def attribute(
    network: Network,
    clips: Sequence[ClipPixels],
    endpoints: Collection[Endpoint],
    choose: Callable[[Mapping[Endpoint, HostCopy]], Sequence[Target]],
    watch: ShapeWatcher | None = None,
) -> Iterator[PendingAttributions]:
    """Yield the guided gradients of every target that `choose` picks, all from one forward pass of all clips.

    Args:
        network: Left as it was found, also after an error.
        clips: Each (T, H, W, C), all of one shape.
        endpoints: Where the targets lie, or what is needed to choose them.
        choose: Given the responses at `endpoints`, float32 (clip, targets), returns the targets.
        watch: Told the shapes on the way.
    """
    batch = network.input_of(clips).requires_grad_()
    with _guided(network.running):  # the backward pass keeps the rule: it is part of the graph
        responses = network.respond(batch, endpoints, watch)
    targets = choose({endpoint: HostCopy(values) for endpoint, values in responses.items()})
    for position, target in enumerate(targets):
        values = responses[target.endpoint][:, target.index]
        is_last = position == len(targets) - 1
        # No clip has a part in another's value, so the gradient of their sum holds every clip's own.
        (gradients,) = torch.autograd.grad(values.sum(), batch, retain_graph=not is_last)
        yield PendingAttributions(target, HostCopy(values), HostCopy(network.gradients_of(gradients)))


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
