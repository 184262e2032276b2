"""Samples: drawn videos whose class, true flow and moving shape are known.

One shape moves over a still, textured wall on which other shapes rest. Everything but the motion is drawn from the
seed alone: the middle frame of a seed is the same picture in every class, so only motion tells the class.

The same on every machine, bit for bit: the numbers come from NumPy's frozen `RandomState`, sines and exponentials are
rounded to 30 bits, and everything else is IEEE arithmetic without sums whose order could vary.
"""

import hashlib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from gbvis.errors import VideoError
from gbvis.registry import suggest
from gbvis.videos.motion import Motion, encode_motion
from gbvis.videos.video import SAMPLE_PREFIX, Frame, Video, VideoShape

MOTIONS = ("left", "right", "up", "down", "turn-left", "turn-right", "grow", "shrink")
"""The classes, in the order in which the sample networks count them."""

SIZE = 144
"""Rows and columns of a frame."""

FRAMES = 17
"""Frames of a video; it has one flow frame fewer."""

RATE = 10.0
"""Frames per second."""

MIDDLE = FRAMES // 2
"""The frame that is the same in every class."""

FIRST_TRAINING_SEED = 1_000_000
"""The sample networks were trained on seeds from here on, and on none below."""

DRAWING_VERSION = 1
"""Raised whenever the drawing changes: a sample's fingerprint follows from its name and this, so that a cached call
draws nothing. `tests/videos/test_synthetic.py` has the digests of what each version draws."""

_LAST_SEED = 2**32 - 1


Reals = NDArray[np.float64]
Distance = Callable[[Reals, Reals], Reals]

OUTLINES: tuple[Distance, ...] = (
    lambda x, y: np.sqrt(x * x + y * y),
    lambda x, y: np.maximum(np.abs(x), np.abs(y)) * 1.15,
    lambda x, y: np.maximum(y * 1.6, np.maximum(0.8 * np.abs(x) * 1.6 - 0.6 * y * 1.6, -y)),
    lambda x, y: np.sqrt(x * x + y * y * 2.6),
    lambda x, y: np.minimum(np.maximum(np.abs(x), 2.6 * np.abs(y)), np.maximum(2.6 * np.abs(x), np.abs(y))),
)
"""Disc, square, triangle, ellipse, cross: each is at most 1 inside, at places in units of its radius."""

_REACH = 1.5
"""How far from its centre an outline may go, in units of its radius."""


@dataclass(frozen=True)
class Shape:
    """A textured shape.

    Attributes:
        outline: Index of its outline.
        x: Column of its centre, pixels.
        y: Row of its centre.
        radius: Pixels.
        cosine: Of the angle it is turned by, from x towards y.
        sine: Of the same.
        texture: float64 (n, n, 3), 0-255, spread over it.
    """

    outline: int
    x: float
    y: float
    radius: float
    cosine: float
    sine: float
    texture: Reals

    def cover(self, rows: slice, columns: slice) -> tuple[Reals, Reals]:
        """Return how much of each pixel it covers, float64 (H, W), 0-1, and its colours, float64 (H, W, 3), 0-255."""
        dy = np.arange(rows.start, rows.stop, dtype=np.float64)[:, None] - self.y
        dx = np.arange(columns.start, columns.stop, dtype=np.float64)[None, :] - self.x
        x = (self.cosine * dx + self.sine * dy) / self.radius
        y = (self.cosine * dy - self.sine * dx) / self.radius
        outside = (OUTLINES[self.outline](x, y) - 1) * self.radius
        cells = len(self.texture) - 1
        spread = cells / (2 * _REACH)
        return np.clip(0.5 - outside, 0, 1), interpolate(
            self.texture, np.clip((y + _REACH) * spread, 0, cells), np.clip((x + _REACH) * spread, 0, cells)
        )

    def window(self, size: int) -> tuple[slice, slice]:
        """Return the rows and columns outside of which it covers nothing of a frame of `size` by `size` pixels."""
        reach = self.radius * _REACH + 1
        top, left = math.floor(self.y - reach), math.floor(self.x - reach)
        bottom, right = math.ceil(self.y + reach) + 1, math.ceil(self.x + reach) + 1
        rows = slice(min(max(top, 0), size), min(max(bottom, 0), size))
        return rows, slice(min(max(left, 0), size), min(max(right, 0), size))


