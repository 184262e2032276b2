"""Motion estimated from a video's own frames, and kept, so that no pair of frames is ever estimated twice."""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from gbvis.atomic_file import locked
from gbvis.errors import StoreError, VideoError
from gbvis.flow import ALGORITHMS
from gbvis.flow.parallel import estimate_pairs
from gbvis.flow.preprocess import environment
from gbvis.flow.recipe import FlowRecipe, as_from_jpeg
from gbvis.progress import Progress
from gbvis.store import Store, StoredFlow
from gbvis.videos.motion import Motion, decode_motion
from gbvis.videos.two_stream import JPEG_QUALITY
from gbvis.videos.video import Frame, Video, VideoShape


class EstimatedFlow(Video):
    """The flow of a video that has none: flow frame k is the motion from frame k to frame k + 1."""

    def __init__(
        self,
        rgb: Video,
        recipe: FlowRecipe,
        is_jpeg: bool,
        open_store: Callable[[], Store],
        progress: Progress,
    ) -> None:
        """Name the parts; nothing is decoded yet.

        Args:
            rgb: The frames.
            recipe: How.
            is_jpeg: Pass 8-bit flow through JPEG, as in the data sets that networks were trained on.
            open_store: Returns where the motion is kept; called when the first frame is wanted.
            progress: An object that is told how far the work is.
        """
        super().__init__(rgb.name, rgb.location, "flow")
        self.is_cropped = recipe.crop is not None
        self._rgb, self._recipe, self._is_jpeg = rgb, recipe, is_jpeg
        self._open_store, self._progress = open_store, progress
        self._stored: StoredFlow | None = None

    @property
    def fingerprint(self) -> str:
        """That of the frames; how they became motion is in `flow_recipe`."""
        return self._rgb.fingerprint

    @property
    def notices(self) -> tuple[str, ...]:
        """Those of the frames."""
        return self._rgb.notices

    @property
    def flow_recipe(self) -> dict[str, Any]:
        """The estimation, and whether it went through JPEG."""
        return {**self._recipe.to_json(), **({"jpeg_quality": JPEG_QUALITY} if self._is_jpeg else {})}

    @cached_property
    def shape(self) -> VideoShape:
        """As the frames, less one; the size is that in the middle, since the first frame may be a title card."""
        shape = self._rgb.shape
        check_length(self._rgb)
        height, width = self._rgb.read(shape.frame_count // 2).shape[:2]
        seconds = shape.seconds[:-1] if shape.seconds else None
        return VideoShape(shape.frame_count - 1, shape.rate, width, height, seconds)

    def prepare(self, numbers: Collection[int]) -> None:
        """Estimate those of the flow frames that are not kept yet, on all cores."""
        if not self._kept.missing(numbers):
            return
        with _alone(self._kept, self._progress):
            missing = self._kept.missing(numbers)
            if not missing:  # another process has seen to it
                return
            started = time.perf_counter()
            what = f"{self.name} flow"
            self._progress.expect(len(missing), what)
            advance = partial(self._progress.advance, what)
            estimate_pairs(self._rgb.read, missing, self._recipe, self._kept.write_pair, advance)
            seconds = time.perf_counter() - started
            algorithm = self._recipe.algorithm
            pairs = f"{len(missing)} pair{'s' if len(missing) > 1 else ''}"
            self._progress.say(f"{self.name} flow: {algorithm} of {pairs}, in {seconds:.2f} s")

    def mend(self, numbers: Collection[int]) -> None:
        """Estimate those of the flow frames again that are kept and damaged; what is not kept is not wanted here."""
        flow = self._open_store().flow
        if flow.is_damaged(self._rgb, self._recipe):
            self.prepare(numbers)
            return
        kept = flow.find(self._rgb, self._recipe)
        torn = kept.find_torn(numbers) if kept else []
        if kept and torn:
            estimate_pairs(self._rgb.read, torn, self._recipe, kept.write_pair)

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
            self._stored = self._open_store().flow.open(self._rgb, self._recipe, self._describe_environment)
        return self._stored

    def _describe_environment(self) -> dict[str, Any]:
        ALGORITHMS.load(self._recipe.algorithm).check()  # before anything is written
        return environment()

    def _read_kept(self, number: int) -> NDArray[Any]:
        kept = self._kept.read_pair(number)
        if kept is None:  # nobody prepared it, or it is damaged
            estimate_pairs(self._rgb.read, [number], self._recipe, self._kept.write_pair)
            kept = self._kept.read_pair(number)
        if kept is None:
            raise StoreError(
                f"flow frame {number} of {self.location} is gone from the store again",
                "something else takes it away while this call writes it: repeat it",
            )
        return kept


@contextmanager
def _alone(kept: StoredFlow, progress: Progress) -> Iterator[None]:
    """Let one process of this machine at a time estimate this motion: who waits finds it done.

    The lock lies outside the store, which holds nothing but Zarr's groups, and ends with its process.
    """
    said: set[str] = set()

    def wait(holder: str) -> None:
        progress.check()
        if holder not in said:
            said.add(holder)
            progress.warn(f"waiting for the flow {kept.key}, which another call estimates: {holder}")

    name = hashlib.sha256(os.fsencode(kept.address)).hexdigest()[:24]
    with ExitStack() as held:
        with suppress(OSError):  # no locks to be had there: then pairs may be estimated twice, and nothing worse
            held.enter_context(locked(Path(tempfile.gettempdir()) / f"gbvis-{name}.lock", wait))
        yield


def check_length(rgb: Video) -> None:
    """Check that a video has two frames at least.

    Raises:
        GbvisError: It has one.
    """
    if rgb.shape.frame_count < 2:
        raise VideoError(f"{rgb.location} holds a single frame, and motion takes two", "ask for -m rgb")
