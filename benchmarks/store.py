"""A large store: what `store ls`, `verify`, `rm` and `render` of one video take, and what cached samples cost.

    python benchmarks/store.py [--videos N] [--samples N]

A store of N videos, one run each of tiny arrays, and one of a tenth as many. Each command is a process of its own.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parent.parent / "tests/store"))

GBVIS = [sys.executable, "-m", "gbvis"]


def make_store(path: Path, count: int) -> None:
    """Write a store through its own API; nothing is brought onto the disk, or this alone would take minutes."""
    from written_runs import INFO, make_recipe, write_run  # type: ignore[import-not-found]

    from gbvis.store import Store

    with patch("os.fsync"):
        store = Store.open_or_create(path)
        store.weights.write([INFO])
        for number in range(count):
            write_run(store, make_recipe(target=number % 16), video=f"clip-{number:06d}")


def measure(words: list[str], folder: Path) -> tuple[float, float, float]:
    """Return a command's seconds, those up to its first line, and the largest memory of any command so far, MB."""
    started = time.perf_counter()
    process = subprocess.Popen([*GBVIS, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    first = time.perf_counter() - started
    _, err = process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}: {err.decode()}")
    return time.perf_counter() - started, first, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, default=10_000)
    parser.add_argument("--samples", type=int, default=200)
    arguments = parser.parse_args()
    calls = {
        "`store ls --json`": ["store", "ls", "--json"],
        "`store ls`": ["store", "ls"],
        "`store verify`": ["store", "verify", "-q"],
        "`store ls VIDEO`": ["store", "ls", "clip-000003"],
        "`render VIDEO`": ["render", "clip-000003", "-o", "one.png"],
        "`store rm VIDEO`": ["store", "rm", "clip-000003"],
    }
    counts = (arguments.videos // 10, arguments.videos)
    print("| | videos | seconds | to the first line | largest memory so far, MB |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for count in counts:
            make_store(folder / f"{count}.zarr", count)
        for what, words in calls.items():
            for count in counts:
                took, first, memory = measure([*words, "--store", f"{count}.zarr"], folder)
                print(f"| {what} | {count} | {took:.2f} | {first:.2f} | {memory:.0f} |", flush=True)
        samples = [f"sample:up-{number}" for number in range(arguments.samples)]
        explain = ["explain", *samples, "-w", "sample", "-m", "rgb", "-e", "FC", "-q"]
        measure(explain, folder)
        took, first, memory = measure(explain, folder)
        print(f"| cached samples | {arguments.samples} | {took:.2f} | {first:.2f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
