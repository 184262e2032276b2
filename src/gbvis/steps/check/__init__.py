"""`gbvis check`: does an attribution say anything about the network? Results go into the store, beside the runs."""

from collections.abc import Iterator, Sequence

from gbvis.errors import GbvisError
from gbvis.networks.info import WeightsInfo
from gbvis.progress import Failure, Progress
from gbvis.steps.check.request import CheckedRun, CheckRequest
from gbvis.steps.check.stream import StreamCheck
from gbvis.steps.explain import ExplainedRun, ExplainRequest, explain_all, prepare
from gbvis.steps.networks import Networks
from gbvis.store import Store
from gbvis.videos.locate_masks import check_masks

__all__ = ["CheckRequest", "CheckedRun", "run"]


def run(request: CheckRequest, progress: Progress | None = None) -> Iterator[CheckedRun | Failure]:
    """Return an iterator over what each test finds of each run, as soon as it is in the store, and failures.

    Raises:
        UsageError: The request itself is wrong, or the store cannot be used.
    """
    progress = progress or Progress()
    check_masks(request.masks)
    explained, networks, store = prepare(request.explained, progress)
    for info in networks.infos.values():  # a setting that makes no sense is noticed before the first hour of work
        for test in request.tests:
            test.settled(info, _count_frames(explained, info))
    return _check(request, explained, networks, store, progress)


def _count_frames(explained: ExplainRequest, info: WeightsInfo) -> int:
    frames = explained.clips.completed(info.clip_format).frames
    assert frames
    return frames


def _check(
    request: CheckRequest, explained: ExplainRequest, networks: Networks, store: Store, progress: Progress
) -> Iterator[CheckedRun | Failure]:
    entries = {entry.location: entry for entry in explained.videos}
    for found in _gather(explain_all(explained, networks, store, progress)):
        if isinstance(found, Failure):
            yield found
            continue
        location = found[0].location
        try:
            yield from StreamCheck(request, explained, entries[location], found, networks, store, progress).run()
        except GbvisError as error:
            yield Failure.of(location, error)


def _gather(results: Iterator[ExplainedRun | Failure]) -> Iterator[list[ExplainedRun] | Failure]:
    """Yield the runs of one stream of one video together, and failures as they come."""
    together: list[ExplainedRun] = []
    for result in results:
        if isinstance(result, Failure):
            yield result
            continue
        if together and _place(together) != _place([result]):
            yield together
            together = []
        together.append(result)
    if together:
        yield together


def _place(runs: Sequence[ExplainedRun]) -> tuple[str, str]:
    return runs[0].location, runs[0].run.modality
