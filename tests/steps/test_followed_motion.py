"""`explain` with boxes that follow the flow: where the motion comes from, and that this is part of the recipe."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gbvis
from conftest import Call
from gbvis.attribution.iterative import Clip
from gbvis.attribution.methods.occlusion import Occlusion
from gbvis.errors import VideoError
from gbvis.networks.endpoint import Target
from gbvis.networks.r2plus1d.formats import VMZ_CAFFE2
from gbvis.networks.sample import find_weights
from gbvis.progress import Failure, Progress
from gbvis.steps import estimated_flow
from gbvis.steps.explain import ExplainedRun, iteration
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.steps.store.rm import RemoveRequest, plan_removal
from gbvis.steps.streams import FlowRequest, find_motion, prepare_motion
from gbvis.store import Store
from gbvis.videos.clip import cut_clip, cut_motion
from gbvis.videos.motion import REST
from gbvis.videos.name_list import VideoEntry
from gbvis.videos.synthetic import SyntheticVideo
from gbvis.videos.video import Video, reading_of
from material.passes import attribute_all

SAMPLE = "sample:right-3"
BOXES = "box=8x24x24,stride=8x16x16"
FOLLOWING, RESTING = f"occlusion:{BOXES},follow=flow", f"occlusion:{BOXES}"
DIS = FlowRequest("dis")


def explain(store: Path, method: str = FOLLOWING, video: str | Video = SAMPLE, **options: object) -> ExplainedRun:
    """Return a run of 8 frames at the logits of one stream."""
    asked: dict[str, object] = {"frames": 8, "endpoints": "FC", "modality": "rgb", **options}
    (found,) = gbvis.explain(video, "sample", store=store, methods=method, **asked)  # type: ignore[arg-type]
    if isinstance(found, Failure):
        raise VideoError(found.problem, found.hint)
    return found


def forbid_estimation(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("estimated again")

    monkeypatch.setattr(estimated_flow, "estimate_pairs", fail)


@pytest.mark.parametrize("modality", ["rgb", "flow"])
def test_boxes_follow_the_videos_own_flow(tmp_path: Path, modality: str) -> None:
    """A sample's is drawn, from frame k to k + 1 of either stream; what the method finds by itself is found."""
    found = explain(tmp_path / "s", modality=modality)
    flow = SyntheticVideo("right-3", "flow")
    assert found.run.recipe.motion == {"video": reading_of(flow.fingerprint)}
    assert found.to_json()["motion"] == found.run.recipe.motion
    network = Networks(WeightsRequest((find_weights(Path("sample")),))).load(modality)
    clips, info = found.run.read_clips(), network.info
    motion = cut_motion(flow, clips.frames[0], info.clip_format)
    assert np.abs(motion[:-1]).max() > 1 and not motion[-1].any()
    clip = Clip(clips.pixels(0), info.clip_format, modality, clips.frames[0][0], lambda: motion)
    method, target = Occlusion("8x24x24", "8x16x16", follow="flow"), Target(found.run.endpoint, found.run.target)
    (expected,) = attribute_all(method, network, clip, [target])
    np.testing.assert_array_equal(found.run.gradient(0), expected.values)
    assert explain(tmp_path / "s", modality=modality).is_cached
    resting = explain(tmp_path / "s", RESTING, modality=modality)
    assert resting.run.recipe.motion == {} and "motion" not in resting.run.recipe.to_json()
    assert np.abs(resting.run.gradient(0) - found.run.gradient(0)).max() > 0


