"""A session: what a call needs for any of its videos, opened once, and given one video after another."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from gbvis.errors import GbvisError
from gbvis.networks.info import WeightsInfo
from gbvis.progress import Failure, Progress, StoppableProgress
from gbvis.steps.explain.request import ExplainedRun, ExplainRequest
from gbvis.steps.explain.video_job import VideoJob
from gbvis.steps.networks import Networks
from gbvis.steps.streams import find_motion, find_stream
from gbvis.steps.video_names import NamedEntry
from gbvis.store import Store


@dataclass(frozen=True)
class _Stream:
    """One stream of one video; the last of it or not."""

    video: NamedEntry
    info: WeightsInfo
    is_last: bool


class ExplainSession:
    """The networks and the store of a call, open; which videos of it come here is not known before."""

    def __init__(self, request: ExplainRequest, networks: Networks, store: Store, progress: Progress) -> None:
        """Name the parts; the request's own videos do not count."""
        self._request, self._networks, self._store, self._progress = request, networks, store, progress
        self._ahead = StoppableProgress(progress)

    def run(self, videos: Iterable[NamedEntry | None]) -> Iterator[tuple[NamedEntry, ExplainedRun | Failure | None]]:
        """Yield each video with each of its results, and with None once all its streams are done.

        Args:
            videos: None among them says that the next one is not known yet: what was begun is finished first.

        Raises:
            GbvisError: What all other videos would meet too.
        """
        for stream, prepared in self._one_ahead(videos):
            try:
                for result in prepared.result().explain():
                    yield stream.video, result
            except GbvisError as error:
                entry = stream.video.entry
                yield stream.video, Failure.of(entry.location, error, entry.label)
            self._progress.finish_video()
            if stream.is_last:
                yield stream.video, None

    def open_job(self, video: NamedEntry, info: WeightsInfo) -> VideoJob:
        """Return the work on one stream of a video; nothing of it is done.

        Raises:
            VideoError: There is no such video.
        """
        request, ahead = self._request, self._ahead
        asked = video.entry, info, request.dataset, request.flow, lambda: self._store, ahead
        stream, motion = find_stream(*asked), find_motion(*asked) if request.needs_motion else None
        return VideoJob(request, *video, stream, motion, self._networks, self._store, ahead)

    def _prepare(self, stream: _Stream) -> VideoJob:
        job = self.open_job(stream.video, stream.info)
        job.prepare()
        return job

    def _one_ahead(self, videos: Iterable[NamedEntry | None]) -> Iterator[tuple[_Stream, Future[VideoJob]]]:
        """Yield every stream of the videos, while the next one is prepared: the network waits for no disk."""
        with ThreadPoolExecutor(1) as worker:
            try:
                last: tuple[_Stream, Future[VideoJob]] | None = None
                for stream in self._list_streams(videos):
                    following = (stream, worker.submit(self._prepare, stream)) if stream else None
                    if last:
                        yield last
                    last = following
                if last:
                    yield last
            finally:  # also where the caller has had enough, or Ctrl-C was pressed
                self._ahead.stop()
                worker.shutdown(cancel_futures=True)

    def _list_streams(self, videos: Iterable[NamedEntry | None]) -> Iterator[_Stream | None]:
        infos = list(self._networks.infos.values())
        for video in videos:
            if video is None:
                yield None
            else:
                yield from (_Stream(video, info, info is infos[-1]) for info in infos)
