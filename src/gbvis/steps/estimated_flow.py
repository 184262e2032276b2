"""Motion estimated from a video's own frames, and kept, so that no pair of frames is ever estimated twice."""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from numpy.typing import NDArray

from gbvis import __version__, registry
from gbvis.errors import GbvisError
from gbvis.flow.recipe import FlowRecipe
from gbvis.progress import Watcher
from gbvis.store import Store, StoredFlow
from gbvis.videos.motion import Grey, Motion, decode_motion, load_opencv
from gbvis.videos.two_stream import JPEG_QUALITY, as_from_jpeg
from gbvis.videos.video import Frame, Video, VideoShape

_IN_FLIGHT = 2
"""Pairs for each core that are decoded ahead."""


class EstimatedFlow(Video):
    """The flow of a video that has none: flow frame k is the motion from frame k to frame k + 1."""

    def __init__(
        self,
        rgb: Video,
        estimation: FlowRecipe,
        is_jpeg: bool,
        open_store: Callable[[], Store],
        watcher: Watcher,
    ) -> None:
        """Name the parts; nothing is decoded yet.

        Args:
            rgb: The frames.
            estimation: How.
            is_jpeg: Pass 8-bit flow through JPEG, as in the data sets that networks were trained on.
            open_store: Returns where the motion is kept; called when the first frame is wanted.
            watcher: Told how far it is.
        """
        super().__init__(rgb.name, rgb.location, "flow")
        self.is_cropped = estimation.crop is not None
        self._rgb, self._estimation, self._is_jpeg = rgb, estimation, is_jpeg
        self._open_store, self._watcher = open_store, watcher
        self._stored: StoredFlow | None = None

    @property
    def fingerprint(self) -> str:
        """That of the frames; how they became motion is in `flow_recipe`."""
        return self._rgb.fingerprint

    @property
    def flow_recipe(self) -> dict[str, Any]:
        """The estimation, and whether it went through JPEG."""
        return {**self._estimation.to_json(), **({"jpeg_quality": JPEG_QUALITY} if self._is_jpeg else {})}

    @property
    def shape(self) -> VideoShape:
        """As the frames, less one."""
        shape = self._rgb.shape
        check_length(self._rgb)
        return VideoShape(shape.frame_count - 1, shape.rate, shape.width, shape.height)

    def prepare(self, numbers: Collection[int]) -> None:
        """Estimate those of the flow frames that are not kept yet, on all cores."""
        if not self._kept.missing(numbers):
            return
        with _alone(self._kept, self._watcher.check):
            missing = self._kept.missing(numbers)
            if not missing:  # another process has seen to it
                return
            started = time.perf_counter()
            what = f"{self.name} flow"
            self._watcher.expect(len(missing), what)
            advance = partial(self._watcher.advance, what)
            estimate_pairs(self._rgb.read, missing, self._estimation, self._kept.write, advance)
            seconds = time.perf_counter() - started
            algorithm = self._estimation.algorithm
            pairs = f"{len(missing)} pair{'s' if len(missing) > 1 else ''}"
            self._watcher.say(f"{self.name} flow: {algorithm} of {pairs}, in {seconds:.2f} s")

    def mend(self, numbers: Collection[int]) -> None:
        """Estimate those of the flow frames again that are kept and damaged; what is not kept is not wanted here."""
        flow = self._open_store().flow
        if flow.is_damaged(self._rgb, self._estimation):
            self.prepare(numbers)
            return
        kept = flow.find(self._rgb, self._estimation)
        torn = kept.find_torn(numbers) if kept else []
        if kept and torn:
            estimate_pairs(self._rgb.read, torn, self._estimation, kept.write)

    def read(self, number: int) -> Frame:
        """Return flow frame `number` in 8 bit: uint8 (height, width, 2)."""
        levels: Frame = self._read_kept(number)
        return as_from_jpeg(levels) if self._is_jpeg else levels

    def read_motion(self, number: int) -> Motion:
        """Return flow frame `number` in pixels: float32 (height, width, 2), the network's crop where it is that."""
        return self._read_kept(number) if self.is_cropped else decode_motion(self.read(number))

    @property
    def _kept(self) -> StoredFlow:
        if self._stored is None:
            check_length(self._rgb)
            self._stored = self._open_store().flow.open(self._rgb, self._estimation, circumstances)
        return self._stored

    def _read_kept(self, number: int) -> NDArray[Any]:
        kept = self._kept.read(number)
        if kept is None:  # nobody prepared it, or it is damaged
            estimate_pairs(self._rgb.read, [number], self._estimation, self._kept.write)
            kept = self._kept.read(number)
        if kept is None:
            raise GbvisError(
                f"flow frame {number} of {self.location} is gone from the store again",
                "something else takes it away while this call writes it: repeat it",
            )
        return kept


