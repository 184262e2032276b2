"""Convolutions computed in another way, against torch's own in float64: outputs and gradients."""

import pytest
import torch
from torch import nn

from gbvis.networks.layers.quick_convolution import PhasedConvolution, SummedConvolution, make_quick


def check(convolution: nn.Conv3d, kind: type[nn.Module], clips: torch.Tensor) -> None:
    quick = make_quick(convolution)
    assert type(quick) is kind
    clips.requires_grad_()
    expected, found = convolution(clips), quick(clips)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    gradient = torch.randn_like(expected)
    (wanted,), (given,) = (torch.autograd.grad(one, clips, gradient) for one in (expected, found))
    torch.testing.assert_close(given, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("step", [(1, 1, 1), (2, 2, 2), (1, 2, 2), (2, 1, 1)])
def test_many_channels_are_summed_up_frame_by_frame(frames: int, step: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    convolution = nn.Conv3d(256, 8, 3, step, 1).double()
    check(convolution, SummedConvolution, torch.randn(2, 256, frames, 5, 6, dtype=torch.float64))


@pytest.mark.parametrize("kernel", [(3, 7, 7), (1, 7, 7), (7, 7, 7), (3, 3, 5)])
@pytest.mark.parametrize("size", [(8, 9), (9, 8), (7, 7), (8, 8)])
@pytest.mark.parametrize("step", [1, 2])
def test_a_first_convolution_takes_pixels_for_channels(
    kernel: tuple[int, int, int], size: tuple[int, int], step: int
) -> None:
    torch.manual_seed(0)
    padding = tuple(length // 2 for length in kernel)
    convolution = nn.Conv3d(3, 8, kernel, (step, 2, 2), padding).double()
    check(convolution, PhasedConvolution, torch.randn(2, 3, 5, *size, dtype=torch.float64))


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv3d(64, 8, 3, 1, 1),
        nn.Conv3d(256, 8, 3, 1, 0),
        nn.Conv3d(256, 256, 3, 1, 1, groups=256),
        nn.Conv3d(256, 8, 3, 1, 1, bias=False),
        nn.Conv3d(256, 8, 3, 1, 2, dilation=2),
        nn.Conv3d(3, 8, 7, 2, 3, padding_mode="replicate"),
        nn.Conv3d(3, 8, 7, (1, 1, 2), 3),
    ],
)
def test_any_other_stays_as_it_is(convolution: nn.Conv3d) -> None:
    assert make_quick(convolution) is convolution
