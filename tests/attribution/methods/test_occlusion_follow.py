"""Occlusion by boxes that follow the flow, against a slow loop over pixels, and on a sample whose motion is known."""

import itertools

import numpy as np
import pytest

from gbvis.attribution.iterative import Clip
from gbvis.attribution.methods.occlusion import Occlusion
from gbvis.errors import UsageError
from gbvis.networks.endpoint import Target
from gbvis.videos.clip import ClipFormat, Inputs, cut_clip, cut_motion
from gbvis.videos.motion import Motion
from gbvis.videos.synthetic import FRAMES, SIZE, SyntheticVideo, draw_sample
from gbvis.videos.video import Video
from material.captum_target import AtEndpoint
from material.checkpoints import Exact
from material.passes import attribute_all, make_clip
from material.small_kind import CLASSES, EDGES, make_small_network

TARGETS = [Target(CLASSES, 1), Target(EDGES, 2)]
Size = tuple[int, int, int]


def with_motion(clip: Clip, motion: Motion) -> Clip:
    """Return a clip that is told how things move in it."""
    return Clip(clip.pixels, clip.clip_format, clip.modality, clip.first_frame, lambda: motion)


def make_occlusion(box: Size, stride: Size, follow: str = "flow") -> Occlusion:
    return Occlusion(*("x".join(map(str, size)) for size in (box, stride)), follow=follow)  # type: ignore[arg-type]


def find_starts(length: int, size: int, stride: int) -> list[int]:
    """Return where boxes start along an axis: a stride apart, until one reaches the end."""
    found = [0]
    while found[-1] + size < length:
        found.append(found[-1] + stride)
    return found


def cover_slowly(motion: Motion, start: Size, size: Size) -> np.ndarray:
    """Return what a box covers, pixel by pixel: bool (T, y, x)."""
    length, height, width = motion.shape[:3]
    covered = np.zeros((length, height, width), bool)
    rows = [row for row in range(height) if start[1] <= row < start[1] + size[1]]
    columns = [column for column in range(width) if start[2] <= column < start[2] + size[2]]
    middle_y, middle_x = (rows[0] + rows[-1] + 1) // 2, (columns[0] + columns[-1] + 1) // 2
    y, x = float(middle_y), float(middle_x)
    for frame in range(start[0], min(start[0] + size[0], length)):
        if not (0 <= y <= height - 1 and 0 <= x <= width - 1):
            break
        for row, column in itertools.product(rows, columns):
            moved_row, moved_column = row + round(y) - middle_y, column + round(x) - middle_x
            if 0 <= moved_row < height and 0 <= moved_column < width:
                covered[frame, moved_row, moved_column] = True
        u, v = motion[frame, round(y), round(x)]
        y, x = y + float(v), x + float(u)
    return covered


def occlude_slowly(network: Exact, clip: Clip, target: Target, box: Size, stride: Size) -> np.ndarray:
    """Return the mean of F(x) - F(x with the box at 0) over all boxes that cover a pixel, and 0 where none does."""
    forward = AtEndpoint(network, target.endpoint)
    value = forward(network.preprocess([clip.pixels]))[0, target.index].item()
    falls, covering = np.zeros(clip.values.shape[1:]), np.zeros(clip.values.shape[1:])
    axes = zip(clip.values.shape[1:], box, stride, strict=True)
    for start in itertools.product(*(find_starts(*axis) for axis in axes)):
        covered = cover_slowly(clip.motion, start, box)
        inputs = network.preprocess(clip_with(clip, covered))
        falls[covered] += value - forward(inputs)[0, target.index].item()
        covering[covered] += 1
    return np.where(covering > 0, falls / np.maximum(covering, 1), 0)


def clip_with(clip: Clip, covered: np.ndarray) -> Inputs:
    """Return the normalised clip, at 0 where it is covered."""
    return Inputs(np.where(covered, np.float32(0), clip.values)[None])


@pytest.mark.parametrize(("box", "stride"), [((4, 9, 6), (2, 8, 6)), ((6, 24, 7), (3, 5, 7)), ((9, 5, 60), (9, 5, 1))])
def test_a_slow_loop_finds_the_same(random: np.random.Generator, box: Size, stride: Size) -> None:
    network = Exact(make_small_network())
    motion = random.normal(0.4, 2.5, (6, 24, 24, 2)).astype(np.float32)
    clip = with_motion(make_clip(random, network, frames=6), motion)
    for found in attribute_all(make_occlusion(box, stride), network, clip, TARGETS):
        expected = occlude_slowly(network, clip, found.target, box, stride)
        np.testing.assert_allclose(found.values, expected, atol=1e-6 * np.abs(expected).max())


