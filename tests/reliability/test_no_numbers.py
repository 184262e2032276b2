"""NaN and infinity: said where they first appear, never stored, and nobody else's run is lost."""

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from conftest import Call
from gbvis.attribution.attribution import Attribution
from gbvis.errors import NumbersError, VideoError
from gbvis.networks.endpoint import FC, Target
from gbvis.networks.r2plus1d.formats import VMZ_CAFFE2
from gbvis.store import Store
from gbvis.videos.clip import cut_clip
from gbvis.videos.motion import Motion
from gbvis.videos.video import Frame, Video, VideoShape


@pytest.fixture
def overflowing(tmp_path: Path, make_weights: ModuleType) -> Path:
    """A checkpoint of finite numbers whose logits are not."""
    state = make_weights.make_state_dict(make_weights.make_architecture(3), 0)
    state["linear1.weight"] = torch.full_like(state["linear1.weight"], 3e38)
    for name, values in state.items():
        if "conv5" in name and name.endswith("bn1.bias"):
            values += 10
    torch.save(state, tmp_path / "overflowing.pth")
    return tmp_path / "overflowing.pth"


@pytest.mark.slow
def test_a_run_that_overflows_is_said_and_the_others_are_kept(call: Call, overflowing: Path, video_file: Path) -> None:
    words = ["explain", video_file, "-w", overflowing, "-e", "Conv3d_1", "-e", "Conv3d_4_x", "-e", "FC", "-l", 3]
    for is_again in (False, True):
        done = call(*words, "--json")
        assert done.code == 1 and "Traceback" not in done.err
        assert "the value of FC 3 is " in done.err and "in clip 0" in done.err
        lines = [json.loads(line) for line in done.out.splitlines()]
        assert {line["endpoint"]: line["cached"] for line in lines if "error" not in line} == {
            "Conv3d_1": is_again,
            "Conv3d_4_x": is_again,
        }
    assert {run.endpoint.name for run in Store.open("gbvis.zarr").runs()} == {"Conv3d_1", "Conv3d_4_x"}
    assert call("render").code == 0
    call("predict", video_file, "-w", overflowing).check_error(1, "NaN or infinity")


def test_the_first_place_is_named() -> None:
    gradient = np.zeros((3, 4, 5, 6), np.float32)
    gradient[1, 2, 3, 4] = np.nan
    gradient[2, 0, 0, 0] = np.inf
    with pytest.raises(NumbersError, match="FC 7 is nan in clip 2 at channel 1, time 2, y 3, x 4"):
        Attribution(Target(FC, 7), 1.0, gradient).check_numbers(2)


class BrokenMotion(Video):
    """A flow stream that is no number at one place of its third frame."""

    fingerprint = "f" * 64
    shape = VideoShape(4, None, 171, 128)
    is_cropped = True

    def read(self, number: int) -> Frame:
        raise NotImplementedError

    def read_motion(self, number: int) -> Motion:
        motion = np.zeros((112, 112, 2), np.float32)
        motion[5, 7, 1] = np.nan if number == 2 else 0
        return motion


def test_motion_that_is_no_number_is_no_input() -> None:
    """VMZ's flow network takes motion in pixels, as floats."""
    form = VMZ_CAFFE2.formats["flow"]
    video = BrokenMotion("clip", "/", "flow")
    assert cut_clip(video, [0, 1], form).shape == (2, 112, 112, 2)
    with pytest.raises(VideoError, match="v of flow frame 2 of / is nan in row 5, column 7"):
        cut_clip(video, [0, 1, 2], form)