def test_estimated_motion_is_kept_and_part_of_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, estimated = explain(tmp_path / "s"), explain(tmp_path / "s", flow=DIS)
    assert not estimated.is_cached and estimated.run.key != drawn.run.key
    motion = estimated.run.recipe.motion
    rgb = SyntheticVideo("right-3", "rgb")
    assert motion["algorithm"] == "dis" and motion["video"] == reading_of(rgb.fingerprint)
    assert estimated.run.recipe.flow == {} and estimated.run.recipe.flow_algorithm is None
    forbid_estimation(monkeypatch)
    assert explain(tmp_path / "s", flow=DIS).is_cached
    explain(tmp_path / "s", FOLLOWING.replace("stride=8x16x16", "stride=8x20x16"), flow=DIS)
    assert explain(tmp_path / "s", RESTING).run.key == explain(tmp_path / "s", RESTING, flow=DIS).run.key


def test_runs_that_followed_other_motion_are_told_apart(tmp_path: Path, call: Call, video_file: Path) -> None:
    """In lists, and by the option that chooses an algorithm."""
    for algorithm in ("dis", "farneback"):
        explain(tmp_path / "gbvis.zarr", video=str(video_file), flow=FlowRequest(algorithm))
    listed = call("store", "ls").out
    assert "follow=flow (dis)" in listed and "follow=flow (farneback)" in listed
    (line,) = call("store", "ls", "--flow-algorithm", "dis", "--json").out.splitlines()
    assert '"algorithm": "dis"' in line
    done = call("render", "--flow-algorithm", "farneback", "--json", "-o", "out", "--size", 56)
    assert done.code == 0 and len(done.out.splitlines()) == 1, done.err


def test_a_network_for_motion_in_pixels_sees_what_is_followed(tmp_path: Path, video_file: Path) -> None:
    """Motion is estimated on its own square; what is slower than half a level of 8 bit counts as rest."""
    info = Networks(WeightsRequest((find_weights(Path("sample")),))).infos["flow"]
    info = replace(info, clip_format=VMZ_CAFFE2.formats["flow"])
    open_store = lambda: Store.open_or_create(tmp_path / "s")  # noqa: E731
    flow = find_motion(VideoEntry(str(video_file)), info, None, FlowRequest(), open_store, Progress())
    assert flow.is_cropped and flow.flow_recipe["algorithm"] == "farneback"
    prepare_motion(flow, [[3, 4, 5]])
    found, seen = (cut(flow, [3, 4, 5], info.clip_format) for cut in (cut_motion, cut_clip))
    np.testing.assert_array_equal(found[:2], np.where(np.abs(seen[:2]) < REST, 0, seen[:2]))
    assert np.abs(found[:2]).max() > 1 and not found[2].any()


def test_removing_the_last_run_that_followed_it_takes_the_motion(tmp_path: Path) -> None:
    store = tmp_path / "s"
    explain(store, RESTING)
    explain(store, flow=DIS)
    kept = lambda: [key for key in Store.open(store).keys("right-3/flow") if "/dis-" in key]  # noqa: E731
    assert len(kept()) == 1
    list(plan_removal(RemoveRequest(store, ("right-3",))).run(is_dry=True))
    assert len(kept()) == 1
    list(plan_removal(RemoveRequest(store, ("right-3",))).run(is_dry=False))
    assert kept() == []


def test_a_remedy_against_camera_motion_does_not_lead_boxes(tmp_path: Path) -> None:
    """What the network sees is changed by it, and the way of what is in the picture is not."""
    plain = explain(tmp_path / "s", modality="flow")
    for remedy in ("mean-subtract", "meansub"):
        run = explain(tmp_path / "s", modality="flow", flow=FlowRequest(remedy=remedy)).run
        assert run.recipe.flow == {"camera_motion": remedy}
        assert run.recipe.motion == plain.run.recipe.motion


