"""Convolutions computed in another way, against torch's own in float64: outputs and gradients."""

from typing import Any

import pytest
import torch
from torch import nn

from gbvis.networks.layers.quick_convolution import PhasedConvolution, make_quick
from gbvis.networks.layers.same_padding import SameConvolution
from gbvis.networks.layers.space_convolutions import SummedConvolution, WinogradConvolution


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
    convolution = nn.Conv3d(320, 8, 3, step, 1).double()
    check(convolution, SummedConvolution, torch.randn(2, 320, frames, 5, 6, dtype=torch.float64))


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("kernel", [(3, 3, 3), (3, 5, 3)])
def test_frames_are_computed_in_pairs(frames: int, step: int, kernel: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    convolution = nn.Conv3d(16, 8, kernel, (1, step, step), (1, kernel[1] // 2, 1)).double()
    check(convolution, WinogradConvolution, torch.randn(2, 16, frames, 5, 6, dtype=torch.float64))


def test_pairs_of_frames_cost_no_exactness() -> None:
    torch.manual_seed(0)
    convolution = nn.Conv3d(64, 64, 3, 1, 1).requires_grad_(False)
    clips = torch.randn(1, 64, 8, 14, 14)
    found = make_quick(convolution)(clips).double()
    exact = convolution.double()(clips.double())
    assert (found - exact).abs().max() < 5e-6 * exact.abs().max()


@pytest.mark.parametrize("kernel", [(3, 7, 7), (1, 7, 7), (7, 7, 7), (3, 3, 5)])
@pytest.mark.parametrize("size", [(8, 9), (9, 8), (7, 7), (8, 8)])
@pytest.mark.parametrize("step", [1, 2])
def test_a_first_convolution_takes_pixels_for_channels(
    kernel: tuple[int, int, int], size: tuple[int, int], step: int
) -> None:
    torch.manual_seed(0)
    padding = kernel[0] // 2, kernel[1] // 2, kernel[2] // 2
    convolution = nn.Conv3d(3, 8, kernel, (step, 2, 2), padding).double()
    check(convolution, PhasedConvolution, torch.randn(2, 3, 5, *size, dtype=torch.float64))


def make_same(*about: Any) -> SameConvolution:
    torch.manual_seed(0)
    convolution = SameConvolution(*about)
    convolution.bias = nn.Parameter(torch.randn(convolution.out_channels))
    return convolution.double()


@pytest.mark.parametrize("kernel", [(7, 7, 7), (3, 5, 3), (1, 3, 7)])
@pytest.mark.parametrize("size", [(4, 8, 9), (5, 9, 8), (4, 7, 7), (5, 8, 8)])
@pytest.mark.parametrize("step", [1, 2])
def test_a_first_convolution_may_pad_as_tensorflow_does(
    kernel: tuple[int, int, int], size: tuple[int, int, int], step: int
) -> None:
    convolution = make_same(3, 8, kernel, (step, 2, 2))
    check(convolution, PhasedConvolution, torch.randn(2, 3, *size, dtype=torch.float64))


@pytest.mark.parametrize("size", [(4, 8, 9), (5, 9, 8)])
@pytest.mark.parametrize(("inputs", "kind"), [(16, WinogradConvolution), (320, SummedConvolution)])
def test_without_strides_tensorflows_padding_is_the_same(
    inputs: int, kind: type[nn.Module], size: tuple[int, int, int]
) -> None:
    convolution = make_same(inputs, 8, (3, 3, 3), (1, 1, 1))
    check(convolution, kind, torch.randn(2, inputs, *size, dtype=torch.float64))


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv3d(12, 8, 3, 1, 1),
        nn.Conv3d(64, 8, (3, 1, 1), 1, (1, 0, 0)),
        nn.Conv3d(64, 8, (5, 3, 3), 1, (2, 1, 1)),
        nn.Conv3d(64, 8, 3, 1, 1).bfloat16(),
        nn.Conv3d(256, 8, 3, 1, 0),
        nn.Conv3d(256, 256, 3, 1, 1, groups=256),
        nn.Conv3d(256, 8, 3, 1, 1, bias=False),
        nn.Conv3d(256, 8, 3, 1, 2, dilation=2),
        nn.Conv3d(3, 8, 7, 2, 3, padding_mode="replicate"),
        nn.Conv3d(3, 8, 7, (1, 1, 2), 3),
        make_same(64, 8, (3, 3, 3), (2, 2, 2)),
        make_same(64, 8, (3, 4, 4), (1, 1, 1)),
    ],
)
def test_any_other_stays_as_it_is(convolution: nn.Conv3d) -> None:
    assert make_quick(convolution) is convolution
