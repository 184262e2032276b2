"""Calls gbvis with broken files, as many as wanted, and with every hostile one; prints what became of it.

    python tests/reliability/broken_files.py --cases 1000 --seed 0
    python tests/reliability/broken_files.py --only 137 --keep /tmp/case      # one of them again, its files kept
    python tests/reliability/broken_files.py --only list_with_nul

Ends with 1 where a call did what none may do: see `Outcome.faults`.
"""

import argparse
import json
import os
import shlex
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before anything starts threads: they do not survive a fork

import hostile_frames  # noqa: F401  # they enter their cases into the list
import hostile_names  # noqa: F401
import hostile_videos  # noqa: F401
import hostile_weights  # noqa: F401
from calling import Outcome, call, load_everything, run_apart
from cases import KINDS, Call, prepare_case
from hostile import HOSTILE
from whole_files import write_all


@dataclass(frozen=True)
class Result:
    """What became of a case.

    Attributes:
        kind: Of the broken file.
        typed: What was typed.
        outcome: What it left behind.
    """

    kind: str
    typed: Call
    outcome: Outcome

    @property
    def faults(self) -> list[str]:
        """What the call must not have done."""
        faults = self.outcome.faults()
        if self.typed.has_good and not faults and not self.typed.is_good_done(self.outcome.out):
            faults.append("the good video is not done")
        return faults


def run_case(seed: int, name: str, whole: Path, folder: Path) -> Result:
    """Return what becomes of a case, a number or the name of a hostile one, in an empty folder."""
    if name.isdigit():
        kind, typed = prepare_case(seed, int(name), whole, folder)
    else:
        kind, typed = "hostile", make_apart(name, whole, folder)
    return Result(kind, typed, call(typed.arguments, folder))


def make_apart(name: str, whole: Path, folder: Path) -> Call:
    """Make a hostile case in a child: some take much memory, which is not to be this process's."""
    note = folder / "call.json"
    made = run_apart(lambda: note.write_text(json.dumps(asdict(HOSTILE[name](whole, folder)))), folder)
    if made.code:
        sys.exit(made.err)
    noted = json.loads(note.read_text())
    return Call(tuple(noted["arguments"]), noted["has_good"])


def make_whole_files(folder: Path) -> None:
    """Write the whole files that cases are made from, in a child, and convert one of them by gbvis itself."""
    made = run_apart(lambda: write_all(folder), folder)
    converted = call(["convert-weights", "rgb.pth", "rgb.safetensors"], folder)
    if made.code or converted.code:
        sys.exit(made.err + converted.err)


def print_table(results: Iterable[Result]) -> None:
    """Print per kind how many cases there were, how they ended, the slowest and the one that took most memory."""
    by_kind: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_kind[result.kind].append(result)
        by_kind["all"].append(result)
    print(
        "| kind | cases | exit codes | slowest, s | most memory, MB | faults |\n| --- | --- | --- | --- | --- | --- |"
    )
    for kind in [*filter(by_kind.__contains__, [*KINDS, "hostile"]), "all"]:
        found = by_kind[kind]
        codes = Counter(result.outcome.code for result in found)
        shown = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items(), key=str))
        slowest = max((result.outcome.seconds for result in found), default=0)
        memory = max((result.outcome.memory for result in found), default=0)
        faults = sum(bool(result.faults) for result in found)
        print(f"| {kind} | {len(found)} | {shown} | {slowest:.1f} | {memory >> 20} | {faults} |")


def read_arguments() -> argparse.Namespace:
    """Return what was typed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", help="these cases alone: numbers, or names of hostile ones")
    parser.add_argument("--no-hostile", action="store_true", help="numbered cases alone")
    parser.add_argument("--kind", default="", help="only kinds whose name holds this; `hostile` is one")
    parser.add_argument(
        "--keep", type=Path, help="where the files of cases with faults, or of those in --only, are left"
    )
    return parser.parse_args()


def choose_cases(asked: argparse.Namespace) -> list[str]:
    """Return the names of the cases that were asked for."""
    if asked.only:
        return list(asked.only)
    kinds = list(KINDS)
    numbers = [str(number) for number in range(asked.cases) if asked.kind in kinds[number % len(kinds)]]
    return [*(HOSTILE if asked.kind in "hostile" and not asked.no_hostile else ()), *numbers]


def main() -> None:
    """Run the cases asked for."""
    asked = read_arguments()
    load_everything()
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "whole"
        whole.mkdir()
        make_whole_files(whole)
        for name in choose_cases(asked):
            folder = Path(scratch) / name
            folder.mkdir()
            result = run_case(asked.seed, name, whole, folder)
            results.append(result)
            if result.faults:
                words = shlex.join(["gbvis", *result.typed.arguments])
                print(f"case {name}, {result.kind}: {'; '.join(result.faults)}\n    {words}")
                print("    " + "\n    ".join(result.outcome.err.splitlines()[-12:]), flush=True)
            if asked.keep and (asked.only or result.faults):
                shutil.copytree(folder, asked.keep / name, dirs_exist_ok=True)
            shutil.rmtree(folder)
    print_table(results)
    sys.exit(any(result.faults for result in results))


if __name__ == "__main__":
    main()
