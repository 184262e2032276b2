"""What could not be drawn, in words that name the video and not the group in the store."""

from collections.abc import Iterable, Iterator, Sequence

from gbvis.errors import GbvisError, OutputError
from gbvis.figures.layout import Lonely
from gbvis.figures.run_view import RunView
from gbvis.progress import Failure


def fail_group(group: Sequence[RunView], error: GbvisError) -> Failure:
    """Return the failure of runs that were to be drawn together."""
    failure = Failure.of(group[0].video, error)
    problem = failure.problem
    for view in group if isinstance(error, OutputError) else ():  # what is wrong with the store names its group
        problem = problem.replace(view.key, view.video)
    return Failure(failure.video, problem, failure.hint)


def fail_lonely(alone: Iterable[Lonely], flow_algorithm: str | None) -> Iterator[Failure]:
    """Yield what to say of runs without partners: once of the two streams of one video, where both lack the other.

    Args:
        alone: The runs, and what is wrong with each.
        flow_algorithm: The algorithm whose flow alone is looked at, where one was named.
    """
    found = list(alone)
    lonely_frames = {_place(one.view) for one in found if one.view.modality == "rgb"}
    filtered = f" (with --flow-algorithm {flow_algorithm})" if flow_algorithm else ""
    for one in found:
        view = one.view
        if view.modality == "rgb" or _place(view) not in lonely_frames:
            problem = one.problem.replace(view.key, f"{view.video} at {view.endpoint}")
            yield Failure(view.video, f"{problem}{filtered}", one.hint)


def _place(view: RunView) -> tuple[str, str]:
    return view.video, view.endpoint.name
