"""MP4 with H.264 in yuv420p, which plays everywhere, through PyAV."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from gbvis.picture import Picture

CAN_MOVE = True


def write(picture: Picture, path: Path) -> None:
    """Write the picture as an MP4; an odd last column or row is doubled, since yuv420p wants even sizes."""
    rate = Fraction(picture.rate).limit_denominator(1001)
    with av.open(f"file:{path.absolute()}", "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "18", "preset": "medium"})
        stream.width, stream.height = picture.width + picture.width % 2, picture.height + picture.height % 2
        stream.pix_fmt = "yuv420p"
        for frame in picture.frames():
            even = np.pad(frame, ((0, picture.height % 2), (0, picture.width % 2), (0, 0)), mode="edge")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        container.mux(stream.encode())
