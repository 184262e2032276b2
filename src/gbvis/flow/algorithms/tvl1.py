"""TV-L1: what the flow streams of two-stream networks were trained on.

Zach, Pock & Bischof 2007, "A Duality Based Approach for Realtime TV-L1 Optical Flow", in OpenCV's implementation
(Sánchez Pérez, Meinhardt-Llopis & Facciolo 2013); the settings are its defaults, as in Feichtenhofer's gpu_flow
(compute_flow.cpp), which made the two-stream data sets on a GPU.
"""

from gbvis.videos.motion import Grey, Motion, load_opencv

SETTINGS = {  # in the order in which OpenCV takes them
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


def estimate(before: Grey, after: Grey) -> Motion:
    """Return the motion from one frame to the next: float32 (H, W, 2), pixels."""
    motion: Motion = load_opencv().optflow.DualTVL1OpticalFlow_create(*SETTINGS.values()).calc(before, after, None)
    return motion
