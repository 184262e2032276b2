"""A whole loop: 100 videos, RGB, 8 frames, SOFTMAX, in one call, against a process of the old way for each; start-up.

    python benchmarks/loop.py VIDEO... [--old N]

The videos given are linked under 100 names. The old way is a process a video: start, load the weights, decode, compute,
save; N of them are run (default 12), between the calls of gbvis, and counted as 100 by their median.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COUNT, FRAMES, CLASS = 100, 8, 3


def run_old_way(weights: str, video: str) -> None:
    """Be one process of the old way."""
    import numpy as np
    import torch
    from rivals import THREADS, make_network, old_way

    from gbvis.networks.r2plus1d.architecture import SOFTMAX
    from gbvis.videos.clip import cut_clip
    from gbvis.videos.readers.video_file import VideoFile

    torch.set_num_threads(THREADS)
    network = make_network(weights=Path(weights))
    opened = VideoFile(Path(video))
    start = (opened.shape.frame_count - FRAMES) // 2
    clip = network.preprocess([cut_clip(opened, range(start, start + FRAMES), network.info.clip_format)])
    np.save(f"{video}.npy", old_way(network.module, clip, SOFTMAX, CLASS).numpy())


def timed(words: list[str], folder: Path) -> float:
    """Return the seconds that a command takes as a process."""
    started = time.perf_counter()
    subprocess.run(words, check=True, cwd=folder, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Print target against measured, in Markdown."""
    if sys.argv[1:2] == ["old-way"]:
        return run_old_way(*sys.argv[2:])
    from rivals import make_network, save_weights

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--old", type=int, default=12)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_weights(make_network(), folder / "net.pth")
        os.utime(folder / "net.pth", (1e9, 1e9))  # not so new that its hash could not be trusted
        names = [f"{number:03d}{arguments.videos[number % len(arguments.videos)].suffix}" for number in range(COUNT)]
        for number, one in enumerate(names):
            (folder / one).symlink_to(arguments.videos[number % len(arguments.videos)].resolve())
        gbvis = [sys.executable, "-m", "gbvis"]
        explain = [*gbvis, "explain", *names, "-w", "net.pth", "-n", str(FRAMES), "-l", str(CLASS), "-q"]
        old = [sys.executable, __file__, "old-way", "net.pth"]
        slow, quick = [], {}
        for precision in ("float32", "bfloat16"):
            slow += [timed([*old, names[number]], folder) for number in range(arguments.old // 2)]
            quick[precision] = timed([*explain, "--precision", precision, "--store", precision], folder)
        per_video = statistics.median(slow)
        single = [*gbvis, "explain", names[0], *explain[3 + COUNT :], "--store", "float32"]
        cached = [timed(single, folder) for _ in range(9)]
        all_cached = [timed([*explain, "--store", "float32"], folder) for _ in range(5)]
        base = [timed([sys.executable, "-c", words], folder) for _ in range(9) for words in ("import typer, rich",)]
        helped = [timed([*gbvis, "--help"], folder) for _ in range(9)]
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
