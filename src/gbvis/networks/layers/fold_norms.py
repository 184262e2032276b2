"""Norms folded into the convolutions before them: in evaluation a norm is a factor and a shift for each channel."""

import copy
from itertools import pairwise

import torch
from torch import Tensor, nn

from gbvis.networks.layers.quick_convolution import make_quick


def fold_norms(module: nn.Module, dtype: torch.dtype, is_cpu: bool) -> nn.Module:
    """Return a copy of a network in which no norm that follows a convolution is left; the network stays as it is.

    A norm follows a convolution where it stands right behind it among the children of one module, or right behind a
    `Sequential` that ends with one. No parameter is shared with the network. ReLUs work in place.

    Args:
        module: The network, in evaluation mode.
        dtype: What it will be computed in; norms are folded in float64.
        is_cpu: Compute convolutions in another way where that is quicker on a CPU.
    """
    tensors = [*module.parameters(), *module.buffers()]
    shared = {id(tensor) for tensor in tensors}
    folded = copy.deepcopy(module, {id(tensor): tensor for tensor in tensors})
    for parent in list(folded.modules()):
        for (name, part), (next_name, norm) in pairwise(list(parent.named_children())):
            place = _find_last(parent, name, part)
            if place and isinstance(norm, nn.BatchNorm3d):
                one = _fold(place[2], norm, dtype)
                setattr(place[0], place[1], make_quick(one) if is_cpu else one)
                setattr(parent, next_name, nn.Identity())
        if isinstance(parent, nn.ReLU):
            parent.inplace = True
    for part in folded.modules():
        for name, parameter in list(part.named_parameters(recurse=False)):
            if id(parameter) in shared:  # `to` would change the network's own
                setattr(part, name, nn.Parameter(parameter.detach().clone(), requires_grad=False))
    return folded


def _find_last(parent: nn.Module, name: str, part: nn.Module) -> tuple[nn.Module, str, nn.Conv3d] | None:
    """Return the convolution that a part is, or that a `Sequential` ends with: its parent, its name, itself."""
    if isinstance(part, nn.Sequential) and len(part):
        return _find_last(part, str(len(part) - 1), part[-1])
    return (parent, name, part) if isinstance(part, nn.Conv3d) else None


def _fold(convolution: nn.Conv3d, norm: nn.BatchNorm3d, dtype: torch.dtype) -> nn.Conv3d:
    """Return the convolution that does what the two do, one after the other."""
    weight, shift = fold_norm(convolution, norm)
    folded: nn.Conv3d = copy.deepcopy(convolution, {id(one): one for one in convolution.parameters()})
    folded.weight = nn.Parameter(weight.to(dtype), requires_grad=False)
    folded.bias = nn.Parameter(shift.to(dtype), requires_grad=False)
    return folded


def fold_norm(convolution: nn.Conv3d, norm: nn.BatchNorm3d) -> tuple[Tensor, Tensor]:
    """Return a convolution's weight with its norm in it, and what is added to every output: float64."""
    assert norm.running_var is not None and norm.running_mean is not None
    weight, bias = convolution.weight.double(), convolution.bias
    factor = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    before = -norm.running_mean.double() if bias is None else bias.double() - norm.running_mean.double()
    return weight * factor[:, None, None, None, None], norm.bias.double() + before * factor
