import numpy as np
import pytest

import gbvis
from gbvis.errors import VideoError
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT
from gbvis.videos.clip import cut_clip
from gbvis.videos.motion import decode_motion
from gbvis.videos.video import Video, VideoShape


@pytest.mark.parametrize(("channels", "modality"), [(3, "rgb"), (2, "flow")])
def test_frames_in_memory_are_a_video(random: np.random.Generator, channels: int, modality: str) -> None:
    frames = random.integers(0, 256, (9, 40, 60, channels), dtype=np.uint8)
    video = Video.from_frames("mine", frames, rate=12.5)
    assert (video.name, video.location, video.modality) == ("mine", "memory:mine", modality)
    assert video.shape == VideoShape(9, 12.5, 60, 40)
    np.testing.assert_array_equal(video.read(4), frames[4])
    assert cut_clip(video, [1, 2], OLD_SCRIPT.formats[modality]).shape == (2, 112, 112, channels)
    if modality == "flow":
        np.testing.assert_array_equal(video.read_motion(4), decode_motion(frames[4]))
    assert gbvis.Video is Video


def test_frames_in_memory_have_a_fingerprint_of_their_content_and_shape() -> None:
    frames = np.arange(2 * 4 * 6 * 3, dtype=np.uint8).reshape(2, 4, 6, 3)
    same, other, turned = frames.copy(), frames.copy(), frames.reshape(2, 6, 4, 3)
    other[0, 0, 0, 0] += 1
    found = [Video.from_frames("mine", one).fingerprint for one in (frames, same, other, turned)]
    assert found[0] == found[1] and len(set(found)) == 3
    assert len(found[0]) == 64


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((4, 8, 8, 3), np.float32),
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((4, 8, 8, 4), np.uint8),
        np.zeros((0, 8, 8, 3), np.uint8),
    ],
)
def test_what_are_no_frames_is_said(frames: np.ndarray) -> None:
    with pytest.raises(VideoError, match="the frames of mine are") as error:
        Video.from_frames("mine", frames)
    assert "uint8 (T, H, W, 3)" in error.value.hint
