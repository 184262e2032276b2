"""Reports: how long one takes to write, how large it is, and how much memory that takes.

    python benchmarks/report.py VIDEO

Explains 100 runs of samples of 8 frames, and 100 runs of clips of 16 frames at 112x112 of the video, with random
weights; then writes a report of each, and one of a single run. Each figure is the median of three calls.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MATERIAL = Path(__file__).parent.parent / "tests/material"
ROUNDS = 3
RUNS = 100


@dataclass(frozen=True)
class Measured:
    """What a call took, and what it made: seconds, bytes of memory, bytes of the file."""

    seconds: float
    memory: int
    size: int


def explain(words: list[str], store: Path) -> None:
    """Put runs into a store."""
    command = [sys.executable, "-m", "gbvis", "explain", *words, "--store", str(store), "-q"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def measure(store: Path, words: list[str]) -> Measured:
    """Return what a report of the runs that words choose takes."""
    file = store.with_suffix(".html")
    command = [sys.executable, "-m", "gbvis", "render", *words, "-o", str(file), "--store", str(store), "-q", "--force"]
    found = []
    for _ in range(ROUNDS):
        file.unlink(missing_ok=True)
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0, command
        found.append((time.perf_counter() - started, usage.ru_maxrss * 1024))
    seconds, memory = (statistics.median(one) for one in zip(*found, strict=True))
    return Measured(seconds, int(memory), file.stat().st_size)


def explain_samples(store: Path) -> None:
    """Explain 100 runs: 16 samples, two streams, three endpoints; and four classes of another sample."""
    motions = ("left", "right", "up", "down", "grow")
    samples = [f"sample:{motions[seed % len(motions)]}-{seed}" for seed in range(RUNS // 6)]
    endpoints = [word for name in ("Conv3d_3_x", "AP", "FC") for word in ("-e", name)]
    explain([*samples, "-w", "sample", "-n", "8", *endpoints], store)
    labels = [word for label in range(4) for word in ("-l", str(label))]
    explain(["sample:shrink-3", "-w", "sample", "-n", "8", "-m", "rgb", "-e", "FC", *labels], store)


def explain_clips(video: Path, store: Path, folder: Path) -> None:
    """Explain 100 runs of 20 clips of a video."""
    subprocess.run([sys.executable, MATERIAL / "make_weights.py", folder], check=True)
    labels = [word for label in range(5) for word in ("-l", str(label))]
    for start in range(RUNS // 5):
        words = [str(video), "-w", str(folder / "rgb.pth"), "-n", "16", "-e", "FC", *labels, "--start", str(2 * start)]
        explain(words, store)


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    video: Path = parser.parse_args().video
    print("| report | target | seconds | memory, MB | size, MB |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        explain_samples(folder / "samples.zarr")
        print_row(f"{RUNS} runs of samples, 8 frames", "3 s", measure(folder / "samples.zarr", []))
        explain_clips(video, folder / "clips.zarr", folder)
        print_row(f"{RUNS} runs of 16 frames at 112x112", "20 s, 300 MB", measure(folder / "clips.zarr", []))
        explain([str(video), "-w", str(folder / "rgb.pth"), "-n", "16", "-e", "FC"], folder / "one.zarr")
        print_row("one run of 16 frames at 112x112", "1.0 MB", measure(folder / "one.zarr", []))


def print_row(name: str, target: str, measured: Measured) -> None:
    """Print what a report took beside what it may take."""
    figures = f"{measured.seconds:.1f} | {measured.memory / 1e6:.0f} | {measured.size / 1e6:.2f}"
    print(f"| {name} | {target} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
