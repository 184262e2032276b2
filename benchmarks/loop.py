"""Loops over videos, RGB, 8 frames, SOFTMAX: a call for each, plain and under `gbvis warm`, and one call for all.

    python benchmarks/loop.py VIDEO... [--old N] [--only-loops]

The videos given are linked under 100 names. The old way is a process a video: start, load the weights, decode, compute,
save. In the loops it, a plain call and a warm call take turns, over 30 videos. For one call over 100 videos N processes
of the old way are run (default 12), between the calls of gbvis, and counted as 100 by their median.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COUNT, LOOP, FRAMES, CLASS = 100, 30, 8, 3


GBVIS = [sys.executable, "-m", "gbvis"]


def run_old_way(weights: str, video: str) -> None:
    """Be one process of the old way."""
    import numpy as np
    import torch
    from rivals import THREADS, make_network, old_way

    from gbvis.networks.endpoint import SOFTMAX
    from gbvis.videos.clip import cut_clip
    from gbvis.videos.readers.video_file import VideoFile

    torch.set_num_threads(THREADS)
    network = make_network(weights=Path(weights))
    opened = VideoFile(Path(video))
    start = (opened.shape.frame_count - FRAMES) // 2
    clip = network.preprocess([cut_clip(opened, range(start, start + FRAMES), network.info.clip_format)])
    np.save(f"{video}.npy", old_way(network.module, clip, SOFTMAX, CLASS).numpy())


def timed(words: list[str], folder: Path, environment: dict[str, str] | None = None) -> float:
    """Return the seconds that a command takes as a process."""
    started = time.perf_counter()
    subprocess.run(words, check=True, cwd=folder, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - started


def gradient_seconds(weights: Path) -> float:
    """Return what the gradient of one clip takes in a process that has computed some, the median of 7."""
    import numpy as np
    from rivals import make_network

    from gbvis.attribution.graph import Graph
    from gbvis.attribution.methods.guided_backprop import GuidedBackprop
    from gbvis.networks.endpoint import Target

    network = make_network(weights=weights)
    assert network.info.scores
    clip, seconds = np.full((FRAMES, 112, 112, 3), 99, np.uint8), []
    for _ in range(9):
        started = time.perf_counter()
        with Graph(network, [clip]) as graph:
            graph.forward({network.info.scores})
            for pending in graph.attribute(GuidedBackprop(), [Target(network.info.scores, CLASS)]):
                list(pending.result())
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[2:])


def run_loops(folder: Path, names: list[str], old: list[str], explain: list[str]) -> None:
    """Print what calls one by one take, plain and warm, beside processes of the old way."""
    gradient = gradient_seconds(folder / "net.pth")
    said = subprocess.run([*GBVIS, "warm"], check=True, capture_output=True, text=True).stdout
    warm = {**os.environ, "GBVIS_WARM": said.split(";")[0].partition("=")[2]}
    ways: dict[str, list[float]] = {"old": [], "plain": [], "warm": [], "cached": [], "pass": []}
    for name in names[:LOOP]:
        words = [*GBVIS, "explain", name, *explain]
        ways["old"].append(timed([*old, name], folder))
        ways["plain"].append(timed([*words, "--store", "plain"], folder))
        ways["warm"].append(timed([*words, "--store", "warm"], folder, warm))
        ways["cached"].append(timed([*words, "--store", "warm"], folder, warm))
        ways["pass"].append(timed([sys.executable, "-c", "pass"], folder))
    subprocess.run([*GBVIS, "warm", "--stop"], check=True, env=warm, stdout=subprocess.DEVNULL)
    middle = {way: statistics.median(seconds) for way, seconds in ways.items()}
    print(f"| a loop over {LOOP} videos of {FRAMES} frames, a call for each | target | measured |\n| --- | --- | --- |")
    for way, target in (("plain", 1.45), ("warm", 5)):
        print(f"| {way}, against the old way | {target} | {sum(ways['old']) / sum(ways[way]):.2f} times |")
    cached = middle["cached"] - middle["pass"]
    print(f"| a warm call, cached, over `python -c pass` | 0.12 s | {cached:.3f} s |")
    print(f"| a warm call, over the gradient's own {gradient:.2f} s | 0.25 s | {middle['warm'] - gradient:.2f} s |")
    print(f"\nMedians in seconds: {', '.join(f'{way} {value:.3f}' for way, value in middle.items())}.\n")


def main() -> None:
    """Print target against measured, in Markdown."""
    if sys.argv[1:2] == ["old-way"]:
        return run_old_way(*sys.argv[2:])
    from rivals import make_network, save_weights

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--old", type=int, default=12)
    parser.add_argument("--only-loops", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_weights(make_network(), folder / "net.pth")
        os.utime(folder / "net.pth", (1e9, 1e9))  # not so new that its hash could not be trusted
        names = [f"{number:03d}{arguments.videos[number % len(arguments.videos)].suffix}" for number in range(COUNT)]
        for number, one in enumerate(names):
            (folder / one).symlink_to(arguments.videos[number % len(arguments.videos)].resolve())
        explain = [*GBVIS, "explain", *names, "-w", "net.pth", "-n", str(FRAMES), "-l", str(CLASS), "-q"]
        old = [sys.executable, __file__, "old-way", "net.pth"]
        run_loops(folder, names, old, explain[3 + COUNT :])
        if arguments.only_loops:
            return None
        slow, quick = [], {}
        for precision in ("float32", "bfloat16"):
            slow += [timed([*old, names[number]], folder) for number in range(arguments.old // 2)]
            quick[precision] = timed([*explain, "--precision", precision, "--store", precision], folder)
        per_video = statistics.median(slow)
        single = [*GBVIS, "explain", names[0], *explain[3 + COUNT :], "--store", "float32"]
        cached = [timed(single, folder) for _ in range(9)]
        all_cached = [timed([*explain, "--store", "float32"], folder) for _ in range(5)]
        base = [timed([sys.executable, "-c", words], folder) for _ in range(9) for words in ("import typer, rich",)]
        helped = [timed([*GBVIS, "--help"], folder) for _ in range(9)]
    alone, many = statistics.median(cached), statistics.median(all_cached)
    print("| a whole loop, 100 videos of 8 frames | target | measured |\n| --- | --- | --- |")
    for precision, target in (("float32", 6), ("bfloat16", 9)):
        print(f"| {precision} against 100 processes | {target} | {COUNT * per_video / quick[precision]:.1f} times |")
    print(
        f"| `--help` over `import typer, rich` | 0.15 s | {statistics.median(helped) - statistics.median(base):.2f} s |"
    )
    print(f"| a cached `explain` as a process | 0.5 s | {alone:.2f} s |")
    print(f"| each further video of it | 5 ms | {(many - alone) / (COUNT - 1) * 1000:.1f} ms |")
    print(f"\nSeconds: old way {per_video:.2f} a video; 100 videos: float32 {quick['float32']:.1f}, ", end="")
    print(f"bfloat16 {quick['bfloat16']:.1f}.")
    return None


if __name__ == "__main__":
    main()
