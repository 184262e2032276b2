"""DIS: dense inverse search, about as good as TV-L1 and many times as fast.

Kroeger, Timofte, Dai & Van Gool 2016, "Fast Optical Flow using Dense Inverse Search", OpenCV's preset `medium`.
"""

from gbvis.videos.motion import Grey, Motion, load_opencv

SETTINGS = {"preset": "medium"}


def estimate(before: Grey, after: Grey) -> Motion:
    """Return the motion from one frame to the next: float32 (H, W, 2), pixels."""
    opencv = load_opencv()
    search = opencv.DISOpticalFlow_create(opencv.DISOPTICAL_FLOW_PRESET_MEDIUM)
    motion: Motion = search.calc(before, after, None)
    return motion
