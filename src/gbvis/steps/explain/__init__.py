"""`gbvis explain`: gradients into the store; what is there already is not done again."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from gbvis import registry
from gbvis.errors import GbvisError
from gbvis.networks.info import WeightsInfo
from gbvis.progress import Failure, StoppableWatcher, Watcher
from gbvis.steps.explain.request import ExplainedRun, ExplainRequest
from gbvis.steps.explain.video_job import VideoJob
from gbvis.steps.networks import Networks
from gbvis.steps.streams import find_stream
from gbvis.store import Store
from gbvis.videos.locate import VideoEntry, check_dataset

__all__ = ["ExplainRequest", "ExplainedRun", "run"]


def run(request: ExplainRequest, watcher: Watcher | None = None) -> Iterator[ExplainedRun | Failure]:
    """Yield every run asked for as soon as it is in the store, and a failure for every video that cannot be done.

    Raises:
        GbvisError: The request itself is wrong, or the store cannot be used (exit code 2).
    """
    watcher = watcher or Watcher()
    check_dataset(request.dataset)
    registry.check_name("method", registry.METHODS, request.method)
    networks = Networks(request.weights, Store.find(request.store))
    request.flow.check(networks.cards.values())
    for entry in request.videos:  # a label that is out of range is noticed before the first hour of work
        for card in networks.cards.values():
            request.targets_for(entry, card)
    store = Store.open_or_create(request.store)  # only now: a wrong call leaves nothing behind
    networks.keep_cards(store)
    watcher.expect_videos(len(request.videos) * len(networks.cards))
    ahead = StoppableWatcher(watcher)

    def prepare(entry: VideoEntry, card: WeightsInfo) -> VideoJob:
        video = find_stream(entry.location, card, request.dataset, request.flow, lambda: store, ahead)
        stream = VideoJob(request, entry, video, networks, store, ahead)
        stream.prepare()
        return stream

    for entry, prepared in _one_ahead(prepare, itertools.product(request.videos, networks.cards.values()), ahead):
        try:
            yield from prepared.result().explain()
        except GbvisError as error:
            yield Failure.of(entry.location, error)
        watcher.finish_video()


def _one_ahead(
    prepare: Callable[[VideoEntry, WeightsInfo], VideoJob],
    wanted: Iterable[tuple[VideoEntry, WeightsInfo]],
    watcher: StoppableWatcher,
) -> Iterator[tuple[VideoEntry, Future[VideoJob]]]:
    """Yield every video asked for with its stream, while the next one is prepared: the network waits for no disk."""
    with ThreadPoolExecutor(1) as worker:
        try:
            last: tuple[VideoEntry, Future[VideoJob]] | None = None
            for entry, card in wanted:
                following = entry, worker.submit(prepare, entry, card)
                if last:
                    yield last
                last = following
            if last:
                yield last
        finally:  # also where the caller has had enough, or Ctrl-C was pressed
            watcher.stop()
            worker.shutdown(cancel_futures=True)
