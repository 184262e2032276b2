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

RATE = 25
LENGTHS = {"10 seconds": 10 * RATE, "10 minutes": 600 * RATE}


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
    peaks: dict[str, dict[str, int]] = {"explain": {}, "render": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, (length, frames) in enumerate(LENGTHS.items()):
            write_video(folder / f"{number}.mp4", frames)
            explain = ["explain", f"{number}.mp4", "-w", "sample", "-m", "rgb", "--clips", "all", "-q"]
            peaks["explain"][length] = peak_of(explain, folder)
            peaks["render"][length] = peak_of(
                ["render", str(number), "--size", "56", "-o", f"{number}.gif", "-q"], folder
            )
    print("| memory, 10 minutes over 10 seconds | target | measured |\n| --- | --- | --- |")
    for command, found in peaks.items():
        short, long = found.values()
        print(f"| `{command}` | 1.2 | {long / short:.2f} ({short / 1e6:.0f} and {long / 1e6:.0f} MB) |")


if __name__ == "__main__":
    main()
