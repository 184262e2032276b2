"""How motion is estimated: TV-L1, dense inverse search, Farnebäck's algorithm, all by OpenCV."""

from collections.abc import Mapping
from typing import Any, ClassVar

from gbvis.flow.preprocess import Grey, load_opencv, load_tvl1
from gbvis.videos.motion import Motion


class TVL1:
    """TV-L1: what the flow streams of two-stream networks were trained on.

    Zach, Pock & Bischof 2007, "A Duality Based Approach for Realtime TV-L1 Optical Flow", in OpenCV's implementation
    (Sánchez Pérez, Meinhardt-Llopis & Facciolo 2013); the settings are its defaults, as in Feichtenhofer's gpu_flow
    (compute_flow.cpp), which made the two-stream data sets on a GPU.
    """

    SETTINGS: ClassVar[Mapping[str, Any]] = {  # in the order in which OpenCV takes them
        "tau": 0.25,
        "lambda": 0.15,
        "theta": 0.3,
        "scales": 5,
        "warps": 5,
        "epsilon": 0.01,
        "inner_iterations": 30,
        "outer_iterations": 10,
        "scale_step": 0.8,
        "gamma": 0.0,
        "median_filtering": 5,
    }

    @classmethod
    def check(cls) -> None:
        """Check that this OpenCV has it; see `load_tvl1`."""
        load_tvl1()

    @classmethod
    def estimate(cls, before: Grey, after: Grey) -> Motion:
        """Return the motion from one frame to the next: float32 (H, W, 2), pixels."""
        algorithm = load_tvl1()(*cls.SETTINGS.values())
        motion: Motion = algorithm.calc(before, after, None)
        return motion


class DIS:
    """DIS: dense inverse search, about as good as TV-L1 and many times as fast.

    Kroeger, Timofte, Dai & Van Gool 2016, "Fast Optical Flow using Dense Inverse Search", OpenCV's preset `medium`.
    """

    SETTINGS: ClassVar[Mapping[str, Any]] = {"preset": "medium"}

    @classmethod
    def check(cls) -> None:
        """Check that OpenCV is there; see `load_opencv`."""
        load_opencv()

    @classmethod
    def estimate(cls, before: Grey, after: Grey) -> Motion:
        """Return the motion from one frame to the next: float32 (H, W, 2), pixels."""
        opencv = load_opencv()
        search = opencv.DISOpticalFlow_create(opencv.DISOPTICAL_FLOW_PRESET_MEDIUM)
        motion: Motion = search.calc(before, after, None)
        return motion


class Farneback:
    """Farnebäck's algorithm: what VMZ's flow network was trained on.

    Farnebäck 2003, "Two-Frame Motion Estimation Based on Polynomial Expansion", with the settings of VMZ
    (caffe2/video/optical_flow.cc, `OpticalFlowExtractor`).
    """

    SETTINGS: ClassVar[Mapping[str, Any]] = {  # in the order in which OpenCV takes them
        "pyramid_scale": 0.5**0.5,
        "levels": 5,
        "window": 10,
        "iterations": 2,
        "polynomial_size": 7,
        "polynomial_sigma": 1.5,
    }

    @classmethod
    def check(cls) -> None:
        """Check that OpenCV is there; see `load_opencv`."""
        load_opencv()

    @classmethod
    def estimate(cls, before: Grey, after: Grey) -> Motion:
        """Return the motion from one frame to the next: float32 (H, W, 2), pixels."""
        opencv = load_opencv()
        motion: Motion = opencv.calcOpticalFlowFarneback(
            before, after, None, *cls.SETTINGS.values(), opencv.OPTFLOW_FARNEBACK_GAUSSIAN
        )
        return motion
