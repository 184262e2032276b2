"""Sample: a drawn video of which all is known, the class, the true flow, and where the mover is.

One shape moves over a still, textured wall on which other shapes rest. Everything but the motion is drawn from the
seed alone: the middle frame of a seed is the same picture in every class, so only motion tells the class.

The same on every machine, bit for bit: the numbers come from NumPy's frozen `RandomState`, sines and exponentials are
rounded to 30 bits, and everything else is IEEE arithmetic without sums whose order could vary.
"""

import math
import re
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from gbvis.errors import GbvisError
from gbvis.videos.motion import Motion
from gbvis.videos.shape import OUTLINES, Reals, Shape, interpolate

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

_LAST_SEED = 2**32 - 1


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
        raise GbvisError(
            f"no such sample: {name}",
            f"expected CLASS-SEED, such as {MOTIONS[0]}-3; classes are {', '.join(MOTIONS)}, "
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
