"""`gbvis explain`: gradients into the store; what is there already is not computed again."""

from collections.abc import Iterator
from dataclasses import replace

from gbvis.progress import Failure, Progress
from gbvis.steps.explain.request import ExplainedRun, ExplainRequest
from gbvis.steps.explain.session import ExplainSession
from gbvis.steps.explain.work import ExplainWork
from gbvis.steps.networks import Networks
from gbvis.steps.video_names import name_all
from gbvis.store import Store
from gbvis.videos.gather import gather_videos
from gbvis.videos.locate import check_dataset

__all__ = ["ExplainRequest", "ExplainedRun", "run"]


def run(request: ExplainRequest, progress: Progress | None = None) -> Iterator[ExplainedRun | Failure]:
    """Return an iterator over every run asked for as soon as it is in the store, and failures of single videos.

    Raises:
        UsageError: The request itself is wrong, or the store cannot be used.
    """
    progress = progress or Progress()
    request, networks, store = prepare(request, progress)
    return explain_all(request, networks, store, progress)


def prepare(request: ExplainRequest, progress: Progress) -> tuple[ExplainRequest, Networks, Store]:
    """Return the request with every video found, the networks, and the store, once all is checked.

    Raises:
        UsageError: As `run`.
    """
    check_dataset(request.dataset)
    request = replace(request, videos=gather_videos(request.videos, request.dataset, progress, request.shard))
    networks = Networks(request.weights, Store.find(request.store), progress.say)
    request.flow.check(networks.infos.values())
    for entry in request.videos:  # a label that is out of range, or a layer, is noticed before the first hour of work
        for info in networks.infos.values():
            request.questions_for(entry, info)
    store = Store.open_or_create(request.store)  # only now: a wrong call leaves nothing behind
    networks.keep_records(store)
    for note in networks.notes():
        progress.warn(note)
    _tell_precision(request, progress)
    return request, networks, store


def _tell_precision(request: ExplainRequest, progress: Progress) -> None:
    """Say which methods are computed in float32, though less was asked for."""
    exact = [method.name for method in request.methods if method.needs_float32]
    if exact and request.weights.precision != "float32":
        names = " and ".join(dict.fromkeys(exact))
        progress.note(f"{names}: computed in float32, since {request.weights.precision} would spoil it", "float32")


def explain_all(
    request: ExplainRequest, networks: Networks, store: Store, progress: Progress
) -> Iterator[ExplainedRun | Failure]:
    """Yield every run asked for as soon as it is in the store, and failures; video by video, stream by stream.

    Args:
        request: As `prepare` returns it, and so are the networks and the store.
        networks: Each stream's.
        store: Where runs are kept.
        progress: An object that is told how far the work is.
    """
    progress.expect_videos(len(request.videos) * len(networks.infos))
    videos = name_all(request.videos)
    if request.engine is None:
        results = ExplainSession(request, networks, store, progress).run(videos)
        yield from (result for _, result in results if result is not None)
        return
    weights = networks.request_for_workers()
    work = ExplainWork(replace(request, videos=(), engine=None, weights=weights), len(networks.infos), store.folder)
    for result in request.engine.run(work, videos, progress):
        if isinstance(result, ExplainedRun):
            result.run.storage = store.storage
        yield result
