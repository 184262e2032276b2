"""Bars: how far the work is, how quickly it goes on, and how long it will take."""

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_LOOK_BACK = 3600.0
"""Seconds that the time left is reckoned from: a video may take minutes."""


def make_bars(console: Console) -> Progress:
    """Return bars that are shown on a console until they are stopped."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    return Progress(
        *columns,
        console=console,
        transient=True,
        speed_estimate_period=_LOOK_BACK,
        redirect_stdout=False,
        redirect_stderr=False,
    )


class RateColumn(ProgressColumn):
    """Shows how many are done in a second, or how many seconds one takes."""

    def render(self, task: Task) -> Text:
        """Return it in words; nothing before it is known."""
        return Text(describe_rate(task.finished_speed or task.speed))


def describe_rate(speed: float | None) -> str:
    """Return a rate in words, from so many in a second."""
    if not speed:
        return ""
    return f"{speed:.1f}/s" if speed >= 1 else f"{1 / speed:.1f} s each"
