"""Shares sample videos among shards, kills them at random moments, and starts each again until all is done.

    python tests/reliability/shards.py --videos 1000 --shards 8 --seed 0

As a cluster ends and requeues jobs: each run has to be computed once, and the store has to be that of one process, byte
for byte in its arrays. Ends with 1 where it is not.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from calling import load_everything
from store_of_samples import run

SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT)
CLASSES = ("left", "right", "up", "down", "turn-left", "turn-right", "grow", "shrink")
OPTIONS = ("-w", "sample", "-m", "rgb", "--json")


def list_videos(count: int) -> list[str]:
    """Return so many samples."""
    return [f"sample:{CLASSES[number % len(CLASSES)]}-{number // len(CLASSES)}" for number in range(count)]


def start(folder: Path, log: Path, *words: str) -> int:
    """Run `gbvis WORDS` in a child of this process, whose output goes to the end of a file."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        code = _be_the_child(folder, log, words)
    finally:
        os._exit(code)


def _be_the_child(folder: Path, log: Path, words: tuple[str, ...]) -> int:
    """Return the exit code of a call; once it has ended, no signal reaches this process."""
    try:
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), 1)
        os.dup2(os.open(log.with_suffix(".err"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), 2)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until gbvis heeds it
        run(folder, *words)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except KeyboardInterrupt:
        return 130
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        sys.stdout.flush()
    return 0


def run_to_end(folder: Path, log: Path, *words: str) -> float:
    """Return the seconds that a call takes that nobody kills."""
    started = time.monotonic()
    code = os.waitstatus_to_exitcode(os.waitpid(start(folder, log, *words), 0)[1])
    assert code == 0, log.with_suffix(".err").read_text()
    return time.monotonic() - started


class Shards:
    """Processes that share videos and are killed, as jobs of a cluster."""

    def __init__(self, folder: Path, count: int, words: list[str]) -> None:
        self._folder, self._count, self._words = folder, count, words
        self._running: dict[int, int] = {}
        self.faults: list[str] = []
        self.ends: Counter[str] = Counter()
        for shard in range(1, count + 1):
            self._start(shard)

    def log_of(self, shard: int) -> Path:
        """Return where a shard's lines go."""
        return self._folder / f"shard-{shard}.log"

    def _start(self, shard: int) -> None:
        words = ("--shard", f"{shard}/{self._count}", *self._words)
        self._running[start(self._folder, self.log_of(shard), "explain", *words)] = shard

    def reap(self) -> bool:
        """Bury what has ended; what a signal ended starts again. Return whether anything runs still."""
        for child in [*self._running]:
            buried, status = os.waitpid(child, os.WNOHANG)
            if buried:
                code, shard = os.waitstatus_to_exitcode(status), self._running.pop(child)
                self.ends[f"exit code {code}" if code >= 0 else signal.Signals(-code).name] += 1
                if code < 0 or code > 128:
                    self._start(shard)
                elif code:
                    self.faults.append(f"shard {shard} ended with exit code {code}")
        return bool(self._running)

    def kill_one(self, chance: random.Random) -> None:
        """Send a signal to one of the processes."""
        os.kill(chance.choice([*self._running]), chance.choice(SIGNALS))


def read_arrays(store: Path) -> dict[str, bytes]:
    """Return every file of a store's arrays, by its place."""
    arrays = [path.parent for path in store.rglob("zarr.json") if b'"node_type":"array"' in _squeeze(path)]
    assert arrays
    files = (path for array in arrays for path in array.rglob("*") if path.is_file())
    return {path.relative_to(store).as_posix(): path.read_bytes() for path in files}


def _squeeze(path: Path) -> bytes:
    return path.read_bytes().replace(b" ", b"").replace(b"\n", b"")


def find_faults(folder: Path, shards: Shards, count: int, number: int) -> list[str]:
    """Return what must not be, once all shards are done."""
    logs = [shards.log_of(shard) for shard in range(1, number + 1)]
    lines = [json.loads(line) for log in logs for line in log.read_text().splitlines() if line.endswith("}")]
    computed = Counter(line["group"] for line in lines if "error" not in line and not line["cached"])
    faults = [f"computed {times} times: {group}" for group, times in computed.items() if times > 1]
    faults += [f"failed: {line}" for line in lines if "error" in line]
    faults += [f"traceback in {log.name}" for log in logs if "Traceback" in log.with_suffix(".err").read_text()]
    run_to_end(folder, folder / "verify.log", "store", "verify", "--store", "shards.zarr")
    run_to_end(folder, folder / "ls.log", "store", "ls", "--store", "shards.zarr", "--json")
    found = len((folder / "ls.log").read_text().splitlines())
    faults += [] if found == count else [f"{found} runs of {count} videos"]
    ours, theirs = (read_arrays(folder / name) for name in ("shards.zarr", "alone.zarr"))
    faults += [
        f"{one} is not that of one process" for one in ours.keys() | theirs.keys() if ours.get(one) != theirs.get(one)
    ]
    left = [path.name for path in (folder / "shards.zarr").rglob(".unfinished-*")]
    return [*shards.faults, *faults, *(f"left over: {one}" for one in left)]


def try_shards(count: int, number: int, seed: int, pause: float) -> tuple[dict[str, object], list[str]]:
    """Return figures of one trial, and what must not be."""
    chance, videos = random.Random(seed), list_videos(count)
    with tempfile.TemporaryDirectory(prefix="gbvis-shards-") as name:
        folder = Path(name)
        alone = start(folder, folder / "alone.log", "explain", *videos, *OPTIONS, "--store", "alone.zarr")
        shards = Shards(folder, number, [*videos, *OPTIONS, "--store", "shards.zarr"])
        started, kills = time.monotonic(), 0
        next_kill = started + chance.uniform(0, 2 * pause)
        while shards.reap():
            if time.monotonic() > next_kill:
                shards.kill_one(chance)
                kills, next_kill = kills + 1, time.monotonic() + chance.uniform(0, 2 * pause)
            time.sleep(0.02)
        seconds = time.monotonic() - started
        if os.waitpid(alone, 0)[1]:
            return {}, [f"one process failed: {(folder / 'alone.err').read_text()}"]
        again = run_to_end(folder, folder / "again.log", "explain", *videos, *OPTIONS, "--store", "shards.zarr")
        faults = find_faults(folder, shards, count, number)
        if '"cached": false' in (folder / "again.log").read_text():
            faults.append("something was computed again")
    figures = {"videos": count, "kills": kills, "seconds": round(seconds), "seconds again": round(again)}
    return {**figures, **shards.ends}, faults


def main() -> None:
    """Print how the processes ended, and what must not be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--videos", type=int, default=1000)
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pause", type=float, default=4.0, help="seconds between two kills, on average")
    arguments = parser.parse_args()
    load_everything()
    figures, faults = try_shards(arguments.videos, arguments.shards, arguments.seed, arguments.pause)
    for name, value in figures.items():
        print(f"{name:<20} {value:>6}")
    print("\n".join(faults) or "each run was computed once, and the store is that of one process")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
