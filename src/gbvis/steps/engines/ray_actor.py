"""A worker of a Ray cluster: an actor, which keeps its networks loaded. Ray itself is imported elsewhere."""

import os
import threading
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from gbvis.flow.preprocess import Cores
from gbvis.progress import Failure, Progress
from gbvis.steps.engines.devices import Slot
from gbvis.steps.engines.engine import Work
from gbvis.steps.engines.feed import Feed
from gbvis.steps.engines.worker_process import as_sent
from gbvis.steps.video_names import NamedEntry

Lines = list[tuple[str, tuple[Any, ...]]]
"""What `Progress` was told: the names of its methods, and their arguments."""


class NotedProgress(Progress):
    """Notes what it is told, for the process that asked; how far single clips are is not kept."""

    def __init__(self) -> None:
        self._lines: Lines = []

    def take(self) -> Lines:
        """Return what was noted since this was asked last."""
        taken, self._lines = self._lines, []
        return taken

    def say(self, line: str) -> None:
        """Note it."""
        self._lines.append(("say", (line,)))

    def note(self, line: str, once: str) -> None:
        """Note it."""
        self._lines.append(("note", (line, once)))

    def warn(self, line: str) -> None:
        """Note it."""
        self._lines.append(("warn", (line,)))


class VideoActor:
    """Works on videos, one after the other; the next may be given while one is worked on, and is prepared then."""

    def __init__(self, work: Work[Any], slot: Slot, folder: str) -> None:
        """Begin to open the work.

        Args:
            work: What is done.
            slot: Where.
            folder: Of the call: paths are meant from there, where this machine has it.
        """
        os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(slot.threads)  # torch is not loaded yet
        Cores.most = slot.threads
        with suppress(OSError):
            os.chdir(folder)
        self._work, self._slot, self._feed, self._progress = work, slot, Feed(), NotedProgress()
        self._asked: deque[Future[tuple[list[Any], Lines]]] = deque()
        self._lock = threading.Lock()
        self._error: Exception | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def work_on(self, video: NamedEntry) -> tuple[list[Any], Lines]:
        """Return what is found of a video, and what was told on the way; two threads may call this.

        Raises:
            GbvisError: What all other videos would meet too.
        """
        future: Future[tuple[list[Any], Lines]] = Future()
        with self._lock:
            if self._error:
                raise self._error
            self._asked.append(future)
            self._feed.give(video)
        return future.result()

    def _run(self) -> None:
        """Do the work; one thread computes, and always the same."""
        results: list[Any] = []
        try:
            session = self._work.open(self._slot.device, self._progress)
            for _, result in session.run(self._feed):
                if result is None:
                    self._asked.popleft().set_result((results, self._progress.take()))
                    results = []
                else:
                    results.append(result if isinstance(result, Failure) else self._work.detach(result))
        except BaseException as error:
            with self._lock:
                self._error = as_sent(error)
                for future in self._asked:
                    future.set_exception(self._error)
