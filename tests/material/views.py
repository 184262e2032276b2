"""Runs as layouts and outputs are given them, made of noise."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.attribution.recipe import Recipe
from gbvis.figures.check_view import CheckView
from gbvis.figures.run_view import ClipView, RunView, SourceFrames
from gbvis.networks.endpoint import FC, Endpoint
from gbvis.networks.r2plus1d.architecture import ENDPOINTS
from gbvis.videos.source import Source


def grey_source(
    width: int = 200, height: int = 150, box: tuple[float, float, float, float] = (40.0, 20.0, 152.0, 132.0)
) -> SourceFrames:
    """Return frames at their own size, all of one grey."""
    return SourceFrames(width, height, box, lambda number: np.full((height, width, 3), 100, np.uint8))


def view_of(
    clips: Sequence[ClipView],
    modality: str = "rgb",
    endpoint: Endpoint = FC,
    target: int = 3,
    source: Callable[[], SourceFrames] = grey_source,
    **changes: Any,
) -> RunView:
    """Return a run of these clips; `changes` are other fields of the view."""
    recipe = Recipe(
        video="f" * 64,
        modality=modality,
        clips=[clip.frames for clip in clips],
        preprocessing={},
        weights="0" * 64,
        family="old-script",
        endpoint=endpoint.name,
        target=target,
        method=GuidedBackprop().recipe(),
        precision="float32",
    )
    view = RunView(
        video="video",
        recipe=recipe,
        endpoint=endpoint,
        position=ENDPOINTS.index(endpoint),
        key=f"video/{modality}/{endpoint}/{target}",
        clips_digest=modality,
        class_name=None,
        prediction=None,
        clips=lambda: iter(clips),
        read_rate=lambda: 25.0,
        find_source=source,
        source=Source(changes.get("video", "video"), modality, recipe.video),
        checks=make_checks,
    )
    return replace(view, **changes)


def make_checks() -> list[CheckView]:
    """Return what three tests found: curves beside those of uninformed attributions, other curves, and none."""
    baselines = {"edges": 1.5, "motion": 4.0, "center": 0.5, "random": 1.0}
    steps = np.linspace(0, 1, 9)
    falling = {
        "x": steps,
        "score": 1 - steps,
        **{f"score@{name}": 1 - steps / (2 + value) for name, value in baselines.items()},
    }
    frames = {"alone": np.array([0.1, 0.5, 0.2]), "frozen": np.array([0.3, 0.3, 0.3])}
    return [
        CheckView("deletion:steps=8", -0.123456, baselines, "the score falls by a lot " * 9, falling),
        CheckView("time", 0.25, {}, "the class's score falls", frames),
        CheckView("pointing", 1.0, baselines, "a hit"),
    ]


def make_run_view(
    random: np.random.Generator,
    modality: str = "rgb",
    clips: int = 2,
    frames: int = 4,
    first: int = 0,
    **changes: Any,
) -> RunView:
    """Return a run of so many clips of noise; the second's gradient is twice as large, and so on."""
    channels = 3 if modality == "rgb" else 2
    numbers = [list(range(first + 10 * clip, first + 10 * clip + frames)) for clip in range(clips)]
    made = [
        ClipView(
            frames=numbers[clip],
            pixels=random.integers(0, 256, (frames, 112, 112, channels), dtype=np.uint8),
            gradient=(clip + 1) * random.standard_normal((channels, frames, 112, 112)).astype(np.float32),
            value=0.5,
        )
        for clip in range(clips)
    ]
    return view_of(made, modality, **changes)
