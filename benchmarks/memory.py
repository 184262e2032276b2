"""Memory: the peak of `explain --clips all` and of `render` for a video of 10 minutes over that for one of 10 seconds.

python benchmarks/memory.py
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import numpy as np

RATE = 5
"""Frames a second: so few that R(2+1)D-18 is done with 10 minutes in a few."""

LENGTHS = {"10 seconds": 10 * RATE, "10 minutes": 600 * RATE}
HERE = str(Path(__file__).parent)
MAKE_WEIGHTS = "from rivals import *; save_weights(make_network(), Path('net.pth'))"
"""In a process of its own: Linux counts what a process held when it started another as that one's peak."""

NETWORKS = {"R(2+1)D-18": ("net.pth", "8"), "sample network, clips of 4 frames": ("sample", "4")}


def write_video(path: Path, frames: int) -> None:
    """Write a video of a bar that moves over noise: 128x96, H.264."""
    noise = np.random.default_rng(0).integers(0, 80, (96, 128, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for number in range(frames):
            frame = noise.copy()
            frame[:, number % 120 : number % 120 + 8] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def peak_of(words: list[str], folder: Path) -> int:
    """Return the peak memory of a command in bytes."""
    process = subprocess.Popen([sys.executable, "-m", "gbvis", *words], cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, words
    return usage.ru_maxrss * 1024


def main() -> None:
    """Print target against measured, in Markdown."""
    print("| memory, 10 minutes over 10 seconds | target | measured |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            [sys.executable, "-c", MAKE_WEIGHTS], check=True, cwd=folder, env={**os.environ, "PYTHONPATH": HERE}
        )
        for number, count in enumerate(LENGTHS.values()):
            write_video(folder / f"{number}.mp4", count)
        for network, (weights, frames) in NETWORKS.items():
            explain = ["explain", "-w", weights, "-m", "rgb", "-n", frames, "-l", "3", "--clips", "all", "-q"]
            print_row(f"`explain`, {network}", [peak_of([*explain, f"{number}.mp4"], folder) for number in (0, 1)])
        render = ["render", "-n", "4", "--size", "56", "-q"]
        print_row(
            "`render` to GIF", [peak_of([*render, str(number), "-o", f"{number}.gif"], folder) for number in (0, 1)]
        )


def print_row(name: str, peaks: list[int]) -> None:
    """Print the peaks in bytes for the short video and the long one, and their ratio."""
    short, long = peaks
    print(f"| {name} | 1.2 | {long / short:.2f} ({short / 1e6:.0f} and {long / 1e6:.0f} MB) |", flush=True)


if __name__ == "__main__":
    main()
