"""The strip: frame, gradient, positive and negative saliency side by side, moving; clips follow one another.

Under the panels stand the colours with the values at their ends, and how much of the gradient each frame has. Several
runs stand below each other, on one clock.
"""

from collections.abc import Iterator, Sequence

from gbvis.figures.caption import Caption
from gbvis.figures.layout import Layout, Moment
from gbvis.figures.legend import legend_colors
from gbvis.figures.picture import Picture, Pixels
from gbvis.figures.run_view import RunView
from gbvis.figures.scene import Block, Plan, Scene, make_clock
from gbvis.figures.style import Style


class Strip(Layout):
    """Panels side by side, moving; several runs below each other."""

    def lay_out(self, views: Sequence[RunView], style: Style) -> list[Picture]:
        """Return one picture: a frame for every frame of every clip."""
        plan = self.plan(views, style)

        def frames(step: int = 1) -> Iterator[Pixels]:
            clips = zip(*(block.view.clips() for block in plan.blocks), strict=True)
            for number, shown in enumerate(clips, start=1):
                scene = Scene(plan, shown, number)
                yield from (scene.draw(moment) for moment in range(0, len(scene.clock), step))

        panels = {panel for block in plan.blocks for panel in block.panels}
        has_warning = any(view.has_warning for view in views)
        kept = legend_colors(style, panels, plan.has_flow, has_warning)
        count = len(self.moments(views))
        return [Picture(plan.width, plan.height, count, style.rate, frames, style.loops, kept)]

    def plan(self, views: Sequence[RunView], style: Style) -> Plan:
        """Return what stands where: by default each run has its whole caption."""
        return Plan(tuple(Block(Caption(view), style) for view in views), style)

    def moments(self, views: Sequence[RunView]) -> list[Moment]:
        """Return what each frame shows: the runs of both streams go by one clock."""
        clips = enumerate(zip(*(view.frames for view in views), strict=True))
        return [Moment(clip, steps) for clip, numbers in clips for steps in make_clock(numbers)]


STRIP = Strip()
