"""Draws the small clip of this folder: a disc that moves over a still wall, as a video file and as two-stream folders.

Its true flow is known: the disc moves by SPEED pixels a frame to the right, the wall rests.
"""

from pathlib import Path

import av
import imageio.v3 as imageio
import numpy as np

HERE = Path(__file__).parent
NAME = "moving-disc"
HEIGHT, WIDTH, FRAMES, SPEED, RADIUS = 256, 340, 12, 4, 44


def draw() -> tuple[np.ndarray, np.ndarray]:
    """Return the frames, uint8 (T, H, W, 3), and for all but the last whether a pixel moves, bool (T - 1, H, W)."""
    random = np.random.default_rng(0)
    wall = random.integers(90, 150, (HEIGHT // 16, WIDTH // 20, 1)).repeat(16, 0).repeat(20, 1)
    stripes = 128 + 100 * np.sign(np.sin(np.arange(2 * RADIUS) / 5))[:, None] * np.array([1.0, 0.3, -0.6])
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    frames, moving = [], []
    for step in range(FRAMES):
        left = 110 + SPEED * step
        inside = (rows - 128) ** 2 + (columns - left - RADIUS) ** 2 < RADIUS**2
        disc = stripes[np.clip(columns - left, 0, 2 * RADIUS - 1)]
        frames.append(np.where(inside[..., None], disc, wall * np.array([0.8, 1.0, 1.1])))
        moving.append(inside)
    return np.clip(frames, 0, 255).astype(np.uint8), np.array(moving[:-1])


def write_images(folder: Path, images: np.ndarray) -> None:
    """Write numbered JPEGs, counted from 1."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images, start=1):
        imageio.imwrite(folder / f"frame{number:06d}.jpg", image, quality=90)


def main() -> None:
    """Write everything beside this file."""
    frames, moving = draw()
    write_images(HERE / "two-stream/example_jpegs_256/jpegs_256" / NAME, frames)
    flow = HERE / "two-stream/example_tvl1_flow/tvl1_flow"
    rest = np.full(moving.shape, 128, np.uint8)
    write_images(flow / "u" / NAME, np.where(moving, round(255 * (SPEED + 20) / 40), rest).astype(np.uint8))
    write_images(flow / "v" / NAME, rest)
    with av.open(str(HERE / f"{NAME}.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


if __name__ == "__main__":
    main()
