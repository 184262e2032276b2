"""Time: the class's score while frames stand still, run backwards or are shuffled."""

from pathlib import Path

import numpy as np
import pytest

from gbvis.attribution.checks.laboratory import Laboratory
from gbvis.attribution.checks.needs_time import NeedsTime, freeze, reverse
from gbvis.attribution.iterative import Clip
from gbvis.attribution.methods.gradient import Gradient
from gbvis.networks.endpoint import Target
from gbvis.networks.sample import find_weights
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.videos.clip import ClipFormat, cut_clip
from gbvis.videos.locate import find_video
from gbvis.videos.motion import encode_motion
from material.scoring_kind import SCORES, make_laboratory, make_scoring_network, make_subject

MOTION = ClipFormat(4, 8, 8, 8, 0, 0, 1.0, (0.0, 0.0), (1.0, 1.0), is_motion=True)
LEVELS = ClipFormat(4, 8, 8, 8, 0, 0, 1.0, (128.0, 128.0), (64.0, 64.0))


def test_every_score_is_that_of_its_clip(random: np.random.Generator) -> None:
    """Against one prediction after the other."""
    network = make_scoring_network()
    laboratory = make_laboratory(random, network)
    pixels = laboratory.clip.pixels
    subject = make_subject(laboratory, Gradient(), Target(SCORES, 2))
    (found,) = NeedsTime(shuffles=3).measure([subject], laboratory)

    def score(clip: np.ndarray) -> float:
        return float(network.predict([clip], {SCORES})[SCORES].array()[0, 2])

    order = laboratory.random("time")
    shuffled = [score(pixels[order.permutation(4)]) for _ in range(3)]
    alone = [score(np.repeat(pixels[number : number + 1], 4, axis=0)) for number in range(4)]
    assert found.details["score"] == pytest.approx(score(pixels), abs=1e-6)
    assert found.details["frozen"] == pytest.approx(alone[2], abs=1e-6)
    assert found.details["reversed"] == pytest.approx(score(pixels[::-1]), abs=1e-6)
    assert found.details["shuffled"] == pytest.approx(np.mean(shuffled), abs=1e-6)
    assert found.details["frames"] == pytest.approx(alone, abs=1e-6)
    assert found.value == pytest.approx(score(pixels) - alone[2], abs=1e-6) and found.baselines == {}


def test_flow_backwards_is_that_of_the_video_played_backwards(random: np.random.Generator) -> None:
    motion = random.normal(0, 3, (4, 8, 8, 2)).astype(np.float32)
    assert np.array_equal(reverse(Clip(motion, MOTION, "flow")), -motion[::-1])
    assert not freeze(Clip(motion, MOTION, "flow")).any()
    levels = encode_motion(motion)
    backwards = reverse(Clip(levels, LEVELS, "flow"))
    assert backwards.dtype == np.uint8
    assert np.abs(backwards.astype(int) - encode_motion(-motion[::-1])).max() <= 1  # rest lies between two levels
    assert (freeze(Clip(levels, LEVELS, "flow")) == encode_motion(np.zeros(()))).all()
    assert reverse(Clip(np.zeros_like(levels), LEVELS, "flow")).max() == 255


@pytest.mark.parametrize("modality", ["rgb", "flow"])
def test_a_sample_needs_its_motion(modality: str) -> None:
    """In a frozen sample nothing tells the class: its middle frame is the same in all of them."""
    network = Networks(WeightsRequest((find_weights(Path("sample")),), device="cpu")).load(modality)
    video, clip_format = find_video("sample:left-3", modality, None), network.info.clip_format
    clip = Clip(cut_clip(video, range(4, 12), clip_format), clip_format, modality)
    laboratory = Laboratory(network, clip)
    scores = network.info.scores
    assert scores
    subject = make_subject(laboratory, Gradient(), Target(scores, 0))
    (found,) = NeedsTime().measure([subject], laboratory)
    assert found.details["score"] > 0.9 and found.details["frozen"] < 0.5 and found.details["reversed"] < 0.1
    assert "the frozen clip has" in NeedsTime().describe(found)
