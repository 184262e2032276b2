"""Every method beside Captum's, the same work in turns; and what many methods and many passes cost in gradients.

    python benchmarks/methods.py [--rounds 3]

R(2+1)D-18, RGB, 16 frames, one logit, float32, two threads. Methods of many passes make as many passes on both sides,
one after the other: 5 noisy samples, 10 nodes, 8 boxes. Captum runs the network as torchvision has it.
"""

import argparse
import statistics
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from captum.attr import (
    Deconvolution,
    GuidedBackprop,
    GuidedGradCam,
    InputXGradient,
    IntegratedGradients,
    LayerGradCam,
    NoiseTunnel,
    Occlusion,
    Saliency,
)
from rivals import THREADS, make_network, make_pixels, ratio, take_turns
from torch import Tensor, nn

from gbvis.attribution.graph import Graph
from gbvis.attribution.method import Method
from gbvis.attribution.methods import parse_method
from gbvis.networks.endpoint import FC, Target
from gbvis.networks.network import Network
from gbvis.videos.clip import ClipPixels

CLASS, FRAMES, SAMPLES, NODES = 3, 16, 5, 10
BOX = (8, 56, 56)
LAYER = "Conv3d_4_x"
FOUR = ("gradient", "guided-backprop", "deconvnet", "input-x-gradient")


class Logits(nn.Module):
    """The network up to its logits, as Captum wants it."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, clip: Tensor) -> Tensor:
        """Return float32 (N, classes)."""
        logits: Tensor = self.module(clip)
        return logits


def explain(network: Network, pixels: ClipPixels, methods: Sequence[Method]) -> list[np.ndarray]:
    """Return what methods find for the logit, through one forward pass."""
    target = Target(FC, CLASS)
    with Graph(network, [pixels]) as graph:
        graph.forward({FC}, layers={layer for method in methods for layer in method.layers})
        found = []
        for number, method in enumerate(methods, start=1):
            (pending,) = graph.attribute(method, [target], number == len(methods))
            found += [one.values for one in pending.result()]
    return found


def make_rivals(module: nn.Module, clip: Tensor) -> dict[str, Callable[[], Any]]:
    """Return what Captum does, by the method as gbvis is told it."""
    logits = Logits(module)
    layer = module.stages[2]  # type: ignore[index]
    guided = GuidedGradCam(logits, layer)
    noise = {"nt_samples": SAMPLES, "nt_samples_batch_size": 1, "stdevs": 0.15, "nt_type": "smoothgrad"}
    line = {"n_steps": NODES, "internal_batch_size": 1}
    box = {"sliding_window_shapes": (3, *BOX), "strides": (3, *BOX)}
    words = "x".join(map(str, BOX))

    def given() -> Tensor:
        return clip.clone().requires_grad_()

    return {
        "gradient": lambda: Saliency(logits).attribute(given(), CLASS, abs=False),
        "input-x-gradient": lambda: InputXGradient(logits).attribute(given(), CLASS),
        "guided-backprop": lambda: GuidedBackprop(logits).attribute(given(), CLASS),
        "deconvnet": lambda: Deconvolution(logits).attribute(given(), CLASS),
        f"smoothgrad:samples={SAMPLES}": lambda: NoiseTunnel(Saliency(logits)).attribute(
            given(), target=CLASS, abs=False, **noise
        ),
        f"integrated-gradients:steps={NODES}": lambda: IntegratedGradients(logits).attribute(
            given(), target=CLASS, **line
        ),
        f"grad-cam:at={LAYER}": lambda: LayerGradCam(logits, layer).attribute(given(), CLASS),
        f"guided-grad-cam:at={LAYER}": lambda: guided.attribute(given(), CLASS, interpolate_mode="trilinear"),
        f"occlusion:box={words},stride={words},baseline=mean": lambda: Occlusion(logits).attribute(
            given(), target=CLASS, **box
        ),
    }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds: int = parser.parse_args().rounds
    warnings.simplefilter("ignore")  # Captum says that it sets hooks
    torch.set_num_threads(THREADS)
    network, pixels = make_network(), make_pixels(FRAMES)
    clip = network.preprocess([pixels])
    print("| method | gbvis, s | Captum, s | times as fast |\n| --- | --- | --- | --- |")
    for words, rival in make_rivals(network.module, clip).items():
        method = parse_method(words)
        ways: dict[str, Callable[[], object]] = {"gbvis": partial(explain, network, pixels, [method]), "captum": rival}
        seconds = take_turns(ways, rounds)
        ours, theirs = (statistics.median(seconds[name]) for name in ("gbvis", "captum"))
        print(f"| `{words}` | {ours:.2f} | {theirs:.2f} | {ratio(seconds, 'captum', 'gbvis'):.2f} |", flush=True)
    several = {
        "gradient": lambda: explain(network, pixels, [parse_method("gradient")]),
        "guided": lambda: explain(network, pixels, [parse_method("guided-backprop")]),
        "four": lambda: explain(network, pixels, [parse_method(one) for one in FOUR]),
        "samples": lambda: explain(network, pixels, [parse_method("smoothgrad:samples=50")]),
        "nodes": lambda: explain(network, pixels, [parse_method("integrated-gradients:steps=40")]),
    }
    seconds = take_turns(several, rounds)
    four = ratio(seconds, "four", "guided")
    print(f"\n{', '.join(FOUR)} in one call, in guided gradients: {four:.2f}")
    for name, count in (("samples", 50), ("nodes", 40)):
        print(f"{count} {name}, over {count} gradients: {ratio(seconds, name, 'gradient') / count:.3f}")


if __name__ == "__main__":
    main()
