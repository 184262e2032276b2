"""How quickly the work goes on, beside a bar."""

from rich.progress import ProgressColumn, Task
from rich.text import Text


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
