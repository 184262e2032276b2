"""What `explain --dry-run` foresees, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from gbvis.cli.console import Console
from gbvis.cli.format import count_of, show_bytes
from gbvis.cli.option_groups import switch

if TYPE_CHECKING:
    from gbvis.steps.explain.forecast import Forecast, StreamForecast

DryRun = Annotated[
    bool, switch("--dry-run", text="Keep nothing: say what is cached, what is missing, how long and large it will be.")
]


def print_forecast(console: Console, forecast: Forecast) -> None:
    """Print what would be done, how long it takes and how large it is."""
    cached = sum(stream.cached for stream in forecast.streams)
    missing = sum(stream.missing for stream in forecast.streams)
    runs = count_of(cached + missing, "run")
    console.print(f"{count_of(forecast.videos, 'video')}, {runs}: {cached} cached, {missing} to compute")
    if not missing:
        return
    if forecast.seconds is None or forecast.size is None:
        console.print("nobody knows how long: no clip of it could be measured")
        return
    how = "; ".join(_describe(stream) for stream in forecast.streams if stream.clips)
    console.print(f"about {show_duration(forecast.seconds)} and {show_bytes(forecast.size)} on this machine ({how})")


def _describe(stream: StreamForecast) -> str:
    measured = f"{stream.seconds_per_clip:.2g} s a clip, {stream.measured} measured"
    return f"{stream.modality}: {count_of(stream.clips, 'clip')}, {measured}"


def show_duration(seconds: float) -> str:
    """Return how long something takes, in words."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{count_of(days, 'day')} {hours} h" if hours else count_of(days, "day")
