"""`explain --dry-run`: what is there, what is missing, how long that will take and how large it will be."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gbvis.errors import GbvisError
from gbvis.networks.info import WeightsInfo
from gbvis.progress import Failure, Progress
from gbvis.steps.explain import run as explain
from gbvis.steps.explain.request import ExplainRequest
from gbvis.steps.explain.session import ExplainSession
from gbvis.steps.explain.video_job import Outlook
from gbvis.steps.networks import Networks
from gbvis.steps.video_names import NamedEntry, name_all
from gbvis.store import Store
from gbvis.videos.gather import gather_videos
from gbvis.videos.locate import check_dataset
from gbvis.videos.name_list import VideoEntry

_MEASURED = 2
"""Videos of a stream that are measured: the first also loads the network."""


@dataclass(frozen=True)
class StreamForecast:
    """What is to be done for one stream.

    Attributes:
        modality: `rgb` or `flow`.
        cached: Runs that the store has.
        missing: Runs that are to be computed.
        clips: Clips that they are computed from.
        measured: Clips that were measured, 0 to 2.
        begin_seconds: How long it takes until the first clip is begun.
        seconds_per_clip: How long one takes; None where none could be measured.
        bytes_per_clip: How large its runs, pixels and motion are in the store.
    """

    modality: str
    cached: int
    missing: int
    clips: int
    measured: int = 0
    begin_seconds: float = 0.0
    seconds_per_clip: float | None = None
    bytes_per_clip: int | None = None

    def with_video(self, outlook: Outlook) -> "StreamForecast":
        """Return the forecast with one video more."""
        return replace(
            self,
            cached=self.cached + outlook.cached,
            missing=self.missing + outlook.missing,
            clips=self.clips + outlook.clips,
        )

    @property
    def seconds(self) -> float | None:
        """How long it will take; None where nobody knows."""
        if not self.clips:
            return 0.0
        return None if self.seconds_per_clip is None else self.begin_seconds + self.clips * self.seconds_per_clip

    @property
    def size(self) -> int | None:
        """How many bytes the store will grow by; None where nobody knows."""
        if not self.clips:
            return 0
        return None if self.bytes_per_clip is None else self.clips * self.bytes_per_clip


@dataclass(frozen=True)
class Forecast:
    """What a call would do.

    Attributes:
        videos: How many it was asked for, of this shard; one that is given twice counts once, and so do its runs.
        failed: Streams that could not even be opened.
        streams: Of each stream of the network.
    """

    videos: int
    failed: int
    streams: list[StreamForecast]

    @property
    def seconds(self) -> float | None:
        """How long all of it will take; None where nobody knows."""
        return _sum([stream.seconds for stream in self.streams])

    @property
    def size(self) -> int | None:
        """How many bytes the store will grow by; None where nobody knows."""
        size = _sum([stream.size for stream in self.streams])
        return None if size is None else int(size)

    def to_json(self) -> dict[str, Any]:
        """Return the forecast as a line of `--json`."""
        return {
            "videos": self.videos,
            "failed": self.failed,
            "cached": sum(stream.cached for stream in self.streams),
            "missing": sum(stream.missing for stream in self.streams),
            "seconds": self.seconds,
            "bytes": self.size,
            "streams": [
                {
                    "modality": stream.modality,
                    "cached": stream.cached,
                    "missing": stream.missing,
                    "clips": stream.clips,
                    "measured": stream.measured,
                    "seconds_per_clip": stream.seconds_per_clip,
                    "bytes_per_clip": stream.bytes_per_clip,
                }
                for stream in self.streams
            ],
        }


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known), 3) if len(known) == len(values) else None


def run(request: ExplainRequest, progress: Progress | None = None) -> Iterator[Forecast | Failure]:
    """Return an iterator over a failure for each stream that cannot be opened, and then the forecast.

    Nothing is written into the store: what is measured goes to a temporary one.

    Raises:
        UsageError: As `explain`.
    """
    progress = progress or Progress()
    check_dataset(request.dataset)
    request = replace(request, videos=gather_videos(request.videos, request.dataset, progress, request.shard))
    store = Store.find(request.store)
    networks = Networks(request.weights, store, progress.say)
    request.flow.check(networks.infos.values())
    for entry in request.videos:
        for info in networks.infos.values():
            request.questions_for(entry, info)
    return _foresee(request, networks, store, progress)


def _foresee(
    request: ExplainRequest, networks: Networks, store: Store | None, progress: Progress
) -> Iterator[Forecast | Failure]:
    failed, streams, counted = 0, list[StreamForecast](), set[tuple[str, str]]()
    progress.expect_videos(len(request.videos) * len(networks.infos))
    with nullcontext(store) if store else _temporary_store() as looked_into:
        session = ExplainSession(request, networks, looked_into, progress)
        for info in networks.infos.values():
            stream, examples = StreamForecast(info.modality, 0, 0, 0), list[VideoEntry]()
            for video in name_all(request.videos):
                outlook = _look_ahead(session, video, info, counted)
                progress.finish_video()
                if isinstance(outlook, Failure):
                    failed += 1
                    yield outlook
                    continue
                stream = stream.with_video(outlook)
                if outlook.clips and len(examples) < _MEASURED:
                    examples.append(video.entry)
            streams.append(_measure(request, stream, examples, progress))
    yield Forecast(len({entry.location for entry in request.videos}), failed, streams)


def _look_ahead(
    session: ExplainSession, video: NamedEntry, info: WeightsInfo, counted: set[tuple[str, str]]
) -> Outlook | Failure:
    try:
        return session.open_job(video, info).look_ahead(counted)
    except GbvisError as error:
        return Failure.of(video.entry.location, error, video.entry.label)


def _measure(
    request: ExplainRequest, stream: StreamForecast, examples: list[VideoEntry], progress: Progress
) -> StreamForecast:
    """Return a stream's forecast with how long a clip takes, and how large it is: examples are explained for it."""
    if not examples:
        return stream
    clips = "one clip" if len(examples) == 1 else f"{len(examples)} clips"
    progress.note(f"measuring {clips} of {stream.modality}", f"measuring {stream.modality}")
    with _temporary_store() as store:
        asked = replace(
            request,
            videos=tuple(examples),
            weights=replace(request.weights, modality=stream.modality),
            store=store.location,
            clips=replace(request.clips, count=1),
            shard=None,
        )
        ends = _time_videos(asked)
        size = sum(file.size for video in store.videos() for file in store.storage.list_files(video))
    if not ends:
        return stream
    per_clip = ends[1] - ends[0] if len(ends) > 1 else ends[0]
    return replace(
        stream,
        measured=len(ends),
        begin_seconds=max(0.0, ends[0] - per_clip),
        seconds_per_clip=round(per_clip, 4),
        bytes_per_clip=size // len(ends),
    )


def _time_videos(request: ExplainRequest) -> list[float]:
    """Return after how many seconds each video was done, rising; those that fail are left out."""
    begin, ends = time.perf_counter(), dict[str, float]()
    for result in explain(request):
        if not isinstance(result, Failure):
            ends[result.location] = time.perf_counter() - begin
    return sorted(ends.values())


@contextmanager
def _temporary_store() -> Iterator[Store]:
    with TemporaryDirectory(prefix="gbvis-") as folder:
        yield Store.open_or_create(Path(folder) / "store.zarr")
