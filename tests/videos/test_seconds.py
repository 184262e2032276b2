"""When frames are shown, where their rate varies: asked for, kept with the clips, and said by views."""

from pathlib import Path

import numpy as np
import pytest

from gbvis.errors import VideoError
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT
from gbvis.store import Store
from gbvis.videos.clip import cut_clip
from gbvis.videos.clip_request import ClipRequest
from gbvis.videos.readers.video_file import VideoFile
from gbvis.videos.video import Video, VideoShape
from numbered import write_numbers

FORM = OLD_SCRIPT.formats["rgb"]


def slowing(number: int) -> int:
    """Return when a frame is shown, milliseconds: 24 frames 20 ms apart, then 100."""
    return 20 * number if number < 24 else 480 + 100 * (number - 24)


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "libx264"), ("a.mp4", "libx264"), ("a.wmv", "wmv2")])
def test_seconds_of_a_varying_rate(tmp_path: Path, name: str, codec: str) -> None:
    path = write_numbers(tmp_path / name, codec, time_of=lambda number: 3000 + slowing(number))
    shape = VideoFile(path).shape
    assert shape.seconds == pytest.approx([slowing(number) / 1000 for number in range(48)], abs=2e-3)
    assert ClipRequest(4, start_seconds=1.48).choose_frames(shape) == [[34, 35, 36, 37]]


def test_the_nearest_frame() -> None:
    shape = VideoShape(4, 10.0, 9, 9, (0.0, 0.1, 0.5, 1.0))
    asked = (0.0, 0.04, 0.06, 0.29, 0.31, 0.9, 1.2, 1.3)
    assert [shape.number_at(second) for second in asked] == [0, 0, 1, 1, 2, 3, 3, 4]
    assert [shape.second_of(number) for number in range(4)] == [0.0, 0.1, 0.5, 1.0]
    assert VideoShape(4, 10.0, 9, 9).second_of(3) == 0.3 and VideoShape(4, None, 9, 9).second_of(3) is None


@pytest.mark.parametrize(
    ("shape", "problem", "hint"),
    [
        (VideoShape(4, 10.0, 9, 9, (0.0, 0.1, 0.5, 1.0)), "cannot start at 9 s, the video is 1.5 s long", "0.1s"),
        (VideoShape(50, 30.0, 9, 9), "cannot start at 9 s, the video is 1.666 s long", "1.533s"),
        (VideoShape(1, 30.0, 9, 9), "the video has one frame, and no clip can start at 9 s", "leave out"),
    ],
)
def test_a_start_behind_the_end(shape: VideoShape, problem: str, hint: str) -> None:
    """Where seconds were asked for, in seconds; the last one in the hint is a start."""
    frames = 3 if shape.seconds else 4
    with pytest.raises(VideoError, match=problem) as error:
        ClipRequest(frames, start_seconds=9.0).choose_frames(shape)
    assert error.value.hint is not None and hint in error.value.hint
    if shape.frame_count > 1:
        last = float(error.value.hint.split()[-1].removesuffix("s"))
        assert ClipRequest(frames, start_seconds=last).choose_frames(shape)[0][-1] == shape.frame_count - 1


class TitleCard(Video):
    """A title of another size, then frames shown at times of their own."""

    fingerprint = "f" * 64
    shape = VideoShape(4, 10.0, 64, 48, (0.0, 2.0, 2.1, 2.2))

    def read(self, number: int) -> np.ndarray:
        return np.full((96, 192, 3) if number else (48, 64, 3), number, np.uint8)


def test_the_store_keeps_each_frames_second_and_size(tmp_path: Path) -> None:
    store, video, sizes = Store.open_or_create(tmp_path / "gbvis.zarr"), TitleCard("title", "/", "rgb"), {}
    cut = (cut_clip(video, numbers, FORM, sizes) for numbers in ([0, 1], [2, 3]))
    clips = store.write_clips(video, FORM, [[0, 1], [2, 3]], cut, False, sizes)
    assert clips.seconds == [[0.0, 2.0], [2.1, 2.2]] and clips.seconds_of(1) == [2.1, 2.2]
    assert clips.sizes_of(0) == [(48, 64), (96, 192)] and clips.sizes_of(1) == [(96, 192)] * 2
    for size in ((48, 64), (96, 192)):
        assert clips.box_of(size) == pytest.approx(FORM.source_box(VideoShape(1, None, size[1], size[0])))
    assert [(clips.pixels(0)[step] == step).all() for step in (0, 1)] == [True, True]
    assert store.find_shape("title", "rgb", clips.fingerprint) is None  # the record does not hold all times


def test_clips_behind_a_title_card_have_their_own_size(tmp_path: Path) -> None:
    store, video, sizes = Store.open_or_create(tmp_path / "gbvis.zarr"), TitleCard("title", "/", "rgb"), {}
    cut = (cut_clip(video, numbers, FORM, sizes) for numbers in ([2, 3],))
    clips = store.write_clips(video, FORM, [[2, 3]], cut, False, sizes)
    assert clips.source_size == (96, 192) and not clips.source_sizes
    assert clips.source_box == pytest.approx(FORM.source_box(VideoShape(1, None, 192, 96)))