def interpolate(grid: Reals, rows: Reals, columns: Reals) -> Reals:
    """Return a grid (n, n, C) at fractional places, bilinear: float64 (*broadcast of rows and columns, C)."""
    top = np.minimum(rows.astype(np.int64), len(grid) - 2)
    left = np.minimum(columns.astype(np.int64), len(grid) - 2)
    down, right = (rows - top)[..., None], (columns - left)[..., None]
    above = grid[top, left] + right * (grid[top, left + 1] - grid[top, left])
    below = grid[top + 1, left] + right * (grid[top + 1, left + 1] - grid[top + 1, left])
    between: Reals = above + down * (below - above)
    return between


@dataclass(frozen=True)
class Sample:
    """A drawn video.

    Attributes:
        frames: uint8 (FRAMES, SIZE, SIZE, 3), RGB.
        flow: float32 (FRAMES - 1, SIZE, SIZE, 2), pixels a frame; flow k leads from frame k to frame k + 1.
        mover: bool (FRAMES, SIZE, SIZE), True on the shape that moves.
        distractors: bool (SIZE, SIZE), True on the shapes that rest, also where the mover hides them.
    """

    frames: NDArray[np.uint8]
    flow: Motion
    mover: NDArray[np.bool_]
    distractors: NDArray[np.bool_]


def read_sample_name(name: str) -> tuple[str, int]:
    """Return the class and the seed of the sample `CLASS-SEED`, such as `turn-left-3`.

    Raises:
        GbvisError: There is no such sample.
    """
    match = re.fullmatch(r"(?P<motion>.+)-(?P<seed>0|[1-9][0-9]{0,9})", name)
    if match is None or match["motion"] not in MOTIONS or int(match["seed"]) > _LAST_SEED:
        typed, _, number = name.rpartition("-")
        meant = suggest(name, [f"{motion}-{number}" for motion in MOTIONS]) if typed not in MOTIONS else ""
        raise VideoError(
            f"no such sample: {name}",
            f"{meant}expected CLASS-SEED, such as {MOTIONS[0]}-3; classes are {', '.join(MOTIONS)}, "
            f"seeds go from 0 to {_LAST_SEED}",
        )
    return match["motion"], int(match["seed"])


def draw_sample(motion: str, seed: int) -> Sample:
    """Return the video of that class and seed.

    Args:
        motion: One of `MOTIONS`.
        seed: From 0 to 2^32 - 1.
    """
    random = RandomState(seed)
    mover, speed = _draw_shape(random, margin=46), 2 + 2 * random.random_sample()
    wall, distractors = _draw_wall(random, mover)
    steps = [_move(mover, motion, speed, step - MIDDLE) for step in range(FRAMES)]
    frames = np.empty((FRAMES, SIZE, SIZE, 3), np.uint8)
    masks = np.zeros((FRAMES, SIZE, SIZE), np.bool_)
    flow = np.zeros((FRAMES - 1, SIZE, SIZE, 2), np.float32)
    for number, shape in enumerate(steps):
        picture = wall.copy()
        masks[number] = _paint(picture, shape)
        frames[number] = np.rint(picture)
    for number, (before, after) in enumerate(pairwise(steps)):
        flow[number][masks[number]] = _flow_between(before, after)[masks[number]]
    return Sample(frames, flow, masks, distractors)


def _draw_shape(random: RandomState, margin: int) -> Shape:
    """Return a shape with its centre at least `margin` pixels inside the frame."""
    angle = 2 * math.pi * random.random_sample()
    return Shape(
        outline=random.randint(len(OUTLINES)),
        x=margin + (SIZE - 2 * margin) * random.random_sample(),
        y=margin + (SIZE - 2 * margin) * random.random_sample(),
        radius=12 + 7 * random.random_sample(),
        cosine=_steady(math.cos(angle)),
        sine=_steady(math.sin(angle)),
        texture=_draw_texture(random, cells=5, contrast=1.0),
    )


def _draw_wall(random: RandomState, mover: Shape) -> tuple[Reals, NDArray[np.bool_]]:
    """Return the wall with what rests on it, float64 (SIZE, SIZE, 3), 0-255, and where that is."""
    places = np.arange(SIZE, dtype=np.float64)
    wall = np.zeros((SIZE, SIZE, 3))
    for cells, share in ((4, 0.5), (12, 0.3), (36, 0.2)):
        scaled = places * (cells / SIZE)
        wall += share * interpolate(_draw_texture(random, cells, contrast=0.8), scaled[:, None], scaled[None, :])
    mask = np.zeros((SIZE, SIZE), np.bool_)
    for _ in range(2 + random.randint(3)):
        for _ in range(20):  # beside the mover, not on it, if there is room
            shape = _draw_shape(random, margin=10)
            apart = (shape.x - mover.x) * (shape.x - mover.x) + (shape.y - mover.y) * (shape.y - mover.y)
            if apart > (shape.radius + mover.radius + 8) * (shape.radius + mover.radius + 8):
                mask |= _paint(wall, shape)
                break
    return wall, mask


