"""Damages every file of a store, byte by byte, and sees that it is noticed, named, never served, and mended.

    python tests/reliability/flips.py --count 1000 --seed 0

Ends with 1 where a wrong number was served, or something was not noticed or not mended.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from calling import call, load_everything
from store_of_samples import EXPLAIN, FLOW, find_command, read_all, read_files

HARMS = ("flip", "flip", "flip", "drop", "cut", "empty", "remove", "zero", "swap")


def harm(path: Path, others: list[Path], how: str, chance: random.Random) -> str:
    """Damage a file, and return in words how."""
    content = bytearray(path.read_bytes())
    place = chance.randrange(len(content))
    if how == "flip":
        content[place] ^= 1 << chance.randrange(8)
    elif how == "drop":
        del content[place]
    elif how == "cut":
        del content[place:]
    elif how == "empty":
        content.clear()
    elif how == "zero":
        content[place : place + 16] = bytes(len(content[place : place + 16]))
    elif how == "swap":  # with a sound file of the same kind, from elsewhere
        content[:] = chance.choice([one for one in others if one.name == path.name]).read_bytes()
    path.unlink()
    if how != "remove":
        path.write_bytes(content)
    return f"{how} {place} of {path}"


def means_the_same(path: Path, before: bytes) -> bool:
    """Return whether a file says what it said: the same bytes, or the same JSON in other blanks."""
    try:
        now = path.read_bytes()
        return now == before or (path.name == "zarr.json" and json.loads(now) == json.loads(before))
    except (OSError, ValueError):
        return False


def names(verified: str, victim: Path) -> bool:
    """Return whether `store verify --json` names the group that a file belongs to, and a problem."""
    wrong = [one["group"] for one in map(json.loads, verified.splitlines()) if one["problem"]]
    return any(victim.is_relative_to(group) for group in wrong)


def read_rows(folder: Path) -> set[str]:
    """Return the rows of a table that `render` wrote; none where it wrote none."""
    table = folder / "csv.csv"
    return set(table.read_text().splitlines()) if table.exists() else set()


def try_one(whole: Path, gradients: dict[str, bytes], chance: random.Random, say: Callable[[str], None]) -> str:
    """Damage one file of a copy of a store, and return what became of it; `say` hears what must not be."""
    folder = Path(tempfile.mkdtemp(prefix="gbvis-flip-"))
    try:
        store = folder / "gbvis.zarr"
        shutil.copytree(whole, store)
        files = sorted(path for path in store.rglob("*") if path.is_file())
        victim = chance.choice(files)
        before = victim.read_bytes()
        what = harm(victim, files, chance.choice(HARMS), chance)
        if means_the_same(victim, before) or (victim.parent.name == "motion" and not victim.exists()):
            return "said the same"  # a pair of flow that is not there is one that is not done yet
        verified = call(["store", "verify", "--json"], folder)
        if victim == store / "zarr.json":
            return try_root(folder, what, gradients, say)
        if verified.faults() or verified.code != 1:
            say(f"{what}: verify ended with {verified.code}: {verified.err}")
        if not names(verified.out, victim.relative_to(store)):
            say(f"{what}: verify names another group: {verified.out}")
        rendered = call(["render", "-o", "csv.csv", "--force"], folder)
        if rendered.faults():
            say(f"{what}: render: {rendered.faults()}")
        if not read_rows(folder) <= read_rows(whole.parent):
            say(f"{what}: render gives other numbers")
        for words in (EXPLAIN, FLOW):
            explained = call(words, folder)
            if explained.faults() or explained.code:
                say(f"{what}: explain ended with {explained.code}: {explained.err}")
        if call(["store", "verify"], folder).code:
            say(f"{what}: not mended")
        elif read_all(store) != gradients:
            say(f"{what}: other gradients")
        return "noticed and mended"
    finally:
        shutil.rmtree(folder)


def try_root(folder: Path, what: str, gradients: dict[str, bytes], say: Callable[[str], None]) -> str:
    """See that a store whose root is damaged is refused by every command, and mended by what the hint gives to type."""
    store = folder / "gbvis.zarr"
    before = read_files(store, "**/*")
    for words in (["store", "verify"], ["render", "-o", "csv.csv"], EXPLAIN):
        refused = call(words, folder)
        if refused.faults() or refused.code != 2:
            say(f"{what}: {words[0]} ended with {refused.code}: {refused.err}")
    if read_files(store, "**/*") != before:
        say(f"{what}: refused, and something was written")
    if "format version" in refused.err:
        return "refused, as another version"
    command = find_command(refused.err)
    subprocess.run(command, shell=True, cwd=folder, check=True)
    if call(["store", "verify"], folder).code or '"cached": false' in call([*EXPLAIN, "--json"], folder).out:
        say(f"{what}: not mended by {command}")
    elif read_all(store) != gradients:
        say(f"{what}: other gradients")
    return "refused, and mended by what the hint gives to type"


def main() -> None:
    """Print what became of every damage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    load_everything()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        for words in (EXPLAIN, FLOW):
            assert call(words, made).code == 0
        gradients = read_all(made / "gbvis.zarr")
        assert call(["render", "-o", "csv.csv"], made).code == 0
        chance = random.Random(arguments.seed)
        became = Counter(try_one(made / "gbvis.zarr", gradients, chance, faults.append) for _ in range(arguments.count))
    print(f"a store of {len(gradients)} runs")
    for what, count in [*became.most_common(), ("in all", became.total())]:
        print(f"{what:<52} {count:>6} damages")
    print("\n".join(faults) or "nothing wrong was served, and nothing was lost")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
