"""Measures what each attribution method shows of the sample networks' held-out videos: prints a table in Markdown.

    python training/compare_methods.py [--videos 48] [--modality rgb]

For every method with its default settings, from the highest logit: the share of |values| on the shape that moves, over
its share of the frame; how dense they are on the shapes that rest, as a share of what they are on the mover; and how
far their centroid is from the mover's, in pixels to the right and down, with its standard error. For the trained
network, for random weights, and for the trained one's numbers shuffled within each tensor.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from focus import Focus, Magnitude, Mask, draw_clips, measure_focus
from numpy.typing import NDArray
from untrained import randomise, shuffle

from gbvis.attribution.attribution import Attribution
from gbvis.attribution.graph import Graph
from gbvis.attribution.method import Method
from gbvis.attribution.methods import parse_methods
from gbvis.figures.run_view import spread_over_frames
from gbvis.networks.endpoint import FC, Target
from gbvis.networks.network import Network
from gbvis.networks.sample import find_weights
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.videos.clip import ClipPixels


@dataclass(frozen=True)
class Measured:
    """What a method shows of one video.

    Attributes:
        focus: Where it lies.
        offset: How far its centroid is from the mover's, pixels to the right and down: float64 (2,).
    """

    focus: Focus
    offset: NDArray[np.float64]


def spread(found: Attribution, pixels: ClipPixels) -> Magnitude:
    """Return |values| as pictures show them, in line with the clip's pixels: float32 (T, H, W)."""
    frames, height, width, _ = pixels.shape
    values = found.values
    if found.grid:
        values = found.grid.spread(values, (frames, height, width))
    elif len(found.axes) < values.ndim or "channel" not in found.axes:
        values = spread_over_frames(values, found.axes, frames)
    return np.asarray(np.abs(values).sum(0))


def explain(network: Network, pixels: ClipPixels, methods: list[Method]) -> list[Magnitude]:
    """Return what each method shows of the highest logit."""
    settled = [method.settled(network.info, FC, len(pixels)) for method in methods]
    with Graph(network, [pixels]) as graph:
        layers = {layer for method in settled for layer in method.layers}
        target = Target(FC, int(graph.forward({FC}, layers=layers)[FC].array().argmax()))
        found = [next(graph.attribute(method, [target], is_last=False)) for method in settled]
        return [spread(one, pixels) for pending in found for one in pending.result()]


def find_centroid(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean place of weights (T, H, W): x and y, pixels."""
    rows, columns = weights.sum((0, 2)), weights.sum((0, 1))
    places = [one @ np.arange(len(one)) / weights.sum() for one in (columns, rows)]
    return np.array(places)


def measure(shown: Magnitude, mover: Mask, distractors: Mask) -> Measured:
    """Return where what is shown lies."""
    offset = find_centroid(shown.astype(np.float64)) - find_centroid(mover.astype(np.float64))
    return Measured(measure_focus(shown, mover, distractors), offset)


def describe(measured: list[Measured]) -> str:
    """Return the cells of a table for one method and network, the means over the videos."""
    rest = [one.focus.distraction for one in measured if one.focus.distraction is not None]
    offsets = np.array([one.offset for one in measured])
    right, down = offsets.mean(0)
    error = (offsets.std(0, ddof=1) / np.sqrt(len(offsets))).max()
    concentration = np.mean([one.focus.concentration for one in measured])
    return f"{concentration:.1f}× | {np.mean(rest):.2f} | {right:+.1f}, {down:+.1f} (± {error:.1f})"


def list_networks(modality: str) -> Mapping[str, Network]:
    """Return the trained network, one with random weights, and one with the trained one's shuffled."""
    trained = Networks(WeightsRequest((find_weights(Path("sample")),), modality)).load(modality)
    return {"trained": trained, "random": randomise(trained, 0), "shuffled": shuffle(trained, 0)}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=48)
    parser.add_argument("--modality", choices=("rgb", "flow"), default="rgb")
    asked = parser.parse_args()
    methods = list(parse_methods(["all"]))
    print("| method | weights | on the mover | rest | offset, pixels |\n| --- | --- | --- | --- | --- |")
    for weights, network in list_networks(asked.modality).items():
        found: list[list[Measured]] = [[] for _ in methods]
        for pixels, mover, distractors in draw_clips(asked.modality, asked.videos, 0.0):
            for one, shown in zip(found, explain(network, pixels, methods), strict=True):
                if shown.any():  # of Grad-CAM nothing is left where a sum is below 0 everywhere
                    one.append(measure(shown, mover, distractors))
        for method, measured in zip(methods, found, strict=True):
            note = f" ({len(measured)} of {asked.videos})" if len(measured) < asked.videos else ""
            print(f"| `{method.name}` | {weights}{note} | {describe(measured)} |", flush=True)


if __name__ == "__main__":
    main()
