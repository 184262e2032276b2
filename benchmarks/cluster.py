"""Growth with the number of videos, for each way to share them: shards, `--devices`, `--engine ray`, `gbvis submit`.

    python benchmarks/cluster.py [--ways shards,devices,ray,submit] [--sizes 100,550,1000]

Samples, the RGB network, SOFTMAX, two processes of one thread each, a new store each time. Growth is what a further
video takes between two sizes, divided by what it takes between the first two: 1 is linear, and what starting up takes
has no part in it. Seconds are those of the clock, and of the processors (user and system; of Ray only what the call
itself takes).
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

GBVIS = [sys.executable, "-m", "gbvis"]
CLASSES = ("left", "right", "up", "down", "turn-left", "turn-right", "grow", "shrink")
OPTIONS = ["-w", "sample", "-m", "rgb", "--quiet", "--videos-from", "list.txt"]
EXPLAIN = ["explain", *OPTIONS]
Seconds = tuple[float, float]
"""Of the clock, and of the processors."""


def run_all(folder: Path, *calls: list[str]) -> None:
    """Run calls side by side.

    Raises:
        SystemExit: One failed.
    """
    with (folder / "output.txt").open("ab") as output:
        running = [subprocess.Popen(words, cwd=folder, stdout=output, stderr=output) for words in calls]
        if any([one.wait() for one in running]):
            sys.exit((folder / "output.txt").read_text())


def run_shards(folder: Path) -> None:
    """Two calls, each with its shard."""
    run_all(folder, *([*GBVIS, *EXPLAIN, "--shard", f"{number}/2"] for number in (1, 2)))


def run_devices(folder: Path) -> None:
    """One call with two workers."""
    run_all(folder, [*GBVIS, *EXPLAIN, "--devices", "cpu:2x1"])


def run_ray(folder: Path) -> None:
    """One call with two actors of a local Ray."""
    run_all(folder, [*GBVIS, *EXPLAIN, "--engine", "ray", "--devices", "cpu:2x1"])


def run_submit(folder: Path) -> None:
    """Two jobs of submitit's local executor."""
    run_all(folder, [*GBVIS, "submit", "--shards", "2", "--executor", "local", "--wait", "--", *EXPLAIN])


WAYS: dict[str, Callable[[Path], None]] = {
    "shards": run_shards,
    "devices": run_devices,
    "ray": run_ray,
    "submit": run_submit,
}


def measure(way: str, count: int) -> Seconds:
    """Return what so many videos take, from nothing."""
    with tempfile.TemporaryDirectory(prefix="gbvis-cluster-") as name:
        folder = Path(name)
        names = (f"sample:{CLASSES[number % 8]}-{number // 8}\n" for number in range(count))
        (folder / "list.txt").write_text("".join(names))
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        WAYS[way](folder)
        seconds = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        runs = len(list((folder / "gbvis.zarr").glob("*/rgb/SOFTMAX/*/zarr.json")))
        if runs != count:
            sys.exit(f"{way}: {runs} runs of {count} videos")
        return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--sizes", default="100,550,1000")
    arguments = parser.parse_args()
    sizes = [int(one) for one in arguments.sizes.split(",")]
    os.environ["OMP_NUM_THREADS"] = "1"
    print("| way | videos | seconds | processor seconds | growth | growth, processors |\n|---|---|---|---|---|---|")
    for way in arguments.ways.split(","):
        before: tuple[int, Seconds] | None = None
        first: list[float] = []
        for count in sizes:
            found, growth = measure(way, count), " | "
            if before:
                more, then = count - before[0], before[1]
                each = [(now - earlier) / more for now, earlier in zip(found, then, strict=True)]
                first = first or each
                growth = " | ".join(f"{now / earlier:.2f}" for now, earlier in zip(each, first, strict=True))
            print(f"| {way} | {count} | {found[0]:.1f} | {found[1]:.1f} | {growth} |", flush=True)
            before = count, found


if __name__ == "__main__":
    main()
