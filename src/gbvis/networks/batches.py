"""Batches: which clips are computed together, and what happens when they do not fit into memory."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from gbvis.errors import DeviceError

if TYPE_CHECKING:  # a step whose network runs in another process loads no torch
    import torch

MOST_CLIPS = 16
"""Computed at once: so many fill any GPU, and more would only wait longer for being written."""

_SHARE = 0.9
"""Of the free memory that may be planned with: it is cut into pieces, and libraries take some as they like."""


class Memory(Protocol):
    """A device's memory."""

    def begin(self) -> None:
        """Start to watch how much is taken."""

    def taken(self) -> int:
        """Return the bytes that were taken at most since `begin`, beyond what was taken then."""

    def free(self) -> int:
        """Return the bytes that can be taken now."""

    def release(self) -> None:
        """Give back what nobody uses."""


class CudaMemory:
    """The memory of a CUDA GPU, as torch manages it."""

    def __init__(self, device: "torch.device") -> None:
        import torch

        self._cuda, self._device, self._before = torch.cuda, device, 0

    def begin(self) -> None:
        """Start to watch how much is taken."""
        self._cuda.reset_peak_memory_stats(self._device)
        self._before = self._cuda.memory_allocated(self._device)

    def taken(self) -> int:
        """Return the bytes that were taken at most since `begin`, beyond what was taken then."""
        return self._cuda.max_memory_allocated(self._device) - self._before

    def free(self) -> int:
        """Return the bytes that can be taken now, those included that torch keeps for the next tensors."""
        free, _ = self._cuda.mem_get_info(self._device)
        return free + self._cuda.memory_reserved(self._device) - self._cuda.memory_allocated(self._device)

    def release(self) -> None:
        """Give back what nobody uses."""
        self._cuda.empty_cache()


class Batches:
    """Ranges of clips to compute together, one after the other.

    ```
    for numbers in batches:
        with batches.attempt():
            ...  # compute the clips of these numbers
    ```
    Without a memory to watch, clips go one by one, which is quickest on a CPU: its caches hold one. A GPU takes several
    to be busy. The first clip goes alone and shows, once, how much memory one takes; then as many go as fit. If memory
    runs out all the same, half as many go from then on, beginning with those that failed.

    Attributes:
        clip_count: How many clips there are.
        size: How many go at once, as far as is known.
    """

    def __init__(self, clip_count: int, memory: Memory | None, say: Callable[[str], None] = lambda line: None) -> None:
        """Name the parts.

        Args:
            clip_count: How many clips there are.
            memory: What has to hold them; None where they go one by one.
            say: Told when memory ran out.
        """
        self.clip_count, self.size = clip_count, 1
        self._memory, self._say = memory, say
        self._current = range(0)
        self._has_failed = False

    def __iter__(self) -> Iterator[range]:
        done = 0
        if self._memory:
            self._memory.begin()
        while done < self.clip_count:
            self._current, self._has_failed = range(done, min(done + self.size, self.clip_count)), False
            yield self._current
            if self._has_failed:
                self._halve()
                continue
            if self._memory and not done:
                self.size = max(1, min(MOST_CLIPS, int(_SHARE * self._memory.free()) // max(self._memory.taken(), 1)))
            done = self._current.stop

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Let the batch fail for want of memory, if it is of several clips: they come again, fewer at once.

        Raises:
            RuntimeError: Something else went wrong, or not even one clip fits.
        """
        try:
            yield
        except (MemoryError, RuntimeError) as error:
            if self._memory is None or len(self._current) == 1 or not is_out_of_memory(error):
                raise
            self._has_failed = True

    def _halve(self) -> None:
        """Go on with half as many; here, since an error that is being handled keeps what failed in memory."""
        assert self._memory
        self.size = len(self._current) // 2
        self._memory.release()
        self._say(f"not enough memory for {len(self._current)} clips at once: {self.size} from now on")


_WORDS = ("out of memory", "allocate memory", "ALLOC_FAILED")
"""How CUDA, the C library, and cuBLAS and cuDNN say it, where torch has no class of its own for it."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error of torch means that memory ran out."""
    torch = sys.modules.get("torch")  # where it was not loaded, the error came from another process
    if isinstance(error, MemoryError) or (torch and isinstance(error, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS)


@contextmanager
def telling_memory(device: str) -> Iterator[None]:
    """Say in words that memory ran out.

    Raises:
        DeviceError: It did.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise DeviceError(
            f"not enough memory on {device} for this clip", "take fewer frames with -n, or another --device"
        ) from error
