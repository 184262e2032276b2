"""Flow: pairs a second at 340x256 for each algorithm, one core and two; and what a second `explain` spends on it.

    python benchmarks/flow.py VIDEO

The rival is OpenCV itself, pair after pair, splitting each over its own threads. Each figure is the median of the
rounds, in which all take turns. The last part explains the video's flow twice as a process, with random weights.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gbvis.flow import ALGORITHMS
from gbvis.flow.parallel import estimate_pairs
from gbvis.flow.preprocess import Grey, load_opencv
from gbvis.flow.recipe import FlowRecipe
from gbvis.videos.readers.video_file import VideoFile

ROUNDS = 5
PAIRS = {"tvl1": 8, "dis": 120, "farneback": 80}
MATERIAL = Path(__file__).parent.parent / "tests/material"


def time_gbvis(recipe: FlowRecipe, video: VideoFile, first: int, cores: set[int]) -> float:
    """Return the pairs a second that gbvis estimates on these cores, decoding and encoding and all."""
    everything = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        pairs = range(first, first + PAIRS[recipe.algorithm])
        video.read(first)
        started = time.perf_counter()
        estimate_pairs(video.read, pairs, recipe, lambda pair, motion: None)
        return len(pairs) / (time.perf_counter() - started)
    finally:
        os.sched_setaffinity(0, everything)


def time_opencv(name: str, greys: list[Grey]) -> float:
    """Return the pairs a second that OpenCV estimates by itself, of frames that are decoded already."""
    load_opencv().setNumThreads(len(os.sched_getaffinity(0)))
    flow = ALGORITHMS.load(name)
    started = time.perf_counter()
    for number in range(PAIRS[name]):
        flow.estimate(greys[number], greys[number + 1])
    return PAIRS[name] / (time.perf_counter() - started)


def time_explain(video: Path) -> list[tuple[float, float]]:
    """Return for two calls in a row the seconds that each took, and those that it spent on flow."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, MATERIAL / "make_weights.py", folder], check=True)
        words = ["explain", str(video), "-w", f"{folder}/flow.pth", "--store", f"{folder}/store", "-v", "-e"]
        for endpoint in ("FC", "Conv3d_3_x"):  # another endpoint: the network runs both times
            started = time.perf_counter()
            called = [sys.executable, "-m", "gbvis", *words, endpoint]
            done = subprocess.run(called, check=True, capture_output=True, text=True)
            told = re.search(r"pairs, in ([0-9.]+) s", done.stderr)
            found.append((time.perf_counter() - started, float(told[1]) if told else 0.0))
    return found


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    path: Path = parser.parse_args().video
    video = VideoFile(path)
    first = (video.shape.frame_count - max(PAIRS.values())) // 2
    cores = sorted(os.sched_getaffinity(0))
    ways = {"gbvis, one core": set(cores[:1]), f"gbvis, {len(cores)} cores": set(cores)}
    rates: dict[tuple[str, str], list[float]] = {}
    for name in ALGORITHMS.names:
        recipe = FlowRecipe.of(name)
        greys = [recipe.prepare(video.read(first + number)) for number in range(PAIRS[name] + 1)]
        for _ in range(ROUNDS):
            for way, used in ways.items():
                rates.setdefault((name, way), []).append(time_gbvis(recipe, video, first, used))
            rates.setdefault((name, f"OpenCV, {len(cores)} threads"), []).append(time_opencv(name, greys))
    columns = list(dict.fromkeys(way for _, way in rates))
    print(f"| pairs a second | {' | '.join(columns)} |\n| --- |{' --- |' * len(columns)}")
    for name in ALGORITHMS.names:
        print(f"| {name} | {' | '.join(f'{statistics.median(rates[name, way]):.3g}' for way in columns)} |")
    (first_call, first_flow), (second_call, second_flow) = time_explain(path)
    print(f"\n`explain`: {first_call:.1f} s, of them {first_flow:.1f} s for flow; another endpoint of the same clip")
    print(f"afterwards: {second_call:.1f} s, of them {second_flow:.1f} s for flow.")


if __name__ == "__main__":
    main()
