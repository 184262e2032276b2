"""Frames in grey, at the size on which flow is computed; the only file that uses OpenCV, which is an extra."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gbvis.errors import UsageError, VideoError
from gbvis.version import __version__

Grey = NDArray[np.uint8]
"""uint8 (H, W), 0-255: a frame as motion is estimated on it."""


SHORTER_SIDE = 256
"""Rows or columns of a frame in a two-stream data set, whichever are fewer."""

_LONGEST_SIDE = 32
"""How many times the shorter side the longer may be: 8192 pixels when that is 256."""


_INSTALL = "install gbvis with its extra, gbvis[flow], or `pip install opencv-contrib-python-headless`"

_PACKAGES = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")

_FIRST_RELEASE = 5
"""Of OpenCV's TV-L1 that gives the numbers of the data sets: 4.10 and 4.14 differ by 0.1 to 0.6 levels."""


def load_opencv() -> Any:
    """Return OpenCV's module, which comes with the extra `gbvis[flow]`; loaded only to estimate motion and to scale.

    Any package of OpenCV will do: `load_tvl1` asks for more.

    Raises:
        UsageError: It is not installed.
    """
    try:
        return import_module("cv2")
    except ImportError as error:
        raise UsageError(
            "computing optical flow, and scaling frames as for it, needs OpenCV, which is not installed",
            f"{_INSTALL}; else point with -d to a two-stream data set that holds the flow",
        ) from error


def load_tvl1() -> Any:
    """Return OpenCV's `DualTVL1OpticalFlow_create`, which its contributed modules have.

    Raises:
        UsageError: OpenCV is not installed, is without these modules, or is a release that gives other numbers.
    """
    opencv = load_opencv()
    instead = "or take another algorithm, which any OpenCV has: --flow-algorithm dis"
    try:
        create = opencv.optflow.DualTVL1OpticalFlow_create
    except AttributeError as error:
        raise UsageError(
            f"TV-L1 is in OpenCV's contributed modules, which are not installed: found {_find_packages()}",
            f"uninstall that, for packages of OpenCV overwrite each other, then {_INSTALL}; {instead}",
        ) from error
    if int(opencv.__version__.partition(".")[0]) < _FIRST_RELEASE:
        raise UsageError(
            f"TV-L1 of OpenCV {opencv.__version__} gives other numbers than that of {_FIRST_RELEASE}, which gbvis was "
            f"checked with: found {_find_packages()}",
            f"`pip install 'opencv-contrib-python-headless>={_FIRST_RELEASE}'`; {instead}",
        )
    return create


def _find_packages() -> str:
    """Return which packages of OpenCV are installed, with their releases; looked up only for messages."""
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found.append(f"{package} {version(package)}")
    return " and ".join(found) or f"OpenCV {load_opencv().__version__}"


def environment() -> dict[str, Any]:
    """Return what does not decide motion and is worth recording beside it."""
    return {"gbvis": __version__, "opencv": load_opencv().__version__}


def make_grey(frame: NDArray[np.uint8]) -> Grey:
    """Return an RGB frame, uint8 (H, W, 3), in grey, as OpenCV weighs the colours: .299, .587, .114.

    Raises:
        GbvisError: As `load_opencv`.
    """
    opencv = load_opencv()
    grey: Grey = opencv.cvtColor(frame, opencv.COLOR_RGB2GRAY)
    return grey


def scaled_size(height: int, width: int) -> tuple[int, int]:
    """Return the height and width of a frame in a two-stream data set: the longer side cut off to an even number.

    Feichtenhofer's gpu_flow, compute_flow.cpp: 240x320 becomes 256x340.

    Raises:
        GbvisError: The frame is a mere line: scaled, it would be longer than any screen.
    """
    shorter = min(height, width)
    if max(height, width) > _LONGEST_SIDE * shorter:
        raise VideoError(
            f"frames of {width}x{height} pixels cannot be scaled to {SHORTER_SIDE} on the shorter side",
            f"expected one side to be at most {_LONGEST_SIDE} times the other: cut the video to what is of interest",
        )
    longer = SHORTER_SIDE * max(height, width) // shorter
    longer -= longer % 2
    return (SHORTER_SIDE, longer) if height == shorter else (longer, SHORTER_SIDE)


def scale_frame(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a frame, uint8 (H, W, 3), in the size of a two-stream data set; bicubic, as gpu_flow did it.

    Raises:
        GbvisError: OpenCV is not there.
    """
    height, width = scaled_size(*frame.shape[:2])
    if frame.shape[:2] == (height, width):
        return frame
    opencv = load_opencv()
    scaled: NDArray[np.uint8] = opencv.resize(frame, (width, height), interpolation=opencv.INTER_CUBIC)
    return scaled


class Cores:
    """The cores of this machine that this process may use."""

    most: int | None = None
    """So many at most; None for all, where the process shares them with no other worker of the same call."""

    @classmethod
    def count(cls) -> int:
        """Return how many they are."""
        there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(there, cls.most or there)


@contextmanager
def one_thread_a_pair() -> Iterator[int]:
    """Hold OpenCV to one thread while the context lasts, and give the number of cores: a pair a core is quickest."""
    opencv = load_opencv()
    before = opencv.getNumThreads()
    opencv.setNumThreads(1)
    try:
        yield Cores.count()
    finally:
        opencv.setNumThreads(before)
