"""Runs many processes on one store at once, and sees that all end well and every run is whole and the right one.

    python tests/reliability/crowds.py --rounds 10 --processes 8

Ends with 1 where a process failed that should not, or a result is lost or mixed.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from calling import call, load_everything
from store_of_samples import EXPLAIN, FLOW, SAMPLES, read_all, run

PEACEFUL = [
    EXPLAIN,
    EXPLAIN,
    FLOW,
    ["explain", SAMPLES[0], *EXPLAIN[3:], "-m", "rgb"],
    ["explain", SAMPLES[1], *EXPLAIN[3:], "-m", "flow"],
]
"""Calls none of which may fail, whatever else runs."""

RUDE = [
    [*EXPLAIN, "--force"],
    ["render", "-o", "importance.csv", "--force"],
    ["store", "verify"],
    ["store", "ls"],
    ["store", "rm", "up-4"],
    ["store", "rm", "-e", "FC"],
    ["store", "rm", "--all"],
    ["store", "rm", "--damaged"],
    ["store", "rm", "--unfinished"],
]
"""Calls that take away what others read, or find it gone: these may say so, and may not do worse."""


def start(words: Sequence[str], folder: Path, number: int) -> int:
    """Start a call in a child of this process; its streams go to a file."""
    child = os.fork()
    if child:
        return child
    log = os.open(folder / f"{number}.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    code: object = 0
    try:
        run(folder, *words)
    except SystemExit as error:
        code = error.code
    except BaseException as error:
        os.write(2, f"Traceback: {error!r}".encode())
        code = 99
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


def try_round(calls: Sequence[Sequence[str]], folder: Path, chance: random.Random) -> list[str]:
    """Run calls at once, and return what must not be."""
    children = {}
    for number, words in enumerate(calls):
        children[start(words, folder, number)] = number
        time.sleep(chance.uniform(0, 0.05))
    faults = []
    while children:
        child, status = os.wait()
        number = children.pop(child)
        code, log = os.waitstatus_to_exitcode(status), (folder / f"{number}.txt").read_text()
        is_rude = any(words in RUDE for words in calls)
        if code not in ((0, 1) if is_rude else (0,)) or "Traceback" in log:
            faults.append(f"{' '.join(calls[number])} ended with {code}: {log[-600:]}")
    return faults


def try_sleeper(folder: Path) -> list[str]:
    """Stop a writer in the middle, let others sweep meanwhile, and let it go on: it must end well."""
    child = start([*EXPLAIN, "--force"], folder, 0)
    store = folder / "gbvis.zarr"
    while not (making := [*store.glob(".unfinished-*/staged")]):
        time.sleep(0.001)
    os.kill(child, signal.SIGSTOP)
    made = [path for path in making if path.exists()]
    for words in (EXPLAIN, ["store", "rm", "--unfinished"], FLOW):
        call(words, folder)
    faults = [] if all(path.exists() for path in made) else ["a living process's group was swept"]
    os.kill(child, signal.SIGCONT)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return faults if code == 0 else [*faults, f"the sleeper ended with {code}: {(folder / '0.txt').read_text()}"]


def try_many(rounds: int, processes: int, seed: int) -> list[str]:
    """Return what must not be of so many rounds; peaceful ones and rude ones take turns."""
    chance = random.Random(seed)
    faults = []
    gradients: dict[str, bytes] = {}
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            calls = [chance.choice(PEACEFUL + (RUDE if number % 2 else [])) for _ in range(processes)]
            faults += try_round(calls, folder, chance)
            for words in (EXPLAIN, FLOW):
                if (done := call(words, folder)).code:
                    faults.append(f"afterwards: {done.err}")
            faults += try_sleeper(folder)
            if (verified := call(["store", "verify"], folder)).code:
                faults.append(f"damaged: {verified.out}")
            found = read_all(folder / "gbvis.zarr")
            gradients = gradients or found
            if found != gradients:
                faults.append("other gradients")
            if left := [path.name for path in (folder / "gbvis.zarr").rglob(".unfinished-*")]:
                faults.append(f"left over: {left}")
    return faults


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    load_everything()
    faults = try_many(arguments.rounds, arguments.processes, arguments.seed)
    print(f"{arguments.rounds} rounds of {arguments.processes} processes on one store")
    print("\n".join(faults) or "none failed, and nothing was lost or mixed")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
