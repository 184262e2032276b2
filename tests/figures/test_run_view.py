from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from gbvis.figures.caption import Caption
from gbvis.figures.run_view import ClipView, RunView, spread_over_frames
from gbvis.networks.endpoint import FC, Endpoint
from gbvis.networks.prediction import PredictedClass
from gbvis.networks.r2plus1d.architecture import STEM
from material.views import make_run_view


@pytest.mark.parametrize(
    ("shape", "axes", "spread"),
    [
        ((3, 4, 8, 8), ("channel", "time", "y", "x"), (3, 4, 8, 8)),
        ((2, 7, 7), ("time", "y", "x"), (1, 4, 7, 7)),
        ((1, 7, 7), ("time", "y", "x"), (1, 4, 7, 7)),
        ((3, 8, 8), ("channel", "y", "x"), (3, 4, 8, 8)),
        ((7, 7), ("y", "x"), (1, 4, 7, 7)),
    ],
)
def test_what_has_fewer_axes_or_steps_is_spread_over_the_frames(
    random: np.random.Generator, shape: tuple[int, ...], axes: tuple[str, ...], spread: tuple[int, ...]
) -> None:
    values = random.standard_normal(shape).astype(np.float32)
    found = spread_over_frames(values, axes, frame_count=4)
    assert found.shape == spread and found.dtype == np.float32
    full = values.reshape(shape[0] if "channel" in axes else 1, -1, *shape[-2:])
    for step in range(4):
        np.testing.assert_array_equal(found[:, step], full[:, step * full.shape[1] // 4])


def test_the_importance_is_what_each_frame_has_of_the_gradient() -> None:
    gradient = np.zeros((2, 3, 4, 4), np.float32)
    gradient[0, 1, 0, 0], gradient[1, 1, 2, 2], gradient[1, 2, 3, 3] = -2, 1, 5
    clip = ClipView([0, 1, 2], np.zeros((3, 4, 4, 2), np.uint8), gradient, 0.0)
    assert clip.importance.tolist() == [0, 3, 5]


@pytest.mark.parametrize(
    ("flow", "stream"),
    [
        ({}, "flow"),
        ({"algorithm": "tvl1"}, "flow (tvl1)"),
        ({"algorithm": "dis", "jpeg_quality": 95, "camera_motion": "meansub"}, "flow (dis, JPEG, meansub)"),
    ],
)
def test_a_stream_says_how_its_motion_came_about(
    random: np.random.Generator, flow: dict[str, object], stream: str
) -> None:
    view = make_run_view(random, "flow")
    assert replace(view, recipe=replace(view.recipe, flow=flow)).stream == stream


BOWLING = PredictedClass(5, "Bowling", 0.7, clips=1)


def test_a_run_in_words(random: np.random.Generator) -> None:
    view = make_run_view(random, target=3, class_name="Archery", prediction=BOWLING)
    assert view.describe(0.51234) == "rgb   FC   class 3 Archery   logit 0.5123   guided-backprop"
    filtered = make_run_view(random, endpoint=STEM, target=1, prediction=BOWLING)
    assert filtered.describe(2) == "rgb   Conv3d_1   filter 1   activation 2   guided-backprop"


@pytest.mark.parametrize(
    ("target", "endpoint", "prediction", "words"),
    [
        (3, FC, BOWLING, "not predicted; predicted: Bowling, score 0.7000"),
        (5, FC, BOWLING, "predicted, score 0.7000"),
        (5, STEM, BOWLING, "predicted: Bowling, score 0.7000"),
        (3, FC, PredictedClass(5, None, 0.123456, 4), "not predicted; predicted: class 5, score 0.1235 over 4 clips"),
        (5, FC, PredictedClass(5, "Bowling", 0.99999), "predicted, score above 0.9999"),
        (5, FC, None, ""),
    ],
)
def test_what_the_network_predicts_in_words(
    random: np.random.Generator, target: int, endpoint: Endpoint, prediction: PredictedClass | None, words: str
) -> None:
    view = make_run_view(random, endpoint=endpoint, target=target, prediction=prediction)
    assert view.describe_prediction() == words
    assert view.is_not_predicted == words.startswith("not predicted")


@pytest.mark.parametrize(
    ("target", "prediction", "words"),
    [
        (3, BOWLING, "not predicted; predicted: Bowling, score 0.7000"),
        (5, PredictedClass(5, "Bowling", 0.99999, 2), "predicted, score above 0.9999, 2 clips"),
    ],
)
def test_a_prediction_in_fewer_words(
    random: np.random.Generator, target: int, prediction: PredictedClass, words: str
) -> None:
    view = make_run_view(random, target=target, prediction=prediction)
    assert view.describe_prediction(shortness=1) == words
    assert view.has_warning == (target == 3)
    saturated = make_run_view(random, target=target, prediction=prediction, saturation="saturated: see -e FC")
    assert saturated.describe_prediction(shortness=1) == f"saturated: see -e FC; {words}"
    assert saturated.has_warning


def test_what_the_recipe_says_is_read_from_it(random: np.random.Generator) -> None:
    view: RunView = make_run_view(random, clips=2, frames=4)
    assert (view.clip_count, view.frames_per_clip, view.frames) == (2, 4, view.recipe.clips)
    settings = {"samples": 25, "noise": 0.15}
    recipe = replace(view.recipe, method={"name": "smoothgrad", "version": 1, "settings": settings})
    assert replace(view, recipe=recipe).method == "smoothgrad:samples=25"


def test_the_caption_says_how_many_cells_were_computed(random: np.random.Generator) -> None:
    """What is drawn is interpolated: it looks finer than it is."""
    canvases = []
    for remark in ("", "Conv3d_4_x, 4x7x7 cells"):
        canvas = Image.new("RGB", (900, 60))
        Caption(make_run_view(random, remark=remark)).draw(canvas, (0, 0), 900, 20, None, None)
        canvases.append(np.asarray(canvas).max(2) > 40)
    without, with_grid = (np.flatnonzero(canvas[:20].any(0))[-1] for canvas in canvases)
    assert with_grid > without + 100
