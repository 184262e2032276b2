"""Registration: where the cells of an activation lie in a network's input, found out by looking at the network."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gbvis.errors import UsageError
from gbvis.networks.endpoint import Endpoint
from gbvis.networks.grid import Cells, Place, Sizes
from gbvis.videos.clip import ClipFormat

_SMALL, _LARGE = (32, 128, 128), (64, 256, 256)
"""Frames, rows and columns of two inputs that show by how much cells are apart."""

_UNTRACEABLE = (AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What networks raise where they cannot be run on tensors without numbers, or not of this size."""

_DIGITS = 2
"""Digits of a measured start: of what is beyond, other noise has others."""

Shapes = Mapping[Endpoint, tuple[int, ...]]


def infer_cells(trace_shapes: Callable[[tuple[int, ...]], Shapes], form: ClipFormat, channels: int) -> dict[str, Cells]:
    """Return how cells lie at the endpoints with time and space, by their names, as far as shapes tell.

    Nothing is returned of a network that shapes cannot be traced through.

    Args:
        trace_shapes: `Network.trace_shapes`.
        form: The network's input.
        channels: Of its first convolution.
    """

    def trace(*sizes: int) -> dict[str, Sizes]:
        shapes = trace_shapes((channels, *sizes))
        return {endpoint.name: shape[1:] for endpoint, shape in shapes.items() if len(shape) == 4}

    with suppress(*_UNTRACEABLE):  # where it takes inputs of one size only
        small, large = trace(*_SMALL), trace(*_LARGE)
        grown = {name: np.subtract(large[name], small[name]) for name in large}
        if all(more.all() for more in grown.values()):
            return {name: Cells(_to_place(np.subtract(_LARGE, _SMALL) / more)) for name, more in grown.items()}
    with suppress(*_UNTRACEABLE):
        own = (form.frames * (form.channels // channels), form.crop, form.crop)
        sizes = trace(*own)
        return {name: Cells(_to_place(np.divide(own, size)), has_any_size=False) for name, size in sizes.items()}
    return {}


def _to_place(numbers: NDArray[Any]) -> Place:
    time, row, column = map(float, numbers)
    return time, row, column


def make_noise(channels: int, sizes: Sizes, device: torch.device) -> Tensor:
    """Return the input on which starts are measured: float32 (1, channels, *sizes), standard normal, ever the same."""
    noise = np.random.default_rng(0).standard_normal((1, channels, *sizes), np.float32)
    return torch.from_numpy(noise).to(device)


def measure_start(
    activate: Callable[[Tensor], Iterator[tuple[Endpoint, Tensor]]], name: str, step: Place, noise: Tensor
) -> Place:
    """Return where the first cell at an endpoint is centred, in the places of a network's input.

    A cell lies where its gradient does: at the centroid of |d sum over filters / d input|. Of some cells around the
    middle, whose gradients are not cut off by the input's borders, it is the mean over (centroid - k * step).

    Args:
        activate: `Network.endpoints`.
        name: The endpoint's.
        step: How far cells are apart.
        noise: As `make_noise` returns it.

    Raises:
        UsageError: None of these cells has a gradient.
    """
    noise = noise.requires_grad_()
    activation = next(activation for endpoint, activation in activate(noise) if endpoint.name == name)
    starts = []
    for cell in _choose_cells(activation.shape[2:]):
        filters = activation[0, :, cell[0], cell[1], cell[2]]
        (gradient,) = torch.autograd.grad(filters.sum(), noise, retain_graph=True)
        weights = gradient[0].abs().double().sum(0).cpu().numpy()
        if 0 < weights.sum() < np.inf:
            starts.append(find_centroid(weights) - np.multiply(cell, step))
    if not starts:
        raise UsageError(
            f"where the cells at {name} lie cannot be measured: their gradients on noise are 0, NaN or infinite",
            "choose another layer, as in --method grad-cam:at=NAME; gbvis inspect-shapes lists them",
        )
    return _to_place(np.mean(starts, 0).round(_DIGITS))


def _choose_cells(counts: Sequence[int]) -> list[tuple[int, ...]]:
    """Return three cells along the diagonal: the middle one, and a sixth of the size before and behind it."""
    return [tuple(count // 2 + side * (count // 6) for count in counts) for side in (-1, 0, 1)]


def find_centroid(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the centroid of what is not negative: float64 (axes,), in places from the middle of the first one."""
    total = weights.sum()
    axes = range(weights.ndim)
    sums = (weights.sum(tuple(other for other in axes if other != axis)) for axis in axes)
    return np.array([one @ np.arange(len(one)) / total for one in sums])
