"""Measures how far Grad-CAM lies from the shape that moves: prints a table in Markdown.

The offset is the centroid of what is drawn in the whole clip minus the centroid of the mover, down and to the right, in
pixels of the clip: the mean over samples that the networks were not trained on, with its standard error. The grid is
drawn twice: resized to the clip's size, as other tools do it, and on the centres of its cells. The offset does not
measure the drawing alone, since it also depends on what the network looks at. Beside it, the guided gradient.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from focus import Magnitude, draw_clips, guided
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from gbvis.attribution.attribution import Attribution
from gbvis.attribution.graph import Graph
from gbvis.attribution.methods.grad_cam import GradCam
from gbvis.networks.endpoint import FC, Target
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import STAGES
from gbvis.networks.registration import find_centroid
from gbvis.networks.sample import find_weights
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.videos.clip import ClipPixels

Draw = Callable[[Attribution, tuple[int, int, int]], Magnitude]


def find_grid(network: Network, pixels: ClipPixels, layer: str) -> Attribution:
    """Return Grad-CAM at a layer for the class with the highest logit."""
    with Graph(network, [pixels]) as graph:
        best = int(graph.forward({FC}, layers={layer})[FC].array().argmax())
        (pending,) = graph.attribute(GradCam(layer), [Target(FC, best)])
    (found,) = pending.result()
    return found


def resize(found: Attribution, sizes: tuple[int, int, int]) -> Magnitude:
    """Return a grid resized to a clip's size, trilinear: float32 (T, H, W)."""
    places = (sizes[0] * found.grid.places_per_frame if found.grid else sizes[0], *sizes[1:])
    resized = interpolate(torch.from_numpy(found.values)[None, None], places, mode="trilinear")[0, 0]
    return np.asarray(resized.numpy().reshape(sizes[0], -1, *sizes[1:]).sum(1))


def register(found: Attribution, sizes: tuple[int, int, int]) -> Magnitude:
    """Return a grid drawn on the centres of its cells: float32 (T, H, W)."""
    assert found.grid
    return np.asarray(found.grid.spread(found.values, sizes).sum(0))


def find_offset(drawn: Magnitude, mover: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how far what is drawn lies from the mover, down and to the right: float64 (2,), pixels."""
    return (find_centroid(drawn.astype(np.float64)) - find_centroid(mover.astype(np.float64)))[1:]


def describe(offsets: list[NDArray[np.float64]]) -> str:
    """Return the mean offset and its standard error, in words."""
    error = np.std(offsets, 0, ddof=1) / np.sqrt(len(offsets))
    return ", ".join(f"{one:+.1f} ± {by:.1f}" for one, by in zip(np.mean(offsets, 0), error, strict=True))


def measure(network: Network, count: int) -> None:
    """Print a stream's lines of the table."""
    clips = [(pixels, mover) for pixels, mover, _ in draw_clips(network.info.modality, count, 0.0)]
    for stage in STAGES[2:]:
        found = [find_grid(network, pixels, stage.name) for pixels, _ in clips]
        shown = [(one, mover) for one, (_, mover) in zip(found, clips, strict=True) if one.values.any()]
        cells = []
        for draw in (resize, register):
            cells.append(describe([find_offset(draw(one, mover.shape), mover) for one, mover in shown]))
        size = "x".join(map(str, found[0].values.shape))
        print(f"| {network.info.modality} | `{stage}`, {size} cells | {' | '.join(cells)} | {len(shown)} |", flush=True)
    gradients = [find_offset(guided(FC)(network, pixels), mover) for pixels, mover in clips]
    print(f"| {network.info.modality} | guided gradient | | {describe(gradients)} | {len(clips)} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=60)
    count: int = parser.parse_args().videos
    opened = Networks(WeightsRequest((find_weights(Path("sample")),)))
    print("| stream | drawn | resized | on the centres of cells | samples |\n| --- | --- | --- | --- | --- |")
    for modality in ("rgb", "flow"):
        measure(opened.load(modality), count)


if __name__ == "__main__":
    main()