@pytest.mark.parametrize("flow", [None, DIS])
def test_a_still_video_gives_the_same_bits_as_boxes_that_rest(tmp_path: Path, flow: FlowRequest | None) -> None:
    """Its flow in 8 bit, which has no level for rest but one beside it, and estimated."""
    frame = SyntheticVideo("right-3", "rgb").read(4)
    still = Video.from_frames("still", np.repeat(frame[None], 8, 0))
    modality = "rgb"
    if flow is None:
        still, modality = Video.from_frames("still", np.full((8, 90, 90, 2), 127, np.uint8)), "flow"
    options: dict[str, object] = {"modality": modality, "flow": flow or FlowRequest()}
    found, expected = (explain(tmp_path / "s", method, still, **options) for method in (FOLLOWING, RESTING))
    np.testing.assert_array_equal(found.run.gradient(0), expected.run.gradient(0))
    assert found.run.gradient(0).any()


class Stopping(Progress):
    """Stops the call, as Ctrl-C does, after so many passes; counts them."""

    def __init__(self, after: int) -> None:
        self.after, self.passes = after, 0

    def advance(self, what: str) -> None:
        """Count a pass."""
        self.passes += not what.endswith("flow")
        if self.passes > self.after:
            raise KeyboardInterrupt


def test_a_killed_call_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the same motion alone: another one's sums are not taken."""
    expected = explain(tmp_path / "whole", flow=DIS)
    monkeypatch.setattr(iteration, "_SECONDS_KEPT", 0.0)
    with pytest.raises(KeyboardInterrupt):
        explain(tmp_path / "s", flow=DIS, progress=Stopping(3))
    other, progress = Stopping(99), Stopping(99)
    explain(tmp_path / "s", progress=other)
    found = explain(tmp_path / "s", flow=DIS, progress=progress)
    assert (other.passes, progress.passes) == (16, 16 - 3)
    np.testing.assert_array_equal(found.run.gradient(0), expected.run.gradient(0))


def test_a_video_shorter_than_its_clip_is_refused(tmp_path: Path) -> None:
    frames = Video.from_frames("short", SyntheticVideo("right-3", "rgb").read(0)[None])
    with pytest.raises(VideoError, match="shorter than a clip") as caught:
        explain(tmp_path / "s", video=frames)
    assert "--frames" in caught.value.hint and "follow=flow" in caught.value.hint
    assert explain(tmp_path / "s", video=frames, frames=1).run.recipe.motion  # nothing to be followed


EXPLAIN = ["explain", "-w", "sample", "-n", "8", "--method", FOLLOWING]


def test_frames_that_are_left_out_are_refused(call: Call, tmp_path: Path) -> None:
    call(*EXPLAIN, SAMPLE, "--stride", "2").check_error(2, "--stride 2 with follow=flow", "leave out one of them")
    assert not list(tmp_path.iterdir())


def test_flow_that_ends_before_the_video_is_refused(
    call: Call, dataset: Path, video_file: Path, tmp_path: Path
) -> None:
    """A data set that has the first 6 flow frames of a video file alone."""
    for channel in ("u", "v"):
        there, here = (
            folder / f"tvl1_flow/{channel}/moving-disc" for folder in (dataset / "example_tvl1_flow", tmp_path)
        )
        here.mkdir(parents=True)
        for frame in sorted(there.iterdir())[:6]:
            (here / frame.name).write_bytes(frame.read_bytes())
    words = [*EXPLAIN, video_file, "-d", tmp_path, "-m", "rgb", "-n", "4"]
    done = call(*words, "--start", "4")
    done.check_error(1, "has 6 frames, and the motion of frame 6 is to be followed", "--flow-algorithm")
    assert call(*words, "--start", "3").code == 0


def test_without_opencv_one_line_says_what_to_install_or_to_give(tmp_path: Path, video_file: Path) -> None:
    words = [*EXPLAIN, str(video_file), "-m", "rgb", "--store", str(tmp_path / "s")]
    check = (
        "import sys; sys.modules['cv2'] = None; from gbvis.cli.app import run_command_line;"
        f"sys.exit(run_command_line({words}))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.returncode in (1, 2) and done.stderr.count("error: ") == 1
    assert "OpenCV" in done.stderr and "gbvis[flow]" in done.stderr and "-d" in done.stderr
    assert "Traceback" not in done.stderr
