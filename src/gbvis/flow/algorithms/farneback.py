"""Farnebäck's algorithm: what VMZ's flow network was trained on.

Farnebäck 2003, "Two-Frame Motion FlowRecipe Based on Polynomial Expansion", with the settings of VMZ
(caffe2/video/optical_flow.cc, `OpticalFlowExtractor`).
"""

from gbvis.videos.motion import Grey, Motion, load_opencv

SETTINGS = {  # in the order in which OpenCV takes them
    "pyramid_scale": 0.5**0.5,
    "levels": 5,
    "window": 10,
    "iterations": 2,
    "polynomial_size": 7,
    "polynomial_sigma": 1.5,
}


def estimate(before: Grey, after: Grey) -> Motion:
    """Return the motion from one frame to the next: float32 (H, W, 2), pixels."""
    opencv = load_opencv()
    motion: Motion = opencv.calcOpticalFlowFarneback(
        before, after, None, *SETTINGS.values(), opencv.OPTFLOW_FARNEBACK_GAUSSIAN
    )
    return motion
