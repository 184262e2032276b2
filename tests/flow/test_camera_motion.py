from pathlib import Path

import numpy as np
import pytest

from gbvis.flow.camera_motion import REMEDIES, CompensatedFlow, stretch_over_time
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT, VMZ_CAFFE2
from gbvis.videos.clip import cut_clip
from gbvis.videos.locate import look_for
from gbvis.videos.motion import decode_motion, encode_motion
from gbvis.videos.readers import two_stream_folder
from gbvis.videos.video import Frame, Video, VideoShape


class Panned(Video):
    """A flow stream of noise, over which a camera pans by 6 pixels to the right and 3 up."""

    fingerprint = "f" * 64
    shape = VideoShape(5, None, 60, 40)

    def read(self, number: int) -> Frame:
        noise = np.random.default_rng(number).uniform(-4, 4, (40, 60, 2)).astype(np.float32)
        return encode_motion(noise + np.array([6, -3], np.float32))


def test_mean_subtraction_takes_the_pan_away() -> None:
    panned = Panned("pan", "/", "flow")
    steady = CompensatedFlow(panned, "mean-subtract")
    for motion in (steady.read_motion(2), decode_motion(steady.read(2))):
        assert np.abs(motion.mean((0, 1))).max() < 20 / 255  # half a level
        before = panned.read_motion(2)
        np.testing.assert_allclose(motion, before - before.mean((0, 1)), atol=20 / 255 * 1.01)
    assert steady.flow_recipe == {"camera_motion": "mean-subtract"}
    assert steady.fingerprint == panned.fingerprint and steady.shape == panned.shape


def test_the_old_scripts_remedy_against_its_own_arithmetic(shared: Path) -> None:
    """`flow_mean_sub` of the 2019 script, written once more: (clips, time, y, x, channel), float32."""
    flow = two_stream_folder.read("v_WalkingWithDog_g15_c01", "flow", shared / "data/UCF-101")
    assert flow
    form, numbers = OLD_SCRIPT.formats["flow"], range(4, 12)
    buffer = cut_clip(flow, numbers, form)[None].astype(np.float32)
    buffer -= np.expand_dims(buffer.sum(1) / buffer.shape[1], 1)
    buffer += np.abs(buffer.min((1, 2, 3))).reshape(1, 1, 1, 1, 2)
    buffer = buffer / buffer.max((1, 2, 3)).reshape(1, 1, 1, 1, 2) * 255
    ours = cut_clip(CompensatedFlow(flow, "meansub"), numbers, form)
    assert ours.dtype == np.uint8
    assert np.abs(ours - buffer[0]).max() <= 0.501  # rounded to whole levels


def test_what_never_changes_is_rest() -> None:
    still = np.broadcast_to(np.arange(9, dtype=np.uint8).reshape(1, 3, 3, 1), (4, 3, 3, 2))
    np.testing.assert_array_equal(stretch_over_time(still), np.full((4, 3, 3, 2), 128))


@pytest.mark.parametrize("remedy", REMEDIES)
def test_a_remedy_leaves_frames_their_size(remedy: str) -> None:
    flow = look_for("sample:left-1", "flow", None)
    assert flow
    clip = cut_clip(CompensatedFlow(flow, remedy), range(8), OLD_SCRIPT.formats["flow"])
    assert clip.shape == (8, 112, 112, 2)


def test_motion_in_pixels_too() -> None:
    form = VMZ_CAFFE2.formats["flow"]
    clip = cut_clip(CompensatedFlow(Panned("pan", "/", "flow"), "mean-subtract"), [0, 1], form)
    assert clip.dtype == np.float32
    assert np.abs(clip.mean((0, 1, 2))).max() < 0.2
