"""Stills: single frames of a layout that moves."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from gbvis.errors import OutputError
from gbvis.figures.layout import Layout
from gbvis.figures.output import NamedPage
from gbvis.figures.picture import Picture, Pixels
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style

WritePicture = Callable[[Style, Picture, Path], Mapping[str, Any]]
"""Writes a picture of a style, which says what is on it, and returns what `--json` says of it."""


class Stills:
    """Frames of some runs in one layout that moves, chosen by the numbers of the video's frames."""

    def __init__(self, layout: Layout, views: Sequence[RunView], pictures: Sequence[Picture]) -> None:
        self._views, self._pictures = views, pictures
        self._moments = layout.moments(views)

    def pages(self, style: Style, write: WritePicture) -> list[NamedPage]:
        """Return a page for each frame that a style asks for; behind them an error for those that no clip shows.

        Args:
            style: Where it asks for none, the strongest is meant.
            write: Writes a still.
        """
        chosen: dict[int, int] = {}
        lacking: list[int | float] = []
        for wanted in style.at:
            number = self._number_of_second(wanted) if isinstance(wanted, float) else wanted
            found = None if number is None else self._find_moment(number)
            if number is None or found is None:
                lacking.append(wanted)
            else:
                chosen[number] = found
        if not style.at:
            strongest = self._find_strongest()
            chosen[self._numbers_at(strongest)[0]] = strongest
        frames = _Frames(self._pictures, {self._place(moment) for moment in chosen.values()})
        pages = []
        for number, moment in chosen.items():
            is_first = moment == self._find_moment(number)  # the strongest may be another one, which no number means
            write_still = partial(write, replace(style, at=(number,)) if is_first else style)
            pages.append(NamedPage(partial(frames.write, self._place(moment), number, write_still), f"frame-{number}"))
        return [*pages, *([NamedPage(partial(self._refuse, lacking), "")] if lacking else [])]

    def _numbers_at(self, moment: int) -> list[int]:
        """Return which frame each run shows at a moment."""
        shown = self._moments[moment]
        return [run.frames[shown.clip][step] for run, step in zip(self._views, shown.steps, strict=True)]

    def _find_moment(self, number: int) -> int | None:
        """Return the first of the moments at which most runs show a frame; None where none ever does."""
        shown = [self._numbers_at(moment).count(number) for moment in range(len(self._moments))]
        return shown.index(max(shown)) if any(shown) else None

    def _number_of_second(self, seconds: float) -> int | None:
        """Return the number of the frame that is on the screen at a second; None where it is in no clip."""
        view = self._views[0]
        if view.second_of(view.frames[0][0]) is None:
            raise OutputError(
                f"--at is given in seconds, and nothing tells the frame rate of {view.video}",
                "give the number of a frame",
            )
        begins = {number: view.second_of(number) or 0.0 for clip in view.frames for number in clip}
        lasting = [begins[after] - begins[before] for clip in view.frames for before, after in pairwise(clip)]
        lasts = max(lasting, default=1 / view.rate if view.rate else 0.0)
        shown = [number for number, begin in begins.items() if -1e-6 <= seconds - begin < lasts - 1e-6]
        return max(shown, default=None)

    def _find_strongest(self) -> int:
        """Return the moment at which the runs have the most gradient, each measured by its own strongest frame."""
        strength = np.zeros(len(self._moments))
        for view, run in enumerate(self._views):
            importance = [clip.importance for clip in run.clips()]
            most = max(float(clip.max()) for clip in importance) or 1.0
            strength += [importance[one.clip][one.steps[view]] / most for one in self._moments]
        return int(strength.argmax())

    def _place(self, moment: int) -> int:
        """Return which of the pictures' frames, counted over all, shows a moment: that in proportion to it."""
        return moment * sum(picture.frame_count for picture in self._pictures) // len(self._moments)

    def _refuse(self, lacking: Sequence[int | float], path: Path) -> Mapping[str, Any]:
        view = self._views[0]
        names = [f"{one:g} s" if isinstance(one, float) else str(one) for one in lacking]
        ranges = [f"{min(clip)}-{max(clip)}" for clip in view.frames]
        more = ", ..." if len(ranges) > 4 else ""
        raise OutputError(
            f"no clip of {view.video} shows frame {', '.join(names)}: it is of frames {', '.join(ranges[:4])}{more}",
            "give one of these with --at, or explain others with --start",
        )


class _Frames:
    """Some frames of a layout's pictures, by their places among all frames; drawn when the first is wanted."""

    def __init__(self, pictures: Sequence[Picture], places: Set[int]) -> None:
        self._pictures, self._places = pictures, places

    def write(
        self, place: int, number: int, write: Callable[[Picture, Path], Mapping[str, Any]], path: Path
    ) -> Mapping[str, Any]:
        """Write the frame at one of the places, which has this number in the video, as a picture of its own."""
        picture, frame = self._drawn[place]
        still = replace(picture, frame_count=1, frames=lambda step=1: iter([frame]))
        return {**write(still, path), "frame": number}

    @cached_property
    def _drawn(self) -> dict[int, tuple[Picture, Pixels]]:
        drawn: dict[int, tuple[Picture, Pixels]] = {}
        every = ((picture, frame) for picture in self._pictures for frame in picture.frames())
        for place, shown in enumerate(every):
            if place in self._places:
                drawn[place] = shown
            if len(drawn) == len(self._places):
                break
        return drawn
