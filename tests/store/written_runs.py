"""Runs that tests write into a store without a network."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gbvis.attribution.attribution import PIXEL_AXES, Attribution
from gbvis.attribution.recipe import Recipe
from gbvis.networks.endpoint import FC, Target
from gbvis.networks.grid import Grid
from gbvis.networks.info import WeightsInfo
from gbvis.networks.r2plus1d.architecture import ENDPOINTS
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT
from gbvis.store import Store
from gbvis.videos.clip import ClipFormat
from gbvis.videos.video import Frame, Video, VideoShape

FORMAT = replace(OLD_SCRIPT.formats["rgb"], height=10, width=10, crop=6, top=1, left=1)
FRAMES = [[0, 1, 2], [3, 4, 5]]
NAMES = tuple(f"class {number}" for number in range(16))

INFO = WeightsInfo(
    kind="r2plus1d",
    title="R(2+1)D",
    checkpoint_format="old-script",
    modality="rgb",
    parameters=1,
    clip_format=FORMAT,
    endpoints=ENDPOINTS,
    targets={endpoint.name: 16 for endpoint in ENDPOINTS},
    labels=NAMES,
    sha256="0" * 64,
)


def make_recipe(**changes: object) -> Recipe:
    """Return the recipe of a run at `FC`."""
    recipe = Recipe(
        video="f" * 64, modality="rgb", clips=FRAMES, preprocessing=FORMAT.to_json(), weights="0" * 64,
        family="old-script", endpoint="FC", target=5, precision="float32",
        method={"name": "guided-backprop", "version": 1, "settings": {}},
    )  # fmt: skip
    return replace(recipe, **changes)  # type: ignore[arg-type]


def make_gradient(seed: int) -> np.ndarray:
    """Return a gradient: float32 (channel, time, y, x)."""
    return np.random.default_rng(seed).standard_normal((3, 3, 6, 6)).astype(np.float32)


class Still(Video):
    """A video of any name that shows nothing."""

    fingerprint = "f" * 64
    shape = VideoShape(6, None, 10, 10)

    def read(self, number: int) -> Frame:
        return np.zeros((self.shape.height, self.shape.width, 3), np.uint8)


def write_run(
    store: Store,
    recipe: Recipe,
    video: str | Video = "clip",
    *,
    force: bool = False,
    value: float = 0.0,
    seed: int = 0,
    clip_format: ClipFormat = FORMAT,
    values: Sequence[np.ndarray] = (),
    axes: tuple[str, ...] = PIXEL_AXES,
    grid: Grid | None = None,
    details: Sequence[dict[str, float]] = (),
) -> None:
    """Write a run and its clips, which are black; the value of each clip is one more than that of the one before."""
    shown = Still(video, "/", "rgb") if isinstance(video, str) else video
    side = clip_format.crop
    cut = (np.zeros((len(numbers), side, side, 3), np.uint8) for numbers in recipe.clips)
    clips = store.write_clips(shown, clip_format, recipe.clips, cut, force=False)
    with store.write_run(shown, recipe, FC, INFO, clips, force) as writer:
        writer.describe(kind="signed", requests=["r"], scores=[], made={"at": "2026-11-25T12:00:00+00:00"})
        for clip, _ in enumerate(recipe.clips):
            found = values[clip] if values else make_gradient(seed + clip)
            numbers = details[clip] if details else {}
            writer.write(Attribution(Target(FC, recipe.target), value + clip, found, axes, grid, numbers))


def write_many(path: Path, first: int) -> None:
    """Write twelve runs of three videos; a process of its own can be told to do so."""
    store = Store.open_or_create(path)
    for target in range(first, first + 12):
        write_run(store, make_recipe(target=target % 16), video=f"clip{target % 3}")
