from pathlib import Path

import numpy as np
import pytest

from conftest import Call, read_frames
from gbvis.errors import VideoError
from gbvis.videos import synthetic
from gbvis.videos.locate import look_for
from gbvis.videos.motion import decode_motion
from gbvis.videos.synthetic import FRAMES, MOTIONS, SIZE, SyntheticVideo, draw_sample


def test_both_streams() -> None:
    rgb, flow = (look_for("sample:turn-left-3", modality, None) for modality in ("rgb", "flow"))
    assert rgb is not None and flow is not None
    drawn = draw_sample("turn-left", 3)
    assert rgb.name == flow.name == "turn-left-3"
    assert (rgb.shape.frame_count, flow.shape.frame_count) == (FRAMES, FRAMES - 1)
    assert (rgb.shape.width, rgb.shape.height, rgb.shape.rate) == (SIZE, SIZE, 10.0)
    np.testing.assert_array_equal(read_frames(rgb, range(FRAMES)), drawn.frames)
    np.testing.assert_array_equal(flow.read_motion(2), drawn.flow[2])
    assert np.abs(decode_motion(flow.read(2)) - drawn.flow[2]).max() < 0.08  # half a level of 40 / 255 pixels


def test_each_sample_and_stream_has_its_own_fingerprint() -> None:
    found = {
        video.fingerprint
        for name in ("left-1", "left-2", "right-1")
        for modality in ("rgb", "flow")
        if (video := look_for(f"sample:{name}", modality, None))
    }
    assert len(found) == 6


def test_a_fingerprint_and_a_shape_want_no_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """They follow from the name and the drawing's version."""
    drawn = {modality: SyntheticVideo("up-4", modality) for modality in ("rgb", "flow")}
    shapes = {modality: video.read_motion(0).shape for modality, video in drawn.items() if modality == "flow"}
    shapes["rgb"] = drawn["rgb"].read(0).shape
    monkeypatch.setattr(synthetic, "draw_sample", None)
    for modality, video in drawn.items():
        again = SyntheticVideo("up-4", modality)
        assert again.fingerprint == again.motion_fingerprint == video.fingerprint
        assert (again.shape.height, again.shape.width) == shapes[modality][:2]
    monkeypatch.setattr(synthetic, "DRAWING_VERSION", synthetic.DRAWING_VERSION + 1)
    assert SyntheticVideo("up-4", "rgb").fingerprint != drawn["rgb"].fingerprint


def test_a_cached_sample_is_not_drawn(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["explain", "sample:up-4", "-w", "sample", "-e", "FC"]
    assert call(*words).out.count("computed in") == 2
    monkeypatch.setattr(synthetic, "draw_sample", None)
    assert call(*words).out.count("cached") == 2


def test_what_is_no_sample(tmp_path: Path) -> None:
    assert look_for("left-3", "rgb", None) is None
    assert look_for(str(tmp_path / "sample:left-3"), "rgb", None) is None
    with pytest.raises(VideoError, match="no such sample: sideways-3"):
        look_for("sample:sideways-3", "rgb", None)


def test_samples_go_through_every_command(call: Call) -> None:
    explained = call("explain", "sample:up-4", "sample:wrong-1", "-w", "sample", "-e", "FC")
    assert explained.code == 1
    assert explained.out.count("class 2 up") == 2
    assert "no such sample: wrong-1" in explained.err
    assert call("explain", "sample:up-4", "-w", "sample", "-e", "FC").out.count("cached") == 2
    assert call("render", "sample:up-4", "-m", "rgb", "-o", "x.gif").code == 0
    assert call("render", "up-4", "-m", "rgb", "-o", "x.gif").out.count("unchanged") == 1
    assert "R(2+1)D-10" in call("inspect-shapes", "-w", "sample").out


def test_a_sample_is_not_the_data_sets_video_of_its_name(call: Call) -> None:
    assert call("demo", "here", "--sample", "up-4").code == 0
    assert call("explain", "sample:up-4", "-w", "sample", "-e", "FC", "--store", "here/gbvis.zarr").code == 0
    both = call("render", "up-4", "-m", "rgb", "-e", "FC", "--store", "here/gbvis.zarr", "-o", "both")
    assert len(both.out.splitlines()) == 2
    one = call("render", "sample:up-4", "-m", "rgb", "-e", "FC", "--store", "here/gbvis.zarr", "-o", "one.gif")
    assert one.code == 0, one.err


def test_one_mistake_is_said_once(call: Call) -> None:
    call("explain", "sample:sideways-1", "-w", "sample").check_error(1, "no such sample")
    call("predict", "sample:sideways-1", "-w", "sample").check_error(1, "no such sample")


def test_the_help_names_the_classes(call: Call) -> None:
    assert ", ".join(MOTIONS) in " ".join(call("demo", "--help").out.replace("│", " ").split())
