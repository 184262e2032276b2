"""Growth with the number of videos, for each way to share them: shards, `--devices`, `--engine ray`, `gbvis submit`.

    python benchmarks/cluster.py [--ways shards,devices,ray,submit] [--videos 1000] [--rounds 3]

Samples, the RGB network, SOFTMAX, two processes of one thread each, a new store each time. When each run was written is
read from its record, so that all is measured within one call, and a machine that is slower an hour later has less part
in it. Growth is what the second half of the videos after the first tenth took, divided by what the first half of them
took: 1 is linear, and what starting up takes has no part in it. The ways take turns; of the rounds stands the median.
"""

import argparse
import os
import statistics
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


def measure(way: str, count: int) -> list[float]:
    """Return the second at which each run was written, counted from the call: ascending.

    Raises:
        SystemExit: A call failed, or a run is missing.
    """
    with tempfile.TemporaryDirectory(prefix="gbvis-cluster-") as name:
        folder = Path(name)
        names = (f"sample:{CLASSES[number % 8]}-{number // 8}\n" for number in range(count))
        (folder / "list.txt").write_text("".join(names))
        started = time.time()
        WAYS[way](folder)
        records = list((folder / "gbvis.zarr").glob("*/rgb/SOFTMAX/*/zarr.json"))
        if len(records) != count:
            sys.exit(f"{way}: {len(records)} runs of {count} videos")
        return sorted(record.stat().st_mtime - started for record in records)


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--videos", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    ways = arguments.ways.split(",")
    first, last = arguments.videos // 10, arguments.videos
    middle = (first + last) // 2
    spans = {"first": (0, first), "then": (first, middle), "last": (middle, last)}
    found: dict[str, list[list[float]]] = {way: [] for way in ways}
    for number in range(arguments.rounds):
        for way in ways if number % 2 == 0 else reversed(ways):
            written = [0.0, *measure(way, arguments.videos)]
            found[way].append([written[end] - written[begin] for begin, end in spans.values()])
            print(way, *(f"{seconds:.1f}" for seconds in found[way][-1]), file=sys.stderr)
    titles = " | ".join(f"{name} {end - begin}" for name, (begin, end) in spans.items())
    print(f"| way | {titles} | growth | each round's |\n|---|---|---|---|---|---|")
    for way, rounds in found.items():
        growths = [later / earlier for _, earlier, later in rounds]
        seconds = " | ".join(f"{statistics.median(one):.1f} s" for one in zip(*rounds, strict=True))
        print(
            f"| {way} | {seconds} | {statistics.median(growths):.2f} | {', '.join(f'{one:.2f}' for one in growths)} |"
        )


if __name__ == "__main__":
    main()
