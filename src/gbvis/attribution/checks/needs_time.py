"""Time: does the class need motion? The class's score while frames stand still, run backwards or are shuffled.

A network that reads the class from single frames keeps its score in a frozen clip (Huang et al. 2018, "What Makes a
Video a Video: Analyzing Temporal Information in Video Understanding Models and Datasets"), and one that looks at what
is there, and not at its order, keeps it in a shuffled one. No attribution has a part in this: it says what there is for
an attribution to find.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.checks.check import Check, Finding, Subject
from gbvis.videos.motion import encode_motion

if TYPE_CHECKING:
    from gbvis.attribution.checks.laboratory import Laboratory
    from gbvis.attribution.iterative import Clip
    from gbvis.videos.clip import ClipPixels


@dataclass(frozen=True)
class NeedsTime(Check):
    """The class's score of the clip less its score of the frozen clip; 0 where the class needs no motion.

    Beside it the score of the clip backwards, of shuffled clips, and of each frame alone, which fills the whole clip.
    Of RGB the frozen clip is the frame in the middle, throughout; of flow it is rest, as nothing moves then. Flow
    backwards is that of the video played backwards: its order reversed, and motion negated. A frame of flow alone is
    one motion that goes on.

    Attributes:
        shuffles: How many orders of the frames are drawn; their mean counts.
    """

    name = "time"
    version = 1
    needs_class = True
    is_of_network = True

    shuffles: int = 10

    def __post_init__(self) -> None:
        """Check the number of shuffles.

        Raises:
            ValueError: There is none.
        """
        if not 1 <= self.shuffles <= 10_000:
            raise ValueError(f"shuffles={self.shuffles}: expected 1 to 10000")

    def measure(self, subjects: Sequence[Subject], laboratory: Laboratory) -> Iterator[Finding]:
        """Yield what is found for each subject: the same for all that are of one class."""
        clip = laboratory.clip
        changed = [freeze(clip), reverse(clip), *self._shuffle(laboratory), *_repeat_each(clip)]
        scores = laboratory.predict([clip.pixels, *changed])
        for subject in subjects:
            yield self._sum_up(scores[:, subject.target.index])

    def describe(self, finding: Finding) -> str:
        """Return in one sentence what is left of the score."""
        about = finding.details
        return (
            f"of the class's score of {about['score']:.3f} the frozen clip has {about['frozen']:.3f}, the clip "
            f"backwards {about['reversed']:.3f}, shuffled {about['shuffled']:.3f}, and one frame alone up to "
            f"{about['best_frame']:.3f}"
        )

    def _shuffle(self, laboratory: Laboratory) -> Iterator[ClipPixels]:
        random = laboratory.random(self.name)
        for _ in range(self.shuffles):
            yield laboratory.clip.pixels[random.permutation(len(laboratory.clip.pixels))]

    def _sum_up(self, scores: NDArray[np.float64]) -> Finding:
        """Return what the scores of the clip, frozen, reversed, shuffled and of each frame come to."""
        score, frozen, backwards = (float(one) for one in scores[:3])
        shuffled, alone = scores[3 : 3 + self.shuffles], scores[3 + self.shuffles :]
        details = {
            "score": score,
            "frozen": frozen,
            "reversed": backwards,
            "shuffled": float(shuffled.mean()),
            "shuffled_deviation": float(shuffled.std()),
            "best_frame": float(alone.max()),
            "frames": [float(one) for one in alone],
        }
        curves = {"frame alone": alone}
        curves |= {name: np.full(len(alone), details[name]) for name in ("score", "frozen", "reversed", "shuffled")}
        return Finding(score - frozen, details=details, curves=curves)


def freeze(clip: Clip) -> ClipPixels:
    """Return the clip with nothing moving in it: of RGB its middle frame throughout, of flow rest."""
    frozen = clip.pixels.copy()
    frozen[:] = _level_of_rest(clip) if clip.modality == "flow" else clip.pixels[len(frozen) // 2]
    return frozen


def reverse(clip: Clip) -> ClipPixels:
    """Return the clip as of the video played backwards: of flow, motion is negated too."""
    backwards = clip.pixels[::-1].copy()
    if clip.modality == "flow" and clip.clip_format.is_motion:
        backwards *= -1
    elif clip.modality == "flow":
        negated = 2 * _level_of_rest(clip) - backwards.astype(np.int64)
        backwards[:] = np.clip(negated, 0, 255)  # level 0 has no counterpart
    return backwards


def _repeat_each(clip: Clip) -> Iterator[ClipPixels]:
    for frame in clip.pixels:
        repeated = clip.pixels.copy()
        repeated[:] = frame
        yield repeated


def _level_of_rest(clip: Clip) -> int:
    """Return what pixels of flow are where nothing moves."""
    return 0 if clip.clip_format.is_motion else int(encode_motion(np.zeros(()))[()])