def _draw_texture(random: RandomState, cells: int, contrast: float) -> Reals:
    """Return a blotchy mixture of two colours half the range apart: float64 (cells + 1, cells + 1, 3), 0-255."""
    middle = 63.75 + 127.5 * random.random_sample(3)
    direction = random.randint(2, size=3) - 0.5
    share = 2 * random.random_sample((cells + 1, cells + 1, 1)) - 1
    return 127.5 + contrast * (middle + 127.5 * direction * share - 127.5)


def _paint(picture: Reals, shape: Shape) -> NDArray[np.bool_]:
    """Paint a shape over the picture and return where it is: bool (SIZE, SIZE)."""
    mask = np.zeros((SIZE, SIZE), np.bool_)
    rows, columns = shape.window(SIZE)
    share, colours = shape.cover(rows, columns)
    picture[rows, columns] += share[..., None] * (colours - picture[rows, columns])
    mask[rows, columns] = share >= 0.5
    return mask


def _move(shape: Shape, motion: str, speed: float, steps: int) -> Shape:
    """Return the shape `steps` frames after the middle one.

    Args:
        shape: In the middle frame.
        motion: One of `MOTIONS`.
        speed: Pixels a frame, of its rim where it turns; growing changes it by 0.018 times as much of its size.
        steps: Frames, negative before the middle one.
    """
    if motion in ("grow", "shrink"):
        rate = 0.018 * speed * (1 if motion == "grow" else -1)
        return replace(shape, radius=shape.radius * _steady(math.exp(rate * steps)))
    if motion in ("turn-left", "turn-right"):
        angle = steps * speed / shape.radius * (1 if motion == "turn-right" else -1)
        cosine, sine = _steady(math.cos(angle)), _steady(math.sin(angle))
        return replace(
            shape,
            cosine=shape.cosine * cosine - shape.sine * sine,
            sine=shape.sine * cosine + shape.cosine * sine,
        )
    dx, dy = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}[motion]
    return replace(shape, x=shape.x + dx * speed * steps, y=shape.y + dy * speed * steps)


def _flow_between(before: Shape, after: Shape) -> Motion:
    """Return where the shape's own places go, for every pixel of the frame: float32 (SIZE, SIZE, 2), pixels."""
    places = np.arange(SIZE, dtype=np.float64)
    dy, dx = places[:, None] - before.y, places[None, :] - before.x
    growth = after.radius / before.radius
    cosine = growth * (after.cosine * before.cosine + after.sine * before.sine)
    sine = growth * (after.sine * before.cosine - after.cosine * before.sine)
    u = cosine * dx - sine * dy - dx + (after.x - before.x)
    v = sine * dx + cosine * dy - dy + (after.y - before.y)
    return np.stack([u, v], axis=-1).astype(np.float32)


def _steady(value: float) -> float:
    """Return the value rounded to 30 bits: mathematical libraries differ in the last of 53."""
    return math.ldexp(round(math.ldexp(value, 30)), -30)


_draw_once = lru_cache(maxsize=2)(draw_sample)
"""Both streams of a video are asked for, one after the other; who reads frames does not change them."""


class SyntheticVideo(Video):
    """One stream of a sample; drawn when something of it is first asked for."""

    def __init__(self, name: str, modality: str) -> None:
        super().__init__(name, f"{SAMPLE_PREFIX}{name}", modality)
        self._motion, self._seed = read_sample_name(name)

    @cached_property
    def _sample(self) -> Sample:
        return _draw_once(self._motion, self._seed)

    @cached_property
    def fingerprint(self) -> str:
        """A SHA-256 that tells what would be drawn; nothing is."""
        decisive = f"drawing {DRAWING_VERSION} of {self.modality} of {self.name}"
        return hashlib.sha256(decisive.encode()).hexdigest()

    @property
    def shape(self) -> VideoShape:
        """As all samples."""
        return VideoShape(FRAMES if self.modality == "rgb" else FRAMES - 1, RATE, SIZE, SIZE)

    def read(self, number: int) -> Frame:
        """Return frame `number`: uint8 (height, width, 3 or 2)."""
        return self._sample.frames[number] if self.modality == "rgb" else encode_motion(self._sample.flow[number])

    def read_motion(self, number: int) -> Motion:
        """Return the true flow: float32 (height, width, 2), pixels."""
        motion: Motion = self._sample.flow[number]
        return motion
