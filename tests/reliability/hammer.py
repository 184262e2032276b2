"""Lets processes publish, replace, change, remove and sweep the same few groups of a store, and kills them meanwhile.

    python tests/reliability/hammer.py --seconds 25 --processes 8 --seed 0

No network and no video: what takes a day of `explain` to meet once is met here a thousand times a minute. Ends with 1
where an operation failed, or a group is torn. Between two renames of a replacement a group is absent: how often that
was met is counted.
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
from contextlib import suppress
from pathlib import Path

from gbvis.store.group import encode_attributes, read_attributes, write_attributes
from gbvis.store.local import LocalStorage
from gbvis.store.storage import METADATA
from gbvis.store.store import Store

KEYS = [f"video{video}/rgb/FC/{run}" for video in (1, 2) for run in (1, 2)]
KEPT = "video3/rgb/FC/1"
"""Replaced and changed all the time, and never removed."""

ABSENT = "met it absent"

OPERATIONS = ("publish", "publish", "replace", "replace the kept", "change", "remove", "sweep", "list", "read the kept")
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM)


def publish(storage: LocalStorage, key: str, is_forced: bool) -> None:
    """Publish a small group."""
    with storage.staging() as staged:
        (staged / METADATA).write_bytes(encode_attributes({"number": 1}))
        (staged / "data").write_bytes(bytes(100))
        storage.publish(staged, key, lambda: not is_forced and read_attributes(storage, key) is not None)


def change(storage: LocalStorage, key: str, number: float) -> None:
    """Replace a group's attributes; that it may have been removed meanwhile is no fault."""
    attributes = read_attributes(storage, key)
    if attributes is not None:
        with suppress(FileNotFoundError):
            write_attributes(storage, key, {**attributes, "number": number})


def is_whole(storage: LocalStorage, key: str) -> bool:
    """Return whether a group is there, every byte of it; False where it is absent.

    Raises:
        AssertionError: It is torn.
    """
    try:
        metadata, data = storage.read(f"{key}/{METADATA}"), storage.read(f"{key}/data")
    except FileNotFoundError:
        return False
    attributes = json.loads(metadata)["attributes"]
    del attributes["checksum"]
    assert metadata == encode_attributes(attributes) and data == bytes(100), "it is torn"
    return True


def operate(storage: LocalStorage, name: str, chance: random.Random) -> str:
    """Do one thing to a store, and return what was done."""
    key = chance.choice(KEYS)
    if name in ("publish", "replace"):
        publish(storage, key, name == "replace")
    elif name == "replace the kept":
        publish(storage, KEPT, True)
    elif name == "change":
        change(storage, chance.choice([*KEYS, KEPT]), chance.random())
    elif name == "remove":
        storage.remove(key)
    elif name == "sweep":
        storage.sweep()
    elif name == "list":
        list(storage.list_files(""))
        storage.list_folders(key.rpartition("/")[0])
    elif not is_whole(storage, KEPT):
        return ABSENT
    return name


def start(root: Path, seed: float, log: int) -> int:
    """Operate on a store in a child of this process until that is killed; what fails, and how often, goes to `log`."""
    child = os.fork()
    if child:
        return child
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        storage, chance = LocalStorage(root), random.Random(seed)
        while True:
            name = chance.choice(OPERATIONS)
            try:
                done = operate(storage, name, chance)
                os.write(log, f"{done}\n".encode())
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
    storage = LocalStorage(root)
    storage.sweep()
    there = [key for key in [*KEYS, KEPT] if (root / key).exists()]
    torn = [key for key in there if not is_whole(storage, key)]
    return [*torn, *(path.name for path in root.glob(".unfinished-*"))]


def hammer(seconds: float, processes: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Return how often each thing was done, kills among it, and what must not be."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        root, path = Path(folder) / "store", Path(folder) / "log"
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        Store.open_or_create(root)
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
        done = Counter(line for line in lines if line in (*OPERATIONS, ABSENT))
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
    print("\n".join(faults) or "no operation failed, and no group was torn")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
