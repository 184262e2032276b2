"""Regions: the parts of a clip that are replaced one after the other, and the order that a relevance gives them."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.checks.check import Relevance

Region = Literal["frame", "tube", "pixel"]
"""What is replaced at once:

- `frame`: a frame, all of it.
- `tube`: a box of some frames, rows and columns.
- `pixel`: a pixel of one frame.
"""

Labels = NDArray[np.int64]
"""int64 (time, y, x): the number of the region that each pixel is in."""

Ranks = NDArray[np.int64]
"""int64 (time, y, x): how many regions are replaced before that of a pixel."""


def cut_regions(clip: tuple[int, ...], region: Region, tube: tuple[int, ...]) -> Labels:
    """Return the number of each pixel's region, counted from 0 along x, then y, then time: int64 (time, y, x).

    Tubes begin at the first frame, row and column; what is left over at the ends is cut off.

    Args:
        clip: Frames, rows and columns.
        region: What is a region.
        tube: Frames, rows and columns of a tube.
    """
    sizes = {"frame": (1, *clip[1:]), "tube": tube, "pixel": (1, 1, 1)}[region]
    places = [np.arange(length) // size for length, size in zip(clip, sizes, strict=True)]
    counts = [int(place[-1]) + 1 for place in places]
    return np.arange(np.prod(counts)).reshape(counts)[np.ix_(*places)]


def rank_regions(relevance: Relevance, labels: Labels, random: np.random.Generator) -> Ranks:
    """Return the place of each pixel's region where the most relevant goes first: int64 (time, y, x).

    A region is as relevant as its pixels are on average. Those of equal relevance go in random order: in that of their
    places, an attribution of zeros would delete a clip from its beginning.

    Args:
        relevance: float32 (time, y, x).
        labels: The regions.
        random: Decides between equals.
    """
    sizes = np.bincount(labels.ravel())
    averages = np.bincount(labels.ravel(), relevance.ravel().astype(np.float64)) / sizes
    order = np.lexsort((random.permutation(len(sizes)), -averages))
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    return places[labels]


def reverse_ranks(ranks: Ranks) -> Ranks:
    """Return the places where the least relevant goes first: int64 (time, y, x)."""
    return int(ranks.max()) - ranks


def count_replaced(regions: int, steps: int) -> NDArray[np.int64]:
    """Return how many regions are replaced after each step, from none to all: int64 (steps + 1,).

    Steps are as even as whole numbers allow; where there are fewer regions than steps, each takes one.
    """
    return np.rint(np.linspace(0, regions, min(steps, regions) + 1)).astype(np.int64)
