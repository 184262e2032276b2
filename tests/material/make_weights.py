"""Makes two checkpoints in the old script's layout, one a stream, with random weights: `make_weights.py FOLDER`.

They know no classes; they show that everything runs. The networks are R(2+1)D-18, an eighth as wide.
"""

import argparse
import sys
from pathlib import Path

import torch

from gbvis.networks.r2plus1d.architecture import Architecture, Block, Factors
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT
from gbvis.networks.r2plus1d.module import R2Plus1D

WIDTHS = (8, 16, 32, 64)


def make_architecture(input_channels: int, classes: int = 101) -> Architecture:
    """Return R(2+1)D-18 with the stages' widths in WIDTHS."""
    inputs = (WIDTHS[0], *WIDTHS)
    stages = tuple(
        tuple(
            Block(Factors.like_3d(inputs[stage] if block == 0 else width, width), Factors.like_3d(width, width))
            for block in range(2)
        )
        for stage, width in enumerate(WIDTHS)
    )
    return Architecture(Factors(input_channels, 12, WIDTHS[0]), stages, classes)


def make_state_dict(architecture: Architecture, seed: int) -> dict[str, torch.Tensor]:
    """Return random weights under the old script's names."""
    torch.manual_seed(seed)
    module = R2Plus1D(architecture, OLD_SCRIPT.variant)
    return {str(OLD_SCRIPT.name_of(name)): tensor for name, tensor in module.state_dict().items()}


def main() -> None:
    """Write rgb.pth and flow.pth."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (modality, channels) in enumerate({"rgb": 3, "flow": 1}.items()):
        state_dict = make_state_dict(make_architecture(channels), seed)
        content = {modality: {"split1": {"state_dict": state_dict}}}
        torch.save({"args": argparse.Namespace(made="at random"), "content": content}, folder / f"{modality}.pth")


if __name__ == "__main__":
    main()
