"""Writes records into a store that make no sense, under the right keys and checksums, and sees what commands do.

    python tests/reliability/forged.py --count 500 --seed 0

Ends with 1 where a call ended in a traceback, took too much, wrote outside its folders, or the next `explain` failed.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from calling import call, load_everything

from gbvis.store.array import StoredArray
from gbvis.store.clips import StoredClips
from gbvis.store.flow import StoredFlow
from gbvis.store.group import NONSENSE, StoredGroup, encode_attributes
from gbvis.store.run import StoredRun

EXPLAIN = ["explain", "sample:up-4", "-w", "sample", "-m", "flow", "-e", "FC", "--flow-algorithm", "dis"]
RUN, CLIPS, WEIGHTS, FLOW = "up-4/flow/FC/2-*", "up-4/flow/clips/?*", "weights/?*", "up-4/flow/dis-*"
KINDS: dict[str, type[StoredGroup]] = {RUN: StoredRun, CLIPS: StoredClips, FLOW: StoredFlow}

DELETED = "DELETED"
STRANGE: list[Any] = [
    None, True, 5, -1, 0, 10**18, 10**400, 1e300, 1e-300, "x", "", "../../x", "/x", "x\0y", "\x1b[2J", "\ud800", [],
    [[]], [5], {}, {"a": 1}, "DEEP", DELETED,
]  # fmt: skip
"""What a part of a record is replaced by."""

CALLS = [
    ["store", "ls"],
    ["store", "verify"],
    ["store", "rm", "--all", "--dry-run"],
    ["render", "-o", "out/a.csv", "--force"],
    ["render", "-o", "out", "--size", "56", "--force"],
    EXPLAIN,
    [*EXPLAIN, "-l", "1"],
]

Path_ = tuple[Any, ...]


def list_paths(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Yield the path of every part of plain data; of a list, its first part alone."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for name in value if isinstance(value, dict) else range(min(len(value), 1)):
            yield from list_paths(value[name], (*path, name))


def change(value: Any, path: Path_, new: Any) -> None:
    """Replace the part of plain data at a path, or take it out."""
    *parents, last = path
    for name in parents:
        value = value[name]
    if new == DELETED:
        del value[last]
    else:
        value[last] = json.loads("[" * 500 + "]" * 500) if new == "DEEP" else new


def read_record(group: Path) -> dict[str, Any]:
    """Return the attributes of a group, less their checksum."""
    attributes: dict[str, Any] = json.loads((group / "zarr.json").read_text())["attributes"]
    del attributes["checksum"]
    return attributes


def write_record(group: Path, attributes: dict[str, Any]) -> None:
    """Write the attributes of a group with the checksum that fits them."""
    (group / "zarr.json").write_bytes(encode_attributes(attributes))


def find_group(store: Path, pattern: str) -> Path:
    """Return the only group of a pattern."""
    (group,) = (path for path in store.glob(pattern) if path.is_dir())
    return group


def forge(store: Path, pattern: str, path: Path_, new: Any) -> None:
    """Change a part of a record, and make all else fit it that may: metadata of arrays, the key, who refers to it."""
    group = find_group(store, pattern)
    attributes = read_record(group)
    change(attributes, path, new)
    write_record(group, attributes)
    for name in attributes["arrays"] if isinstance(attributes.get("arrays"), dict) else ():
        try:
            content = StoredArray(**attributes["arrays"][name]).encode_metadata()
        except (TypeError, ValueError):
            continue
        if (group / name).is_dir():
            (group / name / "zarr.json").write_bytes(content)
    if pattern in KINDS:
        try:
            key = msgspec.convert(attributes, KINDS[pattern]).own_key
        except NONSENSE:
            return
        if (
            not key.isprintable()
            or not (store / key).resolve().is_relative_to(store.resolve())
            or (store / key).exists()
        ):
            return
        (store / key).parent.mkdir(parents=True, exist_ok=True)
        group.rename(store / key)
        if pattern == CLIPS:
            run = find_group(store, RUN)
            write_record(run, {**read_record(run), "clips": key.rpartition("/")[2]})


def try_one(whole: Path, pattern: str, path: Path_, new: Any) -> list[str]:
    """Return what no call may do on a store with one forged record."""
    folder = Path(tempfile.mkdtemp(prefix="gbvis-forged-"))
    try:
        inside = folder / "inside"
        shutil.copytree(whole, inside / "gbvis.zarr")
        (inside / "out").mkdir()
        forge(inside / "gbvis.zarr", pattern, path, new)
        faults = []
        for words in CALLS:
            done = call(words, inside)
            faults += [f"{' '.join(words)}: {fault}: {done.err[-2000:]}" for fault in done.faults()]
        if done.code and "is not what the file holds" not in done.err:
            faults.append(f"explain ended with {done.code}: {done.err}")
        if [one.name for one in folder.iterdir()] != ["inside"] or len([*inside.iterdir()]) != 4:
            faults.append(f"written elsewhere: {[*folder.rglob('*')]}")
        return [f"{pattern} {'.'.join(map(str, path))} = {new!r:.40}: {fault}" for fault in faults]
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Print how many records of each kind were forged, and what must not be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    load_everything()
    chance, tried, faults = random.Random(arguments.seed), Counter[str](), list[str]()
    with tempfile.TemporaryDirectory() as name:
        assert call(EXPLAIN, Path(name)).code == 0
        whole = Path(name, "gbvis.zarr")
        for number in range(arguments.count):
            pattern = [*KINDS, WEIGHTS][number % 4]
            paths = [*list_paths(read_record(find_group(whole, pattern)))]
            tried[pattern] += 1
            faults += try_one(whole, pattern, chance.choice(paths), chance.choice(STRANGE))
    for pattern, count in [*tried.items(), ("in all", tried.total())]:
        print(f"{pattern:<20} {count:>6} records")
    print("\n".join(faults) or "no call minded")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
