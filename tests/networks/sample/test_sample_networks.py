"""The networks that come with gbvis: what they say of themselves, and that it is true on a few videos here."""

import json
import os
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import safetensors

from conftest import ROOT, load_script
from gbvis.networks.endpoint import FC, SOFTMAX
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import ENDPOINTS
from gbvis.networks.sample import find_weights
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.videos.clip import cut_clip
from gbvis.videos.clip_request import ClipRequest
from gbvis.videos.synthetic import FIRST_TRAINING_SEED, MOTIONS, SyntheticVideo

WEIGHTS = find_weights(Path("sample"))


@pytest.fixture(scope="module")
def networks() -> dict[str, Network]:
    opened = Networks(WeightsRequest((WEIGHTS,)))
    return {modality: opened.load(modality) for modality in ("rgb", "flow")}


@pytest.fixture(scope="module")
def focus() -> ModuleType:
    """`training/focus.py`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "training")
        return load_script(ROOT / "training/focus.py")


def test_they_are_small_and_say_how_they_were_made() -> None:
    assert os.path.getsize(WEIGHTS) < 3_000_000  # noqa: PTH202
    with safetensors.safe_open(WEIGHTS, framework="pt") as file:
        about = json.loads(file.metadata()["gbvis"])
    training = about["training"]
    assert training["first_seed"] == FIRST_TRAINING_SEED
    assert min(training["held_out"]["accuracy"][stream] for stream in ("rgb", "flow", "fused")) >= 0.95
    assert training["held_out"]["videos"] >= 200
    assert {"optimizer", "steps", "batch", "seed", "torch", "script"} <= training.keys()


def test_they_are_narrow_networks_of_the_same_kind(networks: dict[str, Network]) -> None:
    for modality, network in networks.items():
        info = network.info
        assert (info.checkpoint_format, info.modality, info.labels) == ("sample", modality, MOTIONS)
        assert list(info.targets) == [endpoint.name for endpoint in ENDPOINTS]
        assert (info.clip_format.frames, info.clip_format.crop) == (8, 72)


def test_they_know_videos_that_they_have_not_seen(networks: dict[str, Network]) -> None:
    """Forty videos, five a class; 38 of 40 is the least."""
    right = {"rgb": 0, "flow": 0, "fused": 0}
    for seed in range(40):
        motion = seed % len(MOTIONS)
        scores = {}
        for modality, network in networks.items():
            video = SyntheticVideo(f"{MOTIONS[motion]}-{5000 + seed}", modality)
            (numbers,) = ClipRequest(8).choose_frames(video.shape)
            pixels = cut_clip(video, numbers, network.info.clip_format)
            scores[modality] = network.predict([pixels], {SOFTMAX})[SOFTMAX].array()[0]
        scores["fused"] = (scores["rgb"] + scores["flow"]) / 2
        for name, found in scores.items():
            right[name] += int(found.argmax()) == motion
    assert min(right.values()) >= 38, right


def measure(focus: ModuleType, network: Network) -> tuple[float, float]:
    """Return the mean concentration and distraction of guided gradients from FC, over noisy clips."""
    modality = network.info.modality
    found = [
        focus.measure_focus(focus.guided(FC)(network, pixels), mover, distractors)
        for pixels, mover, distractors in focus.draw_clips(modality, 16, focus.NOISE[modality])
    ]
    distraction = [focus.distraction for focus in found if focus.distraction is not None]
    return float(np.mean([focus.concentration for focus in found])), float(np.mean(distraction))


@pytest.mark.parametrize("modality", ["rgb", "flow"])
def test_the_gradient_lies_on_what_moves(networks: dict[str, Network], focus: ModuleType, modality: str) -> None:
    """At least 6 times the mover's share of the frame, and little on what rests; not so where nothing was learned."""
    concentration, distraction = measure(focus, networks[modality])
    assert concentration >= 6 and distraction <= 1 / 3
    concentration, distraction = measure(focus, focus.randomise(networks[modality], 0))
    assert concentration < 3 and distraction > 1 / 3


def test_the_masks_hold_all_that_moves(focus: ModuleType) -> None:
    """At the network's size no moving pixel lies outside the grown mover, and the mover is not most of the frame."""
    for pixels, mover, distractors in focus.draw_clips("flow", 16, noise=0.0):
        is_moving = (pixels != 128).any(-1)
        assert is_moving.any() and not (is_moving & ~mover).any()
        assert mover.mean() < 0.2 and not (mover & distractors).any()


def test_focus_is_what_it_says(focus: ModuleType) -> None:
    """A mover on a quarter of the frame that holds three quarters of the gradient; half as dense on a distractor."""
    mover, distractors = np.zeros((1, 4, 4), bool), np.zeros((1, 4, 4), bool)
    mover[:, :2, :2] = distractors[:, 3, 3] = True
    magnitude = np.where(mover, 3.0, 1 / 3).astype(np.float32)
    assert focus.measure_focus(magnitude, mover, distractors).concentration == pytest.approx(0.75 * 4)
    assert focus.measure_focus(magnitude, mover, distractors).distraction == pytest.approx(1 / 9)
    assert focus.measure_focus(magnitude, mover, ~mover & mover).distraction is None
