"""What a worker is given: one video after another, while it works."""

from collections.abc import Iterator
from queue import Empty, SimpleQueue

from gbvis.steps.video_names import NamedEntry


class Feed:
    """Videos that come from another thread, for `Session.run`."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[NamedEntry | None] = SimpleQueue()

    def give(self, video: NamedEntry) -> None:
        """Add a video."""
        self._waiting.put(video)

    def end(self) -> None:
        """Say that there is no other."""
        self._waiting.put(None)

    def __iter__(self) -> Iterator[NamedEntry | None]:
        """Yield videos as they come, and None where one is being worked on and no other is there yet."""
        has_begun = False
        while True:
            try:
                video = self._waiting.get(block=not has_begun)
            except Empty:
                has_begun = False
                yield None
                continue
            if video is None:
                return
            has_begun = True
            yield video
