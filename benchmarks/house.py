"""How the house is laid out; SRC is the `src` folder of another checkout.

A room is a file or a folder at the top of `src/gbvis`; an arrow leads from a room to one that it imports from, wherever
in a file and for types alone too. Floors are counted along the longest chain of arrows. A circle is a set of files that
import each other, faces of packages (`__init__.py`) left out where all that they do is to import what is in them.

The trace is that of one cold `explain` of `tests/material/moving-disc.mp4` with the sample network's RGB stream: which
files' functions are called, how many functions, and how often a call leads from one file to another. What runs while a
module is imported counts, the bodies of modules and classes and comprehensions do not.
"""

import argparse
import ast
import json
import os
import statistics
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent.parent
VIDEO = HERE / "tests/material/moving-disc.mp4"

TRACE = r"""
import json, sys, threading
from pathlib import Path
import gbvis

root = str(Path(gbvis.__file__).parent)
files, functions, last, moves = set(), set(), {}, [0]

def follow(frame, event, argument):
    code = frame.f_code
    is_ours = event == "call" and code.co_filename.startswith(root) and code.co_flags & 1
    if not is_ours or code.co_name in ("<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>"):
        return
    thread = threading.get_ident()
    files.add(code.co_filename)
    functions.add((code.co_filename, code.co_firstlineno))
    moves[0] += last.get(thread) != code.co_filename
    last[thread] = code.co_filename

from gbvis.cli.app import run_command_line
threading.setprofile(follow)
sys.setprofile(follow)
code = run_command_line(["explain", sys.argv[1], "-w", "sample", "-m", "rgb", "-q"])
sys.setprofile(None)
print(json.dumps([code, len(files), len(functions), moves[0]]))
"""


def main() -> None:
    """Print a table of figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", metavar="SRC", nargs="?", type=Path, default=HERE / "src")
    source = parser.parse_args().source.resolve() / "gbvis"
    if not source.is_dir():
        parser.error(f"{source} is no folder")
    modules = sorted(source.rglob("*.py"))
    lengths = [count_lines(path) for path in modules if path.name != "__init__.py"]
    store = sorted((source / "store").glob("*.py"))
    rooms, arrows, floors = draw_rooms(source, modules)
    code, files, functions, moves = trace(source)
    assert code == 0
    top = [path for path in source.iterdir() if not path.name.startswith("_") and path.name != "py.typed"]
    kinds = f"{sum(path.is_file() for path in top)} and {sum(path.is_dir() for path in top)}"
    size = f"{len(store)}, {sum(map(count_lines, store))}, {sum(map(count_code, store))}"
    rows = {
        "top level: files and folders": kinds,
        "rooms, arrows, floors": f"{rooms}, {arrows}, {floors}",
        "circles of imports": f"{len(find_circles(source, modules))}",
        "a cold explain: files, functions, moves": f"{files}, {functions}, {moves}",
        "files, less __init__.py; median, longest": f"{len(lengths)}; {statistics.median(lengths):g}, {max(lengths)}",
        "files under 20 lines": f"{sum(length < 20 for length in lengths)}",
        "store: files, lines, lines of code": size,
        **{f"rooms that have {word} in a name": f"{count_named(source, word)}" for word in ("flow", "weights")},
    }
    for name, value in rows.items():
        print(f"| {name} | {value} |")


def count_lines(path: Path) -> int:
    """Return the number of lines of a file."""
    return len(path.read_text(encoding="utf-8").splitlines())


def count_code(path: Path) -> int:
    """Return the number of lines that are neither blank, nor a comment, nor part of a docstring."""
    text = path.read_text(encoding="utf-8")
    lines = {number for number, line in enumerate(text.splitlines(), 1) if line.strip() and line.strip()[0] != "#"}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def count_named(source: Path, word: str) -> int:
    """Return in how many rooms a file or a folder has the word in its name."""
    found = {
        path.relative_to(source).parts[0] for path in source.rglob("*") if word in path.stem and "__" not in path.name
    }
    return len(found)


@cache
def files_used_by(source: Path, path: Path) -> set[Path]:
    """Return the files of the package that a file imports from."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names] + [str(node.module)]
        for name in names:
            place = source.joinpath(*name.split(".")[1:]) if name.split(".")[0] == "gbvis" else None
            if place and place.with_suffix(".py").is_file():
                found.add(place.with_suffix(".py"))
                break
            if place and (place / "__init__.py").is_file() and isinstance(node, ast.ImportFrom) and name == node.module:
                found.add(place / "__init__.py")
    return found - {path}


def draw_rooms(source: Path, modules: list[Path]) -> tuple[int, int, int]:
    """Return the numbers of rooms, of arrows between them, and of floors."""

    def room_of(path: Path) -> str:
        return path.relative_to(source).parts[0]

    below: dict[str, set[str]] = {room_of(path): set() for path in modules}
    for path in modules:
        below[room_of(path)] |= {room_of(used) for used in files_used_by(source, path)} - {room_of(path)}
    heights: dict[str, int] = {}

    def height(room: str, above: tuple[str, ...] = ()) -> int:
        if room not in heights:
            heights[room] = 1 + max((height(one, (*above, room)) for one in below[room] if one not in above), default=0)
        return heights[room]

    return len(below), sum(map(len, below.values())), max(map(height, below))


def find_circles(source: Path, modules: list[Path]) -> list[set[str]]:
    """Return the sets of files that import each other."""
    graph = {path: files_used_by(source, path) for path in modules if path.name != "__init__.py"}

    @cache
    def reach(path: Path) -> frozenset[Path]:
        seen: set[Path] = set()
        waiting = [path]
        while waiting:
            new = graph.get(waiting.pop(), set()) - seen
            seen |= new
            waiting += new
        return frozenset(seen)

    circles = {frozenset(other for other in graph if other in reach(path) and path in reach(other)) for path in graph}
    return [{path.name for path in circle} for circle in circles if len(circle) > 1]


def trace(source: Path) -> list[int]:
    """Return the exit code of a cold `explain`, and the numbers of its files, functions and moves."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": str(source.parent)}
        command = [sys.executable, "-c", TRACE, str(VIDEO)]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    figures: list[int] = json.loads(done.stdout.splitlines()[-1])
    return figures


if __name__ == "__main__":
    main()
