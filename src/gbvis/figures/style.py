"""Style: how a picture looks."""

from dataclasses import dataclass
from pathlib import Path

from gbvis.figures.relevance import TemporalRelevance
from gbvis.figures.scale import Limits

PANELS = ("frame", "gradient", "positive", "negative")
ROWS = ("method", "endpoint", "target", "weights")
SCALES = ("clip", "all", "frame")
SALIENCY_SCALES = ("shared", "own")
COLORS = ("maps", "old")
FLOW_CHANNELS = {"u": (0,), "v": (1,), "both": (0, 1)}
FLOW_COLORS = ("grey", "wheel")

BACKGROUND = (22, 22, 26)
TEXT = (232, 232, 232)
FAINT_TEXT = (150, 150, 158)
WARNING = (255, 184, 77)


@dataclass(frozen=True)
class Style:
    """How a picture looks.

    Attributes:
        panels: Which of `PANELS`, in this order; None for those that suit a run's values.
        flow: `u`, `v` or `both`.
        flow_colors: `grey`: u and v as they are; `wheel`: both as one colour (Baker et al.). None: as a colour where
            both are shown in colour maps.
        scale: `clip`: one colour scale a clip, so that its frames can be compared; `all`: one for everything rendered
            together; `frame`: each frame stretched by itself.
        limits: The common limits, for scale `all`.
        saliency_scale: `shared`: positive and negative saliency end where the gradient does, so that one can be
            compared with the other; `own`: each ends by itself.
        percentile: The colours end at this percentile of the values.
        colors: `maps`: colour maps, over the colour channel where the gradient is strongest; `old`: the old figure's
            look, where the gradient itself is taken for a colour.
        rate: Frames per second.
        loops: How often the picture plays; None means without end.
        size: Side of a panel in pixels; None for the layout's own.
        font: A font file; None for the one that comes with gbvis.
        layout: The layout's name; None for the format's default.
        rows: In the layout `methods`, which of `ROWS` the rows differ in.
        relevance: Shows what changes in time alone; None for all.
        at: Which frames a still shows: numbers of the video's frames, or seconds as floats; empty for the one with the
            most gradient.
        words: Words of the command line that a picture's notes give as they were given, such as `--labels`.
    """

    panels: tuple[str, ...] | None = None
    flow: str = "both"
    flow_colors: str | None = None
    scale: str = "clip"
    saliency_scale: str = "shared"
    limits: Limits | None = None
    percentile: float = 99.5
    colors: str = "maps"
    rate: float = 5.0
    loops: int | None = None
    size: int | None = None
    font: Path | None = None
    layout: str | None = None
    rows: str = "method"
    relevance: TemporalRelevance | None = None
    at: tuple[int | float, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def has_wheel(self) -> bool:
        """True where flow is shown as a colour."""
        is_default = self.flow == "both" and self.colors == "maps"
        return self.flow_colors == "wheel" or (self.flow_colors is None and is_default)
