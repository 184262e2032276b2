"""One guided gradient of each kind of network, from FC, against Captum on the original module.

    python benchmarks/networks.py [--rounds N] [--kinds i3d,s3d,r3d_18,mc3_18]

Needs `pip install --no-deps torchvision cd-fvd`: the originals are theirs, with random weights. Both ways take turns in
one process; each round's ratio counts, and the median of them is printed. Captum is given the module form, the only one
in which it guides anything.
"""

import argparse
import statistics
import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from captum.attr import GuidedBackprop as CaptumGuidedBackprop
from rivals import THREADS, guided_gradients, take_turns
from torch import Tensor, nn

from gbvis.networks.endpoint import Target
from gbvis.networks.load import build_network
from gbvis.networks.network import Network
from gbvis.networks.weights import NamedTensors

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
originals = import_module("material.originals")

CLASS, FRAMES = 3, 16

WANTED = {"i3d": 1.0, "s3d": 1.0, "r3d_18": 1.2, "mc3_18": 1.2}
"""How many times as fast as Captum each should be."""


def make_original(name: str) -> Any:
    """Return the original network of a kind: 400 classes, random weights, evaluation mode."""
    made = originals.make_i3d(3, 400) if name == "i3d" else getattr(originals.import_torchvision().models.video, name)()
    originals.randomise_norms(made)
    return made.eval().requires_grad_(False)


class Logits(nn.Module):
    """An original network as Captum wants it."""

    def __init__(self, original: nn.Module) -> None:
        super().__init__()
        self.original = original

    def forward(self, clip: Tensor) -> Tensor:
        """Return float32 (N, classes)."""
        logits: Tensor = self.original(clip)
        return logits.mean(2) if logits.ndim == 3 else logits


def make_ways(original: Any, network: Network) -> dict[str, Callable[[], object]]:
    """Return Captum's way and ours, for one clip."""
    form = network.info.clip_format
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (FRAMES, form.crop, form.crop, 3), dtype=np.uint8)
    clip = network.preprocess([pixels])
    (logit,) = network.info.find_endpoints(["FC"])

    def captum() -> Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that it sets hooks
            found: Tensor = CaptumGuidedBackprop(Logits(original)).attribute(clip.clone().requires_grad_(), CLASS)
        return found

    def ours() -> list[np.ndarray]:
        found = guided_gradients(network, [pixels], {logit}, [Target(logit, CLASS)])
        return [one.values for pending in found for one in pending.result()]

    return {"captum": captum, "gbvis": ours}


def main() -> None:
    """Print target against measured, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--kinds", default=",".join(WANTED))
    given = parser.parse_args()
    torch.set_num_threads(THREADS)
    print(f"| guided gradient from FC, {FRAMES} frames | target | measured | Captum, s | gbvis, s |")
    print("| --- | --- | --- | --- | --- |")
    for name in given.kinds.split(","):
        original = make_original(name)
        network = build_network(NamedTensors(Path(f"{name}.pth"), original.state_dict()), "0" * 64)
        seconds = take_turns(make_ways(original, network), given.rounds)
        ratio = statistics.median(slow / quick for slow, quick in zip(seconds["captum"], seconds["gbvis"], strict=True))
        middle = {way: statistics.median(found) for way, found in seconds.items()}
        print(
            f"| {name} | {WANTED[name]:g} | {ratio:.2f} | {middle['captum']:.2f} | {middle['gbvis']:.2f} |", flush=True
        )


if __name__ == "__main__":
    main()
