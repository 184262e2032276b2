from pathlib import Path

import numpy as np
import pytest

from gbvis.flow import ALGORITHMS
from gbvis.flow.preprocess import load_opencv, scaled_size
from gbvis.flow.recipe import FlowRecipe, as_from_jpeg
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT, VMZ_CAFFE2
from gbvis.videos.motion import decode_motion
from gbvis.videos.readers import two_stream_folder
from gbvis.videos.readers.video_file import VideoFile
from gbvis.videos.video import VideoShape

FIRST = {"v_SoccerJuggling_g23_c01": 111, "v_WalkingWithDog_g15_c01": 99}
"""Which frame of the video the first of the data set in `shared` is."""


@pytest.mark.parametrize(
    "name", ["v_SoccerJuggling_g23_c01", pytest.param("v_WalkingWithDog_g15_c01", marks=pytest.mark.slow)]
)
def test_tvl1_is_what_the_two_stream_data_set_holds(shared: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`shared` holds frames 341 wide, where gpu_flow cuts off to 340; at 341, with AVX-512, the flow is equal."""
    frames, flow = (two_stream_folder.read(name, modality, shared / "data/UCF-101") for modality in ("rgb", "flow"))
    video = VideoFile(shared / f"data/videos/{name}.avi")
    assert frames and flow
    monkeypatch.setattr("gbvis.flow.preprocess.scaled_size", lambda height, width: (256, 341))
    recipe = FlowRecipe.of("tvl1")
    number = 3
    before, after = (recipe.prepare(video.read(FIRST[name] + place)) for place in (number, number + 1))
    ours = recipe.encode(ALGORITHMS.load("tvl1").estimate(before, after))
    difference = np.abs(as_from_jpeg(ours).astype(int) - flow.read(number))
    # 0 everywhere on processors with AVX-512; others round otherwise, which decides at single places where TV-L1 ends
    assert np.median(difference) == 0 and (difference > 1).mean() < 0.06 and difference.mean() < 0.5
    assert np.abs(ours.astype(int) - flow.read(number)).mean() > difference.mean()  # JPEG is part of it


def test_the_size_that_gbvis_computes_at_hardly_matters(shared: Path) -> None:
    name, number = "v_SoccerJuggling_g23_c01", 0
    flow = two_stream_folder.read(name, "flow", shared / "data/UCF-101")
    video = VideoFile(shared / f"data/videos/{name}.avi")
    assert flow
    recipe = FlowRecipe.of("tvl1")
    before, after = (recipe.prepare(video.read(FIRST[name] + place)) for place in (number, number + 1))
    ours = as_from_jpeg(recipe.encode(ALGORITHMS.load("tvl1").estimate(before, after)))
    seen = [OLD_SCRIPT.formats["flow"].resize_and_crop(levels).astype(int) for levels in (ours, flow.read(0))]
    assert np.abs(seen[0] - seen[1]).mean() < 0.25  # levels, of which one is 0.16 pixels


@pytest.mark.parametrize(
    ("size", "scaled"),
    [
        ((240, 320), (256, 340)), ((240, 560), (256, 596)), ((256, 340), (256, 340)), ((1920, 1080), (454, 256)),
        ((144, 144), (256, 256)), ((720, 1280), (256, 454)),
    ],
)  # fmt: skip
def test_sizes_are_gpu_flows(size: tuple[int, int], scaled: tuple[int, int]) -> None:
    assert scaled_size(*size) == scaled


def test_motion_in_pixels_is_that_of_the_crop(shared: Path) -> None:
    """VMZ: grey of the crop, Farnebäck, nothing cut off or rounded; written once more, from its source."""
    form = VMZ_CAFFE2.formats["flow"]
    recipe = FlowRecipe.of("farneback", form)
    assert recipe.dtype == "float32" and recipe.frame_size(VideoShape(9, None, 320, 240)) == (112, 112)
    video = VideoFile(shared / "data/videos/v_WalkingWithDog_g15_c01.avi")
    opencv = load_opencv()
    greys = []
    for number in (50, 51):
        resized = opencv.resize(video.read(number), (171, 128), interpolation=opencv.INTER_LINEAR)
        greys.append(opencv.cvtColor(resized[8:120, 29:141], opencv.COLOR_RGB2GRAY))
    expected = opencv.calcOpticalFlowFarneback(
        greys[0], greys[1], None, np.sqrt(2) / 2, 5, 10, 2, 7, 1.5, opencv.OPTFLOW_FARNEBACK_GAUSSIAN
    )
    before, after = (recipe.prepare(video.read(number)) for number in (50, 51))
    ours = recipe.encode(ALGORITHMS.load("farneback").estimate(before, after))
    np.testing.assert_allclose(ours, expected, atol=1e-4)
    assert np.abs(ours).max() > 1


def test_8_bit_is_cut_off_and_motion_in_pixels_is_not() -> None:
    motion = np.array([[[30.0, -25.0]]], np.float32)
    levels = FlowRecipe("dis", {}).encode(motion)
    assert levels.dtype == np.uint8
    np.testing.assert_allclose(decode_motion(levels), [[[20, -20]]])
    kept = FlowRecipe("farneback", {}, VMZ_CAFFE2.formats["flow"]).encode(motion)
    np.testing.assert_array_equal(kept, motion)
