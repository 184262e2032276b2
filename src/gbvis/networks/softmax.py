"""Softmax whose gradient stays right where one probability is nearly 1 or 0."""

import torch
from torch import Tensor

_SMALLEST_SHARE = 2.0**-100
"""What gradients are scaled up from at most: float32 ends at 2^128, and what follows may add to it."""


class _Softmax(torch.autograd.Function):
    """Softmax over classes, computed in float64 from the logits.

    d p_c / d z_j is p_c (δ_cj - p_j). For j = c that is p_c (1 - p_c), and 1 - p_c is 0 in float32 once p_c is above
    1 - 6e-8. It is the sum of the other probabilities, though, and these are known however small they are. So the
    gradients that arrive are taken less that of the most probable class m; then p_m has no part in the sum, and the
    gradient with respect to z_j, p_j (h_j - Σ p_k h_k), subtracts nothing from 1.
    """

    passes_by, title = "other", "softmax"  # for `attribution/activations`

    @staticmethod
    def forward(context: torch.autograd.function.FunctionCtx, logits: Tensor) -> Tensor:
        probabilities = _widen(logits).softmax(1)
        context.save_for_backward(probabilities)
        return probabilities.to(logits.device, logits.dtype)

    @staticmethod
    def backward(context: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> Tensor:
        (probabilities,) = context.saved_tensors  # type: ignore[attr-defined]
        (gradient,) = gradients
        wide = _widen(gradient)
        beyond = wide - wide.gather(1, probabilities.argmax(1, keepdim=True))
        passed = probabilities * (beyond - (probabilities * beyond).sum(1, keepdim=True))
        returned: Tensor = passed.to(gradient.device, gradient.dtype)
        return returned


def softmax(logits: Tensor) -> Tensor:
    """Return the probabilities of classes, (N, classes), for logits of that shape; see `_Softmax`."""
    probabilities: Tensor = _Softmax.apply(logits)  # type: ignore[no-untyped-call]
    return probabilities


def is_softmax_of(probabilities: Tensor, logits: Tensor) -> bool:
    """Return whether torch's own softmax over classes made the first, (N, classes), of the second, for autograd."""
    made, source = probabilities.grad_fn, logits.grad_fn
    if made is None or source is None or made.name() != "SoftmaxBackward0" or probabilities.ndim != 2:
        return False
    is_over_classes = made._saved_dim in (1, 2**64 - 1)  # type: ignore[attr-defined]  # -1, as torch keeps it
    return is_over_classes and made.next_functions[0][0] is source


def gradient_scale(probabilities: Tensor, index: int) -> Tensor:
    """Return a power of two for each clip, as large as the gradient of probability `index` is small.

    On the way back, a gradient that starts at p (1 - p) would underflow in float32. Scaled by a power of two the same
    bits come out, as long as there are any.

    Args:
        probabilities: (N, classes).
        index: Of the class.

    Returns:
        (N,), of the same type; 1 where the probabilities of all classes do not sum to 1.
    """
    wide = _widen(probabilities.detach())
    others = wide.clone()
    others[:, index] = 0
    share = (wide[:, index] * others.sum(1)).clamp(_SMALLEST_SHARE, 1)
    are_of_softmax = (wide.sum(1) - 1).abs() < 1e-2
    scale = torch.where(are_of_softmax, torch.exp2(-share.log2().floor()), 1.0)
    return scale.to(probabilities.device, probabilities.dtype)


def _widen(values: Tensor) -> Tensor:
    """Return values in float64, on the CPU where their device knows none."""
    return (values.cpu() if values.device.type == "mps" else values).double()
