"""How far the fused network is from exact arithmetic (float64): the bounds that `docs/notes/rounding.md` states."""

import numpy as np
import pytest
import torch

from gbvis.attribution.graph import Graph
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.networks.endpoint import FC, Endpoint, Target
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import STAGES, Architecture, Block, Factors, Variant
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT, TORCHVISION
from gbvis.networks.r2plus1d.fused import fuse
from gbvis.networks.r2plus1d.load import KIND, describe
from gbvis.networks.r2plus1d.module import FactorizedConvolution, R2Plus1D
from material.checkpoints import Exact

FORMS = {"same": OLD_SCRIPT, "symmetric": TORCHVISION}

SMALL = Architecture(
    Factors(3, 12, 16),
    tuple(
        (Block(Factors(inputs, 3 * width, width), Factors(width, 3 * width, width)),)
        for inputs, width in ((16, 16), (16, 32), (32, 80), (80, 96))
    ),
    11,
)
"""Convolutions of 12 to 288 input channels: those of more than 200 are summed in parts."""


def make_network(seed: int, padding: str) -> Network:
    """Return a network with random weights and random norms."""
    torch.manual_seed(seed)
    module = R2Plus1D(SMALL, FORMS[padding].variant)
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm3d):
            torch.nn.init.uniform_(part.running_var, 0.02, 0.3)
            torch.nn.init.normal_(part.running_mean, std=0.05)
            torch.nn.init.normal_(part.weight, 1, 0.1)
            torch.nn.init.normal_(part.bias, std=0.1)
    return Network(module, describe(module, FORMS[padding], "rgb"), KIND)


def draw_clip(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (4, 48, 48, 3), dtype=np.uint8)


def activate(module: R2Plus1D, batch: torch.Tensor) -> dict[Endpoint, torch.Tensor]:
    with torch.no_grad():
        return {endpoint: activation.double() for endpoint, activation in module.endpoints(batch)}


def error_of(found: torch.Tensor, exact: torch.Tensor) -> float:
    return float((found - exact).pow(2).mean().sqrt() / exact.pow(2).mean().sqrt())


@pytest.mark.parametrize("padding", FORMS)
@pytest.mark.parametrize("seed", range(4))
def test_activations(seed: int, padding: str) -> None:
    network = make_network(seed, padding)
    batch = network.preprocess([draw_clip(seed)])
    plain = activate(network.module, batch)
    fused = activate(network.fused, batch.contiguous(memory_format=torch.channels_last_3d))
    exact = activate(network.module.double(), batch.double())
    for endpoint in (*STAGES, FC):
        error = error_of(fused[endpoint], exact[endpoint])
        assert error < 2e-6
        assert error < 1.6 * max(error_of(plain[endpoint], exact[endpoint]), 1e-7)


@pytest.mark.parametrize("seed", range(6))
def test_gradients(seed: int) -> None:
    network, clip = make_network(seed, "symmetric"), draw_clip(seed)
    targets = [Target(STAGES[0], 3), Target(STAGES[2], 5), Target(FC, 7)]

    def attribute(one: Network) -> list[np.ndarray]:
        with Graph(one, [clip]) as graph:
            graph.forward({target.endpoint for target in targets})
            found = [pending.result() for pending in graph.attribute(GuidedBackprop(), targets, is_last=False)]
            return [next(iter(results)).values.astype(np.float64) for results in found]

    for found, exact in zip(attribute(network), attribute(Exact(network)), strict=True):
        error = np.abs(found - exact) / np.abs(exact).max()
        assert np.sqrt((error**2).mean()) < 2e-4
        assert error.max() < 2e-2
        assert (error > 1e-4).mean() < 5e-2


def test_a_wide_convolution_is_summed_in_parts() -> None:
    """One sum of 4608 products is off by 8e-7, on processors with AVX2."""
    torch.manual_seed(0)
    variant = Variant("symmetric", 1e-5)
    plain = FactorizedConvolution(Factors(512, 512, 64), (3, 3, 3), (1, 1, 1), variant).eval()
    architecture = Architecture(Factors(3, 4, 512), ((Block(Factors(512, 8, 8), Factors(8, 8, 8)),),) * 4, 3)
    module = R2Plus1D(architecture, variant)
    module.stem = plain  # type: ignore[assignment]
    batch = torch.rand(1, 512, 2, 7, 7)
    fused = fuse(module.eval(), torch.device("cpu"), torch.float32).stem.spatial
    found = fused(batch.contiguous(memory_format=torch.channels_last_3d)).detach().double()
    exact = plain.double().spatial(batch.double()).detach()
    centred = exact - exact.mean()
    assert float((found - exact).pow(2).mean().sqrt() / centred.pow(2).mean().sqrt()) < 2e-5
    assert len(fused._names) == 8
    in_bfloat16 = fuse(module.float(), torch.device("cpu"), torch.bfloat16).stem.spatial
    assert len(in_bfloat16._names) == 1  # every part of a sum would be rounded to 8 bit
