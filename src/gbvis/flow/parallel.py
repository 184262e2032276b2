"""Many pairs of frames at once: motion estimated on all cores."""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from typing import Any

from numpy.typing import NDArray

from gbvis.errors import VideoError
from gbvis.flow import ALGORITHMS
from gbvis.flow.preprocess import Grey, one_thread_a_pair
from gbvis.flow.recipe import FlowRecipe
from gbvis.videos.video import Frame

_IN_FLIGHT = 2
"""Pairs for each core that are decoded ahead."""


def estimate_pairs(
    read: Callable[[int], Frame],
    pairs: Collection[int],
    recipe: FlowRecipe,
    keep: Callable[[int, NDArray[Any]], None],
    advance: Callable[[], None] = lambda: None,
) -> None:
    """Estimate the motion of pairs of frames; frames are decoded here, and the pairs spread over the cores.

    Args:
        read: Returns an RGB frame by its number.
        pairs: Rising numbers; pair k is frames k and k + 1.
        recipe: How.
        keep: Given each pair and its motion, (H, W, 2), uint8 or float32, on the thread that estimated it.
        advance: Called here for every pair that is kept.

    Raises:
        GbvisError: A frame cannot be read, or OpenCV is not there; what was estimated until then is kept.
    """
    flow = ALGORITHMS.load(recipe.algorithm)
    flow.check()

    def estimate(pair: int, before: Grey, after: Grey) -> None:
        keep(pair, recipe.encode(flow.estimate(before, after)))

    with one_thread_a_pair() as cores, ThreadPoolExecutor(cores) as workers:
        running: set[Future[None]] = set()
        try:
            for pair, before, after in _read_pairs(read, pairs, recipe):
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
    read: Callable[[int], Frame], pairs: Collection[int], recipe: FlowRecipe
) -> Iterator[tuple[int, Grey, Grey]]:
    """Yield each pair's number and its two frames in grey; a frame that two pairs share is read once."""
    number, size, before = -1, (0, 0), None
    for pair in pairs:
        if pair != number or before is None:
            frame = read(pair)
            before, size = recipe.prepare(frame), frame.shape[:2]
        frame = read(pair + 1)
        if frame.shape[:2] != size:
            raise VideoError(
                f"frames {pair} and {pair + 1} differ in size, and motion takes two of one size",
                "take frames of one size, or write the video again",
            )
        after = recipe.prepare(frame)
        yield pair, before, after
        number, before = pair + 1, after