def test_pixels_that_no_box_covers_are_0(random: np.random.Generator) -> None:
    """All go to the right, 5 pixels a frame, and end when their middle, in columns 3, 9, 15 and 21, is outside."""
    network = Exact(make_small_network())
    motion = np.full((6, 24, 24, 2), (5, 0), np.float32)
    clip = with_motion(make_clip(random, network, frames=6), motion)
    (found,) = attribute_all(make_occlusion((6, 6, 6), (6, 6, 6)), network, clip, TARGETS[:1])
    covered = [range(24), range(5, 23), range(10, 22), range(15, 21), range(20, 24), ()]
    for values, columns in zip(found.values, covered, strict=True):
        assert values[:, [*columns]].all() and not np.delete(values, [*columns], axis=1).any()


@pytest.mark.parametrize("level", [127, 128])
def test_where_nothing_moves_boxes_rest(random: np.random.Generator, level: int) -> None:
    """The same bits as without; also in 8 bit, where rest lies between two levels."""
    network = make_small_network()
    flow = Video.from_frames("still", np.full((6, 24, 24, 2), level, np.uint8))
    clip = make_clip(random, network, frames=7)
    motion = cut_motion(flow, range(7), clip.clip_format)
    assert motion.shape == (7, 24, 24, 2) and not motion.any()
    box, stride = (7, 9, 9), (7, 8, 8)
    moving = attribute_all(make_occlusion(box, stride), network, with_motion(clip, motion), TARGETS)
    resting = attribute_all(make_occlusion(box, stride, "none"), network, clip, TARGETS)
    for found, expected in zip(moving, resting, strict=True):
        np.testing.assert_array_equal(found.values, expected.values)


@pytest.mark.parametrize("name", ["right-3", "left-5", "up-2", "down-7"])
def test_a_box_on_the_mover_stays_on_it(name: str) -> None:
    """It goes the mover's own way, to the nearest pixel, over all frames; a box on the wall rests."""
    direction, _, seed = name.partition("-")
    sample = draw_sample(direction, int(seed))
    way = np.rint(np.arange(FRAMES)[:, None] * sample.flow[0][sample.mover[0]][0]).astype(int)
    clip_format = ClipFormat(FRAMES, SIZE, SIZE, SIZE, 0, 0, 1.0, (127.5,) * 3, (1.0,) * 3)  # no pixel is the baseline
    pixels = cut_clip(SyntheticVideo(name, "rgb"), range(FRAMES), clip_format)
    clip = with_motion(
        Clip(pixels, clip_format, "rgb"), cut_motion(SyntheticVideo(name, "flow"), range(FRAMES), clip_format)
    )
    method = make_occlusion((FRAMES, 8, 8), (FRAMES, 8, 8))
    on_mover = on_wall = 0
    for number in range(method.count_passes(clip, method.begin(clip, TARGETS[0], 0.0))):
        covered = (method.make_input(clip, number) != clip.values).any(0)
        if sample.mover[0][covered[0]].all():
            on_mover += 1
            for frame, (x, y) in enumerate(way):
                np.testing.assert_array_equal(covered[frame], np.roll(covered[0], (y, x), (0, 1)))
                assert sample.mover[frame][covered[frame]].mean() > 0.9
        elif not sample.mover[:, covered[0]].any():
            on_wall += 1
            assert (covered == covered[0]).all()
    assert on_mover >= 4 and on_wall >= 200


def test_motion_shrinks_with_the_frame_and_keeps_its_place() -> None:
    """A flow frame of 60x40 pixels, of which the network sees the left half at a third of its height."""
    levels = np.full((3, 40, 60, 2), 128, np.uint8)
    levels[1, 20:, :30] = 255, 0
    clip_format = ClipFormat(8, 20, 20, 10, 10, 0, 1.0, (128.0,) * 3, (1.0,) * 3)
    motion = cut_motion(Video.from_frames("shift", levels), [0, 1, 2, 3], clip_format)
    assert motion.dtype == np.float32 and motion.shape == (4, 10, 10, 2)
    np.testing.assert_allclose(motion[1, 1:, :9], np.broadcast_to([20 / 3, -10], (9, 9, 2)), rtol=1e-6)
    assert not motion[[0, 2, 3]].any()


def test_a_clip_by_itself_tells_no_motion(random: np.random.Generator) -> None:
    clip = make_clip(random, make_small_network())
    assert Occlusion(follow="flow").needs_motion and not Occlusion().needs_motion
    with pytest.raises(UsageError, match="does not tell how things move"):
        Occlusion(follow="flow").make_input(clip, 0)
