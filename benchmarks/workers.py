"""Workers on a CPU: the sample networks over many drawn videos, one call, shared in several ways.

    python benchmarks/workers.py [--videos 200] [--rounds 3] [--cores 2] [--ray]

The ways take turns, each round into empty stores: one process with a thread for each core (plain), one worker with as
many threads, and one worker for each core. All arrays of all ways are compared, byte for byte.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLASSES = ("left", "right", "up", "down", "turn-left", "turn-right", "grow", "shrink")


def main() -> None:
    """Run the ways in turns, and print what they take."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--ray", action="store_true", help="with Ray of this machine too")
    options = parser.parse_args()
    cores = options.cores
    ways = {
        "plain": [],
        f"--devices cpu:1x{cores}": ["--devices", f"cpu:1x{cores}"],
        f"--devices cpu:{cores}x1": ["--devices", f"cpu:{cores}x1"],
    }
    if options.ray:
        ways[f"--engine ray --devices cpu:{cores}x1"] = ["--engine", "ray", "--devices", f"cpu:{cores}x1"]
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    samples = [f"sample:{CLASSES[number % 8]}-{number}" for number in range(options.videos)]
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            stores = []
            for number, (way, words) in enumerate(ways.items()):
                stores.append(Path(folder) / str(number))
                seconds[way].append(explain(samples, words, stores[-1], cores))
                print(f"{seconds[way][-1]:8.1f} s  {way}", flush=True)
            arrays = [read_arrays(store) for store in stores]
            assert all(one == arrays[0] and one for one in arrays), "the arrays differ"
            for store in stores:
                shutil.rmtree(store)
    report(seconds, options.videos)


def explain(samples: list[str], words: list[str], store: Path, threads: int) -> float:
    """Return the seconds that a call takes."""
    command = [sys.executable, "-m", "gbvis", "explain", *samples, "-w", "sample", "-q", "--store", str(store), *words]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "RAY_ADDRESS": "local"}
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - started


def read_arrays(store: Path) -> dict[str, bytes]:
    """Return the content of all chunks of a store, by their places in it."""
    chunks = (path for path in store.rglob("*") if path.is_file() and path.name != "zarr.json")
    return {path.relative_to(store).as_posix(): path.read_bytes() for path in chunks}


def report(seconds: dict[str, list[float]], videos: int) -> None:
    """Print the medians, and each against the first."""
    first = statistics.median(seconds["plain"])
    print(f"\n{videos} videos, two streams; medians of {len(seconds['plain'])}; all arrays are equal\n")
    print("| way | seconds | videos a second | times plain |\n| --- | --- | --- | --- |")
    for way, taken in seconds.items():
        median = statistics.median(taken)
        print(f"| {way} | {median:.1f} | {videos / median:.2f} | {first / median:.2f} |")


if __name__ == "__main__":
    main()