@contextmanager
def _alone(kept: StoredFlow, check: Callable[[], None]) -> Iterator[None]:
    """Let one process of this machine at a time estimate this motion: who waits finds it done.

    The lock lies outside the store, which holds nothing but Zarr's groups, and ends with its process.
    """
    name = hashlib.sha256(os.fsencode(kept.location)).hexdigest()[:24]
    lock = FileLock(Path(tempfile.gettempdir()) / f"gbvis-{name}.lock")
    try:
        while not lock.is_locked:
            check()
            with suppress(Timeout):
                lock.acquire(timeout=0.2)
    except OSError:  # no locks to be had there: then pairs may be estimated twice, and nothing worse
        yield
        return
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def circumstances() -> dict[str, Any]:
    """Return what does not decide motion and is worth recording beside it."""
    return {"gbvis": __version__, "opencv": load_opencv().__version__}


def check_length(rgb: Video) -> None:
    """Check that a video has two frames at least.

    Raises:
        GbvisError: It has one.
    """
    if rgb.shape.frame_count < 2:
        raise GbvisError(f"{rgb.location} holds a single frame, and motion takes two", "ask for -m rgb")


def estimate_pairs(
    read: Callable[[int], Frame],
    pairs: Collection[int],
    estimation: FlowRecipe,
    keep: Callable[[int, NDArray[Any]], None],
    advance: Callable[[], None] = lambda: None,
) -> None:
    """Estimate the motion of pairs of frames; frames are decoded here, and the pairs spread over the cores.

    Args:
        read: Returns an RGB frame by its number.
        pairs: Rising numbers; pair k is frames k and k + 1.
        estimation: How.
        keep: Given each pair and its motion, (H, W, 2), uint8 or float32, on the thread that estimated it.
        advance: Called here for every pair that is kept.

    Raises:
        GbvisError: A frame cannot be read, or OpenCV is not there; what was estimated until then is kept.
    """
    flow = registry.flow(estimation.algorithm)

    def estimate(pair: int, before: Grey, after: Grey) -> None:
        keep(pair, estimation.encode(flow.estimate(before, after)))

    with _one_thread_a_pair() as cores, ThreadPoolExecutor(cores) as workers:
        running: set[Future[None]] = set()
        try:
            for pair, before, after in _read_pairs(read, pairs, estimation):
                running.add(workers.submit(estimate, pair, before, after))
                if len(running) >= _IN_FLIGHT * cores:
                    running = _settle(running, advance)
            while running:
                running = _settle(running, advance)
        except (KeyboardInterrupt, SystemExit, CancelledError):
            workers.shutdown(cancel_futures=True)  # what has begun is finished and kept, the rest is not begun
            raise


def _settle(running: set[Future[None]], advance: Callable[[], None]) -> set[Future[None]]:
    """Wait until one is done at least, and return those that are not."""
    done, running = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        future.result()
        advance()
    return running


def _read_pairs(
    read: Callable[[int], Frame], pairs: Collection[int], estimation: FlowRecipe
) -> Iterator[tuple[int, Grey, Grey]]:
    """Yield each pair's number and its two frames in grey; a frame that two pairs share is read once."""
    number, size, before = -1, (0, 0), None
    for pair in pairs:
        if pair != number or before is None:
            frame = read(pair)
            before, size = estimation.prepare(frame), frame.shape[:2]
        frame = read(pair + 1)
        if frame.shape[:2] != size:
            raise GbvisError(
                f"frames {pair} and {pair + 1} differ in size, and motion takes two of one size",
                "take frames of one size, or write the video again",
            )
        after = estimation.prepare(frame)
        yield pair, before, after
        number, before = pair + 1, after


@contextmanager
def _one_thread_a_pair() -> Iterator[int]:
    """Keep OpenCV from splitting a pair over the cores, which helps less than a pair for each; give their number."""
    opencv = load_opencv()
    before = opencv.getNumThreads()
    opencv.setNumThreads(1)
    try:
        yield len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    finally:
        opencv.setNumThreads(before)
