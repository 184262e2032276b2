"""Measures what the sample networks look at, on videos that they were not trained on: prints a table in Markdown.

How much of |gradient| lies on the shape that moves (grown by 3 pixels), as a multiple of its share of the frame; and
how dense it is on the shapes that rest, as a share of what it is on the mover. Beside them the same for the plain
gradient, and for networks that have learned nothing: random weights, and the trained ones' numbers shuffled within each
tensor. `evaluate.py` runs the tests of `gbvis check` on the same videos; those know neither shapes that rest nor noise.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from train import CLIP_LENGTH, SIDE, measure_accuracy, stream_of
from untrained import randomise, shuffle

from gbvis.attribution.graph import Graph
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.networks.endpoint import FC, Endpoint, Target
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import STAGES
from gbvis.networks.sample import find_weights
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.videos.clip import ClipPixels
from gbvis.videos.synthetic import MOTIONS, Sample, draw_sample

GROWN = 3
NOISE = {"rgb": 4.0, "flow": 1.5}
"""Standard deviation in levels of 8 bit: that of the flow is a quarter of a pixel."""

Mask = NDArray[np.bool_]
Magnitude = NDArray[np.float32]
"""|gradient| summed over channels: float32 (T, H, W)."""
Explain = Callable[[Network, ClipPixels], Magnitude]


@dataclass(frozen=True)
class Focus:
    """Where the gradient of a video lies.

    Attributes:
        concentration: The mover's share of |gradient| over its share of the frame.
        distraction: |gradient| a pixel on the shapes that rest over that on the mover; None where none is to be seen.
    """

    concentration: float
    distraction: float | None


def measure_focus(magnitude: Magnitude, mover: Mask, distractors: Mask) -> Focus:
    """Return where |gradient| lies; all float32 or bool (T, H, W), no distractor on the mover."""
    concentration = magnitude[mover].sum() / magnitude.sum() / mover.mean()
    has_distractors = bool(distractors.any())
    distraction = magnitude[distractors].mean() / magnitude[mover].mean() if has_distractors else None
    return Focus(float(concentration), distraction if distraction is None else float(distraction))


def masks_of(sample: Sample, frames: slice) -> tuple[Mask, Mask]:
    """Return the grown mover and the distractors that it never covers: bool (T, SIDE, SIDE)."""
    mover = grow(shrink(sample.mover))[frames]
    resting = shrink(sample.distractors) & ~mover.any(0)
    return mover, np.broadcast_to(resting, mover.shape)


def shrink(mask: Mask) -> Mask:
    """Return the mask at the network's size: pixels that are covered at least by half."""
    step = mask.shape[-1] // SIDE
    covered: Mask = mask.reshape(*mask.shape[:-2], SIDE, step, SIDE, step).mean((-1, -3)) >= 0.5
    return covered


def grow(mask: Mask) -> Mask:
    """Return the mask grown by GROWN pixels in every direction."""
    rows, columns = mask.shape[-2:]
    padded = np.pad(mask, [(0, 0)] * (mask.ndim - 2) + [(GROWN, GROWN)] * 2)
    grown = np.zeros_like(mask)
    for dy in range(-GROWN, GROWN + 1):
        for dx in range(-GROWN, GROWN + 1):
            if dy * dy + dx * dx <= GROWN * GROWN:
                grown |= padded[..., GROWN + dy : GROWN + dy + rows, GROWN + dx : GROWN + dx + columns]
    return grown


def guided(endpoint: Endpoint) -> Explain:
    """Return guided back-propagation from an endpoint's strongest target."""

    def explain(network: Network, pixels: ClipPixels) -> Magnitude:
        with Graph(network, [pixels]) as graph:
            strongest = int(graph.forward({endpoint})[endpoint].array().argmax())
            (found,) = graph.attribute(GuidedBackprop(), [Target(endpoint, strongest)])
        (attribution,) = found.result()
        return np.asarray(np.abs(attribution.values).sum(0))

    return explain


def plain(network: Network, pixels: ClipPixels) -> Magnitude:
    """Return the plain gradient's magnitude, from the highest logit (Simonyan et al. 2013)."""
    clip = network.preprocess([pixels]).requires_grad_()
    (gradient,) = torch.autograd.grad(network.forward(clip, {FC})[FC].max(), clip)
    return np.asarray(np.abs(network.align_gradients(gradient)[0].numpy()).sum(0))


def draw_clips(modality: str, count: int, noise: float) -> Iterator[tuple[ClipPixels, Mask, Mask]]:
    """Yield the middle clips of held-out videos, the classes in turn, with their masks."""
    random = np.random.default_rng(0)
    for seed in range(count):
        sample = draw_sample(MOTIONS[seed % len(MOTIONS)], seed)
        stream = stream_of(sample, modality)
        start = (len(stream) - CLIP_LENGTH) // 2
        frames = slice(start, start + CLIP_LENGTH)
        noisy = stream[frames] + noise * random.standard_normal(stream[frames].shape)
        yield np.rint(np.clip(noisy, 0, 255)).astype(np.uint8), *masks_of(sample, frames)


def describe_focus(network: Network, explain: Explain, count: int, noise: float) -> str:
    """Return the mean concentration and distraction over the videos, in words."""
    found = [
        measure_focus(explain(network, pixels), mover, distractors)
        for pixels, mover, distractors in draw_clips(network.info.modality, count, noise)
    ]
    distraction = np.mean([focus.distraction for focus in found if focus.distraction is not None])
    return f"{np.mean([focus.concentration for focus in found]):.1f}× / {distraction:.2f}"


def main() -> None:
    """Print the accuracy and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=240)
    count: int = parser.parse_args().videos
    opened = Networks(WeightsRequest((find_weights(Path("sample")),)))
    networks = {modality: opened.load(modality) for modality in ("rgb", "flow")}
    accuracy = ", ".join(f"{name} {share:.1%}" for name, share in measure_accuracy(networks).items())
    print(f"Held-out accuracy: {accuracy}.\n")
    random = {name: randomise(network, 0) for name, network in networks.items()}
    mixed = {name: shuffle(network, 0) for name, network in networks.items()}
    print("| weights | gradient | RGB | RGB, noisy | flow | flow, noisy |\n| --- | --- | --- | --- | --- | --- |")
    for weights, gradient, of, explain in (
        ("trained", "guided, `FC`", networks, guided(FC)),
        ("trained", "guided, `Conv3d_3_x`", networks, guided(STAGES[1])),
        ("trained", "plain, `FC`", networks, plain),
        ("random", "guided, `FC`", random, guided(FC)),
        ("shuffled", "guided, `FC`", mixed, guided(FC)),
    ):
        cells = [
            describe_focus(of[modality], explain, count, noise)
            for modality in ("rgb", "flow")
            for noise in (0.0, NOISE[modality])
        ]
        print(f"| {weights} | {gradient} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
