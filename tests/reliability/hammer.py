"""Lets processes publish, replace, change, remove and sweep the same few groups of a store, and kills them meanwhile.

    python tests/reliability/hammer.py --seconds 25 --processes 8 --seed 0

No network and no video: what takes a day of `explain` to meet once is met here a thousand times a minute. Ends with 1
where an operation failed, a group is torn, or one that nobody removes was absent for a moment.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from gbvis.store.local import LocalStorage
from gbvis.store.metadata import encode_checked, read_group, write_group
from gbvis.store.root import make_store
from gbvis.store.storage import METADATA

KEYS = [f"video{video}/rgb/FC/{run}" for video in (1, 2) for run in (1, 2)]
KEPT = "video3/rgb/FC/1"
"""Replaced and changed all the time, and never removed."""

OPERATIONS = ("publish", "publish", "replace", "replace the kept", "change", "remove", "sweep", "list", "read the kept")
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM)


def publish(place: LocalStorage, key: str, is_forced: bool) -> None:
    """Publish a small group."""
    with place.staging() as staged:
        (staged / METADATA).write_bytes(encode_checked({"number": 1}))
        (staged / "data").write_bytes(bytes(100))
        place.publish(staged, key, lambda: not is_forced and read_group(place, key) is not None)


def change(place: LocalStorage, key: str, number: float) -> None:
    """Replace a group's attributes; that it may have been removed meanwhile is no fault."""
    attributes = read_group(place, key)
    if attributes is not None:
        with suppress(FileNotFoundError):
            write_group(place, key, {**attributes, "number": number})


def operate(place: LocalStorage, name: str, chance: random.Random) -> None:
    """Do one thing to a store."""
    key = chance.choice(KEYS)
    if name in ("publish", "replace"):
        publish(place, key, name == "replace")
    elif name == "replace the kept":
        publish(place, KEPT, True)
    elif name == "change":
        change(place, chance.choice([*KEYS, KEPT]), chance.random())
    elif name == "remove":
        place.remove(key)
    elif name == "sweep":
        place.sweep()
    elif name == "list":
        list(place.list_files(""))
        place.list_folders(key.rpartition("/")[0])
    elif read_group(place, KEPT) is None or not place.read(f"{KEPT}/data"):
        raise AssertionError("it is absent")


def start(root: Path, seed: float, log: int) -> int:
    """Operate on a store in a child of this process until that is killed; what fails, and how often, goes to `log`."""
    child = os.fork()
    if child:
        return child
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        place, chance = LocalStorage(root), random.Random(seed)
        make_store(place)
        while True:
            name = chance.choice(OPERATIONS)
            try:
                operate(place, name, chance)
                os.write(log, f"{name}\n".encode())
            except Exception as error:
                os.write(log, f"fault: {name}: {error!r}\n".encode())
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        os._exit(0)


def kill(child: int, number: int) -> None:
    """End a child by a signal; by SIGKILL where Python was in a destructor, which swallows the exception of SIGINT."""
    os.kill(child, number)
    for _ in range(200):
        if os.waitpid(child, os.WNOHANG)[0]:
            return
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def find_torn(root: Path) -> list[str]:
    """Return the groups that are neither whole nor absent, and what was left over, once all is swept."""
    place = LocalStorage(root)
    place.sweep()
    there = [key for key in [*KEYS, KEPT] if (root / key).exists()]
    torn = [key for key in there if read_group(place, key) is None or not (root / key / "data").exists()]
    lost = [] if KEPT in there else [KEPT]
    return [*torn, *lost, *(path.name for path in root.glob(".unfinished-*"))]


def hammer(seconds: float, processes: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Return how often each thing was done, kills among it, and what must not be."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        root, path = Path(folder) / "store", Path(folder) / "log"
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        make_store(LocalStorage(root))
        publish(LocalStorage(root), KEPT, True)
        children = [start(root, chance.random(), log) for _ in range(processes)]
        end, kills = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            time.sleep(chance.uniform(0, 0.1))
            victim = chance.randrange(processes)
            kill(children[victim], chance.choice(SIGNALS))
            children[victim], kills = start(root, chance.random(), log), kills + 1
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(log)
        lines = path.read_text().splitlines()
        faults = [line for line in lines if line.startswith("fault: ")]
        done = Counter(line for line in lines if line in OPERATIONS)
        return done + Counter({"kills": kills + processes}), faults + [f"torn: {one}" for one in find_torn(root)]


def main() -> None:
    """Print how often each thing was done."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=25)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    done, faults = hammer(arguments.seconds, arguments.processes, arguments.seed)
    for name, count in done.most_common():
        print(f"{name:<26} {count:>6}")
    print("\n".join(faults) or "no operation failed, and no group was torn or absent")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
