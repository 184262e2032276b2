"""Turns: work on two threads whose results come in order, a few ahead of who takes them."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_THREADS = 2
"""Image encoders and zlib run beside Python; more threads would take more memory."""

_AHEAD = 4

Result = TypeVar("Result")


def work_in_turns(jobs: Iterable[Callable[[], Result]]) -> Generator[Result]:
    """Yield what jobs return, in their order; an error of one is raised in its turn, and ends all."""
    with ThreadPoolExecutor(_THREADS) as threads:
        waiting: deque[Future[Result]] = deque()
        try:
            for job in jobs:
                waiting.append(threads.submit(job))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
