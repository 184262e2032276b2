"""Sees whether a shared file system keeps what a store asks of it. It is started on two hosts at once, in a new folder.

    srun --nodes 2 --ntasks 2 python tests/reliability/hosts.py /shared/try --seconds 30

Each host locks, publishes, replaces, removes and sweeps, and sees what the other does. Prints what this file system
promises between hosts; ends with 1 where a store is not safe on it.
"""

import argparse
import platform
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import hammer

from gbvis.atomic_file import _try_lock
from gbvis.store.local import LocalStorage
from gbvis.store.store import Store

_PATIENCE = 180
"""Seconds that the other host is waited for: NFS may show a new name only after a minute."""


class Meeting:
    """Two hosts that go from step to step together, by files in the folder that they share."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.is_first = self._claim("first")

    def _claim(self, name: str) -> bool:
        """Return whether this host is the one that made a folder: of two, one is."""
        try:
            (self._folder / name).mkdir()
        except FileExistsError:
            return False
        return True

    def say(self, step: str) -> None:
        """Tell the other host that this one has done a step."""
        (self._folder / f"{step}-{self.is_first}").touch()

    def hear(self, step: str) -> float:
        """Wait until the other host has done a step, and return how many seconds that took."""
        started, own = time.monotonic(), self._folder / f"own-{self.is_first}"
        while f"{step}-{not self.is_first}" not in {path.name for path in self._folder.iterdir()}:
            if time.monotonic() - started > _PATIENCE:
                raise SystemExit(f"the other host has not come to: {step}")
            time.sleep(0.01)
            own.touch()  # NFS asks its server again for a folder that this host has changed itself
            own.unlink()
        return time.monotonic() - started

    def meet(self, step: str) -> None:
        """Go on once both hosts are there."""
        self.say(step)
        self.hear(step)


def try_lock(meeting: Meeting, folder: Path) -> str:
    """Return whether the second host sees a lock that the first one has."""
    lock = _try_lock(folder / "lock") if meeting.is_first else None
    meeting.meet("locked")
    seen = "has it"
    if not meeting.is_first:
        try:
            other = _try_lock(folder / "lock")
            seen = "sees the other host's" if other is None else "does NOT see the other host's"
            seen = seen if other is None or other.is_locked else "has none here"
            if other:
                other.release(force=True)
        except OSError as error:
            seen = f"none to be had: {error}"
    meeting.meet("lock seen")
    if lock:
        lock.release(force=True)
    return f"lock: {seen}"


def try_sweep(meeting: Meeting, storage: LocalStorage) -> list[str]:
    """Return what must not be: the second host sweeps what the first is still writing."""
    faults = []
    if not meeting.is_first:
        meeting.hear("staged")
        own = Path(storage.location) / "own"
        own.touch()  # so that a list of the folder is no old one
        own.unlink()
        storage.sweep()
        meeting.say("swept")
        return faults
    with storage.staging() as staged:
        (staged / "data").write_bytes(bytes(100))
        meeting.say("staged")
        meeting.hear("swept")
        if not (staged / "data").exists():
            faults.append("a living process's group was swept by the other host")
    return faults


def time_publishing(meeting: Meeting, storage: LocalStorage, turns: int) -> list[float]:
    """Return after how many seconds the second host sees what the first has published, having looked before."""
    delays = []
    for turn in range(turns):
        key = f"seen/rgb/FC/{turn}"
        meeting.meet(f"turn {turn}")
        if meeting.is_first:
            time.sleep(0.3)
            hammer.publish(storage, key, is_forced=False)
            meeting.say(f"published {turn}")
        else:
            storage.list_folders("seen/rgb/FC")
            hammer.is_whole(storage, key)
            meeting.hear(f"published {turn}")
            started = time.monotonic()
            while not hammer.is_whole(storage, key) and time.monotonic() - started < _PATIENCE:
                time.sleep(0.005)
            delays.append(time.monotonic() - started)
    return delays


def operate(storage: LocalStorage, seconds: float, seed: int) -> tuple[Counter[str], list[str]]:
    """Return how often each thing was done to the same few groups that the other host works on, and what failed."""
    chance, done, faults = random.Random(seed), Counter[str](), []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name = chance.choice(hammer.OPERATIONS)
        try:
            done[hammer.operate(storage, name, chance)] += 1
        except Exception as error:
            faults.append(f"{name}: {error!r}")
    return done, faults


def try_hosts(folder: Path, seconds: float, turns: int, say: Callable[[str], None]) -> list[str]:
    """Say what the file system promises, and return what must not be."""
    meeting = Meeting(folder / "meeting")
    say(f"{platform.node()}: the {'first' if meeting.is_first else 'second'} host")
    say(try_lock(meeting, folder))
    if meeting.is_first:
        Store.open_or_create(folder / "store")
    meeting.meet("made")
    storage = LocalStorage(folder / "store")
    faults = try_sweep(meeting, storage)
    say(f"what the other host is writing is {'swept' if faults else 'left alone'}")
    if delays := time_publishing(meeting, storage, turns):
        say(f"a published group is seen after {', '.join(f'{delay:.2f}' for delay in delays)} s")
    meeting.meet("timed")
    done, failed = operate(storage, seconds, meeting.is_first)
    faults += failed
    meeting.meet("operated")
    say(", ".join(f"{name} {count}" for name, count in done.most_common()))
    if meeting.is_first:
        storage.sweep()
        faults += [f"torn or left over: {one}" for one in hammer.find_torn(folder / "store")]
    meeting.meet("done")
    return faults


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--turns", type=int, default=3, help="how often a group is published and waited for")
    arguments = parser.parse_args()
    faults = try_hosts(arguments.folder, arguments.seconds, arguments.turns, print)
    for fault, count in Counter(faults).most_common(20):
        print(f"FAULT, {count} times: {fault}")
    print("" if faults else "no operation failed, and nothing was lost or torn")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
