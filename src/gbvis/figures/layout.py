"""Layout: what is where in a picture of some runs, and which runs belong on one picture."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from gbvis.figures.picture import Picture
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style


@dataclass(frozen=True)
class Lonely:
    """A run without a partner to be shown with: why, and what to do next."""

    view: RunView
    problem: str
    hint: str


@dataclass(frozen=True)
class Groups:
    """Which runs are shown together.

    Attributes:
        together: The runs of each picture, from top to bottom.
        alone: Those that belong on none.
    """

    together: list[list[RunView]]
    alone: list[Lonely] = field(default_factory=list)


@dataclass(frozen=True)
class Moment:
    """What one frame of a moving picture shows.

    Attributes:
        clip: Which clip.
        steps: For each run which of the clip's frames, counted from 0.
    """

    clip: int
    steps: tuple[int, ...]


class Layout(ABC):
    """A way to lay out runs.

    Attributes:
        is_moving: True where the picture has a frame for every frame of the clip, False where it is a single one.
        needs_streams: True where one picture needs runs of both streams.
        joins: True where one picture may show several runs.
    """

    is_moving: ClassVar[bool] = True
    needs_streams: ClassVar[bool] = False
    joins: ClassVar[bool] = False

    def of(self, style: Style) -> "Layout":
        """Return the layout as a style asks for it: by default this one."""
        return self

    @abstractmethod
    def lay_out(self, views: Sequence[RunView], style: Style) -> list[Picture]:
        """Return the pages of one picture of these runs; most have one.

        Raises:
            GbvisError: There is no such picture: it would be too large, or frames are gone.
        """

    def group(self, views: Sequence[RunView]) -> Groups:
        """Return which runs are shown together: by default each alone."""
        return Groups([[view] for view in views])

    def moments(self, views: Sequence[RunView]) -> list[Moment]:
        """Return what each frame of the picture shows: by default every frame of every clip in turn.

        A still is chosen by it. Where a layout makes more or fewer frames, it is chosen in proportion.
        """
        clips = enumerate(views[0].frames)
        return [Moment(clip, (step,) * len(views)) for clip, frames in clips for step in range(len(frames))]

    def name_parts(self, views: Sequence[RunView]) -> tuple[str, ...]:
        """Return the parts of the file name that follow the video's name, for a picture of these runs."""
        first = views[0]
        return first.modality, first.endpoint.name, str(first.target)
