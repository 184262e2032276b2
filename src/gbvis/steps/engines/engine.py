"""What an engine is, and what it is given: work that any process can open, and the videos to do it with."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from gbvis.progress import Failure, Progress
from gbvis.steps.video_names import NamedEntry

Result = TypeVar("Result")
Given = TypeVar("Given", covariant=True)


class Session(Protocol[Given]):
    """Work that is open in the process which computes."""

    def run(self, videos: Iterable[NamedEntry | None]) -> Iterator[tuple[NamedEntry, Given | Failure | None]]:
        """Yield each video with each of its results, and with None once it is done.

        Args:
            videos: None among them says that the next one is not known yet: what was begun is finished first.
        """


class Work(ABC, Generic[Result]):
    """What is to be done with each video of a call; plain data that can be sent to another process.

    Attributes:
        stream_count: How often a session reports `Progress.finish_video` for a video.
        folder: Where results go, if that is a folder and no URL; else empty.
    """

    stream_count: int
    folder: str

    @abstractmethod
    def open(self, device: str, progress: Progress) -> Session[Result]:
        """Open all that is needed, in the process that computes, and there on this device.

        Raises:
            GbvisError: Something cannot be opened.
        """

    @abstractmethod
    def detach(self, result: Result) -> Result:
        """Return a result without what only the process that computed it can use."""


class Engine(ABC):
    """Where the videos of a call are worked on."""

    @abstractmethod
    def __init__(self, devices: str | None) -> None:
        """Find the devices.

        Raises:
            UsageError: There is no such device, or a package is not installed.
        """

    @abstractmethod
    def run(self, work: Work[Result], videos: Sequence[NamedEntry], progress: Progress) -> Iterator[Result | Failure]:
        """Yield the results, those of one video together, and failures of single videos; in the order they are done.

        Raises:
            GbvisError: What all other videos would meet too.
        """
