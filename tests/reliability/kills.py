"""Kills gbvis at random moments, and sees that every run is whole or absent and that the next call does the rest.

    python tests/reliability/kills.py --count 200 --seed 0

Ends with 1 where something that was finished is lost, something is damaged, or a left-over stays.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from calling import call, load_everything
from store_of_samples import EXPLAIN, EXTRACT, FLOW, read_all, read_files, read_lines, run

WAYS: dict[str, list[str]] = {
    "explain": EXPLAIN,
    "explain, some of it done": EXPLAIN,
    "explain --force": [*EXPLAIN, "--force"],
    "flow": FLOW,
    "store rm": ["store", "rm", "--all"],
}
EXTRACTIONS = {"extract": EXTRACT, "extract --force": [*EXTRACT, "--force"]}
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def kill(words: Sequence[str], folder: Path, seconds: float, by: signal.Signals) -> bool:
    """Run a call in a child of this process, kill it after some seconds, and return whether it was still running."""
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            run(folder, *words)
        except BaseException:  # whatever it is, the parent sees what became of the store
            os._exit(1)
        os._exit(0)
    time.sleep(seconds)
    is_running = os.waitpid(child, os.WNOHANG) == (0, 0)
    if is_running:
        os.kill(child, by)
        os.waitpid(child, 0)
    return is_running


def try_one(way: str, whole: Path, gradients: dict[str, bytes], chance: random.Random, usual: float) -> list[str]:
    """Kill a call on a copy of a store, and return what must not be."""
    folder = Path(tempfile.mkdtemp(prefix="gbvis-kill-"))
    store, faults = folder / "gbvis.zarr", []
    try:
        if way != "explain":
            shutil.copytree(whole, store)
        if way == "explain, some of it done":
            call(["store", "rm", "-e", "FC"], folder)
        before = read_all(store) if store.exists() else {}
        by = chance.choice(SIGNALS)
        is_killed = kill(WAYS[way], folder, chance.uniform(0, usual), by)
        after = read_all(store) if (store / "zarr.json").exists() else {}
        kept = before.keys() & after.keys() if "--force" in WAYS[way] or way == "store rm" else before.keys()
        if any(after.get(key) != before[key] for key in kept):  # between two renames of --force one is absent
            faults.append("something finished is lost or changed")
        if store.exists() and (verified := call(["store", "verify"], folder)).code not in (0, 1):
            faults.append(f"verify ended with {verified.code}: {verified.err}")
        elif (store / "zarr.json").exists() and verified.code:
            faults.append(f"damaged: {verified.out}")
        for words in (EXPLAIN, FLOW):
            done = call([*words, "--json"], folder)
            computed = {str(line["group"]) for line in read_lines(done.out) if not line["cached"]}
            if done.code or done.faults():
                faults.append(f"the next call ended with {done.code}: {done.err}")
            if computed & after.keys():
                faults.append(f"computed again: {computed & after.keys()}")
        if read_all(store) != gradients:
            faults.append("other gradients")
        if left := [path.name for path in store.rglob(".unfinished-*")]:
            faults.append(f"left over: {left}")
        return [f"{way}, {by.name}: {fault}" for fault in faults] if is_killed or faults else []
    finally:
        shutil.rmtree(folder)


def try_extract(words: Sequence[str], whole: Path, chance: random.Random, usual: float) -> list[str]:
    """Kill an extraction, of a data set that is there already where it is forced, and return what must not be."""
    folder = Path(tempfile.mkdtemp(prefix="gbvis-kill-"))
    faults, way = [], " ".join(["extract", *words[4:]])
    try:
        if "--force" in words:
            shutil.copytree(whole, folder / "data")
        by = chance.choice(SIGNALS)
        kill(words, folder, chance.uniform(0, usual), by)
        there = read_files(folder / "data", "*/**/frame*")
        expected = read_files(whole, "*/**/frame*")
        for stream in {Path(name).parent for name in there}:  # a folder that has its name is whole
            if {name for name in expected if Path(name).parent == stream} - there.keys():
                faults.append(f"{stream} is not whole")
        if not there.items() <= expected.items():
            faults.append("other frames")
        if (done := call(EXTRACT, folder)).code or done.faults():
            faults.append(f"the next call ended with {done.code}: {done.err}")
        if read_files(folder / "data", "**/*[!n]") != read_files(whole, "**/*[!n]"):  # records say when
            faults.append("other files")
        if "cached" not in (again := call([*EXTRACT, "--json"], folder)).out or '"cached": true' not in again.out:
            faults.append("extracted again")
        return [f"{way}, {by.name}: {fault}" for fault in faults]
    finally:
        shutil.rmtree(folder)


def measure(folder: Path, words: Sequence[str]) -> float:
    """Return how long a call usually takes."""
    outcome = call(words, folder)
    assert outcome.code == 0, outcome.err
    return outcome.seconds


def try_many(count: int, seed: int, say: Callable[[str], None]) -> Counter[str]:
    """Kill that many calls, and return how many of each kind; `say` hears what must not be."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        usual = {"explain": measure(made, EXPLAIN), "flow": measure(made, FLOW), "extract": measure(made, EXTRACT)}
        whole, gradients = made / "gbvis.zarr", read_all(made / "gbvis.zarr")
        tried = Counter[str]()
        for number in range(count):
            way = [*WAYS, *EXTRACTIONS][number % (len(WAYS) + len(EXTRACTIONS))]
            tried[way] += 1
            if way in EXTRACTIONS:
                for fault in try_extract(EXTRACTIONS[way], made / "data", chance, usual["extract"]):
                    say(fault)
                continue
            seconds = {"flow": usual["flow"], "store rm": 0.2}.get(way, usual["explain"])
            for fault in try_one(way, whole, gradients, chance, seconds):
                say(fault)
    return tried


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    load_everything()
    faults: list[str] = []
    tried = try_many(arguments.count, arguments.seed, faults.append)
    for way, count in [*tried.items(), ("in all", tried.total())]:
        print(f"{way:<26} {count:>6} kills")
    print("\n".join(faults) or "nothing that was finished was lost, and nothing was left over")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
