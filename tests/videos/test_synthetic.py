import hashlib
from pathlib import Path

import numpy as np
import pytest

from gbvis.errors import VideoError
from gbvis.networks.sample import find_weights
from gbvis.videos.clip import ClipFormat
from gbvis.videos.synthetic import DRAWING_VERSION, FRAMES, MIDDLE, MOTIONS, SIZE, draw_sample, read_sample_name

HASHES = {
    1: {
        ("left", 0): "4378bc329149415c",
        ("turn-right", 3): "6dae6fd3aa30f300",
        ("grow", 999_999): "8a64280503a878d0",
    },
}
"""What each version of the drawing draws. Whoever changes the drawing raises its version, and adds what that draws."""


def digest(*arrays: np.ndarray) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:16]


@pytest.mark.parametrize(("motion", "seed"), HASHES[1])
def test_the_drawing_is_the_same_everywhere(motion: str, seed: int) -> None:
    sample = draw_sample(motion, seed)
    found = digest(sample.frames, sample.flow, sample.mover, sample.distractors)
    assert found == HASHES[DRAWING_VERSION][motion, seed], "another drawing wants another DRAWING_VERSION: see HASHES"


def test_each_version_of_the_drawing_draws_something_else() -> None:
    assert max(HASHES) == DRAWING_VERSION
    assert len({tuple(drawn.values()) for drawn in HASHES.values()}) == len(HASHES)


def test_shapes_and_types() -> None:
    sample = draw_sample("up", 1)
    assert sample.frames.shape == (FRAMES, SIZE, SIZE, 3) and sample.frames.dtype == np.uint8
    assert sample.flow.shape == (FRAMES - 1, SIZE, SIZE, 2) and sample.flow.dtype == np.float32
    assert sample.mover.shape == (FRAMES, SIZE, SIZE) and sample.distractors.shape == (SIZE, SIZE)
    assert sample.mover.any((1, 2)).all()


@pytest.mark.parametrize("seed", range(5))
def test_only_motion_tells_the_class(seed: int) -> None:
    """The middle frame of a seed is the same picture in every class, and no other frame is."""
    samples = [draw_sample(motion, seed) for motion in MOTIONS]
    for number in range(FRAMES):
        pictures = {sample.frames[number].tobytes() for sample in samples}
        assert len(pictures) == (1 if number == MIDDLE else len(MOTIONS)), number


@pytest.mark.parametrize("motion", MOTIONS)
@pytest.mark.parametrize("seed", [4, 11])
def test_the_flow_moves_each_frame_onto_the_next(motion: str, seed: int) -> None:
    """Looking up every pixel of the mover where its flow says that it goes shows the same colours, to the blur of that.

    What stays outside the mover in both frames does not change at all.
    """
    sample = draw_sample(motion, seed)
    for number in range(FRAMES - 1):
        rows, columns = np.nonzero(erode(sample.mover[number]))
        x = columns + sample.flow[number, rows, columns, 0]
        y = rows + sample.flow[number, rows, columns, 1]
        is_inside = (x > 0) & (x < SIZE - 1) & (y > 0) & (y < SIZE - 1)
        before = sample.frames[number, rows, columns].astype(float)[is_inside]
        moved = np.abs(look_up(sample.frames[number + 1], x[is_inside], y[is_inside]) - before).mean()
        rested = np.abs(sample.frames[number + 1, rows, columns].astype(float)[is_inside] - before).mean()
        assert moved < 2.5 and moved < 0.6 * rested
        wall = ~(grow(sample.mover[number]) | grow(sample.mover[number + 1]))
        np.testing.assert_array_equal(sample.frames[number][wall], sample.frames[number + 1][wall])
        assert not sample.flow[number][~sample.mover[number]].any()


def look_up(frame: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    left, top = x.astype(int), y.astype(int)
    right, down = (x - left)[:, None], (y - top)[:, None]
    above = frame[top, left] * (1 - right) + frame[top, left + 1] * right
    return above * (1 - down) + (frame[top + 1, left] * (1 - right) + frame[top + 1, left + 1] * right) * down


def grow(mask: np.ndarray) -> np.ndarray:
    padded = np.pad(mask, 1)
    shifts = [padded[1 + y : 1 + y + SIZE, 1 + x : 1 + x + SIZE] for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return np.any(shifts, axis=0)


def erode(mask: np.ndarray) -> np.ndarray:
    return ~grow(grow(~mask))


def test_halving_is_averaging() -> None:
    """The sample networks see every second pixel's square: nothing of the frame is skipped."""
    square = ClipFormat(frames=8, height=72, width=72, crop=72, top=0, left=0, scale=1, mean=(0,) * 3, std=(1,) * 3)
    frame = draw_sample("down", 2).frames[0]
    expected = frame.reshape(72, 2, 72, 2, 3).astype(float).mean((1, 3))
    assert np.abs(square.resize_and_crop(frame) - expected).max() <= 0.5


@pytest.mark.parametrize(
    "name", ["", "left", "left-", "left-x", "sideways-3", "left--3", "left-4294967296", "-3", "left-03"]
)
def test_a_name_that_means_nothing(name: str) -> None:
    with pytest.raises(VideoError, match="no such sample") as error:
        read_sample_name(name)
    assert "turn-left" in error.value.hint


def test_names() -> None:
    assert read_sample_name("turn-left-3") == ("turn-left", 3)
    assert read_sample_name("grow-4294967295") == ("grow", 2**32 - 1)


def test_sample_means_the_networks_that_come_with_gbvis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_weights(Path("sample")).name == "sample.safetensors"
    assert find_weights(Path("sample.pth")) == Path("sample.pth")
    (tmp_path / "sample").mkdir()
    assert find_weights(Path("sample")).name == "sample.safetensors"
    (tmp_path / "sample").rmdir()
    (tmp_path / "sample").write_text("somebody's weights")
    assert find_weights(Path("sample")).name == "sample.safetensors"  # whatever lies about
    assert find_weights(tmp_path / "sample") == tmp_path / "sample"
